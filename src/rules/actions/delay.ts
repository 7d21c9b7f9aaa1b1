/**
 * The action `delay()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { type Action, type ActionFunction, defineAction } from "../action.ts";
import { checkObject } from "../check.ts";
import { ensureState } from "../flow_state.ts";
import { planOf } from "../plan.ts";

/** A time that is drawn anew for each flow. */
export interface Distribution {
  /** Milliseconds at least. */
  readonly min: number;
  /** Milliseconds at most. */
  readonly max: number;
}

/**
 * Waits, then does something else: forwards the flow when nothing else is said. The wait ends at once when the flow is
 * killed or the proxy closes.
 *
 * @param ms milliseconds, or the least and the most of them
 * @param then what is done after the wait
 *
 * @example
 * ```ts
 * import { delay, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     [{ host: "slow.test" }, delay(200)],
 *     [{ host: "shaky.test" }, delay({ min: 10, max: 500 }, respond({ status: 503 }))],
 *   ],
 * });
 * ```
 */
export function delay(ms: number | Distribution, then: Action = "forward"): ActionFunction {
  const { min, max } = range(ms);
  const text = min === max ? `${min}` : `${min} to ${max}`;
  return defineAction(() => {
    const plan = planOf(then, "delay()");
    return {
      description: `delay ${text} ms, then ${plan.description}`,
      counts: plan.counts ?? false,
      take() {
        const work = plan.take();
        return work && {
          needsBody: work.needsBody,
          async run(flow) {
            const signal = ensureState(flow).signal;
            await sleep(min + Math.random() * (max - min), signal);
            if (!signal.aborted && flow.error === undefined) await work.run(flow);
          },
        };
      },
    };
  });
}

/** Timers of every runtime count with 31 bits, and fire at once when they are given more. */
const LONGEST = 2 ** 31 - 1;

function range(ms: number | Distribution): Distribution {
  const given: unknown = ms;
  if (typeof given !== "number") checkObject(given, ["min", "max"], "delay()");
  const { min, max } = typeof ms === "number" ? { min: ms, max: ms } : ms;
  for (const value of [min, max]) {
    if (typeof value === "number" && value >= 0 && value <= LONGEST) continue;
    throw new OptionsError(`delay() takes milliseconds from 0 to ${LONGEST}, not ${describeValue(value)}`);
  }
  if (min > max) throw new OptionsError(`delay(): min ${min} is more than max ${max}`);
  return { min, max };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
