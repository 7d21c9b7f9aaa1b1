/**
 * What a person types, line by line.
 *
 * @module
 */
import type { Readable } from "node:stream";

/** Nobody answers with more than this; what comes beyond is left out. */
const MAX_LINE = 4096;

/** Reads lines when they are asked for. In between it leaves the stream alone, as an editor may read from the same terminal. */
export class LineReader {
  readonly #input: Readable;
  #rest = "";
  #lines: string[] = [];
  #ended = false;
  #begun = false;
  #wake: (() => void) | undefined;

  /** @param input text, in UTF-8 */
  constructor(input: Readable) {
    this.#input = input;
  }

  /** The next line, without its end; `undefined` when there will be none. */
  async next(): Promise<string | undefined> {
    this.#begin();
    while (this.#lines.length === 0 && !this.#ended) {
      this.#input.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#input.pause();
    return this.#lines.shift();
  }

  /** Reads no more, and lets go of the stream. */
  close(): void {
    if (!this.#begun) return;
    this.#end();
    this.#input.pause();
    this.#input.off("data", this.#data).off("end", this.#end).off("error", this.#end);
    // A terminal that is still being read would keep the process alive.
    (this.#input as { unref?: () => void }).unref?.();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#input.setEncoding("utf8");
    this.#input.on("data", this.#data).on("end", this.#end).on("error", this.#end);
  }

  readonly #data = (text: string): void => {
    const [first = "", ...others] = text.split("\n");
    const parts = [this.#rest + first, ...others];
    this.#rest = parts.pop()!.slice(0, MAX_LINE);
    this.#lines.push(...parts.map((line) => line.slice(0, MAX_LINE).replace(/\r$/, "")));
    if (parts.length > 0) this.#wake?.();
  };

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#rest !== "") this.#lines.push(this.#rest);
    this.#rest = "";
    this.#wake?.();
  };
}
