/**
 * What goes before an answer that an addon has made.
 *
 * @module
 */
import { withoutFramingLines } from "./fields.ts";
import type { Exchange } from "./exchange.ts";

/** Sends the informational responses of `flow.response`, each after its hook. */
export function sayBefore(exchange: Exchange, next: () => void): void {
  const { flow } = exchange;
  const waiting = [...flow.response!.early ?? []];
  const say = () => {
    const said = waiting.shift();
    if (said === undefined) return next();
    flow.informational.push(said);
    exchange.hook("informational", () =>
      exchange.unlessFailed(() => {
        exchange.client.inform(said.status, said.reason, withoutFramingLines(said.headers));
        say();
      }));
  };
  say();
}
