/**
 * Finds the entry for a request: by hash, so that a long tape answers as fast as a short one.
 *
 * @module
 */
import type { FlowRequest } from "../../flow/request.ts";
import { bodySigner, hashOfFile, type SignBody } from "./body_signature.ts";
import { Normalizer } from "./normalizer.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import { digestOfFile } from "../spill/large_file.ts";
import type { Redactor } from "../redact/redactor.ts";
import { redactRequest } from "../redact/request.ts";
import { RequestKeys } from "./request_key.ts";

/** All entries of one key. */
export interface Bucket {
  readonly entries: readonly TapeEntry[];
  /** Some have a body to compare. */
  readonly hasBodies: boolean;
  /** The entries by the signature of their bodies, once a request has been compared with them. */
  groups?: Map<string, Group>;
  /** The body files are being read. */
  reading?: Promise<void>;
}

/** Entries that are all the same, but for the answer. */
interface Group {
  readonly entries: readonly TapeEntry[];
  /** Which is next. */
  next: number;
  /** The recorded requests, for a custom matcher. */
  readonly requests: readonly FlowRequest[];
  /** Which of them a custom matcher has had in this round. */
  readonly had: Set<number>;
}

/** Those of some entries that a request rather means; `undefined` when any will do. */
export type Prefer = (entries: readonly TapeEntry[], request: FlowRequest) => ReadonlySet<TapeEntry> | undefined;

/** The entry to answer with; or none, and how many would have fitted but have all been replayed. */
export type Taken = { readonly entry: TapeEntry } | { readonly entry?: undefined; readonly usedUp: number };

const NOTHING: Taken = { usedUp: 0 };

/** The entries of a tape by what they answer, and how far each has been replayed. */
export class TapeIndex {
  readonly #entries: readonly TapeEntry[];
  readonly #buckets = new Map<string, TapeEntry | TapeEntry[] | Bucket>();
  readonly #keys: RequestKeys;
  readonly #sign: SignBody;
  readonly #redactor: Redactor;
  readonly #options: Pick<TapeOptions, "match" | "afterLast">;
  readonly #used: Uint8Array;
  readonly #normalizer: Normalizer | undefined;
  // What tells apart the bodies of normalised requests; the requests themselves for a custom matcher.
  readonly #recorded = new Map<TapeEntry, FlowRequest | string>();
  // The copy of a live request, between find() and take().
  readonly #live = new WeakMap<FlowRequest, FlowRequest>();
  readonly #prefer: Prefer | undefined;
  /** Resolves when requests can be looked up; `undefined` when they can at once. */
  readonly ready: Promise<void> | undefined;

  /**
   * @param options nothing of them is stored on the tape
   * @param prefer chooses among entries that are the same request
   */
  constructor(
    entries: readonly TapeEntry[],
    options: Pick<TapeOptions, "match" | "afterLast">,
    redactor: Redactor,
    prefer?: Prefer,
  ) {
    this.#prefer = prefer;
    this.#entries = entries;
    this.#options = options;
    this.#redactor = redactor;
    this.#keys = new RequestKeys(options.match ?? {}, redactor);
    this.#sign = bodySigner(options.match?.body, redactor);
    this.#used = new Uint8Array(entries.length);
    const { normalize } = options.match ?? {};
    this.#normalizer = normalize && new Normalizer(normalize, redactor);
    if (this.#normalizer === undefined) {
      for (const entry of entries) this.#add(entry);
      return;
    }
    this.ready = this.#addNormalized(this.#normalizer);
    // For whoever waits for it.
    this.ready.catch(() => {});
  }

  /** Whether requests can only be compared when their bodies are there. */
  get whole(): boolean {
    return this.#normalizer !== undefined;
  }

  /** The entries that have not been replayed. */
  get unused(): readonly TapeEntry[] {
    return this.#entries.filter((entry) => this.#used[entry.index] === 0);
  }

