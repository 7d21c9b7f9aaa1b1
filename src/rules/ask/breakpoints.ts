/**
 * The flows of one proxy that wait for a decision, and those who wait for such flows.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { FlowtapeError, OptionsError } from "../../flow/error.ts";
import type { Flow } from "../../flow/flow.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { compile } from "../../flow/matcher/compile.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { matchesNow } from "../../flow/matcher/matches_now.ts";
import type { CompiledMatcher, Matcher } from "../../flow/matcher/types.ts";
import { checkObject } from "../check.ts";
import { ensureState } from "../flow_state.ts";
import { explainTimeout, explainUnanswered } from "./explain.ts";
import { Pause, type PausedFlow, type PausePhase } from "./paused_flow.ts";

/** How to wait for a paused flow. */
export interface PausedOptions {
  /** Milliseconds until it is given up. 5,000 by default. */
  timeout?: number;
  /** Only flows that wait with this; any by default. */
  phase?: PausePhase;
}

/** More flows than this cannot wait at once: each holds a client's connection and a body. */
const MAX_PAUSED = 1000;
/** How long flows that are released at the end may take to end by themselves, in milliseconds. */
const RELEASE_MS = 1000;
/** Timers of every runtime count with 31 bits. */
const MAX_MS = 2 ** 31 - 1;

/** The three phases. */
export const PHASES: readonly PausePhase[] = ["connect", "request", "response"];

/** Somebody who waits for a paused flow. */
interface Waiter {
  wants(pause: Pause): boolean;
  give(pause: Pause): void;
  reject(error: unknown): void;
}

/** Hands paused flows to those who ask for them, in the order in which they came. */
export class Breakpoints {
  /** Those that nobody has decided about. */
  readonly #undecided = new Set<Pause>();
  /** Those of them that nobody has taken. */
  readonly #queue = new Set<Pause>();
  readonly #waiters = new Set<Waiter>();
  readonly #released = new Set<HttpFlow>();
  #onReleasedOver: (() => void) | undefined;
  #off: "continued" | "closed" | undefined;

  /**
   * Lets a flow wait; `undefined` when nobody wants to be asked any more. What it gives resolves with the decision, which has
   * been carried out by then, and never settles when the flow ends before.
   *
   * @throws {FlowtapeError} `TOO_MANY_PAUSED`
   */
  pause(flow: HttpFlow, phase: PausePhase): Promise<void> | undefined {
    const state = ensureState(flow);
    const { signal } = state;
    if (this.#off !== undefined || signal.aborted) return undefined;
    if (this.#undecided.size >= MAX_PAUSED) {
      throw new FlowtapeError(
        "TOO_MANY_PAUSED",
        `${MAX_PAUSED} flows wait at breakpoints already: take them with proxy.nextPaused(), or ask about fewer`,
      );
    }
    const gone = () => {
      pause.leave();
      this.#forget(pause);
    };
    const pause = new Pause(flow, phase, {
      decided: () => {
        signal.removeEventListener("abort", gone);
        this.#forget(pause);
      },
      continueAll: () => this.#continueAll(),
    });
    signal.addEventListener("abort", gone, { once: true });
    state.asked = true;
    this.#undecided.add(pause);
    this.#offer(pause);
    return pause.decided;
  }

  /**
   * The next flow that waits and that nobody has taken yet; it may have come before.
   *
   * @param flows those of the proxy: when no flow comes, they say why
   * @throws {FlowtapeError} `PAUSED_TIMEOUT` says what was there instead; `PROXY_CLOSED`, `PROXY_RESET`
   */
  async next(
    matcher: Matcher | undefined,
    options: PausedOptions = {},
    flows: Iterable<Flow> = [],
  ): Promise<PausedFlow> {
    const { timeout = 5000, phase } = checkOptions(options);
    const compiled: CompiledMatcher = matcher === undefined ? ANY : compile(matcher, "the matcher of nextPaused()");
    const wants = (pause: Pause) => (phase === undefined || pause.phase === phase) && matchesNow(compiled, pause.flow);
    for (const pause of this.#queue) {
      if (!wants(pause)) continue;
      this.#queue.delete(pause);
      return pause;
    }
    if (this.#off === "closed") throw closed(compiled);
    return await new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        wants,
        give: (pause) => {
          settle();
          resolve(pause);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        const message = explainTimeout(compiled, timeout, {
          paused: [...this.#queue],
          flows,
          off: this.#off !== undefined,
        });
        waiter.reject(new FlowtapeError("PAUSED_TIMEOUT", message));
      }, timeout);
      this.#waiters.add(waiter);
    });
  }

