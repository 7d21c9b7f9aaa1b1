/**
 * The rule engine: an addon that does to each flow what the first matching rule says.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Miss } from "../flow/miss.ts";
import type { FlowResponse } from "../flow/response.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Addon } from "../hooks/addon.ts";
import type { Action } from "./action.ts";
import { Breakpoints } from "./ask/breakpoints.ts";
import { decideConnect } from "./ask/connect.ts";
import type { RuleLike } from "./compile_rules.ts";
import { doResponseWork, Evaluation, isSettled } from "./evaluate.ts";
import { isThenable } from "./check.ts";
import { keepList, stateOf, takeList } from "./flow_state.ts";
import { Lifeline } from "./lifeline.ts";
import { missOfRules } from "./nearest_rule.ts";
import { ruleError } from "./rule.ts";
import { type Handle, RuleBook, type RuleOptions } from "./rule_book.ts";
import type { Scenarios } from "./scenarios.ts";
import { decideTcp } from "./tcp.ts";

/** What {@linkcode RuleEngine} takes. */
export interface EngineOptions extends RuleOptions {
  /** Whether responses whose length is not known pass as they come, also where a rule wants the whole. They do not by default. */
  forwardChunked?: () => boolean;
}

/**
 * Does to each flow what the first matching rule says. Rules are tried in order when the head of a request has arrived;
 * one that must see the body makes those below it wait too. A flow sees the list as it was when its head arrived. A flow
 * that an earlier addon has answered is left alone.
 */
export class RuleEngine implements Addon {
  /** `"rules"`. */
  readonly name = "rules";
  /** The flows that wait for a decision. */
  readonly breakpoints: Breakpoints = new Breakpoints();

  readonly #book: RuleBook;
  readonly #lifeline = new Lifeline();
  readonly #forwardChunked: () => boolean;

  /**
   * Makes an engine for one proxy.
   *
   * @throws {OptionsError} for a rule or an action of the wrong form
   */
  constructor({ forwardChunked = () => false, ...options }: EngineOptions = {}) {
    this.#book = new RuleBook(options);
    this.#forwardChunked = forwardChunked;
  }

  /**
   * Adds rules in front of all others, in the order given, as MSW's `server.use()` does: a test overrides what its suite
   * has set up.
   *
   * @throws {OptionsError} for a rule of the wrong form; then none of them is added
   */
  use(...rules: RuleLike[]): Handle {
    return this.#book.use(rules);
  }

  /** Drops what was added with {@linkcode RuleEngine.use | use}; the initial rules count from zero again; what is paused is forwarded. */
  reset(): void {
    this.#book.reset();
    this.breakpoints.reset();
  }

  /**
   * Prepares other rules to begin with, and another default action: for flows that begin once what is returned has been called.
   *
   * @throws {OptionsError} for a rule or an action of the wrong form
   */
  prepare(options: Pick<RuleOptions, "rules" | "defaultAction">): () => void {
    return this.#book.prepare(options);
  }

  /** Says what is done from now on to a flow that no rule matches. */
  setDefault(action: Action): void {
    this.#book.setDefault(action);
  }

  /** Ends whatever waits, now and in future, so that the proxy can close at once. Call it before connections are closed. */
  close(): void {
    this.#lifeline.cut();
  }