  /** The entries that the request could be answered with, its body aside. */
  find(request: FlowRequest): Bucket | undefined {
    let counting = request;
    if (this.#normalizer !== undefined) {
      counting = this.#normalizer.copyOf(request);
      this.#live.set(request, counting);
    }
    const key = this.#keyOf(counting);
    const found = this.#buckets.get(key);
    if (found === undefined || "hasBodies" in found) return found;
    const entries = Array.isArray(found) ? found : [found];
    const hasBodies = entries.some((entry) => this.#hasBody(entry));
    const bucket: Bucket = { entries, hasBodies };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Whether the body of a request must be known to choose among these. */
  needsBody(bucket: Bucket): boolean {
    const { body = true, custom } = this.#options.match ?? {};
    return this.whole || custom !== undefined || (body !== false && bucket.hasBodies);
  }

  /**
   * Takes the next entry for the request. Its place is taken before this returns, or, where recorded bodies must be
   * read first, in the order of the calls: requests that are under way together always get the same answers.
   */
  take(bucket: Bucket | undefined, request: FlowRequest): Taken | Promise<Taken> {
    if (bucket === undefined) return NOTHING;
    request = this.#live.get(request) ?? request;
    if (bucket.groups === undefined) {
      bucket.reading ??= this.#group(bucket);
      if (bucket.reading !== undefined) return bucket.reading.then(() => this.#choose(bucket.groups!, bucket, request));
    }
    return this.#choose(bucket.groups!, bucket, request);
  }

  /** Groups the entries of a bucket: at once, unless a body has to be read from disk. */
  #group(bucket: Bucket): Promise<void> | undefined {
    if (!this.needsBody(bucket)) {
      bucket.groups = new Map([["", newGroup(bucket.entries, [])]]);
      return undefined;
    }
    const requests = bucket.entries.map((entry) => this.#requestNow(entry));
    if (requests.every((request) => request !== undefined)) {
      this.#fill(bucket, requests);
      return undefined;
    }
    return (async () => {
      for (const [i, entry] of bucket.entries.entries()) {
        requests[i] ??= await this.#digestOf(entry) ?? await entry.request();
      }
      this.#fill(bucket, requests as FlowRequest[]);
    })();
  }

  /** The recorded request, or what tells its body from others; `undefined` when that must be read from disk. */
  #requestNow(entry: TapeEntry): FlowRequest | string | undefined {
    const normalized = this.#recorded.get(entry);
    if (normalized !== undefined) return normalized;
    const { body, custom } = this.#options.match ?? {};
    const stored = entry.requestBody;
    if (typeof body === "object" && body.as === "hash" && custom === undefined && stored?.form === "file") {
      const hash = hashOfFile(stored.value);
      if (hash !== undefined) return hash;
    }
    return entry.requestNow();
  }

  /** What the body of a recorded request is compared by when it is too large for memory. */
  async #digestOf(entry: TapeEntry): Promise<string | undefined> {
    if (this.#options.match?.custom !== undefined) return undefined;
    const file = await entry.largeRequestBody();
    const type = entry.requestHeaders.get("content-type");
    return file && largeSignature(await digestOfFile(file, type, this.#redactor));
  }

  #fill(bucket: Bucket, requests: readonly (FlowRequest | string)[]): void {
    const places = new Map<string, number[]>();
    for (const [i, request] of requests.entries()) {
      const signature = typeof request === "string" ? request : this.#signatureOf(bucket, request);
      const list = places.get(signature);
      if (list === undefined) places.set(signature, [i]);
      else list.push(i);
    }
    const keepsRequests = this.#options.match?.custom !== undefined;
    bucket.groups = new Map(Array.from(places, ([signature, list]) => [
      signature,
      newGroup(list.map((i) => bucket.entries[i]!), keepsRequests ? list.map((i) => requests[i] as FlowRequest) : []),
    ]));
  }

  #hasBody(entry: TapeEntry): boolean {
    const normalized = this.#recorded.get(entry);
    if (normalized === undefined) return entry.requestBody !== undefined;
    return typeof normalized === "string" ? normalized !== "" : normalized.encodedBody.length > 0;
  }

  #keyOf({ method, url, headers }: FlowRequest): string {
    return this.#keys.keyOf(method, url, () => headers);
  }

  #add(entry: TapeEntry, request?: FlowRequest): void {
    // Conversations are answered elsewhere.
    if (entry.kind !== "http" || entry.status === 101) return;
    const key = request === undefined
      ? this.#keys.keyOf(entry.method, entry.url, () => entry.requestHeaders)
      : this.#keyOf(request);
    const there = this.#buckets.get(key) as TapeEntry | TapeEntry[] | undefined;
    if (there === undefined) this.#buckets.set(key, entry);
    else if (Array.isArray(there)) there.push(entry);
    else this.#buckets.set(key, [there, entry]);
  }

