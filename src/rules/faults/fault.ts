/**
 * The action `fault()`.
 *
 * @module
 */
import type { ActionFunction } from "../action.ts";
import { breaks, isAtOnce } from "./breaks.ts";
import { checkFault, type FaultKind, type FaultOptions } from "./fault_options.ts";
import { slows } from "./slows.ts";

/**
 * Breaks a connection, or slows it down, in a certain way. What it does to a flow is a line in `flow.faults`; what breaks is also
 * `flow.error`, with a code such as `FAULT_RESET`.
 *
 * @example
 * ```ts
 * import { fault, respond, sequence, startProxy, tcp, times } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["/flaky", sequence(times(2, fault("reset")), respond({ body: "third time lucky" }))],
 *     ["/lost", fault("empty", { then: "forward" })], // the server has done it, and nobody hears of that
 *     ["/cut", fault("truncate", { then: respond({ json: { items: [1, 2, 3] } }) })],
 *     ["/drip", fault("dribble", { chunks: 5, ms: 1000 })],
 *     [{ host: "far.test" }, fault("latency", { ms: { ms: 120, jitter: 40 }, on: "both" })],
 *     [{ host: "shaky.test" }, fault("reset", { probability: 0.1, seed: 7 })], // the same flows in every run
 *     [tcp("db.test:5432"), fault("timeout", { on: "response", after: 100 })],
 *   ],
 * });
 * ```
 *
 * @throws {OptionsError} a kind that is not known, or an option that is not accepted
 */
export function fault(kind: FaultKind, options: FaultOptions = {}): ActionFunction {
  checkFault(kind, options);
  return slows(kind, options) ?? breaks(kind, options, isAtOnce(kind, options));
}
