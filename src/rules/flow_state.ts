/**
 * What the rules know of a flow while it passes.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Breakpoints } from "./ask/breakpoints.ts";
import { RuleList } from "./rule_list.ts";

/** Something to be done to the response once it is there. */
export interface ResponseWork {
  /**
   * Whether it can only be done once the whole response is there; `"after"`: then, but the response need not wait for it and may have
   * been sent.
   */
  readonly needsBody: boolean | "after";
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
const NO_ERROR_WORK: readonly ((flow: HttpFlow) => unknown)[] = [];

/** The state of one flow. A flow that no rule has taken has none. */
export class FlowState {
  /** The rule that took the flow. */
  report: RuleReport | undefined;
  /** What waits for the request to be complete. */
  pending: (() => void | Promise<void>) | undefined;
  /** What waits for the response, in the order in which it was asked for. */
  responseWork: readonly ResponseWork[] = NO_WORK;
  /** What is to be done when the flow fails. */
  errorWork: readonly ((flow: HttpFlow) => unknown)[] = NO_ERROR_WORK;
  /** The list that the head of the request has met, until the rules are tried. */
  list: RuleList | undefined;
  /** It has waited for a decision, or does. */
  asked = false;
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
export function stateOf(flow: HttpFlow | TcpFlow): FlowState | undefined {
  return flow.ruleState instanceof FlowState ? flow.ruleState : undefined;
}

/** The state of a flow, made when it has none. */
export function ensureState(flow: HttpFlow | TcpFlow): FlowState {
  const kept = flow.ruleState;
  if (kept instanceof FlowState) return kept;
  const state = new FlowState();
  // An addon in front of the rules does what an action does: the list is still to be tried.
  if (kept instanceof RuleList) state.list = kept;
  flow.ruleState = state;
  return state;
}

/** Adds something to be done to the response once it is there. */
export function addResponseWork(flow: HttpFlow, work: ResponseWork): void {
  const state = ensureState(flow);
  state.responseWork = [...state.responseWork, work];
}

/** Adds something to be done when the flow fails. */
export function addErrorWork(flow: HttpFlow, work: (flow: HttpFlow) => unknown): void {
  const state = ensureState(flow);
  state.errorWork = [...state.errorWork, work];
}

/** Keeps the list of rules that a flow has met, before anybody has looked at the flow. Most flows need no more state than that. */
export function keepList(flow: HttpFlow, list: RuleList): void {
  // Of a tunnel it is told only when that has failed, and rules may know of it by then.
  flow.ruleState ??= list;
}

/**
 * The list that a flow has met. It is given once: a flow that passes a second time meets the list of then, and what was known of it is
 * forgotten.
 */
export function takeList(flow: HttpFlow): RuleList | undefined {
  const kept = flow.ruleState;
  if (kept instanceof FlowState && kept.list !== undefined) {
    const { list } = kept;
    kept.list = undefined;
    return list;
  }
  forgetState(flow);
  return kept instanceof RuleList ? kept : undefined;
}

/** Forgets a flow: it may pass a second time, when it is sent through the hooks again. */
export function forgetState(flow: HttpFlow): void {
  flow.ruleState = undefined;
  flow.shape = flow.cut = undefined;
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