  async #addNormalized(normalizer: Normalizer): Promise<void> {
    for (const entry of this.#entries) {
      const request = normalizer.copyOf(entry.requestNow() ?? await entry.request(), entry);
      const { body, custom } = this.#options.match ?? {};
      this.#recorded.set(entry, custom !== undefined ? request : body === false ? "" : this.#sign(request));
      this.#add(entry, request);
    }
  }

  #signatureOf(bucket: Bucket, request: FlowRequest): string {
    if (!bucket.hasBodies || this.#options.match?.body === false) return "";
    const { digest } = request.content;
    return digest === undefined ? this.#sign(request) : largeSignature(digest);
  }

  #choose(groups: Map<string, Group>, bucket: Bucket, request: FlowRequest): Taken {
    const group = groups.get(this.#signatureOf(bucket, request));
    if (group === undefined) return NOTHING;
    const fits = group.entries.length > 1 ? this.#prefer?.(group.entries, request) : undefined;
    const taken = this.#options.match?.custom
      ? this.#nextCustom(group, request)
      : fits !== undefined || group.had.size > 0
      ? this.#nextOf(group, [...group.entries.keys()].filter((i) => fits?.has(group.entries[i]!) ?? true))
      : this.#next(group);
    if (taken.entry !== undefined) this.#used[taken.entry.index] = 1;
    return taken;
  }

  #next(group: Group): Taken {
    const { entries } = group;
    if (group.next === entries.length) {
      const { afterLast = "repeat" } = this.#options;
      if (afterLast === "error") return { usedUp: entries.length };
      group.next = afterLast === "loop" ? 0 : entries.length - 1;
    }
    return { entry: entries[group.next++]! };
  }

  #nextCustom(group: Group, request: FlowRequest): Taken {
    const live = this.whole ? request : redactRequest(request, this.#redactor);
    const fits = [...group.entries.keys()].filter((i) => this.#options.match!.custom!(live, group.requests[i]!));
    return fits.length === 0 ? NOTHING : this.#nextOf(group, fits);
  }

  #nextOf(group: Group, fits: readonly number[]): Taken {
    // What was taken in their order before counts.
    for (; group.next > 0; group.next--) group.had.add(group.next - 1);
    let next = fits.find((i) => !group.had.has(i));
    if (next === undefined) {
      const { afterLast = "repeat" } = this.#options;
      if (afterLast === "error") return { usedUp: fits.length };
      if (afterLast === "loop") { for (const i of fits) group.had.delete(i); }
      next = afterLast === "loop" ? fits[0]! : fits.at(-1)!;
    }
    group.had.add(next);
    return { entry: group.entries[next]! };
  }
}

/** Larger bodies than fit into memory are compared byte for byte. */
function largeSignature(digest: string): string {
  return `large ${digest}`;
}

function newGroup(entries: readonly TapeEntry[], requests: readonly FlowRequest[]): Group {
  return { entries, requests, next: 0, had: new Set() };
}
