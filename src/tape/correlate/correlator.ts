/**
 * Values that are made anew in every run: what a client made up (state, nonce, identifiers), what it was given (tokens, numbers of
 * what it created), and secrets. A request that differs from a recorded one in such values only is that request; and the answer says the
 * values of this run.
 *
 * Nothing of it is on the tape. What is not asked for is not computed: as long as requests match as they are, the tape is not searched.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowRequest } from "../../flow/request.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import { isPlaceholder } from "../redact/placeholders.ts";
import type { Redactor } from "../redact/redactor.ts";
import { describeLarge, redactRequest } from "../redact/request.ts";
import type { Bindings } from "./bindings.ts";
import { looksRandom } from "../redact/random.ts";
import { Dialogue } from "./dialogue.ts";
import { edited } from "./edited.ts";
import { Evidence } from "./evidence.ts";
import { outlineOfAddress, outlineOfBody } from "./outline_of_request.ts";
import { Preference } from "./preference.ts";
import {
  fieldsOf,
  headOf,
  LARGEST,
  LARGEST_SEEN,
  rewritten,
  substituteBytes,
  substituteFields,
  textOf,
} from "./rewrite.ts";
import { isUnusual, type Outline, outlineOf, type Pairs } from "./unusual.ts";
import { RequestValues } from "./values.ts";

/** What a correlator works with. */
export interface CorrelatorOptions {
  readonly options: Pick<TapeOptions, "match" | "afterLast">;
  /** The one for comparing. */
  readonly redactor: Redactor;
  readonly bindings: Bindings;
}

/** Values of a recorded request that count when it is replayed. */
interface Traits {
  /** Placeholders of secrets, by place. */
  readonly secrets: readonly (readonly [place: string, placeholder: string])[];
  /** What the response says too, by place. */
  readonly echoes: readonly (readonly [place: string, value: string])[];
}

/** A response that was given away, and what it was then. */
interface Given {
  readonly response: FlowResponse;
  readonly body: Uint8Array;
  readonly fields: string;
}

/** What may be a conversation. */
interface Conversing {
  readonly source: string;
  readonly websocket?: { readonly messages: readonly Heard[] } | undefined;
  readonly messages?: readonly Heard[];
}

interface Heard {
  readonly from: "client" | "server";
  readonly dropped: boolean;
  readonly data: Uint8Array;
}

const MOST_WATCHED = 1000;

/** So many entries of one outline are compared with a request. */
const MOST_COMPARED = 2000;

/** Binds values of the recording to those of this run. */
export class Correlator {
  readonly #entries: readonly TapeEntry[];
  readonly #with: CorrelatorOptions;
  readonly #on: boolean;
  readonly #evidence: Evidence;
  readonly #traits = new WeakMap<TapeEntry, Traits>();
  readonly #preference: Preference;
  readonly #given = new WeakMap<object, Given>();
  // What a request was found to say in place of what is recorded.
  readonly #own = new WeakMap<FlowRequest, Pairs>();
  // Conversations that others than the tape hold, and how much of each has been looked at.
  readonly #watched = new Map<Conversing, number>();
  #byAddress: Map<string, TapeEntry[]> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param entries all of the tape */
  constructor(entries: readonly TapeEntry[], options: CorrelatorOptions) {
    this.#entries = entries;
    this.#with = options;
    this.#on = options.options.match?.correlate !== false;
    this.#evidence = new Evidence(entries);
    this.#preference = new Preference(options.bindings);
  }

