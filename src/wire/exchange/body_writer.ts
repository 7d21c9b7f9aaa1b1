/**
 * Writes a body as HTTP/1.1.
 *
 * @module
 */
import type { Framing } from "../http1/head.ts";
import { chunkHead, lastChunk } from "../http1/serializer.ts";
import type { Outgoing } from "../outgoing.ts";
import type { BodySink, Piece } from "./body_pipe.ts";

/** A sink for a body with this framing. Chunks leave in the sizes in which they came. */
export function bodyWriter(out: Outgoing, framing: Framing): BodySink {
  switch (framing.kind) {
    case "none":
      return NO_WRITER;
    case "chunked":
      return new ChunkWriter(out);
    default:
      return new PlainWriter(out);
  }
}

/** Where there must be no body, none is sent, whatever an addon has made. */
const NO_WRITER: BodySink = { data: () => true, end: () => {} };

class PlainWriter implements BodySink {
  readonly #out: Outgoing;

  constructor(out: Outgoing) {
    this.#out = out;
  }

  data(piece: Piece): boolean {
    return pushData(this.#out, piece);
  }

  end(): void {}
}

class ChunkWriter implements BodySink {
  readonly #out: Outgoing;
  #inChunk = false;

  constructor(out: Outgoing) {
    this.#out = out;
  }

  data(piece: Piece): boolean {
    const { data, chunk } = piece;
    let { final } = piece;
    if (chunk > 0) {
      this.#out.push(chunkHead(chunk));
      this.#inChunk = !final;
    } else if (!this.#inChunk) {
      // The body came without chunks, so each piece is one.
      this.#out.push(chunkHead(data.length));
      final = true;
    } else if (final) {
      this.#inChunk = false;
    }
    const more = pushData(this.#out, piece);
    return final ? this.#out.push("\r\n") : more;
  }

  end(trailers: string): void {
    this.#out.push(lastChunk(trailers));
  }
}

function pushData(out: Outgoing, { data, sole }: Piece): boolean {
  return sole === true ? out.give(data) : out.push(data);
}
