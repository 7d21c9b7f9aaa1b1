/**
 * The body of a message: bytes to data and end events, by any framing (RFC 9112 6 and 7).
 *
 * @module
 */
import type { ByteQueue } from "./byte_queue.ts";
import { ChunkScanner } from "./chunk_scanner.ts";
import type { DataEvent, EndEvent } from "./event.ts";
import type { Framing } from "./head.ts";
import { CR, LF } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { TrailerScanner } from "./trailer_scanner.ts";

const OF_LENGTH = 1;
const UNTIL_CLOSE = 2;
const CHUNK_LINE = 3;
const CHUNK_DATA = 4;
const CHUNK_END = 5;
const TRAILERS = 6;
const END = 7;

/** The end of a message without trailers. */
export const PLAIN_END: EndEvent = Object.freeze({ type: "end", trailers: "" });

/** Reads bodies, one after the other. */
export class BodyReader {
  readonly #trailerBytes: number;
  readonly #chunks: ChunkScanner = new ChunkScanner();
  #trailers: TrailerScanner | undefined;
  #state = END;
  /** Bytes that are left of the body, or of the chunk. */
  #left = 0;
  /** The size of the chunk in hand until its first piece is out, then 0. */
  #chunk = 0;

  /**
   * Makes a reader that has no body to read yet.
   *
   * @param trailerBytes how many bytes the trailers of a message may have
   */
  constructor(trailerBytes: number) {
    this.#trailerBytes = trailerBytes;
  }

  /** Whether the body ends with the connection, and nothing else can end it. */
  get isUntilClose(): boolean {
    return this.#state === UNTIL_CLOSE;
  }

  /** Prepares for a body of this framing. */
  start(framing: Framing): void {
    switch (framing.kind) {
      case "none":
        this.#state = END;
        break;
      case "length":
        this.#left = framing.length;
        this.#state = framing.length === 0 ? END : OF_LENGTH;
        break;
      case "chunked":
        this.#chunks.reset();
        this.#state = CHUNK_LINE;
        break;
      case "close":
        this.#left = Infinity;
        this.#state = UNTIL_CLOSE;
    }
  }

  /** The next piece, or the end, or `undefined`: more bytes are needed. */
  next(queue: ByteQueue): DataEvent | EndEvent | undefined {
    for (;;) {
      switch (this.#state) {
        case OF_LENGTH:
        case UNTIL_CLOSE: {
          if (queue.length === 0) return undefined;
          const data = queue.take(Math.min(queue.length, this.#left));
          this.#left -= data.length;
          if (this.#left === 0) this.#state = END;
          return { type: "data", data, chunk: 0, final: false };
        }
        case CHUNK_LINE: {
          const next = this.#chunks.scan(queue.bytes, queue.at);
          if (next === -1) return undefined;
          queue.skipTo(next);
          this.#left = this.#chunk = this.#chunks.size;
          this.#state = this.#left === 0 ? TRAILERS : CHUNK_DATA;
          break;
        }
        case CHUNK_DATA: {
          if (queue.length === 0) return undefined;
          const data = queue.take(Math.min(queue.length, this.#left));
          const chunk = this.#chunk;
          this.#chunk = 0;
          this.#left -= data.length;
          if (this.#left === 0) this.#state = CHUNK_END;
          return { type: "data", data, chunk, final: this.#left === 0 };
        }
        case CHUNK_END:
          if (!takeLineEnd(queue)) return undefined;
          this.#state = CHUNK_LINE;
          break;
        case TRAILERS:
          return this.#trailerSection(queue);
        default:
          return PLAIN_END;
      }
    }
  }

  /** Says what is missing of a body of known length. */
  missing(): string {
    return this.#state === OF_LENGTH ? ` with ${this.#left} bytes of its body missing` : "";
  }

  #trailerSection(queue: ByteQueue): EndEvent | undefined {
    const { bytes, at } = queue;
    // Nearly always there are none. The CR may have come alone, so that the scanner has seen it.
    if (bytes[at] === CR && bytes[at + 1] === LF) {
      queue.skipTo(at + 2);
      this.#trailers?.reset();
      return PLAIN_END;
    }
    if (queue.length === 0) return undefined;
    this.#trailers ??= new TrailerScanner(this.#trailerBytes);
    const end = this.#trailers.scan(bytes, at);
    if (end === -1) return undefined;
    const trailers = this.#trailers.fields(bytes, at, end);
    this.#trailers.reset();
    queue.skipTo(end);
    return { type: "end", trailers };
  }
}

/** Takes the CRLF after a chunk; false: it is not here yet. */
function takeLineEnd(queue: ByteQueue): boolean {
  const { bytes, at, length } = queue;
  if (length === 0) return false;
  if (bytes[at] !== CR || (length > 1 && bytes[at + 1] !== LF)) {
    throw new ProtocolError(
      "HTTP_CHUNK",
      "A chunk is longer than its size: no CRLF follows its data (RFC 9112 7.1)",
    );
  }
  if (length === 1) return false;
  queue.skipTo(at + 2);
  return true;
}
