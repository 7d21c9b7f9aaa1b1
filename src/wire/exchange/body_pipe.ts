/**
 * A body on its way through the proxy.
 *
 * @module
 */
import type { BodyBuffer } from "../../flow/body_buffer.ts";
import type { DataEvent } from "../http1/event.ts";

/** A piece of a body: see {@linkcode DataEvent}. */
export type Piece = Omit<DataEvent, "type">;

/** Where a body goes. */
export interface BodySink {
  /** Takes a piece. `false`: it wants no more until it has drained. */
  data(piece: Piece): boolean;
  /** The body is complete. */
  end(trailers: string): void;
}

/**
 * Keeps the pieces of a body and passes them on, or holds them back until a hook has seen the whole: the one place where it is
 * decided what happens to a piece. A body that outgrows its limit while it is held is let through as it is.
 */
export class BodyPipe {
  /** What is kept of the body, for the flow. */
  readonly content: BodyBuffer;
  /** The other side has sent all. */
  ended = false;
  /** Raw trailer fields, once {@linkcode BodyPipe.ended | ended}. */
  trailers = "";

  #mode: "hold" | "pass" | "keep" | "drop" = "hold";
  #held: Piece[] = [];
  #sink: BodySink | undefined;
  #onWhole: (() => void) | undefined;
  #onEnd: (() => void) | undefined;

  /** @param content keeps the body up to its limit */
  constructor(content: BodyBuffer) {
    this.content = content;
  }

  /** Takes a piece. `false`: wait before the next one. */
  data(piece: Piece): boolean {
    if (this.#mode === "drop") return true;
    if (this.content.push(piece.data)) piece.sole = false;
    this.content.marks?.take(piece, this.content.size);
    this.content.onMore?.();
    if (this.#mode === "pass") return this.#sink!.data(piece) && !this.content.full;
    if (this.#mode === "keep") return true;
    if (this.content.overflow?.swallows) {
      this.#held = [];
      return !this.content.full;
    }
    this.#held.push(piece);
    if (!this.content.truncated) return true;
    // Hooks can see the beginning of the body; the rest is passed on without them.
    this.content.complete = true;
    this.#tellWhole();
    return false;
  }

  /** The body is complete. */
  end(trailers: string): void {
    this.ended = true;
    this.trailers = trailers;
    this.content.complete = true;
    this.content.overflow?.end();
    this.content.onMore?.();
    if (this.#mode === "pass") this.#sink!.end(trailers);
    this.#tellWhole();
    this.#onEnd?.();
  }

  /** Calls once when the body is complete, or as much of it as may be kept. */
  whole(callback: () => void): void {
    this.#onWhole = callback;
    if (this.content.complete) this.#tellWhole();
  }

  /** Calls when the other side has sent all and it was passed on. */
  onEnd(callback: () => void): void {
    if (this.ended) callback();
    else this.#onEnd = callback;
  }

  /** Passes on what was held back and everything that follows. `false` as in {@linkcode BodyPipe.data}. */
  pass(sink: BodySink): boolean {
    this.#mode = "pass";
    this.#sink = sink;
    let more = true;
    for (const piece of this.#held) more = sink.data(piece);
    this.#held = [];
    if (this.ended) sink.end(this.trailers);
    return more;
  }

  /** Passes on, once more, a body that has passed and was kept whole. */
  repeat(sink: BodySink): void {
    this.#mode = "pass";
    this.#sink = sink;
    for (const data of this.content.pieces()) sink.data({ data, chunk: data.length, final: true });
    if (this.ended) sink.end(this.trailers);
  }

  /** Nobody waits for the body, but the flow should have it. */
  keep(): void {
    this.#mode = "keep";
    this.#held = [];
  }

  /** Nobody wants the rest: what was kept is all there will be. */
  drop(): void {
    this.#mode = "drop";
    this.#held = [];
    this.#sink = undefined;
    this.#onWhole = this.#onEnd = undefined;
    this.content.overflow?.end();
    if (!this.content.complete) {
      this.content.complete = true;
      this.content.truncated = true;
    }
  }

  #tellWhole(): void {
    const callback = this.#onWhole;
    this.#onWhole = undefined;
    callback?.();
  }
}
