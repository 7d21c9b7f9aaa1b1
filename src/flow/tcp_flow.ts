/**
 * One conversation of raw bytes.
 *
 * @module
 */
import type { FlowError } from "./flow_error.ts";
import type { Peer } from "./peer.ts";
import type { Timings } from "./timings.ts";

/** A piece of a raw conversation. */
export interface TcpMessage {
  /** Who sent it. */
  readonly from: "client" | "server";
  /** Milliseconds after the start of the flow. */
  readonly time: number;
  /** The bytes; edit them in `tcpMessage`. */
  data: Uint8Array;
}

/** A conversation that is neither HTTP nor TLS that the proxy could open. */
export interface TcpFlow {
  /** `"tcp"`. */
  readonly type: "tcp";
  /** Unique in this process. */
  readonly id: string;
  /** The client's connection. */
  readonly client: Peer;
  /** The server's connection. */
  server?: Peer;
  /** What was said, in order. */
  readonly messages: TcpMessage[];
  /** Why it failed. */
  error?: FlowError;
  /** When its stages happened. */
  readonly timings: Timings;
  /** True once both sides have ended. */
  done: boolean;
}
