/**
 * Flows in order, and what can be asked of them together.
 *
 * @module
 */
import { BoundedList } from "./bounded_list.ts";
import type { Flow } from "./flow.ts";
import { compile } from "./matcher/compile.ts";
import { matchesNow } from "./matcher/matches_now.ts";
import type { Matcher } from "./matcher/types.ts";
import type { FlowRequest } from "./request.ts";
import { describeFlow, type FlowSummary, summarize } from "./summary.ts";

/** Options of a {@linkcode FlowSet}. */
export interface FlowSetOptions {
  /** How many flows are kept: beyond it the oldest go. No limit by default. */
  max?: number;
}

/**
 * Flows in the order in which they began. That of a proxy is live: it grows while the proxy works.
 *
 * @example
 * ```ts
 * import { FlowSet } from "flowtape";
 *
 * const flows = new FlowSet();
 * flows.filter("POST /orders").length; // 0
 * flows.summary(); // "no flows"
 * ```
 */
export class FlowSet implements Iterable<Flow> {
  readonly #list: BoundedList<Flow>;
  readonly #max: number | undefined;

  /**
   * A set of its own, which grows only by {@linkcode FlowSet.append | append()}.
   *
   * @param flows what is in it at first
   */
  constructor(flows: Iterable<Flow> = [], options: FlowSetOptions = {}) {
    this.#max = options.max;
    this.#list = new BoundedList(options.max);
    for (const flow of flows) this.#list.push(flow);
  }

  /** How many flows are in it. */
  get length(): number {
    return this.#list.length;
  }

  /** How many flows went because there were more than `max`. */
  get dropped(): number {
    return this.#list.dropped;
  }

  /** The flow at a place, from 0; a negative one counts from the end. */
  at(index: number): Flow | undefined {
    return this.#list.at(index);
  }

  /** The first flow that is still there. */
  first(): Flow | undefined {
    return this.at(0);
  }

  /** The latest flow. */
  last(): Flow | undefined {
    return this.at(-1);
  }

  /** A part of it, as `Array.prototype.slice` takes it. */
  slice(start?: number, end?: number): FlowSet {
    return new FlowSet(this.#list.toArray().slice(start, end));
  }

  /**
   * The flows that match now, as a set that does not grow. A flow whose body has not arrived does not match what asks
   * for the body.
   *
   * @throws {OptionsError} when the matcher cannot be read
   */
  filter(matcher: Matcher): FlowSet {
    const compiled = compile(matcher);
    return new FlowSet(this.#list.toArray().filter((flow) => matchesNow(compiled, flow)));
  }

  /** The requests of the HTTP flows. */
  get requests(): FlowRequest[] {
    return this.#list.toArray().flatMap((flow) => flow.type === "http" ? [flow.request] : []);
  }

  /** A table for people: a line for each flow. */
  summary(): string {
    return summarize(this, { dropped: this.dropped });
  }

  /** Adds a flow at the end. */
  append(flow: Flow): void {
    this.#list.push(flow);
  }

  /** Forgets all flows. */
  clear(): void {
    this.#list.clear();
  }

  /** The same flows in a set of their own: it keeps the limit, but does not grow with this one. */
  copy(): FlowSet {
    return new FlowSet(this, { max: this.#max });
  }

  /** Every flow in order; those that are added meanwhile too. */
  [Symbol.iterator](): Iterator<Flow> {
    return this.#list[Symbol.iterator]();
  }

  /** What test runners and `JSON.stringify` show: a few words about each flow, without bodies and credentials. */
  toJSON(): FlowSummary[] {
    return this.#list.toArray().map(describeFlow);
  }

  // What console.log shows: on Node and Bun, and on Deno. Methods with such names cannot be declared for JSR.
  static {
    for (const key of ["nodejs.util.inspect.custom", "Deno.customInspect"]) {
      const value = function (this: FlowSet): string {
        return `FlowSet\n${this.summary()}`;
      };
      Object.defineProperty(this.prototype, Symbol.for(key), { value });
    }
  }
}
