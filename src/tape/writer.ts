/**
 * Writes a tape so that the old one stays whole until the new one is complete: bodies first, then the HAR file in one
 * step, and only then are bodies removed that nothing refers to any more.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { TapeError } from "../flow/error.ts";
import { encodeEntry } from "./encode.ts";
import { bodyFolder, type HarEntry, type HarLog, printEntry, printHead } from "./har.ts";
import { filesOf } from "./files_of.ts";
import { extensionOf } from "./media.ts";
import type { ExchangeParts } from "./parts.ts";
import { settleDates } from "./record/dates.ts";
import { journalsAmong } from "./record/journal.ts";
import type { Kept } from "./record/kept.ts";
import type { Redactor } from "./redact/redactor.ts";
import type { TcpParts } from "./streams/said.ts";
import type { Spill } from "./spill/spill.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { notWritten } from "./store/why.ts";

/** How a tape is written. */
export interface WriterOptions {
  readonly redactor: Redactor;
  readonly times: boolean;
  readonly store: TapeStore;
  /** Resolves when nobody removes files any more that this writer might count on. */
  readonly settled?: () => Promise<void>;
}

/** Writes the exchanges that are handed to it one after the other, and the document at the end. */
export class TapeWriter {
  readonly #path: string;
  readonly #folder: string;
  readonly #options: WriterOptions;
  #settling: Promise<void> | undefined;
  // What the document refers to.
  readonly #used = new Set<string>();
  // What this writer has made, by name: the whole hash of its bytes.
  readonly #made = new Map<string, string>();

  /** @param path the HAR file */
  constructor(path: string, options: WriterOptions) {
    this.#path = path;
    this.#folder = bodyFolder(path);
    this.#options = options;
  }

  /** The entry of an exchange. Its large bodies are on disk when this resolves. */
  async encode(exchange: ExchangeParts | TcpParts): Promise<HarEntry> {
    const { redactor, times } = this.#options;
    const entry = await encodeEntry(exchange, {
      redactor,
      times,
      keepBody: (bytes, type) => this.keepAs(bytes, extensionOf(type)),
    });
    if (!times) settleDates(entry.response.headers);
    return entry;
  }

  /**
   * Puts the document in place.
   *
   * @throws {TapeError} `TAPE_NOT_WRITTEN`: the old tape is as it was
   */
  async finish(log: HarLog, items: Iterable<Pick<Kept, "load">>): Promise<void> {
    const { store } = this.#options;
    this.#used.clear();
    await this.#attempt(() => store.write(this.#path, this.#document(log, items), { durable: true }));
  }

