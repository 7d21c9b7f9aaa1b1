/**
 * What the parser reports.
 *
 * @module
 */
import type { RequestHead, ResponseHead } from "./head.ts";

/** A head has arrived. */
export interface HeadEvent {
  /** Tells the events apart. */
  readonly type: "head";
  /** The head. */
  readonly head: RequestHead | ResponseHead;
}

/**
 * A piece of the body has arrived: a view of the bytes that were pushed, never empty. `chunk` and `final` let a forwarder reproduce
 * the sender's chunks without waiting for whole ones.
 */
export interface DataEvent {
  /** Tells the events apart. */
  readonly type: "data";
  /** The bytes. */
  readonly data: Uint8Array;
  /** When a transfer chunk starts with this piece: the size of that whole chunk. 0: the piece continues one, or there are no chunks. */
  readonly chunk: number;
  /** Whether this piece completes its transfer chunk; false when there are no chunks. */
  readonly final: boolean;
  /** Nobody else has the bytes: whoever has passed them on may give their memory back. */
  sole?: boolean;
}

/** The message is complete. */
export interface EndEvent {
  /** Tells the events apart. */
  readonly type: "end";
  /** The raw trailer lines, each ended by CRLF; `""` when there are none. */
  readonly trailers: string;
}

/** What the parser reports. A message is one head, any number of data, one end. */
export type Http1Event = HeadEvent | DataEvent | EndEvent;
