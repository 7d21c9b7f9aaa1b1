/**
 * Says why nothing on a tape matched a request, and what to do about it.
 *
 * @module
 */
import type { Comparison } from "../../flow/matcher/types.ts";
import { compareRequests } from "../../flow/compare_requests.ts";
import { rank, renderComparisons } from "../../flow/near_miss.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { redactRequest } from "../redact/request.ts";
import { NearestEntries } from "./nearest_entries.ts";

/** Explains requests that nothing matched. */
export class Explainer {
  readonly #nearest: NearestEntries;
  readonly #options: TapeOptions;
  readonly #redactor: Redactor;
  readonly #exists: boolean;

  /** @param entries `undefined` when there is no tape */
  constructor(entries: readonly TapeEntry[] | undefined, options: TapeOptions, redactor: Redactor) {
    this.#nearest = new NearestEntries(entries ?? []);
    this.#exists = entries !== undefined;
    this.#options = options;
    this.#redactor = redactor;
  }

  /** @param usedUp how many entries fitted, but have all been replayed */
  async explain(request: FlowRequest, usedUp: number): Promise<string> {
    const live = redactRequest(request, this.#redactor);
    const { path } = this.#options;
    const head =
      `Nothing on the tape ${path} matches this request, and in replay mode nothing reaches the network:\n\n` +
      `  ${live.method} ${live.url}\n\n`;
    if (!this.#exists) return `${head}There is no such tape yet. ${RECORD}\n`;
    if (usedUp > 0) {
      const entries = usedUp === 1 ? "The only entry for it has" : `All ${usedUp} entries for it have`;
      return `${head}${entries} been replayed. Record the tape again if there should be more, ` +
        `or set afterLast: "repeat" or "loop".\n`;
    }
    return `${head}${await this.#nearestTo(live)}\n`;
  }

  async #nearestTo(live: FlowRequest): Promise<string> {
    const candidates = this.#nearest.to(live);
    const requests = new Map<TapeEntry, FlowRequest>();
    for (const entry of candidates) requests.set(entry, redactRequest(await entry.request(), this.#redactor));
    const compare = (entry: TapeEntry) => this.#compare(requests.get(entry)!, live);
    const [best] = rank(candidates, compare, 1);
    if (best === undefined) return `${candidates.length === 0 ? "The tape is empty. " : ""}${RECORD}`;
    const { subject, comparisons } = best;
    return `The nearest is entry ${subject.index}, ${subject.method} ${this.#redactor.url(subject.url)}` +
      ` (- recorded, + received):\n\n${renderComparisons(comparisons)}\n\n${this.#advice(comparisons)}`;
  }

  /** Only what counts: a part that the options leave out cannot be the reason. */
  #compare(recorded: FlowRequest, live: FlowRequest): Comparison[] {
    const { method = true, query = true, headers = [], body = true } = this.#options.match ?? {};
    return compareRequests(recorded, live, { headers: "ignore" in headers ? [] : headers }).filter(({ field }) => {
      if (field === "method") return method;
      if (field.startsWith("query.")) {
        return query !== false && !(typeof query === "object" && query.ignore.includes(field.slice(6)));
      }
      return !BODY.test(field) || (body !== false && live.content.complete);
    });
  }

  #advice(comparisons: readonly Comparison[]): string {
    const fields = comparisons.filter(({ matches }) => !matches).map(({ field }) => field);
    const match = optionFor(fields, (this.#options.match?.headers ?? []) as string[]);
    return match === undefined
      ? RECORD
      : `If that difference does not matter: match: ${match}. Otherwise record it anew: ` +
        `mode: "record".`;
  }
}

const RECORD = 'To record it, run with mode: "record", or with "auto" where CI is not set.';
const BODY = /^(?:body|json|form)(?![^.[])/;

/** The match option with which differences in these fields would not count; `undefined` when there is none. */
function optionFor(fields: readonly string[], headers: readonly string[]): string | undefined {
  const members: string[] = [];
  const query: string[] = [];
  const body: string[] = [];
  const dropped = new Set<string>();
  let wholeBody = false;
  for (const field of fields) {
    if (field === "method") members.push("method: false");
    else if (field.startsWith("query.")) query.push(field.slice("query.".length));
    else if (field.startsWith("headers.")) dropped.add(field.slice("headers.".length));
    else if (field.startsWith("json.")) body.push(`$.${field.slice("json.".length)}`);
    else if (field.startsWith("form.")) body.push(field.slice("form.".length));
    else if (BODY.test(field)) wholeBody = true;
    else return undefined;
  }
  if (query.length > 0) members.push(`query: { ignore: ${list(query)} }`);
  if (dropped.size > 0) members.push(`headers: ${list(headers.filter((name) => !dropped.has(name.toLowerCase())))}`);
  if (wholeBody) members.push("body: false");
  else if (body.length > 0) members.push(`body: { ignore: ${list(body)} }`);
  return members.length === 0 ? undefined : `{ ${members.join(", ")} }`;
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
}