  /** Whether a request that nothing matches as it is may yet be a recorded one, once its body is there. */
  mayMatch(request: FlowRequest): boolean {
    if (!this.#on) return !this.#with.bindings.none;
    return this.#candidates(this.#asRecorded(request)).length > 0;
  }

  /** The request as it is on the tape, if it differs from an entry only in what is made anew; `undefined` if there is none. */
  recordedForm(request: FlowRequest): Promise<FlowRequest | undefined> {
    // Secrets of the environment are all that is bound then.
    if (!this.#on) return Promise.resolve(this.#with.bindings.none ? undefined : this.#asRecorded(request));
    // One after the other: who comes first has the first entry.
    const form = this.#turn.then(() => this.#recordedForm(request));
    this.#turn = form.catch(() => {});
    return form;
  }

  /** Lets a response say the values of this run. */
  async apply(request: FlowRequest, entry: TapeEntry, response: FlowResponse | undefined): Promise<void> {
    const pairs = await this.#pairsFor(request, entry, response);
    if (response === undefined || pairs.size === 0) return;
    substituteFields(response, pairs);
    if (!response.content.complete || response.content.size > LARGEST) return;
    const before = response.content.bytes();
    const after = substituteBytes(before, response.headers.get("content-type"), pairs);
    if (after !== before) response.body = after;
  }

  /** The same with the chunks of a stream. */
  async applyToChunks<T extends { readonly data: Uint8Array }>(
    request: FlowRequest,
    entry: TapeEntry,
    chunks: readonly T[] | undefined,
  ): Promise<readonly T[] | undefined> {
    if (chunks === undefined) return undefined;
    const pairs = await this.#pairsFor(request, entry, undefined);
    if (pairs.size === 0) return chunks;
    const type = entry.responseHeaders.get("content-type");
    return chunks.map((chunk) => ({ ...chunk, data: substituteBytes(chunk.data, type, pairs) }));
  }

  /** What recorded values are in the answer to a request. */
  async #pairsFor(request: FlowRequest, entry: TapeEntry, response: FlowResponse | undefined): Promise<Pairs> {
    if (!this.#on) return this.#with.bindings.restored;
    const { secrets, echoes } = await this.#traitsOf(entry, response);
    const own = this.#own.get(request);
    const { bindings } = this.#with;
    if (secrets.length === 0 && echoes.length === 0 && own === undefined && bindings.none) return NONE;
    const values = new RequestValues(request);
    const mine = new Map(own);
    for (const [place, recorded] of [...secrets, ...echoes]) {
      const live = values.get(place);
      if (live === undefined || mine.has(recorded) || (isPlaceholder(live) && live !== recorded)) continue;
      mine.set(recorded, live);
      bindings.bind(recorded, live);
    }
    if (bindings.none) return mine;
    const said = textOf(request);
    const all = new Map<string, string>();
    // What the client says as it is recorded it is told as it is recorded.
    for (const [recorded, live] of bindings.toLive) if (!said.includes(recorded)) all.set(recorded, live);
    // Of several values that stand for one it is told its own.
    for (const [live, recorded] of bindings.toRecorded) if (said.includes(live)) all.set(recorded, live);
    for (const [recorded, live] of mine) all.set(recorded, live);
    return all;
  }

  /** A response is on its way to the client: rules may still edit it. */
  given(flow: object, response: FlowResponse | undefined): void {
    if (response === undefined || !response.content.complete) return;
    this.#given.set(flow, { response, body: response.content.bytes(), fields: fieldsOf(response) });
  }

  /** A flow is over: what rules have changed in its response, and what servers have sent, is what the client was really given. */
  over(flow: Conversing & { readonly response?: FlowResponse | undefined }): void {
    if (!this.#on) return;
    this.#hear(flow);
    this.#watched.delete(flow);
    const given = this.#given.get(flow);
    const { response } = flow;
    if (response === undefined || !response.content.complete) return;
    if (given === undefined && flow.source !== "tape") return this.#see(response);
    if (given === undefined) return;
    this.#given.delete(flow);
    const body = response.content.bytes();
    const fields = fieldsOf(response);
    if (body === given.body && fields === given.fields) return;
    for (const [recorded, live] of edited(given, { body, fields }, response.headers.get("content-type"))) {
      if (!isUnusual(recorded)) continue;
      // It may itself stand for something.
      this.#with.bindings.bind(this.#with.bindings.recordedOf(recorded) ?? recorded, live);
    }
  }

  /** What servers have said in a conversation since it was looked at. */
  #hear(flow: Conversing): void {
    const from = this.#watched.get(flow);
    if (from === undefined || flow.source === "tape") return;
    const messages = flow.websocket?.messages ?? flow.messages ?? [];
    this.#watched.set(flow, messages.length);
    for (const { from: side, dropped, data } of messages.slice(from)) {
      if (side === "client" || dropped || data.length > LARGEST_SEEN) continue;
      this.#with.bindings.see(outlineOf(Buffer.from(data).toString("latin1")).values);
    }
  }

  #hasSeen(value: string): boolean {
    for (const flow of this.#watched.keys()) this.#hear(flow);
    return this.#with.bindings.hasSeen(value);
  }

  #see(response: FlowResponse): void {
    if (response.content.kept > LARGEST_SEEN) return;
    let text = fieldsOf(response);
    try {
      text += `\n${response.text()}`;
    } catch {
      // A body that cannot be decoded gives nothing to read.
    }
    this.#with.bindings.see(outlineOf(text).values);
  }

  /** Of entries that are the same request but for secrets: those whose secrets are the ones of this request. */
  prefer(entries: readonly TapeEntry[], request: FlowRequest): ReadonlySet<TapeEntry> | undefined {
    return this.#on ? this.#preference.of(entries, request) : undefined;
  }

  /** The values of a conversation that begins. @param said what its client has said already */
  dialogue(said: string = ""): Dialogue {
    const { bindings, options: { match = {} } } = this.#with;
    const differences = (recorded: Outline, live: Outline, entry: TapeEntry) =>
      this.#differences([[recorded, live]], entry);
    return new Dialogue({
      bindings,
      on: this.#on,
      differences: (recorded, live, entry) =>
        differences(outlineOfBody(recorded, match), outlineOfBody(live, match), entry),
      differencesIn: (recorded, live, entry) => differences(outlineOf(recorded), outlineOf(live), entry),
    }, said);
  }

  /** A conversation may be held with a real server, or with a rule: what that says to the client is known when it is asked for. */
  watch(flow: Conversing): void {
    if (this.#on && this.#watched.size < MOST_WATCHED) this.#watched.set(flow, 0);
  }

  /** What is bound, for explanations. */
  describe(): string {
    return this.#with.bindings.describe();
  }

  async #recordedForm(request: FlowRequest): Promise<FlowRequest | undefined> {
    const { redactor, bindings, options: { match = {}, afterLast } } = this.#with;
    const known = this.#asRecorded(request);
    const candidates = this.#candidates(known);
    if (candidates.length === 0) return known === request ? undefined : known;
    const live = redactRequest(known, redactor);
    const address = outlineOfAddress(live.method, live.url, match);
    const body = outlineOfBody(live, match);
    let second: Map<string, string> | undefined;
    for (const entry of candidates.slice(0, MOST_COMPARED)) {
      const recorded = redactRequest(await entry.requestWithout(describeLarge), redactor);
      const pairs = await this.#differences([
        [outlineOfAddress(recorded.method, recorded.url, match), address],
        [outlineOfBody(recorded, match), body],
      ], entry);
      if (pairs === undefined) continue;
      // Bound to something else already: only when there is no other.
      const taken = Array.from(pairs).some(([from]) => bindings.liveOf(from) !== undefined);
      if (!taken) return this.#bound(request, known, pairs);
      second = pairs;
    }
    if (second !== undefined && afterLast !== "error") return this.#bound(request, known, second);
    return known === request ? undefined : known;
  }

  #bound(request: FlowRequest, known: FlowRequest, pairs: Map<string, string>): FlowRequest {
    this.#own.set(request, pairs);
    for (const [recorded, live] of pairs) this.#with.bindings.bind(recorded, live);
    return rewritten(known, new Map(Array.from(pairs, ([recorded, live]) => [live, recorded])));
  }

  /** In what an entry differs, by recorded value; `undefined` if it is another request. */
  async #differences(
    outlines: readonly (readonly [recorded: Outline, live: Outline])[],
    entry: TapeEntry,
  ): Promise<Map<string, string> | undefined> {
    const pairs = new Map<string, string>();
    for (const [recorded, live] of outlines) {
      if (recorded.shape !== live.shape) return undefined;
      for (const [i, from] of recorded.values.entries()) {
        const to = live.values[i]!;
        if (from === to) continue;
        if ((pairs.get(from) ?? to) !== to) return undefined;
        if (!await this.#mayDiffer(from, to, recorded.names[i]!, entry)) return undefined;
        pairs.set(from, to);
      }
    }
    return pairs;
  }

  /** A value that a server gave to the client is another one only if a server has given that; one that clients choose never is. */
  async #mayDiffer(from: string, to: string, name: string, entry: TapeEntry): Promise<boolean> {
    if (isPlaceholder(from)) return true;
    switch (await this.#evidence.of(from, name, entry.index)) {
      case "named":
        return true;
      case "issued":
        return this.#hasSeen(to);
      case "echoed":
        // Of what is said in a conversation nobody knows whether it was before or after.
        if (entry.kind !== "http" && this.#hasSeen(to)) return true;
        return (entry.kind !== "http" || !/^(?:GET|HEAD|OPTIONS)$/.test(entry.method)) && isDrawn(from) && isDrawn(to);
      default:
        return false;
    }
  }

  /** What stands for recorded values is replaced by them. */
  #asRecorded(request: FlowRequest): FlowRequest {
    const { toRecorded } = this.#with.bindings;
    return toRecorded.size === 0 ? request : rewritten(request, toRecorded);
  }

  #candidates(request: FlowRequest): readonly TapeEntry[] {
    const { redactor, options: { match = {} } } = this.#with;
    if (this.#byAddress === undefined) {
      this.#byAddress = new Map();
      for (const entry of this.#entries) {
        if (entry.kind !== "http") continue;
        const { shape } = outlineOfAddress(entry.method, redactor.url(entry.url), match);
        const list = this.#byAddress.get(shape);
        if (list === undefined) this.#byAddress.set(shape, [entry]);
        else list.push(entry);
      }
    }
    return this.#byAddress.get(outlineOfAddress(request.method, redactor.url(request.url), match).shape) ?? [];
  }

  async #traitsOf(entry: TapeEntry, response: FlowResponse | undefined): Promise<Traits> {
    let traits = this.#traits.get(entry);
    if (traits !== undefined) return traits;
    // A body in a file is not read for it.
    const request = entry.requestNow() ?? headOf(entry);
    const values = Array.from(new RequestValues(request));
    const secrets = values.filter(([, value]) => isPlaceholder(value));
    const unusual = values.filter(([, value]) => isUnusual(value) && !value.startsWith("[redacted"));
    const text = unusual.length === 0 ? "" : await this.#evidence.textOf(entry, response);
    const echoes = unusual.filter(([, value]) => text.includes(value) || text.includes(encodeURIComponent(value)));
    this.#traits.set(entry, traits = { secrets, echoes });
    return traits;
  }
}

const NONE: Pairs = new Map();

/** Whether a client has drawn it by lot: identifiers that stand in a program do not count. */
function isDrawn(value: string): boolean {
  return UUID.test(value) || ULID.test(value) || looksRandom(value, { least: 16 });
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[147][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i;
const ULID = /^[0-7][\dA-HJKMNP-TV-Z]{25}$/;
