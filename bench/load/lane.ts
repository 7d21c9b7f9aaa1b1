/** What takes turns with others in a steady load: one request at a time, the next when the answer to the last one is complete. */
import type { Buffer } from "node:buffer";

/** What a lane asks for next, and what must come back. */
export interface Exchange {
  /** The bytes of a request of HTTP/1.1. */
  readonly request: Buffer;
  /** Whose body must come back; in a WebSocket, what begins the message. */
  readonly path: string;
}

export interface Lane {
  /** Sends what `next` gives until it gives nothing; resolves to the number of right answers. */
  run(next: () => Exchange | undefined): Promise<number>;
  close(): void;
}
