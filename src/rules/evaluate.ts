/**
 * Tries rules on a flow until one matches, and does what it says.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import { BodyIncompleteError } from "../flow/message.ts";
import type { Work } from "./action.ts";
import type { Breakpoints } from "./ask/breakpoints.ts";
import { isThenable } from "./check.ts";
import { ensureState, type ResponseWork, type RuleReport } from "./flow_state.ts";
import type { Lifeline } from "./lifeline.ts";
import { type Rule, ruleError } from "./rule.ts";
import type { RuleList } from "./rule_list.ts";

/** The hook in which rules are tried. */
export type Phase = "requestHeaders" | "request";

/** Whether somebody has answered the flow or ended it. */
export function isSettled(flow: HttpFlow): boolean {
  return flow.response !== undefined || flow.error !== undefined;
}

/** One list of rules and one flow. Nothing is awaited when nothing is async. */
export class Evaluation {
  readonly #flow: HttpFlow;
  readonly #list: RuleList;
  readonly #lifeline: Lifeline;
  readonly #breakpoints: Breakpoints;

  /**
   * @param list the rules as they stood when the request head arrived
   * @param breakpoints where the flow can wait for a decision
   */
  constructor(flow: HttpFlow, list: RuleList, lifeline: Lifeline, breakpoints: Breakpoints) {
    this.#flow = flow;
    this.#list = list;
    this.#lifeline = lifeline;
    this.#breakpoints = breakpoints;
  }

  /** Tries all rules when the request is complete. */
  later(): void {
    this.#defer(() => this.run(0, "request"));
  }

  /** Tries the rules from one place on. */
  run(from: number, phase: Phase): void | Promise<void> {
    const candidates = this.#list.candidates(this.#flow.request, from);
    for (let slot = candidates.next(); slot !== undefined; slot = candidates.next()) {
      const { rule, place } = slot;
      let work: Work | undefined | Promise<Work | undefined>;
      try {
        work = slot.attempt(this.#flow, this.#list.rules);
      } catch (cause) {
        // Only the request can still arrive: in the later hook there is nothing left to wait for.
        if (phase === "request" || !(cause instanceof BodyIncompleteError)) throw ruleError(rule, cause);
        return this.#defer(() => this.run(place, "request"));
      }
      if (isThenable(work)) {
        return this.#await(rule, work, (work) => work ? this.#take(rule, work, phase) : this.run(place + 1, phase));
      }
      if (work !== undefined) return this.#take(rule, work, phase);
    }
    const { fallback } = this.#list;
    const work = fallback.description === "forward" ? undefined : fallback.take();
    return work && this.#take({ place: "defaultAction", description: fallback.description }, work, phase);
  }

  #take(rule: Pick<Rule, "place" | "description" | "calls">, work: Work, phase: Phase): void | Promise<void> {
    const { place, description, calls } = rule;
    const report: RuleReport = { place, description, forwarded: true };
    const state = ensureState(this.#flow);
    state.report = report;
    state.breakpoints = this.#breakpoints;
    calls?.append(this.#flow);
    if (work.needsBody && phase === "requestHeaders" && !this.#flow.request.content.complete) {
      return this.#defer(() => this.#do(report, work));
    }
    return this.#do(report, work);
  }

  #do(report: RuleReport, work: Work): void | Promise<void> {
    let result: void | Promise<void>;
    try {
      result = work.run(this.#flow);
    } catch (cause) {
      // It has found out that it needs the request, and is run again when that is there.
      const waits = cause instanceof BodyIncompleteError && !this.#flow.request.content.complete;
      if (waits) return this.#defer(() => this.#do(report, work));
      throw ruleError(report, cause);
    }
    return isThenable(result) ? this.#await(report, result, () => this.#finish(report)) : this.#finish(report);
  }

  #finish(report: RuleReport): void {
    report.forwarded = !isSettled(this.#flow);
    if (!report.forwarded) this.#flow.source = "rule";
  }

  /** What needs the request waits for it, although somebody may have wanted the body to pass unseen. */
  #defer(pending: () => void | Promise<void>): void {
    ensureState(this.#flow).pending = pending;
    this.#flow.undecided = true;
    this.#flow.request.stream = false;
  }

  #await<T>(
    rule: Pick<Rule, "place" | "description">,
    work: PromiseLike<T>,
    done: (result: T) => void | Promise<void>,
  ): Promise<void> {
    return this.#lifeline.during(this.#flow, nameFailure(rule, work), done);
  }
}

/** Does what was asked to be done to the response, one after the other. */
export function doResponseWork(
  flow: HttpFlow,
  work: readonly ResponseWork[],
  lifeline: Lifeline,
): void | Promise<void> {
  const report = ensureState(flow).report ?? { place: "rules", description: "response" };
  for (const [i, { run }] of work.entries()) {
    let result: void | Promise<void>;
    try {
      result = run(flow);
    } catch (cause) {
      throw ruleError(report, cause);
    }
    if (isThenable(result)) {
      const named = nameFailure(report, result);
      return lifeline.during(flow, named, () => doResponseWork(flow, work.slice(i + 1), lifeline));
    }
  }
}

function nameFailure<T>(rule: Pick<Rule, "place" | "description">, work: PromiseLike<T>): Promise<T> {
  return Promise.resolve(work).catch((cause) => {
    throw ruleError(rule, cause);
  });
}
