/**
 * A flow as a report has it, but for bodies and messages.
 *
 * @module
 */
import { describeValue } from "../flow/matcher/describe.ts";
import type { Flow } from "../flow/flow.ts";
import type { FlowHeaders } from "../flow/headers.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Message } from "../flow/message.ts";
import { wasSentAgain } from "../flow/sent_again.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Cleaner } from "./clean.ts";
import type {
  AnyFlowData,
  ErrorData,
  FieldData,
  FlowData,
  HttpFlowData,
  MessageData,
  RequestData,
  ResponseData,
  TcpFlowData,
  TimingsData,
} from "./data.ts";
import { shortened } from "./limits.ts";
import type { Peers } from "./peers.ts";

/** What is needed to tell of a flow. */
export interface FlowContext {
  readonly cleaner: Cleaner;
  readonly peers: Peers;
  /** Nothing on the tape matched it. */
  readonly unmatched: boolean;
  /** Its place, from 0. */
  readonly place: number;
}

/** No more header fields of a message than this are in a report. */
const MAX_FIELDS = 500;

/** The data of a flow. */
export function flowData(flow: Flow, context: FlowContext): FlowData {
  return flow.type === "http" ? httpData(flow, context) : tcpData(flow, context);
}

function httpData(flow: HttpFlow, context: FlowContext): HttpFlowData {
  const { response, original, websocket } = flow;
  const { cleaner } = context;
  return {
    type: "http",
    ...anyData(flow, context),
    request: requestData(flow, cleaner),
    ...(response !== undefined && { response: responseData(response, cleaner) }),
    ...(original !== undefined && original !== response && { original: responseData(original, cleaner) }),
    ...(flow.informational.length > 0 && {
      informational: flow.informational.slice(0, 20).map(({ status, reason, headers }) => ({
        status,
        reason: shortened(String(reason)),
        headers: fields(headers, cleaner),
      })),
    }),
    ...(flow.alerts.length > 0 && { alerts: lines(flow.alerts, cleaner) }),
    ...(websocket !== undefined && {
      websocket: {
        ...(websocket.closeCode !== undefined && { closeCode: websocket.closeCode }),
        ...(websocket.closeReason !== undefined && { closeReason: cleaner.text(shortened(websocket.closeReason)) }),
        ...(websocket.closedBy !== undefined && { closedBy: websocket.closedBy }),
      },
      ...(websocket.omitted > 0 && { omitted: websocket.omitted }),
    }),
  };
}

function tcpData(flow: TcpFlow, context: FlowContext): TcpFlowData {
  const { hostname, port, serverName, endedBy, bytes } = flow;
  return {
    type: "tcp",
    ...anyData(flow, context),
    hostname: shortened(hostname),
    port,
    ...(serverName !== undefined && { serverName: shortened(serverName) }),
    ...(endedBy !== undefined && { endedBy }),
    bytes: { ...bytes },
  };
}

function anyData(flow: Flow, { cleaner, peers, unmatched, place }: FlowContext): AnyFlowData {
  const { client, server, error, marked, comment, faults, metadata } = flow;
  const known = Object.entries(metadata).slice(0, 100);
  return {
    id: flow.id,
    place,
    source: String(flow.source),
    timings: timingsOf(flow),
    client: peers.placeOf(client),
    ...(server !== undefined && { server: peers.placeOf(server) }),
    ...(error !== undefined && { error: errorData(error, cleaner) }),
    ...(marked !== undefined && { marked: cleaner.text(shortened(String(marked), 100)) }),
    ...(comment !== undefined && { comment: cleaner.text(shortened(String(comment))) }),
    ...(faults.length > 0 && { faults: lines(faults, cleaner) }),
    ...(known.length > 0 && {
      metadata: Object.fromEntries(known.map(([key, value]) => [shortened(key, 200), valueOf(key, value, cleaner)])),
    }),
    ...(!flow.done && { pending: true as const }),
    ...(unmatched && { unmatched: true as const }),
    ...(wasSentAgain(flow) && { sentAgain: true as const }),
  };
}

/** Of what was read from a tape nobody knows when it happened. */
function timingsOf({ timings, client }: Flow): TimingsData {
  return client.host === "tape" && client.port === 0 ? { start: 0 } : { ...timings };
}

function requestData({ request }: HttpFlow, cleaner: Cleaner): RequestData {
  const { url, originalUrl } = request;
  return {
    method: shortened(String(request.method), 100),
    url: cleaner.url(shortened(url)),
    ...(originalUrl !== url && { originalUrl: cleaner.url(shortened(originalUrl)) }),
    ...messageData(request, cleaner),
  };
}

function responseData(response: Message & { status: number; reason: string }, cleaner: Cleaner): ResponseData {
  return {
    status: response.status,
    reason: shortened(String(response.reason), 1000),
    ...messageData(response, cleaner),
  };
}

function messageData({ httpVersion, headers, trailers, content }: Message, cleaner: Cleaner): MessageData {
  const { marks, size, complete } = content;
  return {
    httpVersion,
    headers: fields(headers, cleaner),
    ...(trailers !== undefined && trailers.raw.length > 0 && { trailers: fields(trailers, cleaner) }),
    size,
    ...(!complete && { incomplete: true as const }),
    // Where chunks end in what was coded says nothing of the body.
    ...(marks !== undefined && marks.ends.length > 1 && !headers.has("content-encoding") && {
      chunks: marks.ends.slice(0, 5000).map((end, i) => [end, rounded(marks.times[i]!)] as const),
    }),
  };
}

function fields(headers: FlowHeaders, cleaner: Cleaner): FieldData[] {
  return headers.raw.slice(0, MAX_FIELDS).map(([name, value]) =>
    [shortened(name, 1000), shortened(cleaner.header(name, value))] as const
  );
}

/** An error as it is shown. */
export function errorData(error: { readonly code: unknown; readonly message: unknown }, cleaner: Cleaner): ErrorData {
  return { code: String(error.code), message: cleaner.text(shortened(String(error.message))) };
}

function lines(texts: readonly string[], cleaner: Cleaner): string[] {
  return texts.slice(0, 100).map((text) => cleaner.text(shortened(String(text))));
}

/** An addon may have put anything there. */
function valueOf(key: string, value: unknown, cleaner: Cleaner): string {
  const clean = (text: string) => cleaner.text(shortened(text)).replace(/^.*?: /s, "");
  // With its name in front, which says whether it is a secret.
  if (typeof value === "string") return clean(`${key}: ${value}`);
  try {
    return clean(`${key}: ${JSON.stringify(value) ?? describeValue(value)}`);
  } catch {
    return "(cannot be shown)";
  }
}

function rounded(time: number): number {
  return Math.round(time * 100) / 100;
}
