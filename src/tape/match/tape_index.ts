/**
 * Finds the entry for a request: by hash, so that a long tape answers as fast as a short one.
 *
 * @module
 */
import type { FlowRequest } from "../../flow/request.ts";
import { bodySigner, type SignBody } from "./body_signature.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
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

  /** @param options nothing of them is stored on the tape */
  constructor(
    entries: readonly TapeEntry[],
    options: Pick<TapeOptions, "match" | "afterLast">,
    redactor: Redactor,
  ) {
    this.#entries = entries;
    this.#options = options;
    this.#redactor = redactor;
    this.#keys = new RequestKeys(options.match ?? {}, redactor);
    this.#sign = bodySigner(options.match?.body, redactor);
    this.#used = new Uint8Array(entries.length);
    for (const entry of entries) {
      // A connection that was handed over cannot be answered from here.
      if (entry.status === 101) continue;
      const key = this.#keys.keyOf(entry.method, entry.url, () => entry.requestHeaders);
      const there = this.#buckets.get(key) as TapeEntry | TapeEntry[] | undefined;
      if (there === undefined) this.#buckets.set(key, entry);
      else if (Array.isArray(there)) there.push(entry);
      else this.#buckets.set(key, [there, entry]);
    }
  }

  /** The entries that have not been replayed. */
  get unused(): readonly TapeEntry[] {
    return this.#entries.filter((entry) => this.#used[entry.index] === 0);
  }

  /** The entries that the request could be answered with, its body aside. */
  find(request: FlowRequest): Bucket | undefined {
    const key = this.#keys.keyOf(request.method, request.url, () => request.headers);
    const found = this.#buckets.get(key);
    if (found === undefined || "hasBodies" in found) return found;
    const entries = Array.isArray(found) ? found : [found];
    const bucket: Bucket = { entries, hasBodies: entries.some((entry) => entry.requestBody !== undefined) };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Whether the body of a request must be known to choose among these. */
  needsBody(bucket: Bucket): boolean {
    const { body = true, custom } = this.#options.match ?? {};
    return custom !== undefined || (body !== false && bucket.hasBodies);
  }

  /**
   * Takes the next entry for the request. Its place is taken before this returns, or, where recorded bodies must be
   * read first, in the order of the calls: requests that are under way together always get the same answers.
   */
  take(bucket: Bucket | undefined, request: FlowRequest): Taken | Promise<Taken> {
    if (bucket === undefined) return NOTHING;
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
    const inFile = bucket.entries.some((entry) => entry.requestBody?.form === "file");
    if (!inFile) {
      this.#fill(bucket, bucket.entries.map((entry) => entry.requestNow()!));
      return undefined;
    }
    return (async () => {
      const requests: FlowRequest[] = [];
      for (const entry of bucket.entries) requests.push(entry.requestNow() ?? await entry.request());
      this.#fill(bucket, requests);
    })();
  }

  #fill(bucket: Bucket, requests: readonly FlowRequest[]): void {
    const places = new Map<string, number[]>();
    for (const [i, request] of requests.entries()) {
      const signature = this.#signatureOf(bucket, request);
      const list = places.get(signature);
      if (list === undefined) places.set(signature, [i]);
      else list.push(i);
    }
    const keepsRequests = this.#options.match?.custom !== undefined;
    bucket.groups = new Map(Array.from(places, ([signature, list]) => [
      signature,
      newGroup(list.map((i) => bucket.entries[i]!), keepsRequests ? list.map((i) => requests[i]!) : []),
    ]));
  }

  #signatureOf(bucket: Bucket, request: FlowRequest): string {
    return bucket.hasBodies && this.#options.match?.body !== false ? this.#sign(request) : "";
  }

  #choose(groups: Map<string, Group>, bucket: Bucket, request: FlowRequest): Taken {
    const group = groups.get(this.#signatureOf(bucket, request));
    if (group === undefined) return NOTHING;
    const taken = this.#options.match?.custom ? this.#nextCustom(group, request) : this.#next(group);
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
    const live = redactRequest(request, this.#redactor);
    const fits = [...group.entries.keys()].filter((i) => this.#options.match!.custom!(live, group.requests[i]!));
    if (fits.length === 0) return NOTHING;
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

function newGroup(entries: readonly TapeEntry[], requests: readonly FlowRequest[]): Group {
  return { entries, requests, next: 0, had: new Set() };
}
