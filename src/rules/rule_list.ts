/**
 * A list of rules that never changes, with an index: of a thousand rules only those are tried that can match.
 *
 * @module
 */
import type { MatchKey } from "../flow/matcher/types.ts";
import type { FlowRequest } from "../flow/request.ts";
import type { Plan } from "./action.ts";
import type { Rule } from "./rule.ts";

/** The rules as they stand at one moment. A flow keeps the list that its request head met. */
export class RuleList {
  /** The rules, the first one first. */
  readonly rules: readonly Rule[];
  /** What is done to a flow that no rule matches. */
  readonly fallback: Plan;

  readonly #tables: readonly Table[];
  readonly #others: readonly number[];

  /** @param fallback what is done to a flow that no rule matches */
  constructor(rules: readonly Rule[], fallback: Plan) {
    this.rules = rules;
    this.fallback = fallback;
    const tables = new Map<string, Table>();
    const others: number[] = [];
    for (const [i, { key }] of rules.entries()) {
      if (key === undefined || PARTS.every((part) => key[part] === undefined)) others.push(i);
      else tableFor(key, tables).add(key, i);
    }
    this.#tables = [...tables.values()];
    this.#others = others;
  }

  /**
   * The places of the rules that may match a request, in the order of the list.
   *
   * @param from the first place to look at
   */
  candidates(request: FlowRequest, from = 0): Cursor {
    const lists: (readonly number[])[] = [];
    if (this.#others.length > 0) lists.push(this.#others);
    for (const table of this.#tables) {
      const found = table.find(request);
      if (found !== undefined) lists.push(found);
    }
    return new Cursor(lists, from);
  }
}

/** Walks through several ascending lists as if they were one. */
export class Cursor {
  readonly #lists: readonly (readonly number[])[];
  readonly #at: number[];
  #from: number;

  /** @param from numbers below it are left out */
  constructor(lists: readonly (readonly number[])[], from: number) {
    this.#lists = lists;
    this.#at = lists.map(() => 0);
    this.#from = from;
  }

  /** The next number, -1 after the last. */
  next(): number {
    let best = -1;
    for (let i = 0; i < this.#lists.length; i++) {
      const list = this.#lists[i]!;
      while (list[this.#at[i]!]! < this.#from) this.#at[i]!++;
      const head = list[this.#at[i]!];
      if (head !== undefined && (best < 0 || head < best)) best = head;
    }
    if (best >= 0) this.#from = best + 1;
    return best;
  }
}

const PARTS = ["path", "hostname", "method"] as const;

/** The rules whose keys have the same parts, by the values of those: joining the values would cost more than three maps. */
class Table {
  readonly #parts: MatchKey;
  readonly #paths = new Map<string, Map<string, Map<string, number[]>>>();

  constructor(parts: MatchKey) {
    this.#parts = parts;
  }

  add({ path = "", hostname = "", method = "" }: MatchKey, place: number): void {
    const hosts = within(this.#paths, path, () => new Map<string, Map<string, number[]>>());
    const methods = within(hosts, hostname, () => new Map<string, number[]>());
    within(methods, method, () => []).push(place);
  }

  find(request: FlowRequest): readonly number[] | undefined {
    const { path, hostname, method } = this.#parts;
    return this.#paths.get(path === undefined ? "" : request.path)
      ?.get(hostname === undefined ? "" : request.hostname)
      ?.get(method === undefined ? "" : request.method.toUpperCase());
  }
}

function within<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function tableFor(key: MatchKey, tables: Map<string, Table>): Table {
  const parts = PARTS.filter((part) => key[part] !== undefined).join();
  let table = tables.get(parts);
  if (table === undefined) tables.set(parts, table = new Table(key));
  return table;
}
