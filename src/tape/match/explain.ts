/**
 * Says why nothing on a tape matched a request, and what to do about it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Comparison } from "../../flow/matcher/types.ts";
import { compareRequests } from "../../flow/compare_requests.ts";
import { noteMiss } from "../../flow/miss.ts";
import { rank, renderComparisons } from "../../flow/near_miss.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { describeLarge, redactRequest } from "../redact/request.ts";
import { bodySigner, type SignBody } from "./body_signature.ts";
import type { OriginPart } from "./match_options.ts";
import { NearestEntries } from "./nearest_entries.ts";
import { Normalizer } from "./normalizer.ts";
import { optionFor } from "./option_for.ts";
import { reduced } from "./reduce.ts";
import { isVolatileField } from "./volatile.ts";

/** Explains requests that nothing matched. */
export class Explainer {
  readonly #nearest: NearestEntries;
  readonly #options: TapeOptions;
  readonly #redactor: Redactor;
  readonly #normalizer: Normalizer | undefined;
  readonly #sign: SignBody;
  readonly #exists: boolean;

  /** @param entries `undefined` when there is no tape */
  constructor(entries: readonly TapeEntry[] | undefined, options: TapeOptions, redactor: Redactor) {
    this.#nearest = new NearestEntries(entries ?? []);
    this.#exists = entries !== undefined;
    this.#options = options;
    this.#redactor = redactor;
    const { normalize, body } = options.match ?? {};
    this.#normalizer = normalize && new Normalizer(normalize, redactor);
    this.#sign = bodySigner(body, redactor);
  }

  /** @param usedUp how many entries fitted, but have all been replayed */
  async explain(request: FlowRequest, usedUp: number): Promise<string> {
    const live = redactRequest(request, this.#redactor);
    const { path } = this.#options;
    const head =
      `Nothing on the tape ${path} matches this request, and in replay mode nothing reaches the network:\n\n` +
      `  ${live.method} ${live.url}\n\n`;
    if (!this.#exists) {
      noteMiss(request, { reason: `there is no tape ${path} yet`, nearest: [], advice: [RECORD_ANEW] });
      return `${head}There is no such tape yet. ${RECORD}\n`;
    }
    if (usedUp > 0) {
      const entries = usedUp === 1 ? "The only entry for it has" : `All ${usedUp} entries for it have`;
      const reason = `${entries[0]!.toLowerCase()}${entries.slice(1)} been replayed`;
      const again = { text: "to replay them again", code: 'afterLast: "repeat" // or "loop"' };
      noteMiss(request, { reason, nearest: [], advice: [again, RECORD_ANEW] });
      return `${head}${entries} been replayed. Record the tape again if there should be more, ` +
        `or set afterLast: "repeat" or "loop".\n`;
    }
    return `${head}${await this.#nearestTo(this.#counting(request), request)}\n`;
  }

  /** What is compared: without credentials, and as the user normalises it. */
  #counting(request: FlowRequest, entry?: TapeEntry): FlowRequest {
    const normalizer = request.content.complete ? this.#normalizer : undefined;
    return normalizer?.copyOf(request, entry) ?? redactRequest(request, this.#redactor);
  }

  /** @param request whose miss it is */
  async #nearestTo(live: FlowRequest, request: FlowRequest): Promise<string> {
    const candidates = this.#nearest.to(live);
    const requests = new Map<TapeEntry, FlowRequest>();
    for (const entry of candidates) {
      requests.set(entry, this.#counting(await entry.requestWithout(describeLarge), entry));
    }
    const compare = (entry: TapeEntry) => this.#compare(requests.get(entry)!, live);
    const [best] = rank(candidates, compare, 1);
    if (best === undefined) {
      noteMiss(request, { reason: "nothing on the tape is like it", nearest: [], advice: [RECORD_ANEW] });
      return `${candidates.length === 0 ? "The tape is empty. " : ""}${RECORD}`;
    }
    const { subject, comparisons, closeness } = best;
    const title = `entry ${subject.index}, ${subject.method} ${this.#redactor.url(subject.url)}`;
    const option = this.#option(comparisons, requests.get(subject)!, live);
    noteMiss(request, {
      nearest: [{ kind: "entry", title, closeness, comparisons }],
      advice: [
        ...(option === undefined ? [] : [{ text: "if that difference does not matter", code: `match: ${option}` }]),
        RECORD_ANEW,
      ],
    });
    return `The nearest is ${title} (- recorded, + received):\n\n${renderComparisons(comparisons)}\n\n` +
      (option === undefined
        ? RECORD
        : `If that difference does not matter: match: ${option}. Otherwise record it anew: mode: "record".`);
  }

  /** Only what counts: a part that the options leave out cannot be the reason. */
  #compare(recorded: FlowRequest, live: FlowRequest): Comparison[] {
    const match = this.#options.match ?? {};
    const { method = true, origin = true, path = true, headers = [], body = true } = match;
    const names = "ignore" in headers ? countingFields([recorded, live], headers.ignore) : headers;
    const ignored = typeof origin === "object" ? origin.ignore : origin ? [] : ORIGIN;
    const bodyCounts = body !== false && live.content.complete;
    const found = compareRequests(reduced(recorded, match), reduced(live, match), { headers: names }).filter((
      { field },
    ) =>
      field === "method"
        ? method
        : field === "path"
        ? path
        : BODY.test(field)
        ? bodyCounts
        : !ignored.includes(field as OriginPart)
    );
    // Such as the bytes of a file in a form.
    if (found.every(({ matches }) => matches) && bodyCounts && this.#sign(recorded) !== this.#sign(live)) {
      found.push({ field: "body", expected: describe(recorded), actual: describe(live), matches: false });
    }
    return found;
  }

  /** The option with which the differences would not count. */
  #option(comparisons: readonly Comparison[], recorded: FlowRequest, live: FlowRequest): string | undefined {
    const { match = {} } = this.#options;
    const differences = comparisons.filter(({ matches }) => !matches);
    return optionFor(differences, match, (as) => {
      if (!live.content.complete) return false;
      const sign = bodySigner({ ...typeof match.body === "object" ? match.body : {}, as }, this.#redactor);
      return sign(recorded) === sign(live);
    });
  }
}

const RECORD = 'To record it, run with mode: "record", or with "auto" where CI is not set.';
const RECORD_ANEW = { text: "to record it", code: 'mode: "record"' };
const BODY = /^(?:body|json|form)(?![^.[])/;
const ORIGIN: readonly OriginPart[] = ["scheme", "host", "port"];

function countingFields(requests: readonly FlowRequest[], ignored: readonly string[]): string[] {
  const not = new Set(ignored.map((name) => name.toLowerCase()));
  const names = new Set(requests.flatMap(({ headers }) => Array.from(headers, ([name]) => name.toLowerCase())));
  return [...names].filter((name) => !not.has(name) && !isVolatileField(name)).sort();
}

function describe({ body }: FlowRequest): string {
  return `${body.length} bytes, SHA-256 ${createHash("sha256").update(body).digest("hex").slice(0, 16)}`;
}
