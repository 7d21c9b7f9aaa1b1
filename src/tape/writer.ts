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
import { bodyFolder, type HarEntry, type HarLog, printHar } from "./har.ts";
import { isObject } from "./har_read.ts";
import { extensionOf } from "./media.ts";
import type { ExchangeParts } from "./parts.ts";
import type { Redactor } from "./redact/redactor.ts";
import type { TcpParts } from "./streams/said.ts";
import type { TapeStore } from "./store/tape_store.ts";

/** How a tape is written. */
export interface WriterOptions {
  readonly redactor: Redactor;
  readonly times: boolean;
  readonly store: TapeStore;
}

/** Writes the exchanges that are handed to it one after the other, and the document at the end. */
export class TapeWriter {
  readonly #path: string;
  readonly #folder: string;
  readonly #options: WriterOptions;
  #there: ReadonlyMap<string, unknown> | undefined;
  // What this writer has made, by name: the whole hash of its bytes.
  readonly #made = new Map<string, string>();

  /** @param path the HAR file */
  constructor(path: string, options: WriterOptions) {
    this.#path = path;
    this.#folder = bodyFolder(path);
    this.#options = options;
  }

  /** The entry of an exchange. Its large bodies are on disk when this resolves. */
  encode(exchange: ExchangeParts | TcpParts): Promise<HarEntry> {
    const { redactor, times } = this.#options;
    return encodeEntry(exchange, { redactor, times, keepBody: (bytes, type) => this.#keep(bytes, type) });
  }

  /**
   * Puts the document in place.
   *
   * @throws {TapeError} `TAPE_NOT_WRITTEN`: the old tape is as it was
   */
  async finish(log: HarLog): Promise<void> {
    const { store } = this.#options;
    await this.#attempt(() => store.write(this.#path, printHar(log), { durable: true }));
    // The tape is complete. Files too many do no harm, and go next time.
    await this.#removeStale(log).catch(() => {});
  }

  /** Removes what was made for a tape that will not be written. */
  async abandon(): Promise<void> {
    await this.#options.store.remove(this.#folder, [...this.#made.keys()]).catch(() => {});
  }

  async #keep(bytes: Uint8Array, contentType: string | null): Promise<string> {
    const { store } = this.#options;
    this.#there ??= await store.list(this.#folder) ?? new Map();
    const hash = createHash("sha256").update(bytes).digest("hex");
    // Somebody may have edited a file in place: its name then belongs to other bytes, and the next longer one is free.
    for (const length of [16, 32, 64]) {
      const name = `${hash.slice(0, length)}.${extensionOf(contentType)}`;
      const made = this.#made.get(name);
      if (made === hash) return name;
      if (made !== undefined) continue;
      if (this.#there.has(name)) {
        if (await this.#holds(name, bytes)) return name;
        continue;
      }
      await this.#attempt(() => store.write(join(this.#folder, name), [bytes]));
      this.#made.set(name, hash);
      return name;
    }
    throw new TapeError(
      "TAPE_NOT_WRITTEN",
      `${this.#folder} holds files that were edited in place: delete ${hash.slice(0, 16)}*`,
    );
  }

  async #removeStale(log: HarLog): Promise<void> {
    const { store } = this.#options;
    const used = new Set(log.entries.flatMap(filesOf));
    const names = [...(await store.list(this.#folder))?.keys() ?? []];
    const stale = names.filter((name) => OURS.test(name) && !used.has(name));
    if (stale.length > 0) await store.remove(this.#folder, stale);
  }

  async #holds(name: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#there!.get(name) !== "file") return false;
    const there = await this.#options.store.read(join(this.#folder, name));
    return there !== undefined && Buffer.compare(there, bytes) === 0;
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TapeError(
        "TAPE_NOT_WRITTEN",
        `${this.#path} could not be written: ${why}. The old tape is as it was.`,
        {
          cause,
        },
      );
    }
  }
}

/** Names that this writer gives, and temporary files of one that died. Files of others are left alone. */
const OURS = /^(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})\.[a-z0-9]+$|^\.[0-9a-f]{16,64}\.[a-z0-9]+\.[\d-]+\.tmp$/;

/** The body files that an entry refers to. */
function filesOf(entry: unknown): string[] {
  if (!isObject(entry)) return [];
  const { request, response } = entry;
  const bodies = [isObject(request) ? request.postData : undefined, isObject(response) ? response.content : undefined];
  return bodies.flatMap((body) => isObject(body) && typeof body._file === "string" ? [body._file] : []);
}
