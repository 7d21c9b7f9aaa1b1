/**
 * The action `throttle()`.
 *
 * @module
 */
import type { ShapedSide } from "../../flow/shape.ts";
import type { Action, ActionFunction } from "../action.ts";
import { checkObject } from "../check.ts";
import { checkNumber } from "./check_number.ts";
import { checkOneOf } from "./fault_options.ts";
import { addStage, shaping } from "./shaping.ts";

/** How slow. */
export interface ThrottleOptions {
  /** So many bytes of the body a second, of each flow and each way. */
  readonly bytesPerSecond: number;
  /** Which way: `response` is to the client, `request` to the server. `both` by default. */
  readonly on?: "request" | "response" | "both";
  /** What answers the request; `"forward"` by default. */
  readonly then?: Action;
  /** How many of the flows it happens to, from 0 to 1. 1 by default. */
  readonly probability?: number;
  /** Which flows are hit in one run is the same in every run with the same seed. */
  readonly seed?: number;
}

/**
 * Lets bodies pass no faster than so many bytes a second; whoever sends them has to wait. Messages of a WebSocket and raw
 * conversations too.
 *
 * @example
 * ```ts
 * import { respond, startProxy, tcp, throttle } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     [{ host: "images.test" }, throttle({ bytesPerSecond: 50_000 })],
 *     [{ path: "/upload" }, throttle({ bytesPerSecond: 10_000, on: "request" })],
 *     ["/report", throttle({ bytesPerSecond: 1000, then: respond({ body: "x".repeat(5000) }) })],
 *     [tcp("db.test:5432"), throttle({ bytesPerSecond: 20_000 })],
 *   ],
 * });
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 */
export function throttle(options: ThrottleOptions): ActionFunction {
  checkObject(options, ["bytesPerSecond", "on", "then", "probability", "seed"], "throttle()");
  const { bytesPerSecond, on = "both", then, probability, seed } = options;
  checkNumber(bytesPerSecond, "option bytesPerSecond of throttle()", { min: 0, above: true });
  checkOneOf(on, ["request", "response", "both"], "option on of throttle()");
  if (probability !== undefined) checkNumber(probability, "option probability of throttle()", { min: 0, max: 1 });
  if (seed !== undefined) checkNumber(seed, "option seed of throttle()", { min: -Infinity });
  const sides = sidesOf(on);
  const description = `throttle ${bytesPerSecond} bytes/s${on === "both" ? "" : ` (${on})`}`;
  return shaping({ where: "throttle()", description, then, probability, seed, sides }, {
    apply(flow) {
      flow.faults.push(description);
      addStage(flow, sides, () => ({ kind: "rate", bytesPerSecond }));
    },
  });
}

/** The ways that are meant. */
export function sidesOf(on: "request" | "response" | "both"): readonly ShapedSide[] {
  return on === "both" ? ["request", "response"] : [on];
}
