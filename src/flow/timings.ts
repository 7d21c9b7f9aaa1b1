/**
 * When the stages of a flow happened.
 *
 * @module
 */

/** Stages of a flow. `start` is absolute; all others are milliseconds after it, and missing when they did not happen. */
export interface Timings {
  /** The request head had arrived: milliseconds since the epoch. */
  start: number;
  /** The request was complete. */
  requestEnd?: number;
  /** A new connection to the server was begun, established, and its TLS handshake done. None when one was reused. */
  connectStart?: number;
  /** The name of the server was resolved. None when it was an address, or a connection was reused. */
  dnsEnd?: number;
  /** See {@linkcode Timings.connectStart | connectStart}. */
  connectEnd?: number;
  /** See {@linkcode Timings.connectStart | connectStart}. */
  tlsEnd?: number;
  /** The response head had arrived. */
  responseStart?: number;
  /** The flow was over. */
  end?: number;
}
