/**
 * The action `respond()`.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import { type ActionFunction, constantPlan, defineAction, type Work } from "../action.ts";
import { answerWith } from "./answer.ts";
import { answerFromDisk, isFromDisk } from "./file_answer.ts";
import { responseFactory } from "./response_factory.ts";
import { checkRespond, type Respond } from "./response_shape.ts";

/** What the function of `respond()` may return. */
export type RespondResult = Respond | FlowResponse | Response | string | Uint8Array;

/** A function that makes the response to a flow whose request is complete. */
export type Responder = (flow: HttpFlow) => RespondResult | Promise<RespondResult>;

/**
 * Answers the flow; the server never hears of it. A fixed response does not wait for the body of the request, a function
 * is called once the request is complete. It may return what `respond()` takes, a string, bytes, a `FlowResponse` or a
 * platform `Response`, whose body is passed on as it comes; `Response.error()` cuts the connection.
 *
 * @param response the response, or a function that makes it
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["POST https://pay.test/v1/charges", respond({ status: 402, json: { error: "declined" } })],
 *     ["https://api.test/echo", respond((flow) => ({ json: flow.request.json() }))],
 *   ],
 * });
 * ```
 */
export function respond(response: Respond | Responder): ActionFunction {
  const work: Work = typeof response === "function"
    ? { needsBody: true, run: async (flow) => answerWith(flow, await response(flow)) }
    : fixed(checkRespond(response));
  const what = typeof response === "function"
    ? "a function"
    : isFromDisk(response)
    ? `${response.file ?? response.folder}`
    : `${response.status ?? 200}`;
  return defineAction(() => constantPlan(`respond ${what}`, work));
}

function fixed(response: Respond): Work {
  if (isFromDisk(response)) {
    // What is wrong with the head is found now.
    FlowResponse.create({ status: response.status, headers: response.headers });
    return { needsBody: false, run: (flow) => answerFromDisk(flow, response) };
  }
  return responseFactory(response);
}
