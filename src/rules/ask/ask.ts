/**
 * The action `ask()`.
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { isOpenEnded } from "../../flow/media_type.ts";
import { type ActionFunction, defineAction, type Work } from "../action.ts";
import { checkObject } from "../check.ts";
import { addResponseWork, stateOf } from "../flow_state.ts";
import { type Breakpoints, PHASES } from "./breakpoints.ts";
import type { PausePhase } from "./paused_flow.ts";

/** What {@linkcode ask} takes. */
export interface AskOptions {
  /**
   * What the flow waits with: `"request"` (by default), `"response"`, `"connect"`, or several of them. A matcher that is to take a
   * CONNECT is about a request `CONNECT https://host:port/`.
   */
  on?: PausePhase | readonly PausePhase[];
  /**
   * Whether the body is to be there: `true` by default. With `false` the flow waits as soon as the head is there, and the body
   * streams afterwards. The response to a WebSocket handshake, server-sent events and gRPC are always asked about at the head.
   */
  body?: boolean;
}

/**
 * A breakpoint: the flow waits until the test has decided, and `proxy.nextPaused()` gives it to the test. `"ask"` is short for
 * `ask()`. Other flows go on meanwhile. One that nobody has decided about is forwarded when the proxy closes, and `close()` rejects.
 *
 * @example
 * ```ts
 * import { ask, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["POST http://shop.test/orders", ask()]] });
 * const answer = proxy.fetch("http://shop.test/orders", { method: "POST", body: "qty=2" });
 * const paused = await proxy.nextPaused();
 * paused.flow.request.text(); // "qty=2"
 * paused.respond({ status: 503 });
 * (await answer).status; // 503
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 */
export function ask(options: AskOptions = {}): ActionFunction {
  checkObject(options, ["on", "body"], "ask()");
  const on = phasesOf(options.on ?? "request");
  const { body = true } = options;
  if (typeof body !== "boolean") throw new OptionsError(`body of ask() is true or false, not ${describeValue(body)}`);
  const request = on.includes("request");
  const response = on.includes("response");
  const work: Work = {
    needsBody: request && body,
    run(flow) {
      const thenResponse = () => {
        // The test need not be asked about what it has said itself.
        if (response && flow.response === undefined && flow.error === undefined) askAboutResponse(flow, body);
      };
      const paused = request ? breakpointsOf(flow).pause(flow, "request") : undefined;
      return paused === undefined ? thenResponse() : paused.then(thenResponse);
    },
  };
  const connect: Work = { needsBody: false, run: (flow) => breakpointsOf(flow).pause(flow, "connect") };
  return defineAction(() => ({
    description: on.length === 1 && request ? "ask" : `ask about ${on.join(", ")}`,
    // A rule about tunnels alone leaves requests to the rules below it.
    take: () => request || response ? work : undefined,
    ...(on.includes("connect") && { takeConnect: () => connect }),
  }));
}

function askAboutResponse(flow: HttpFlow, body: boolean): void {
  const breakpoints = breakpointsOf(flow);
  const pause = (flow: HttpFlow) => breakpoints.pause(flow, "response");
  addResponseWork(flow, {
    needsBody: false,
    run(flow) {
      const { response } = flow;
      if (response === undefined) return;
      const open = response.status === 101 || isOpenEnded(response.headers.get("content-type"));
      if (!body || open || response.stream || response.content.complete) return pause(flow);
      addResponseWork(flow, { needsBody: true, run: pause });
    },
  });
}

function phasesOf(given: PausePhase | readonly PausePhase[]): readonly PausePhase[] {
  const on = typeof given === "string" ? [given] : given;
  const accepted = PHASES.map((phase) => JSON.stringify(phase)).join(", ");
  if (!Array.isArray(on) || on.length === 0 || on.some((phase) => !PHASES.includes(phase))) {
    throw new OptionsError(`on of ask() is one or some of ${accepted}, not ${describeValue(given)}`);
  }
  return PHASES.filter((phase) => on.includes(phase));
}

function breakpointsOf(flow: HttpFlow): Breakpoints {
  const breakpoints = stateOf(flow)?.breakpoints;
  if (breakpoints === undefined) {
    throw new FlowtapeError("ASK_WITHOUT_RULE", "ask() was called for a flow that no rule of a proxy has taken");
  }
  return breakpoints;
}
