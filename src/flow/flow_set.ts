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
import { OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";
import type { FlowPlayer } from "./player.ts";
import type { FlowRequest } from "./request.ts";
import { compareRequestsOf, compareResponsesOf } from "./set/compare.ts";
import { diffFlows } from "./set/diff.ts";
import { compileExtract, type ExtractFrom } from "./set/extract.ts";
import { groupBy } from "./set/group.ts";
import { lengthOf, payloadOf, statusOf } from "./set/measure.ts";
import { playAll, type PlayOptions } from "./set/play.ts";
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
   * @throws {OptionsError} something is no flow
   */
  constructor(flows: Iterable<Flow> = [], options: FlowSetOptions = {}) {
    this.#max = options.max;
    this.#list = new BoundedList(options.max);
    if (typeof flows?.[Symbol.iterator] !== "function") {
      throw new OptionsError(`a FlowSet is made of flows, such as an array of them, not of ${describeValue(flows)}`);
    }
    for (const flow of flows) this.append(flow);
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

  /**
   * One value of every flow, in the order of the set; `undefined` where a flow has none.
   *
   * A name alone is looked for in the request: as an attribute (`method`, `url`, `path`, `body`, `text`, `json`...), a header, a query
   * parameter, a field of a form or of a JSON body, a cookie; then in the response in the same way (`status`, `reason`, `length`,
   * `time`...). The first that is there counts. With its place in front it is looked for there alone: `headers.host`, `query.page`,
   * `form.name`, `json.lines[0].qty`, `cookies.sid`, `flow.error`.
   *
   * @example
   * ```ts
   * import { FlowSet } from "flowtape";
   *
   * function pages(flows: FlowSet) {
   *   return flows.extract("query.page"); // ["1", "2", undefined]
   * }
   * ```
   *
   * @param from one of the messages alone
   * @throws {OptionsError} no name, or another message
   */
  extract(arg: string, from?: ExtractFrom): unknown[] {
    return this.#list.toArray().map(compileExtract(arg, from));
  }

  /** The flows by the status of their responses, the lowest first; 0 are those without a response. */
  byStatus(): Map<number, FlowSet> {
    return this.#groups(statusOf);
  }

  /** The flows by the path that they asked for, without the query, in the order of the alphabet; raw conversations are under `""`. */
  byPath(): Map<string, FlowSet> {
    return this.#groups((flow) => flow.type === "http" ? flow.request.path : "");
  }

  /**
   * The flows by how many bytes the server has sent as content, the least first: the body of a response with its content coding, all
   * messages of a WebSocket. -1 are those without a response.
   */
  byLength(): Map<number, FlowSet> {
    return this.#groups((flow) => lengthOf(flow) ?? -1);
  }

  /** The flows that are not a try with a payload: see `payload` of {@linkcode HttpFlow.edit}. */
  withoutPayloads(): FlowSet {
    return new FlowSet(this.#list.toArray().filter((flow) => payloadOf(flow) === undefined));
  }

  /**
   * A table of the requests: what they have in common in one line, then a column for each part that differs. Without credentials; of
   * the first 200 flows.
   */
  compare(): string {
    return compareRequestsOf(this.#list.toArray());
  }

  /** The same table of the responses. */
  compareResponses(): string {
    return compareResponsesOf(this.#list.toArray());
  }

  /**
   * The differences of two flows, line by line: heads and decoded bodies, JSON key by key, a form field by field. Without credentials
   * and times, 400 lines at most.
   *
   * @param a the place of one, as for {@linkcode FlowSet.at | at()}
   * @param b the place of the other
   * @throws {OptionsError} there is no flow at a place
   */
  diff(a: number, b: number): string {
    return diffFlows(this.#known(a), this.#known(b), [String(a), String(b)]);
  }

  /**
   * Sends the requests of all flows again, each through the proxy that has captured it, and resolves with the new flows when they are
   * over. The old ones stay as they are. A flow that failed is there with its error.
   *
   * @example
   * ```ts
   * import { respond, startProxy } from "flowtape";
   *
   * await using proxy = await startProxy({ rules: [["GET https://shop.test/*", respond({ body: "ok" })]] });
   * for (const page of [1, 2]) await (await proxy.fetch(`https://shop.test/?page=${page}`)).text();
   * const again = await proxy.flows.copy().play({ edit: (request) => request.query.set("page", "9") });
   * again.extract("query.page"); // ["9", "9"]
   * ```
   *
   * @throws {OptionsError} an option is not accepted, or a flow cannot be played: it is a WebSocket, raw, or bound to no proxy
   */
  async play(options?: PlayOptions): Promise<FlowSet> {
    return new FlowSet(await playAll(this.#list.toArray(), options));
  }

  /** The same flows, bound to a proxy: {@linkcode HttpFlow.bind} of each. Raw conversations stay as they are. */
  bind(proxy: FlowPlayer): FlowSet {
    return new FlowSet(this.#list.toArray().map((flow) => flow.type === "http" ? flow.bind(proxy) : flow));
  }

  /**
   * A table for people: a line for each flow. Of six flows and more, sizes and times that are far from those of the others are marked.
   */
  summary(): string {
    return summarize(this, { dropped: this.dropped, outliers: "marked" });
  }

  /**
   * Adds a flow at the end.
   *
   * @throws {OptionsError} it is none
   */
  append(flow: Flow): void {
    const type: unknown = (flow as Partial<Flow> | null | undefined)?.type;
    if (type !== "http" && type !== "tcp") {
      throw new OptionsError(`a FlowSet holds flows, such as proxy.flows.first(), and not ${describeValue(flow)}`);
    }
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

  #known(index: number): Flow {
    const flow = this.at(index);
    if (flow !== undefined && typeof index === "number") return flow;
    throw new OptionsError(
      `there is no flow at ${describeValue(index)}: the set has ${this.length}, counted from 0, or from -1 backwards`,
    );
  }

  #groups<K extends string | number>(keyOf: (flow: Flow) => K): Map<K, FlowSet> {
    return new Map(groupBy(this.#list.toArray(), keyOf).map(([key, flows]) => [key, new FlowSet(flows)]));
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
