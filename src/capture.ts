/**
 * Capture: keeps the flows of a proxy for assertions, and lets a test wait for one.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { FlowtapeError } from "./flow/error.ts";
import type { Flow } from "./flow/flow.ts";
import { FlowSet } from "./flow/flow_set.ts";
import type { HttpFlow } from "./flow/http_flow.ts";
import { compile } from "./flow/matcher/compile.ts";
import { matchesNow } from "./flow/matcher/matches_now.ts";
import type { CompiledMatcher, Matcher } from "./flow/matcher/types.ts";
import { nearest, renderNearMisses } from "./flow/near_miss.ts";
import { MAX_MS, shape, whole } from "./options/schema.ts";

/** How to wait. */
export interface WaitOptions {
  /** How many flows must match. 1 by default. */
  count?: number;
  /** Milliseconds until it is given up. 5,000 by default. */
  timeout?: number;
}

const checkWaitOptions = shape({ count: whole(1), timeout: whole(0, MAX_MS) });

/** Somebody who waits for flows. */
interface Waiter {
  readonly matcher: CompiledMatcher;
  readonly found: FlowSet;
  /** Looks at a flow that is over. */
  take(flow: Flow): void;
  reject(error: unknown): void;
}

/** The flows of one proxy, the newest of them. */
export class Capture {
  /** From the head of its request on, a flow is in it. */
  readonly flows: FlowSet;
  /** Those that nothing on the tape matched. */
  readonly unmatched: FlowSet;
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  /** @param max how many flows are kept */
  constructor(max: number) {
    this.flows = new FlowSet([], { max });
    this.unmatched = new FlowSet([], { max });
  }

  /** A flow has begun. */
  started(flow: HttpFlow): void {
    this.flows.append(flow);
  }

  /** A flow is over. */
  ended(flow: HttpFlow): void {
    for (const waiter of this.#waiters) waiter.take(flow);
  }

  /** Forgets every flow. */
  clear(): void {
    this.flows.clear();
    this.unmatched.clear();
  }

  /** Resolves with the first `count` flows that are over and match. */
  async waitFor(matcher: Matcher, options: WaitOptions = {}): Promise<FlowSet> {
    checkWaitOptions(options, "waitFor()");
    const { count = 1, timeout = 5000 } = options;
    const compiled = compile(matcher);
    return await new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        matcher: compiled,
        found: new FlowSet(),
        take: (flow) => {
          try {
            if (!matchesNow(compiled, flow)) return;
          } catch (error) {
            // A predicate of the test threw: that is for the test to see, not for the connection.
            waiter.reject(error);
            return;
          }
          waiter.found.append(flow);
          if (waiter.found.length < count) return;
          settle();
          resolve(waiter.found);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiter.reject(this.#timedOut(waiter, count, timeout)), timeout);
      this.#waiters.add(waiter);
      for (const flow of this.flows) {
        if (flow.done && this.#waiters.has(waiter)) waiter.take(flow);
      }
      if (this.#closed) this.#turnAway(waiter);
    });
  }

  /** Ends all waiting. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) this.#turnAway(waiter);
  }

  #turnAway({ matcher: { description }, found, reject }: Waiter): void {
    const message =
      `the proxy was closed while waitFor(${description}) was waiting: it saw ${found.length} of these flows`;
    reject(new FlowtapeError("PROXY_CLOSED", message));
  }

  #timedOut({ matcher, found }: Waiter, count: number, timeout: number): FlowtapeError {
    const pending = [...this.flows].filter((flow) => !flow.done && mayMatch(matcher, flow));
    const near = found.length + pending.length > 0 ? [] : nearest(matcher, [...this.flows].filter(({ done }) => done));
    return new FlowtapeError(
      "WAIT_TIMEOUT",
      `waitFor(${matcher.description}) saw ${found.length} of ${count} flows in ${timeout} ms` +
        (pending.length === 0
          ? ""
          : `; ${pending.length} more ${pending.length === 1 ? "is" : "are"} still under way`) +
        (near.length === 0 ? "" : `. Nearest:\n\n${renderNearMisses(near)}`) + `\n\n${this.flows.summary()}`,
    );
  }
}

/** A predicate need not be able to judge a flow that is not over. */
function mayMatch(matcher: CompiledMatcher, flow: Flow): boolean {
  try {
    return matchesNow(matcher, flow);
  } catch {
    return false;
  }
}
