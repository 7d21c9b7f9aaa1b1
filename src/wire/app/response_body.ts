/**
 * The body of an application's answer, read as fast as the client takes it.
 *
 * @module
 */
import type { FlowResponse } from "../../flow/response.ts";
import type { Framing } from "../http1/head.ts";

/** Where it goes. */
export interface ResponseBodyEvents {
  /** A piece. `false`: wait until {@linkcode ResponseBody.go}. */
  data(data: Uint8Array): boolean;
  /** It is complete. */
  end(trailers: string): void;
  /** It will not be complete. */
  failed(error: unknown): void;
  /** The application is waited for. */
  waits(): void;
  /** It has said something. */
  came(): void;
}

/** Reads a body piece by piece. */
export class ResponseBody {
  /** Whether all of it was told. */
  ended = false;

  readonly #response: FlowResponse;
  readonly #framing: Framing;
  readonly #on: ResponseBodyEvents;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #stopped = true;
  #reading = false;
  #over = false;
  #size = 0;

  /**
   * Does nothing until {@linkcode ResponseBody.go}.
   *
   * @throws {TypeError} somebody else reads it already
   */
  constructor(response: FlowResponse, framing: Framing, on: ResponseBodyEvents) {
    this.#response = response;
    this.#framing = framing;
    this.#on = on;
    const { source, content } = response;
    if (framing.kind === "none") source?.cancel().catch(() => {});
    else if (!content.complete) this.#reader = source!.getReader();
  }

  /** No more for now. */
  stop(): void {
    this.#stopped = true;
  }

  /** More is welcome. */
  go(): void {
    this.#stopped = false;
    this.#run();
  }

  /** Nobody wants the rest. */
  cancel(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader?.cancel(reason).catch(() => {});
  }

  async #run(): Promise<void> {
    if (this.#reading || this.#over) return;
    this.#reading = true;
    try {
      while (!this.#stopped && !this.#over) await this.#step();
    } catch (error) {
      this.#over = true;
      this.#reader?.cancel(error).catch(() => {});
      this.#on.failed(error);
    } finally {
      this.#reading = false;
    }
  }

  async #step(): Promise<void> {
    if (this.#reader === undefined) {
      const { content } = this.#response;
      if (this.#framing.kind !== "none" && content.kept > 0) this.#take(content.bytes());
      return this.#end();
    }
    this.#on.waits();
    const { done, value } = await this.#reader.read();
    if (this.#over) return;
    this.#on.came();
    if (done) this.#end();
    else this.#take(value);
  }

  #take(data: Uint8Array): void {
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(`its body gave ${typeof data}: bytes (Uint8Array) are needed`);
    }
    if (data.length === 0) return;
    this.#size += data.length;
    if (this.#framing.kind === "length" && this.#size > this.#framing.length) {
      throw new Error(`its body is longer than its Content-Length (${this.#framing.length})`);
    }
    if (!this.#on.data(data)) this.#stopped = true;
  }

  #end(): void {
    if (this.#framing.kind === "length" && this.#size < this.#framing.length) {
      throw new Error(`its body has ${this.#size} bytes, and its Content-Length is ${this.#framing.length}`);
    }
    this.#over = this.ended = true;
    this.#on.end(this.#response.trailers?.fields ?? "");
  }
}
