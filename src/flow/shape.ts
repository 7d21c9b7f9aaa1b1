/**
 * How the bytes of a flow travel: what rules ask of the wire. The wire looks at it and at nothing else.
 *
 * @module
 */
import type { FlowErrorCode } from "./flow_error.ts";

/** A direction: `request` is from the client to the server, `response` from the server (or whoever answers) to the client. */
export type ShapedSide = "request" | "response";

/** How a connection is broken. */
export interface Cut {
  /**
   * `reset`: by a TCP reset; in HTTP/2 by RST_STREAM. `close`: by an end that comes too early; in HTTP/2 by RST_STREAM. `short`: the same,
   * but in HTTP/2 by END_STREAM where content-length has promised more.
   */
  readonly end: "reset" | "close" | "short";
  /** Bytes that make no sense, sent before the end. In HTTP/2 they are data where a head was sent, and left out otherwise. */
  readonly garbage?: Uint8Array;
  /** Of HTTP/2: `stream` breaks the stream of the flow alone, `connection` the connection with everything on it. */
  readonly scope: "stream" | "connection";
  /** Of HTTP/2: the code of RST_STREAM. */
  readonly resetCode?: number;
}

/** The connection breaks at some point. */
export interface BreakStage {
  /** Tells stages apart. */
  readonly kind: "break";
  /** Before the head; after so many bytes of the body; or after half of the body. */
  readonly at: "head" | "half" | number;
  /** For so many milliseconds nothing passes before that; `Infinity`: for ever. */
  readonly silence: number;
  /** How it breaks. */
  readonly cut: Cut;
  /** The code of the error that the flow then has. */
  readonly code: FlowErrorCode;
  /** One line that says what was done. */
  readonly description: string;
}

/** One thing that is done to the bytes of one direction. Times are in milliseconds. */
export type Stage =
  /** The head is late by a time, and so is each piece of the body, by a time of its own: none overtakes another. */
  | { readonly kind: "latency"; readonly draw: () => number }
  /** No more than so many bytes a second. */
  | { readonly kind: "rate"; readonly bytesPerSecond: number }
  /** Pieces are cut up, with a pause behind each. */
  | { readonly kind: "slice"; readonly draw: () => number; readonly pause: number }
  /** The body comes in so many pieces, spread evenly over a time. */
  | { readonly kind: "dribble"; readonly chunks: number; readonly ms: number }
  /** The head takes a time, bit by bit. */
  | { readonly kind: "slow-head"; readonly ms: number }
  /** The end of the message or connection is late. */
  | { readonly kind: "slow-close"; readonly ms: number }
  | BreakStage;

/** How a flow travels. */
export interface Shape {
  /** From the client to the server; the connection to the server is the one that is broken first. */
  readonly request: Stage[];
  /** To the client. */
  readonly response: Stage[];
  /** How HTTP/1.1 frames the body of the response, whatever it would be otherwise. */
  framing?: "length" | "chunked";
}

/** A flow that can be shaped. */
export interface Shapable {
  /** For rules and the wire: how the bytes travel. */
  shape: Shape | undefined;
  /** For rules and the wire: how the connections are broken; set together with `error`. */
  cut: Cut | undefined;
  /** What was done to it on purpose, one line each. */
  readonly faults: string[];
}

/** The shape of a flow, made when it has none. */
export function ensureShape(flow: Pick<Shapable, "shape">): Shape {
  return flow.shape ??= { request: [], response: [] };
}