  /** Forwards all that wait; flows can wait again. Who waits for a flow is turned away: the next one is for somebody else. */
  reset(): void {
    if (this.#off === "closed") return;
    this.#off = undefined;
    for (const pause of [...this.#undecided]) pause.forward();
    const error = new FlowtapeError("PROXY_RESET", "the proxy was reset while nextPaused() was waiting");
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  /** Whether something waits for a decision. */
  get waits(): boolean {
    return this.#undecided.size > 0;
  }

  /**
   * Forwards all that wait, and gives them a moment to end; nothing waits from now on.
   *
   * @throws {FlowtapeError} `PAUSED_UNANSWERED` names those that nobody had decided about
   */
  async close(): Promise<void> {
    if (this.#off === "closed") return;
    this.#off = "closed";
    for (const waiter of [...this.#waiters]) waiter.reject(closed());
    const left = [...this.#undecided];
    if (left.length === 0) return;
    const message = explainUnanswered(left);
    // What becomes of a tunnel is a matter of other flows.
    for (const { flow, phase } of left) if (phase !== "connect") this.#released.add(flow);
    const over = new Promise<void>((resolve) => this.#onReleasedOver = resolve);
    for (const pause of left) pause.forward();
    if (this.#released.size > 0) await orAfter(RELEASE_MS, over);
    throw new FlowtapeError("PAUSED_UNANSWERED", message);
  }

  /** A flow of the proxy is over, whoever has ended it, and whichever hooks have told. */
  ended(flow: Flow): void {
    for (const pause of this.#undecided) {
      if (pause.flow === flow) ensureState(pause.flow).abort();
    }
    if (this.#released.size === 0 || !this.#released.delete(flow as HttpFlow)) return;
    if (this.#released.size === 0) this.#onReleasedOver?.();
  }

  #continueAll(): void {
    this.#off ??= "continued";
    for (const pause of [...this.#queue]) pause.forward();
  }

  #offer(pause: Pause): void {
    for (const waiter of [...this.#waiters]) {
      try {
        if (!waiter.wants(pause)) continue;
      } catch (error) {
        // A predicate of the test threw: that is for the test to see, not for the flow.
        waiter.reject(error);
        continue;
      }
      return waiter.give(pause);
    }
    this.#queue.add(pause);
  }

  #forget(pause: Pause): void {
    this.#undecided.delete(pause);
    this.#queue.delete(pause);
  }
}

const ANY: CompiledMatcher = { description: "", matches: () => true, compare: () => [] };

function checkOptions(options: PausedOptions): PausedOptions {
  checkObject(options, ["timeout", "phase"], "nextPaused()");
  const { timeout, phase } = options;
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout >= 0 && timeout <= MAX_MS)) {
    throw new OptionsError(
      `the timeout of nextPaused() is whole milliseconds from 0 to ${MAX_MS}, not ${describeValue(timeout)}`,
    );
  }
  if (phase !== undefined && !PHASES.includes(phase)) {
    throw new OptionsError(`the phase of nextPaused() is one of ${PHASES.join(", ")}, not ${describeValue(phase)}`);
  }
  return options;
}

function closed(matcher?: CompiledMatcher): FlowtapeError {
  const when = matcher === undefined ? "while nextPaused() was waiting" : `before nextPaused(${matcher.description})`;
  return new FlowtapeError("PROXY_CLOSED", `the proxy was closed ${when}`);
}

async function orAfter(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
