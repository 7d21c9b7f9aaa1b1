/**
 * Who can send flows again.
 *
 * @module
 */
import { OptionsError } from "./error.ts";
import type { HttpFlow } from "./http_flow.ts";
import { describeValue } from "./matcher/describe.ts";

/** How one flow is played. */
export interface PlayFlowOptions {
  /** Milliseconds until a flow that has not ended is given up, with the error `CLIENT_ABORTED`. 30,000 by default. */
  timeout?: number;
}

/** Sends requests again: a proxy does. */
export interface FlowPlayer {
  /**
   * Sends the request of a flow, as a client would, and resolves with the new flow when that is over, however it ended.
   *
   * @throws {OptionsError} the flow cannot be played
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  play(flow: HttpFlow, options?: PlayFlowOptions): Promise<HttpFlow>;
}

/** Refuses what is no player. */
export function checkPlayer(player: unknown, where: string): asserts player is FlowPlayer {
  // A flow and a FlowSet can be played, and so have a method of that name.
  const { play, type, at } = (player ?? {}) as { play?: unknown; type?: unknown; at?: unknown };
  if (typeof play === "function" && type === undefined && at === undefined) return;
  throw new OptionsError(`${where} takes a proxy, as startProxy() gives it, not ${describeValue(player)}`);
}

/** The error of a flow that nobody can play. */
export function unbound(what: string): OptionsError {
  return new OptionsError(
    `${what} is bound to no proxy, so nobody can play it: give one with flow.bind(proxy), or play({ proxy }). ` +
      "Only flows that a proxy has captured are bound to begin with",
  );
}
