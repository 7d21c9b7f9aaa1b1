/**
 * The action `delay()`.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import { type Action, type ActionFunction, defineAction, type Work } from "../action.ts";
import { Chance } from "../faults/chance.ts";
import { type Distribution, timeOf } from "../faults/distribution.ts";
import { sleep } from "../faults/sleep.ts";
import { ensureState } from "../flow_state.ts";
import { planOf } from "../plan.ts";

/**
 * Waits, then does something else: forwards the flow when nothing else is said. The wait ends at once when the flow is
 * killed, the client is gone or the proxy closes. A raw conversation waits before its server is connected to. To have the
 * bytes on their way for a while, see `fault("latency")`.
 *
 * @param ms milliseconds, or a distribution from which they are drawn for each flow
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
 *     [{ host: "real.test" }, delay({ median: 80, sigma: 0.4, seed: 1 })], // a long tail, the same in every run
 *   ],
 * });
 * ```
 *
 * @throws {OptionsError} the time is none
 */
export function delay(ms: number | Distribution, then: Action = "forward"): ActionFunction {
  const time = timeOf(ms, "delay()");
  return defineAction(() => {
    const plan = planOf(then, "delay()");
    const chance = new Chance(time.seed);
    return {
      description: `delay ${time.text}, then ${plan.description}`,
      counts: plan.counts ?? false,
      take() {
        const work = plan.take();
        return work && delayed(work, time.draw(chance.next(1).random));
      },
    };
  });
}

function delayed(work: Work, ms: number): Work {
  const after = async (flow: HttpFlow | TcpFlow, next: () => void | Promise<void>) => {
    const { signal } = ensureState(flow);
    await sleep(ms, signal);
    if (!signal.aborted && flow.error === undefined) await next();
  };
  return {
    needsBody: work.needsBody,
    run: (flow) => after(flow, () => work.run(flow)),
    ...(work.tcp && { tcp: (flow: TcpFlow) => after(flow, () => work.tcp!(flow)) }),
  };
}
