/**
 * Alerters: they look at flows that are over, and say what they find worth a look.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue, shorten } from "../flow/matcher/describe.ts";
import { redactText } from "../flow/sensitive.ts";

/**
 * Looks at a flow that is over and gives what it finds, a line each; the proxy keeps them as `flow.alerts`. It cannot change the
 * flow any more, nothing waits for it, and it is not async.
 *
 * @example
 * ```ts
 * import { type Alerter, respond, startProxy } from "flowtape";
 *
 * const slow: Alerter = (flow) => flow.timings.end! > 2000 ? ["took more than two seconds"] : [];
 * const notFound: Alerter = (flow) => flow.response?.status === 404 ? ["not found"] : [];
 * await using proxy = await startProxy({ defaultAction: respond({ status: 404 }), alerter: [slow, notFound] });
 * await proxy.fetch("http://shop.test/missing");
 * const [flow] = proxy.flows;
 * console.log(flow?.type === "http" && flow.alerts); // ["not found"]
 * ```
 */
export type Alerter = (flow: HttpFlow) => Iterable<string> | void;

/** How many alerts a flow keeps. */
const MAX_ALERTS = 50;
/** How long an alert is. */
const MAX_LENGTH = 300;

/** Finds nothing: for a place that wants an alerter. */
export const nullAlerter: Alerter = (): string[] => [];

/** Several alerters as one: what all of them find, each alert once. */
export function alerters(...parts: Alerter[]): Alerter {
  for (const part of parts) checkAlerter(part, "an argument of alerters()");
  return (flow) => {
    const found = new Set<string>();
    for (const part of parts) for (const alert of alertsOf(part, flow)) found.add(alert);
    return found;
  };
}

/**
 * What one alerter finds in a flow: a bounded number of short lines.
 *
 * @throws {OptionsError} it gave something else than strings
 */
export function alertsOf(alerter: Alerter, flow: HttpFlow): string[] {
  const given: unknown = alerter(flow);
  if (given === undefined || given === null) return [];
  if (typeof given !== "object" || !(Symbol.iterator in given)) throw wrong(given);
  const alerts: string[] = [];
  for (const alert of given as Iterable<unknown>) {
    if (typeof alert !== "string") throw wrong(alert);
    if (alerts.length >= MAX_ALERTS) break;
    alerts.push(shorten(redactText(alert.replace(/\s+/g, " ").trim()), MAX_LENGTH));
  }
  return alerts;
}

/**
 * Refuses what is no alerter.
 *
 * @param where what it is, for the error
 */
export function checkAlerter(alerter: unknown, where: string): asserts alerter is Alerter {
  if (typeof alerter === "function") return;
  throw new OptionsError(
    `${where} is ${
      describeValue(alerter)
    }: a function of the flow that returns strings is accepted, such as genericAlerter`,
  );
}

function wrong(given: unknown): OptionsError {
  const hint = typeof given === "object" && given !== null && "then" in given ? ": an alerter is not async" : "";
  return new OptionsError(`an alerter returns an array of strings, not ${describeValue(given)}${hint}`);
}
