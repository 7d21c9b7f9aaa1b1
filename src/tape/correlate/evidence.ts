/**
 * Where a value of a recorded request came from: the client made it up, or a server had given it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowResponse } from "../../flow/response.ts";
import type { TapeEntry } from "../entry.ts";

/** How many entries, and how many bytes of their bodies, are looked at for one value. */
const ENTRIES = 5000;
const BYTES = 64 << 20;
/** A larger body is not looked into. */
const LARGEST = 4 << 20;
/** Texts that are kept for the next value. */
const KEPT = 16 << 20;

/** Names of values that clients make anew, whatever becomes of them. */
const MADE_ANEW =
  /^(?:state|nonce|code_challenge|codeChallenge|(?:x-)?(?:idempotency|request|client_?request|correlation)[-_]?(?:key|id))$/i;

/**
 * - `named`: clients make values of this name anew in every run
 * - `issued`: a response before it has it: a server gave it to the client
 * - `echoed`: the client made it up, and the server has sent it back
 * - `unknown`: no response has it
 */
export type Origin = "named" | "issued" | "echoed" | "unknown";

/** What the responses of a tape hold. */
export class Evidence {
  readonly #entries: readonly TapeEntry[];
  readonly #known = new Map<string, Origin>();
  readonly #texts = new Map<TapeEntry, string>();
  #kept = 0;

  /** @param entries all of the tape */
  constructor(entries: readonly TapeEntry[]) {
    this.#entries = entries;
  }

  /**
   * Where a value came from.
   *
   * @param name under which it stands
   * @param index of its entry
   */
  async of(value: string, name: string, index: number): Promise<Origin> {
    if (MADE_ANEW.test(name)) return "named";
    const key = `${index} ${value}`;
    let origin = this.#known.get(key);
    if (origin !== undefined) return origin;
    origin = await this.#search(value, index);
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.set(key, origin);
    return origin;
  }

  /**
   * What a response says, as far as it is text.
   *
   * @param given the response, if it has been read already
   */
  async textOf(entry: TapeEntry, given?: FlowResponse): Promise<string> {
    const kept = this.#texts.get(entry);
    if (kept !== undefined) return kept;
    const headers = entry.responseHeaders;
    let text = Array.from(headers, ([, value]) => value).join("\n");
    if (entry.kind !== "http") text += `\n${await textOfServer(entry)}`;
    const isLarge = entry.kind !== "http" || Number(headers.get("content-length")) > LARGEST ||
      /^(?:image|audio|video|font)\//.test(headers.get("content-type") ?? "");
    const response = given ?? (isLarge ? undefined : await entry.response());
    const content = response?.content;
    if (content !== undefined && content.kept > 0 && content.kept <= LARGEST) {
      text += `\n${Buffer.from(content.bytes()).toString("latin1")}`;
    }
    if (this.#kept + text.length <= KEPT) {
      this.#kept += text.length;
      this.#texts.set(entry, text);
    }
    return text;
  }

  /** What came before it is looked at first, from there backwards; then its own answer, and what came after. */
  async #search(value: string, index: number): Promise<Origin> {
    const places: number[] = [];
    for (let i = index - 1; i >= 0 && places.length < ENTRIES; i--) places.push(i);
    for (let i = index; i < this.#entries.length && places.length < 2 * ENTRIES; i++) places.push(i);
    const encoded = encodeURIComponent(value);
    let bytes = 0;
    for (const i of places) {
      const entry = this.#entries[i];
      if (entry === undefined) continue;
      const text = await this.textOf(entry).catch(() => "");
      if (text.includes(value) || (encoded !== value && text.includes(encoded))) return i < index ? "issued" : "echoed";
      if ((bytes += text.length) > BYTES) break;
    }
    return "unknown";
  }
}

/** What a server has said in a conversation. */
async function textOfServer(entry: TapeEntry): Promise<string> {
  const said = await entry.said() ?? [];
  return said.filter(({ from }) => from === "server").map(({ data }) => Buffer.from(data).toString("latin1")).join(
    "\n",
  );
}