  /**
   * The files in the folder that the document does not refer to, and that nobody else has put there. None as long as anybody else records:
   * who does may refer to them, and removes at the end what nobody needs.
   *
   * @param over the files of journals that do not count
   */
  async stale(over: readonly string[] = []): Promise<string[]> {
    const { store } = this.#options;
    const stale = [...(await store.list(this.#folder))?.keys() ?? []]
      .filter((name) => OURS.test(name) && !this.#used.has(name));
    if (stale.length === 0) return stale;
    // In this order: a recording that begins meanwhile has its journal before its first body.
    const journals = journalsAmong(await store.list(this.#folder).then((names) => names?.keys() ?? []));
    const others = [...journals.values()].flat().filter((name) => !over.includes(name));
    return others.length === 0 ? stale : [];
  }

  /** Removes what was made for a tape that will not be written. */
  async abandon(): Promise<void> {
    await this.#options.store.remove(this.#folder, [...this.#made.keys()]).catch(() => {});
  }

  async *#document(log: HarLog, items: Iterable<Pick<Kept, "load">>): AsyncGenerator<string> {
    yield printHead(log);
    let first = true;
    for (const item of items) {
      const entry = await item.load();
      const text = typeof entry === "string" ? entry : printEntry(entry);
      for (const file of filesOf(text)) this.#used.add(file);
      yield `${first ? "" : ","}\n      ${text}`;
      first = false;
    }
    yield `${first ? "" : "\n    "}]\n  }\n}\n`;
  }

  /**
   * Puts a body into a file without waiting, and gives its name; `undefined`: that takes longer.
   *
   * @throws {TapeError} `TAPE_NOT_WRITTEN`
   */
  keepNow(bytes: Uint8Array, contentType: string | null): string | undefined {
    const { now } = this.#options.store;
    if (now === undefined) return undefined;
    const hash = createHash("sha256").update(bytes).digest("hex");
    const name = `${hash.slice(0, 16)}.${extensionOf(contentType)}`;
    const made = this.#made.get(name);
    if (made !== undefined) return made === hash ? name : undefined;
    const path = join(this.#folder, name);
    try {
      if (now.read(path) !== undefined) return undefined;
    } catch {
      return undefined;
    }
    try {
      now.write(path, bytes);
    } catch (cause) {
      throw notWritten(this.#path, cause);
    }
    this.#made.set(name, hash);
    return name;
  }

  /** Puts a body into a file with this extension; one that is there already is not written again. */
  async keepAs(bytes: Uint8Array, extension: string): Promise<string> {
    const hash = createHash("sha256").update(bytes).digest("hex");
    // Somebody may have edited a file in place: its name then belongs to other bytes, and the next longer one is free.
    for (const length of [16, 32, 64]) {
      const name = `${hash.slice(0, length)}.${extension}`;
      const made = this.#made.get(name);
      if (made === hash) return name;
      if (made !== undefined) continue;
      let there = await this.#look(name);
      if (there !== undefined) {
        await this.#settle();
        there = await this.#look(name);
      }
      if (there === undefined) {
        // Two exchanges may bring the same body at once.
        this.#made.set(name, hash);
        await this.#write(name, bytes);
        return name;
      }
      if (there !== "other" && Buffer.compare(there, bytes) === 0) return name;
    }
    throw new TapeError(
      "TAPE_NOT_WRITTEN",
      `${this.#folder} holds files that were edited in place: delete ${hash.slice(0, 16)}*`,
    );
  }

  /** Gives a large body its name; one that is there already is not written again. */
  async keepSpill(spill: Spill, contentType: string | null): Promise<string> {
    const { digest, size } = await spill.result;
    for (const length of [16, 32, 64]) {
      const name = `${digest.slice(0, length)}.${extensionOf(contentType)}`;
      if (this.#made.get(name) === digest) {
        await spill.discard();
        return name;
      }
      let there = await this.#sizeOf(name);
      if (there !== undefined) {
        await this.#settle();
        there = await this.#sizeOf(name);
      }
      if (there === undefined) {
        await this.#attempt(() => spill.keep(name));
        this.#made.set(name, digest);
        return name;
      }
      // Too large to be compared: who edits one in place changes its length, or wants the other one to be gone.
      if (there === size) {
        await this.#attempt(() => spill.keep(name));
        return name;
      }
    }
    throw new TapeError(
      "TAPE_NOT_WRITTEN",
      `${this.#folder} holds files that were edited in place: delete ${digest.slice(0, 16)}*`,
    );
  }

  /** Who is just finishing another recording may be removing what is there. */
  #settle(): Promise<void> {
    return this.#settling ??= this.#options.settled?.() ?? Promise.resolve();
  }

  async #sizeOf(name: string): Promise<number | undefined> {
    const file = await this.#options.store.open?.(join(this.#folder, name));
    await file?.close();
    return file?.size;
  }

  /** What has this name; `other`: a link or a folder. Where that can be done without waiting, it is. */
  async #look(name: string): Promise<Uint8Array | "other" | undefined> {
    const { store } = this.#options;
    const path = join(this.#folder, name);
    try {
      if (store.now !== undefined && store.now.read(path) === undefined) return undefined;
    } catch {
      // A folder, or what may not be read.
    }
    const kind = (await store.list(this.#folder))?.get(name);
    return kind === "other" ? kind : kind && await store.read(path);
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const path = join(this.#folder, name);
    await this.#attempt(async () =>
      store.now === undefined ? await store.write(path, [bytes]) : store.now.write(path, bytes)
    );
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      throw notWritten(this.#path, cause);
    }
  }
}

/** Names that this writer gives. Files of others are left alone. */
const OURS = /^(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})\.[a-z0-9]+$/;
