/**
 * Where a body goes that leaves in HTTP/2.
 *
 * @module
 */
import type { BodySink, Piece } from "../exchange/body_pipe.ts";
import { addLines } from "./field_lines.ts";
import type { Http2Stream } from "./stream.ts";

/** Puts a body into DATA frames, and its trailers behind it. */
export class StreamSink implements BodySink {
  readonly #stream: Http2Stream;

  /** @param stream whose head has been sent */
  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  /** @inheritdoc */
  data({ data }: Piece): boolean {
    return this.#stream.write(data);
  }

  /** @inheritdoc */
  end(trailers: string): void {
    const raw: string[] = [];
    addLines(raw, trailers);
    this.#stream.end(raw);
  }
}

/** Where there must be no body, none is sent, whatever an addon has made. */
export const NO_SINK: BodySink = { data: () => true, end: () => {} };
