/**
 * What the rules know of a flow while it passes.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Breakpoints } from "./ask/breakpoints.ts";

/** Something to be done to the response once it is there. */
export interface ResponseWork {
  /** Whether it can only be done once the whole response is there. */
  readonly needsBody: boolean;
  /** Does it. */
  run(flow: HttpFlow): void | Promise<void>;
}

/** Which rule took a flow, and what became of it. */
export interface RuleReport {
  /** Where the rule stands: `rules[3]`, or `defaultAction`. */
  readonly place: string;
  /** What it matches, in one line. */
  readonly description: string;
  /** Whether the flow went on to the tape or the server. */
  forwarded: boolean;
}

// One for all: most flows have none, and the state lives as long as its flow.
const NO_WORK: readonly ResponseWork[] = [];

/** The state of one flow. A flow that no rule has taken has none. */
export class FlowState {
  /** The rule that took the flow. */
  report: RuleReport | undefined;
  /** What waits for the request to be complete. */
  pending: (() => void | Promise<void>) | undefined;
  /** What waits for the response, in the order in which it was asked for. */
  responseWork: readonly ResponseWork[] = NO_WORK;
  /** Where the flow can wait for a decision. */
  breakpoints: Breakpoints | undefined;

  #abort: AbortController | undefined;

  /** Aborted when the flow has failed or the proxy closes: timers end then. */
  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  /** Ends whatever is still being done to the flow. */
  abort(): void {
    (this.#abort ??= new AbortController()).abort();
  }
}

/** The state of a flow; `undefined` when it has none. */
export function stateOf(flow: HttpFlow): FlowState | undefined {
  return flow.ruleState as FlowState | undefined;
}

/** The state of a flow, made when it has none. */
export function ensureState(flow: HttpFlow): FlowState {
  const state = stateOf(flow) ?? new FlowState();
  flow.ruleState = state;
  return state;
}

/** Adds something to be done to the response once it is there. */
export function addResponseWork(flow: HttpFlow, work: ResponseWork): void {
  const state = ensureState(flow);
  state.responseWork = [...state.responseWork, work];
}

/** Forgets a flow: it may pass a second time, when it is sent through the hooks again. */
export function forgetState(flow: HttpFlow): void {
  flow.ruleState = undefined;
  flow.undecided = false;
}

/**
 * Which rule took a flow; `undefined` when none did and it was forwarded by default.
 *
 * @example
 * ```ts
 * import { type HttpFlow, respond, ruleOf, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["http://a.test/", respond({ body: "hello" })]] });
 * await (await proxy.fetch("http://a.test/")).text();
 * ruleOf(proxy.flows.last() as HttpFlow); // { place: "rules[0]", description: "http://a.test/", forwarded: false }
 * ```
 */
export function ruleOf(flow: HttpFlow): Readonly<RuleReport> | undefined {
  return stateOf(flow)?.report;
}