  /** Tries those rules that want to be asked about tunnels. */
  httpConnect(flow: HttpFlow): void | Promise<void> {
    // It has a server when it is the proxy itself that asks another one.
    if (flow.server !== undefined || isSettled(flow)) return;
    return decideConnect(flow, this.#book.list, this.#lifeline, this.breakpoints);
  }

  /** Does what the rules with `tcp()` say, or the default action. */
  tcpStart(flow: TcpFlow): void | Promise<void> {
    return decideTcp(flow, this.#book.list, this.#lifeline);
  }

  /** Ends what is still being done to a conversation that has failed. */
  tcpError(flow: TcpFlow): void {
    stateOf(flow)?.abort();
  }

  /** The scenarios of the rules, by name. */
  get scenarios(): Scenarios {
    return this.#book.scenarios;
  }

  /** What the rules say of a request that nothing has answered. */
  missOf(flow: HttpFlow): Miss {
    return missOfRules(this.#book.list.rules, flow);
  }

  /** The head of a request has arrived: whatever changes from now on, the flow sees the rules of now. */
  begin(flow: HttpFlow): void {
    keepList(flow, this.#book.list);
  }

  /** Tries the rules. */
  requestHeaders(flow: HttpFlow): void | Promise<void> {
    const { undecided } = flow;
    const list = takeList(flow) ?? this.#book.list;
    flow.undecided = false;
    if (isSettled(flow)) return;
    const evaluation = new Evaluation(flow, list, this.#lifeline, this.breakpoints);
    return undecided ? evaluation.later() : evaluation.run(0, "requestHeaders");
  }

  /** Goes on with what had to wait for the request to be complete. */
  request(flow: HttpFlow): void | Promise<void> {
    const state = stateOf(flow);
    const pending = state?.pending;
    if (state === undefined || pending === undefined) return;
    state.pending = undefined;
    flow.undecided = false;
    if (!isSettled(flow)) return pending();
  }

  /** Changes the head of the response. */
  responseHeaders(flow: HttpFlow): void | Promise<void> {
    const { response } = flow;
    const push = this.#forwardChunked() && response !== undefined && isPush(response);
    if (push) response.stream = true;
    const work = stateOf(flow)?.responseWork;
    if (work === undefined || work.length === 0) return;
    // Somebody may have wanted the body to pass unseen, but a rule has to change it.
    const keep = () => {
      if (!push && response !== undefined && this.needs("response", flow) === true) response.stream = false;
    };
    keep();
    const heads = work.filter((it) => !it.needsBody);
    // An addon may say only now that it wants the whole.
    return heads.length === 0 ? undefined : after(doResponseWork(flow, heads, this.#lifeline), keep);
  }

  /** Changes the response as a whole. */
  response(flow: HttpFlow): void | Promise<void> {
    const work = stateOf(flow)?.responseWork;
    if (work === undefined || work.length === 0) return;
    return doResponseWork(flow, work.filter((it) => it.needsBody), this.#lifeline);
  }

  /** Ends what is still being done to a flow that has failed. */
  error(flow: HttpFlow): void | Promise<void> {
    const state = stateOf(flow);
    state?.abort();
    if (state === undefined || state.errorWork.length === 0) return;
    return this.#failed(flow, state.errorWork);
  }

  /** The same as {@linkcode RuleEngine.close | close}; addons that are actions are told. */
  done(): void | Promise<void> {
    this.close();
    const addons = [...this.#book.addons];
    if (addons.length > 0) return allDone(addons);
  }

  /** Whether a flow waits here for its body. */
  needs(hook: "request" | "response", flow: HttpFlow): boolean | "after" {
    const state = stateOf(flow);
    if (state === undefined) return false;
    if (hook === "request") return state.pending !== undefined;
    if (state.responseWork.some((it) => it.needsBody === true)) return true;
    return state.responseWork.some((it) => it.needsBody === "after") ? "after" : false;
  }

  async #failed(flow: HttpFlow, works: readonly ((flow: HttpFlow) => unknown)[]): Promise<void> {
    for (const work of works) {
      try {
        await work(flow);
      } catch (cause) {
        throw ruleError(stateOf(flow)?.report ?? { place: "rules", description: "error" }, cause);
      }
    }
  }
}

async function allDone(addons: readonly Addon[]): Promise<void> {
  const results = await Promise.allSettled(addons.map(async (addon) => await addon.done?.()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function after(work: void | Promise<void>, then: () => void): void | Promise<void> {
  if (isThenable(work)) return work.then(then);
  then();
}

/** Whether the server may still be making the body: it has not said how long it will be. */
function isPush({ content, headers }: FlowResponse): boolean {
  return !content.complete && !headers.has("content-length");
}
