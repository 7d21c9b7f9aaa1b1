/**
 * A connection that goes on with another protocol (RFC 9110 section 7.8).
 *
 * @module
 */
import type { Duplex } from "node:stream";

/** A connection that HTTP has let go of. Listen to it at once: it may be flowing. */
export interface Detached {
  /** Carries the other protocol from now on. */
  readonly stream: Duplex;
  /** What was read of that already. */
  readonly early: Uint8Array;
}

/** What a client has asked for: present when it asks for a WebSocket. */
export interface Upgrade {
  /** Sends the 101, with these field lines, and lets go of the client's connection. */
  accept(reason: string, fields: string): Detached;
}
