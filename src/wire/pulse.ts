/**
 * Feels whether the other end of a connection is still there while nothing is read from it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Watch } from "./watch.ts";

/** How often a connection that is not read is felt, in milliseconds. */
const BEAT_MS = 1000;
const NOTHING = new Uint8Array(0);

/**
 * A reset is found out by whoever reads or writes. A connection that has to wait for its other side does neither, perhaps for ever:
 * so nothing at all is written to it from time to time, which the kernel refuses where there has been a reset. Bun needs no
 * asking; Deno writes nothing where there is nothing to write, and learns of the reset when the other side goes on.
 */
export class Pulse {
  readonly #socket: Duplex;
  readonly #watch: Watch;

  /** @param socket whose "error" and "close" somebody listens to */
  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#watch = new Watch(() => this.#feel());
    socket.once("close", () => this.close());
  }

  /** Nothing is read from now on. */
  start(): void {
    if (!this.#watch.on) this.#watch.set(BEAT_MS);
  }

  /** It is read again. */
  stop(): void {
    this.#watch.off();
  }

  /** It is somebody else's. */
  close(): void {
    this.#watch.close();
  }

  #feel(): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    // What waits to be written feels it by itself.
    if (this.#socket.writableLength === 0) this.#socket.write(NOTHING);
    this.#watch.set(BEAT_MS);
  }
}
