/**
 * What a report knows, as the JSON that stands in its page: plain, redacted and bounded. What makes it and the page itself share these
 * types, and nothing else.
 *
 * @module
 */

/** All of a report. */
export interface ReportData {
  /** The form of this data. */
  readonly format: 1;
  /** What the report is about, such as the name of a test. */
  readonly title: string;
  /** When it was made, ISO 8601. */
  readonly made: string;
  /** The flows in the order in which they began. */
  readonly flows: readonly FlowData[];
  /** The connections, by their place in this list. */
  readonly peers: readonly PeerData[];
  /** Why the test has failed. */
  readonly failure?: FailureData;
  /** What is not in the report. */
  readonly left: LeftOut;
}

/** What is not in a report, and why. */
export interface LeftOut {
  /** Older flows that the proxy had forgotten already (`capture.maxFlows`). */
  readonly dropped: number;
  /** Older flows that are too many for a report. */
  readonly flows: number;
  /** Bodies and messages that were shortened or left out, because they are too large for a report. */
  readonly bodies: number;
}

/** One end of flows. */
export interface PeerData {
  readonly host: string;
  readonly port: number;
  readonly address?: string;
  readonly local?: string;
  readonly connectedAt?: number;
  readonly username?: string;
  readonly via?: string;
  readonly tunnel?: string;
  readonly played?: string;
  readonly tls?: TlsData;
  readonly proxyTls?: TlsData;
  readonly error?: ErrorData;
}

/** What TLS agreed on. */
export interface TlsData {
  readonly version: string;
  readonly cipher: string;
  readonly serverName?: string;
  readonly alpn?: string;
  readonly ja3?: string;
  readonly ja4?: string;
  readonly certificates: readonly CertificateData[];
}

/** A certificate, without the certificate itself. */
export interface CertificateData {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  readonly fingerprint: string;
  readonly serialNumber: string;
}

/** Why something failed. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
}

/** A header field: name and value. */
export type FieldData = readonly [name: string, value: string];

/** Bytes: as text where that gives the same bytes back in UTF-8, else as base64. */
export interface BytesData {
  readonly text?: string;
  readonly base64?: string;
  /** How many bytes there were, when these are only the first of them. */
  readonly of?: number;
  /** Why there are none, or fewer. */
  readonly note?: string;
}

/** A message of HTTP. */
export interface MessageData {
  readonly httpVersion: string;
  readonly headers: readonly FieldData[];
  readonly trailers?: readonly FieldData[];
  /** Without its content coding where that could be undone. */
  readonly body?: BytesData;
  /** Bytes on the wire, with their content coding. */
  readonly size: number;
  /** The body has still the coding that `content-encoding` names. */
  readonly encoded?: true;
  /** It had not arrived when the report was made. */
  readonly incomplete?: true;
  /** Where the chunks of the body ended, and when: milliseconds after the start of the flow. */
  readonly chunks?: readonly (readonly [end: number, time: number])[];
}

/** A request. */
export interface RequestData extends MessageData {
  readonly method: string;
  readonly url: string;
  /** What the client asked for, when it was rewritten. */
  readonly originalUrl?: string;
}

/** A response. */
export interface ResponseData extends MessageData {
  readonly status: number;
  readonly reason: string;
}

/** Something that was said over a WebSocket or a raw connection. */
export interface SaidData extends BytesData {
  readonly from: "client" | "server";
  readonly type: "text" | "binary";
  /** Milliseconds after the start of the flow. */
  readonly time: number;
  readonly size: number;
  readonly state?: "edited" | "dropped" | "injected";
}

/** When the stages of a flow happened. */
export interface TimingsData {
  /** Milliseconds since the epoch; 0 when it is not known. */
  readonly start: number;
  readonly requestEnd?: number;
  readonly connectStart?: number;
  readonly dnsEnd?: number;
  readonly connectEnd?: number;
  readonly tlsEnd?: number;
  readonly responseStart?: number;
  readonly end?: number;
}

/** What every flow has. */
export interface AnyFlowData {
  readonly id: string;
  /** Its place among the flows of the proxy, from 0, as `flows.at()` takes it. */
  readonly place: number;
  readonly source: string;
  readonly timings: TimingsData;
  /** The places of the connections in the list of peers. */
  readonly client: number;
  readonly server?: number;
  readonly error?: ErrorData;
  readonly marked?: string;
  readonly comment?: string;
  readonly faults?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** It was still under way when the report was made. */
  readonly pending?: true;
  /** Nothing on the tape matched it. */
  readonly unmatched?: true;
  /** Its request was sent before, and again by the proxy itself. */
  readonly sentAgain?: true;
  /** How many messages are missing at the end. */
  readonly omitted?: number;
  readonly messages?: readonly SaidData[];
}

/** An exchange. */
export interface HttpFlowData extends AnyFlowData {
  readonly type: "http";
  readonly request: RequestData;
  readonly response?: ResponseData;
  /** What the server had sent, when an addon has changed the response. */
  readonly original?: ResponseData;
  readonly informational?: readonly {
    readonly status: number;
    readonly reason: string;
    readonly headers: readonly FieldData[];
  }[];
  readonly alerts?: readonly string[];
  /** How a WebSocket was closed; there is one when the flow became one. */
  readonly websocket?: { readonly closeCode?: number; readonly closeReason?: string; readonly closedBy?: string };
}

/** A raw conversation. */
export interface TcpFlowData extends AnyFlowData {
  readonly type: "tcp";
  readonly hostname: string;
  readonly port: number;
  readonly serverName?: string;
  readonly endedBy?: string;
  readonly bytes: { readonly client: number; readonly server: number };
}

/** A flow. */
export type FlowData = HttpFlowData | TcpFlowData;

/** Why a test has failed. */
export interface FailureData {
  /** The name of the error, such as `AssertionError`. */
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly operator?: string;
  readonly expected?: string;
  readonly actual?: string;
  /** As the test runner compares the two. */
  readonly diff?: string;
  /** What an assertion of flowtape knows about it. */
  readonly details?: DetailsData;
}

/** What an assertion of flowtape knows about its failure. */
export interface DetailsData {
  /** What was asked, such as `received`. */
  readonly kind: string;
  /** What was wanted and what was found. */
  readonly summary: string;
  /** The flows that it is about: their ids. */
  readonly flows: readonly string[];
  /** What came nearest, the nearest first. */
  readonly nearest: readonly NearestData[];
  /** What can be done about it. */
  readonly advice: readonly { readonly text: string; readonly code: string; readonly flow?: string }[];
}

/** Something that almost fitted. */
export interface NearestData {
  readonly kind: string;
  readonly title: string;
  /** The id of the flow that it is, or that it was compared with. */
  readonly flow?: string;
  /** From 0, nothing fits, to 1. */
  readonly closeness: number;
  readonly comparisons: readonly ComparisonData[];
}

/** One field of a near miss. */
export interface ComparisonData {
  readonly field: string;
  readonly expected: string;
  readonly actual?: string;
  readonly matches: boolean;
}
