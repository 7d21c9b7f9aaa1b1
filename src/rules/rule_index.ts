/**
 * Rules by what their requests have in common: of a thousand rules only those are tried that can match.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { MatchKey } from "../flow/matcher/types.ts";
import type { FlowRequest } from "../flow/request.ts";
import type { Plan, Work } from "./action.ts";
import type { Rule } from "./rule.ts";

/**
 * A rule in its place, in a chain of those with the same key, the first one first. Everything that is read on the way to a
 * response lies close together: with a thousand rules the time goes into memory that no cache holds.
 */
export class Slot {
  readonly place: number;
  readonly rule: Rule;
  next: Slot | undefined;

  readonly #work: Work | undefined;
  readonly #plan: Plan | undefined;
  readonly #method: boolean;
  readonly #scheme: string | undefined;
  readonly #port: number | undefined;

  /** @param place where the rule stands in the list */
  constructor(place: number, rule: Rule) {
    const { plan, parts } = rule.exact ?? {};
    this.place = place;
    this.rule = rule;
    this.next = undefined;
    this.#work = plan?.constant;
    this.#plan = plan;
    this.#method = parts?.method !== undefined;
    this.#scheme = parts?.scheme;
    this.#port = parts?.port;
  }

  /** What the rule says about a request that has its key. Nothing is asked that the index has answered. */
  attempt(flow: HttpFlow, rules: readonly Rule[]): ReturnType<Rule["attempt"]> {
    if (this.#plan === undefined) return this.rule.attempt(flow, rules);
    const { request } = flow;
    if (this.#scheme !== undefined && this.#scheme !== request.scheme) return undefined;
    if (this.#port !== undefined && this.#port !== request.port) return undefined;
    // The index takes methods in any case, for MSW does; other rules do not (RFC 9110 section 9.1).
    if (this.#method && request.method !== request.method.toUpperCase()) return undefined;
    return this.#work ?? this.#plan.take();
  }
}

/** A chain that grows at its end. */
export class Chain {
  first: Slot | undefined = undefined;
  #last: Slot | undefined = undefined;

  /** Adds a slot whose place is behind all others. */
  add(slot: Slot): void {
    if (this.#last === undefined) this.first = slot;
    else this.#last.next = slot;
    this.#last = slot;
  }
}

const PARTS = ["method", "hostname", "path"] as const;

/** Whether a rule can be found by a key. */
export function hasKey({ key }: Rule): boolean {
  return key !== undefined && PARTS.some((part) => key[part] !== undefined);
}

/** All rules that have a key, one table for those whose keys have the same parts. */
export class RuleIndex {
  readonly #tables: readonly Table[];

  /** @param slots in the order of the list */
  constructor(slots: readonly Slot[]) {
    const tables = new Map<string, Table>();
    for (const slot of slots) {
      const key = slot.rule.key!;
      const parts = PARTS.filter((part) => key[part] !== undefined).join();
      let table = tables.get(parts);
      if (table === undefined) tables.set(parts, table = new Table(key));
      table.add(key, slot);
    }
    this.#tables = [...tables.values()];
  }

  /** Adds the first slot of each chain whose rules a request may match. */
  find(request: FlowRequest, into: Slot[]): void {
    for (const table of this.#tables) {
      const found = table.find(request);
      if (found !== undefined) into.push(found);
    }
  }
}

/**
 * Three maps, one in the other, cost less than one with joined keys. The path comes last: methods and hosts are few and stay in the
 * caches of the processor, so that of many rules one large map is looked at, and not many small ones.
 */
class Table {
  readonly #parts: MatchKey;
  readonly #methods = new Map<string, Map<string, Map<string, Slot>>>();
  // Where a chain ends is asked while the table is made, and never after.
  readonly #chains = new Map<Slot, Chain>();

  constructor(parts: MatchKey) {
    this.#parts = parts;
  }

  add({ path = "", hostname = "", method = "" }: MatchKey, slot: Slot): void {
    const hosts = within(this.#methods, method, () => new Map<string, Map<string, Slot>>());
    const paths = within(hosts, hostname, () => new Map<string, Slot>());
    const first = within(paths, path, () => slot);
    within(this.#chains, first, () => new Chain()).add(slot);
  }

  find(request: FlowRequest): Slot | undefined {
    const { path, hostname, method } = this.#parts;
    return this.#methods.get(method === undefined ? "" : request.method.toUpperCase())
      ?.get(hostname === undefined ? "" : request.hostname)
      ?.get(path === undefined ? "" : request.path);
  }
}

function within<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
