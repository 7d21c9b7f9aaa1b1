/**
 * The body of a request as an application reads it.
 *
 * @module
 */
import type { BodySink, Piece } from "../exchange/body_pipe.ts";

/** So many bytes may wait for an application that does not read: then the client waits. */
const HIGH_WATER = 64 * 1024;

/** What is pushed into it can be read from its stream. */
export class RequestBody implements BodySink {
  /** For the application. */
  readonly stream: ReadableStream<Uint8Array>;

  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #over = false;
  #wanted: (() => void) | undefined;

  /** @param onFirstRead called when the application wants the body, where the client waits to be told so */
  constructor(onFirstRead?: () => void) {
    let first = onFirstRead;
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        const tell = first;
        first = undefined;
        tell?.();
        this.#drain();
      },
      cancel: () => {
        // The rest is let go unread.
        this.#over = true;
        this.#drain();
      },
    }, { highWaterMark: onFirstRead === undefined ? HIGH_WATER : 0, size: (piece) => piece?.byteLength ?? 0 });
  }

  /** @inheritdoc */
  data({ data, sole }: Piece): boolean {
    if (this.#over) return true;
    // The flow keeps its bytes, and the application may do with its own what it likes.
    this.#controller.enqueue(sole === true ? data : new Uint8Array(data));
    return (this.#controller.desiredSize ?? 1) > 0;
  }

  /** @inheritdoc */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.close();
  }

  /** Calls once when more is welcome. */
  drained(callback: () => void): void {
    if (this.#over || (this.#controller.desiredSize ?? 1) > 0) queueMicrotask(callback);
    else this.#wanted = callback;
  }

  /** Nothing more will come. */
  cut(reason: unknown): void {
    this.#wanted = undefined;
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(reason);
  }

  #drain(): void {
    const callback = this.#wanted;
    this.#wanted = undefined;
    callback?.();
  }
}
