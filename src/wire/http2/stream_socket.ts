/**
 * A stream that carries bytes of another protocol: a tunnel (RFC 9113 section 8.5), or a WebSocket (RFC 8441).
 *
 * @module
 */
import { Duplex } from "node:stream";
import { ERROR_CODES } from "./http2_error.ts";
import type { Http2Stream } from "./stream.ts";

/** As much as `Outgoing` takes before it asks its caller to stop: what it waits for is told then. */
const HIGH_WATER = 64 * 1024;

/** How a stream is taken for a connection. */
export interface StreamSocketOptions {
  /** The error code with which the stream is reset when the connection is cut. */
  readonly cutCode: number;
  /** The peer has ended its side, and the stream has told so already. */
  readonly ended?: boolean;
}

/**
 * The bytes of a stream as a connection of its own, each side of which can be ended alone. The peer is held up by the stream's window
 * while nobody reads. A stream that is reset, or goes down with its connection, closes it without an error.
 */
export class StreamSocket extends Duplex {
  readonly #stream: Http2Stream;
  readonly #cutCode: number;
  #wanted = false;

  /** @param stream whose head has been sent, and which tells nothing at the moment */
  constructor(stream: Http2Stream, { cutCode, ended = false }: StreamSocketOptions) {
    super({ allowHalfOpen: true, highWaterMark: HIGH_WATER });
    this.#stream = stream;
    this.#cutCode = cutCode;
    stream.stop();
    stream.user = {
      // Nothing but data may come now (RFC 9113 section 8.5).
      fields: () => {
        stream.violated(ERROR_CODES.PROTOCOL_ERROR);
        this.destroy();
      },
      data: (bytes) => this.#data(bytes),
      end: () => void this.push(null),
      broken: () => void this.destroy(),
    };
    if (ended) this.push(null);
    else if (stream.over && !stream.remoteEnded) this.destroy();
  }

  /** For `node:stream`. */
  override _read(): void {
    this.#wanted = true;
    this.#stream.go();
  }

  /** For `node:stream`. */
  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#stream.write(bytes)) done();
    else this.#stream.drained(done);
  }

  /** For `node:stream`. What was written before has been taken: that is when its callback was called. */
  override _final(done: () => void): void {
    this.#stream.end([]);
    done();
  }

  /** For `node:stream`. */
  override _destroy(_error: Error | null, done: () => void): void {
    // Whoever has got everything need not take the rest of the peer's for a failure of his.
    this.#stream.reset(this.writableFinished ? ERROR_CODES.NO_ERROR : this.#cutCode);
    done();
  }

  // The reader may ask for more while it gets this: then nobody will ask again.
  #data(bytes: Uint8Array): boolean {
    this.#wanted = false;
    return this.push(bytes) || this.#wanted;
  }
}
