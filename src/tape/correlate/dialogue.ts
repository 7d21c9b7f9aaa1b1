/**
 * The values of one conversation: over a WebSocket, in raw bytes, in a call in which the two take turns. What its client says is the
 * recorded word if it differs only in values that are made anew in every run; and what the server says then has those of this run.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import { isPlaceholder } from "../redact/placeholders.ts";
import type { Bindings } from "./bindings.ts";
import { edited } from "./edited.ts";
import { substituteBytes } from "./rewrite.ts";
import { isUnusual, outlineOf, type Pairs } from "./unusual.ts";
import { RequestValues } from "./values.ts";

/** What a dialogue asks of the correlator. */
export interface DialogueOptions {
  readonly bindings: Bindings;
  /** Values of the client are looked for; otherwise only secrets of the environment are put back. */
  readonly on: boolean;
  /** In what a request differs from another one, by recorded value; `undefined`: in more than values. */
  differences(recorded: FlowRequest, live: FlowRequest, entry: TapeEntry): Promise<Map<string, string> | undefined>;
  /** The same of text that goes on. */
  differencesIn(recorded: string, live: string, entry: TapeEntry): Promise<Map<string, string> | undefined>;
}

/** So much of what a client has said is remembered. */
const REMEMBERED = 64 << 10;

/** Something that has passed, and what hooks have made of it. */
interface Passed {
  readonly from: "client" | "server";
  readonly edited: boolean;
  readonly dropped: boolean;
  readonly original: Uint8Array;
  readonly data: Uint8Array;
}

/** One client's part in a recorded conversation. */
export class Dialogue {
  readonly #with: DialogueOptions;
  // By recorded value: what this client has in its place, whatever others have.
  readonly #own = new Map<string, string>();
  readonly #ownRecorded = new Map<string, string>();
  #said: string;
  #looked = 0;

  /** @param said what the client has said before, such as its handshake */
  constructor(options: DialogueOptions, said: string = "") {
    this.#with = options;
    this.#said = said.slice(-REMEMBERED);
  }

  /** What hooks have made of what the tape has said is what the client was really given. */
  look(messages: readonly Passed[], contentType: string | null): void {
    const { on, bindings } = this.#with;
    if (!on) return;
    for (; this.#looked < messages.length; this.#looked++) {
      const { from, edited: changed, dropped, original, data } = messages[this.#looked]!;
      if (from !== "server" || !changed || dropped) continue;
      const pairs = edited({ body: original, fields: "" }, { body: data, fields: "" }, typeOf(original, contentType));
      for (const [before, after] of pairs) {
        if (!isUnusual(before)) continue;
        const recorded = this.#ownRecorded.get(before) ?? bindings.recordedOf(before) ?? before;
        this.#bind(recorded, after);
      }
    }
  }

  /** What the client says, with the recorded values that are known already. */
  asRecorded(live: Uint8Array, contentType: string | null): Uint8Array {
    const { bindings } = this.#with;
    if (bindings.none && this.#own.size === 0) return live;
    const known = substituteBytes(live, contentType, this.#ownRecorded);
    return substituteBytes(known, contentType, bindings.toRecorded);
  }

  /** The client has said what is recorded, as it is or in other words: what stands in the places of secrets is known now. */
  heard(recorded: FlowRequest | undefined, live: FlowRequest): void {
    if (!this.#with.on) return;
    this.heardText(live.text());
    if (recorded === undefined || !recorded.text().includes("[redacted")) return;
    const values = new RequestValues(live);
    for (const [place, placeholder] of new RequestValues(recorded)) {
      const value = values.get(place);
      if (isPlaceholder(placeholder) && value !== undefined && !isPlaceholder(value)) this.#bind(placeholder, value);
    }
    const [before, after] = [recorded, live].map((it) => outlineOf(it.text())) as [Outlined, Outlined];
    if (before.shape !== after.shape) return;
    for (const [i, value] of before.values.entries()) {
      if (isPlaceholder(value) && !isPlaceholder(after.values[i]!)) this.#bind(value, after.values[i]!);
    }
  }

  /** The client has said this, among other things. */
  heardText(text: string): void {
    this.#said = `${this.#said}\n${text}`.slice(-REMEMBERED);
  }

  /** The same of a secret whose place is known. */
  heardSecret(placeholder: string, secret: string): void {
    if (this.#with.on && isPlaceholder(placeholder) && !isPlaceholder(secret)) this.#bind(placeholder, secret);
  }

  /** Whether the client says what is recorded, but for values; they are bound then. */
  async is(recorded: FlowRequest, live: FlowRequest, entry: TapeEntry): Promise<boolean> {
    return this.#bindAll(this.#with.on ? await this.#with.differences(recorded, live, entry) : undefined);
  }

  /** The same of text. */
  async isText(recorded: string, live: string, entry: TapeEntry): Promise<boolean> {
    return this.#bindAll(this.#with.on ? await this.#with.differencesIn(recorded, live, entry) : undefined);
  }

  /** What the server says, with the values of this run. */
  toLive(said: Uint8Array, contentType: string | null): Uint8Array {
    const { on, bindings } = this.#with;
    if (!on) return substituteBytes(said, contentType, bindings.restored);
    if (bindings.none && this.#own.size === 0) return said;
    return substituteBytes(said, contentType, this.#pairsIn(said));
  }

  /** Those that stand in it: there may be very many. */
  #pairsIn(said: Uint8Array): Pairs {
    const { bindings } = this.#with;
    const found = new Map<string, string>();
    const text = Buffer.from(said.buffer, said.byteOffset, said.byteLength).toString("latin1");
    for (const pairs of [bindings.toLive, this.#own]) {
      for (const [recorded, live] of pairs) {
        if (!text.includes(recorded) && !text.includes(encodeURIComponent(recorded))) continue;
        // What the client says as it is recorded it is told as it is recorded.
        if (pairs === this.#own || !this.#said.includes(recorded)) found.set(recorded, live);
      }
    }
    return found;
  }

  #bindAll(pairs: Map<string, string> | undefined): boolean {
    for (const [recorded, live] of pairs ?? []) this.#bind(recorded, live);
    return pairs !== undefined;
  }

  #bind(recorded: string, live: string): void {
    if (recorded === live || recorded === "[redacted]") return;
    this.#with.bindings.bind(recorded, live);
    for (const [map, key, value] of [[this.#own, recorded, live], [this.#ownRecorded, live, recorded]] as const) {
      // As many as are likely to come again.
      if (map.size >= 1000) map.delete(map.keys().next().value!);
      map.set(key, value);
    }
  }
}

type Outlined = ReturnType<typeof outlineOf>;

/** Messages have no media type. */
function typeOf(data: Uint8Array, contentType: string | null): string | null {
  return contentType ??
    (/^\s*[[{]/.test(Buffer.from(data.subarray(0, 64)).toString("latin1")) ? "application/json" : null);
}
