/**
 * A large body on its way to disk: decoded, redacted and written while it passes. Nothing is on disk that is not redacted.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Readable, type Transform } from "node:stream";
import zlib from "node:zlib";
import type { BodyOverflow } from "../../flow/body_overflow.ts";
import type { UnnamedFile } from "../store/tape_store.ts";
import type { PieceRedactor } from "./redact_pieces.ts";

/** What became of a body. */
export interface Spilled {
  /** SHA-256 of what was written, in hexadecimal. */
  readonly digest: string;
  /** How many bytes were written. */
  readonly size: number;
}

/** What a spill works with. */
export interface SpillOptions {
  /** The content coding that is undone; none by default. */
  readonly coding: string;
  readonly redactor: PieceRedactor;
  /** Opens the file; none when only the digest is wanted. */
  readonly open: (() => Promise<UnnamedFile>) | undefined;
}

/** So many bytes may wait for the disk. */
const HIGH = 4 * 1024 * 1024;
/** More than this is on no tape, whatever it decodes to. */
const MOST = 16 * 1024 ** 3;

/** A body that goes to disk. */
export class Spill implements BodyOverflow {
  readonly swallows: boolean;
  readonly digest: Promise<string | undefined>;
  /** What became of it; rejects with the reason why nothing did. */
  readonly result: Promise<Spilled>;
  readonly #options: SpillOptions;
  #queue: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  #failed = false;
  #wake: (() => void) | undefined;
  #onDrained: (() => void)[] = [];
  #file: UnnamedFile | undefined;

  constructor(options: SpillOptions) {
    this.#options = options;
    this.swallows = options.open === undefined;
    this.result = this.#run();
    this.digest = this.result.then(({ digest }) => digest, () => undefined);
  }

  take(piece: Uint8Array): boolean {
    if (this.#failed || this.#ended) return true;
    this.#queue.push(piece);
    this.#waiting += piece.length;
    this.#wake?.();
    return this.#waiting < HIGH;
  }

  drained(callback: () => void): void {
    if (this.#failed || this.#waiting < HIGH) callback();
    else this.#onDrained.push(callback);
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Gives the file its name. */
  async keep(name: string): Promise<void> {
    const file = this.#file!;
    this.#file = undefined;
    await file.keep(name);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    this.end();
    await this.digest;
    const file = this.#file;
    this.#file = undefined;
    await file?.discard().catch(() => {});
  }

  async #run(): Promise<Spilled> {
    const { coding, redactor, open } = this.#options;
    const hash = createHash("sha256");
    let size = 0;
    const write = async (pieces: Uint8Array[]) => {
      for (const piece of pieces) {
        size += piece.length;
        if (size > MOST) throw new Error("it decodes to more than 16 GiB");
        hash.update(piece);
        await this.#file?.write(piece);
      }
    };
    try {
      this.#file = await open?.();
      for await (const piece of decoded(this.#pieces(), coding)) await write(await redactor.push(piece));
      await write(await redactor.end());
      return { digest: hash.digest("hex"), size };
    } catch (error) {
      this.#failed = true;
      this.#queue = [];
      const file = this.#file;
      this.#file = undefined;
      await file?.discard().catch(() => {});
      throw error;
    } finally {
      this.#waiting = 0;
      this.#release();
    }
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const queue = this.#queue;
      this.#queue = [];
      for (const piece of queue) {
        yield piece;
        this.#waiting -= piece.length;
        if (this.#waiting < HIGH / 2) this.#release();
      }
      if (this.#queue.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  #release(): void {
    for (const callback of this.#onDrained.splice(0)) callback();
  }
}

const DECODERS: Record<string, (() => Transform) | undefined> = {
  gzip: () => zlib.createGunzip(),
  "x-gzip": () => zlib.createGunzip(),
  br: () => zlib.createBrotliDecompress(),
  zstd: zlib.createZstdDecompress && (() => zlib.createZstdDecompress()),
};

/** Whether a content coding can be undone bit by bit. */
export function canDecodePieces(coding: string): boolean {
  return coding === "" || coding === "identity" || DECODERS[coding] !== undefined;
}

async function* decoded(pieces: AsyncGenerator<Uint8Array>, coding: string): AsyncGenerator<Uint8Array> {
  const decoder = DECODERS[coding]?.();
  if (decoder === undefined) return yield* pieces;
  const source = Readable.from(pieces, { objectMode: false });
  source.on("error", (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const piece of decoder) yield piece as Uint8Array;
  } finally {
    source.destroy();
  }
}
