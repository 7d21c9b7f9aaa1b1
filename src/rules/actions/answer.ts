/**
 * Answers a flow with whatever a function returned.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { FlowResponse } from "../../flow/response.ts";
import { isResponse } from "../check.ts";
import { answerWithPlatformResponse } from "../platform_response.ts";
import { answerFromDisk, isFromDisk } from "./file_answer.ts";
import { checkRespond } from "./response_shape.ts";
import { responseFactory } from "./response_factory.ts";

/** Answers a flow with a `FlowResponse`, a platform `Response`, a string, bytes, or what `respond()` takes. */
export function answerWith(flow: HttpFlow, result: unknown): void | Promise<void> {
  if (result instanceof FlowResponse) flow.response = result;
  else if (isResponse(result)) answerWithPlatformResponse(flow, result);
  else if (typeof result === "string" || result instanceof Uint8Array) {
    flow.response = responseFactory({ body: result }).make();
  } else if (typeof result === "object" && result !== null) {
    const response = checkRespond(result);
    if (isFromDisk(response)) return answerFromDisk(flow, response);
    flow.response = responseFactory(response).make();
  } else {
    throw new FlowtapeError(
      "RESPOND_NOTHING",
      `the function of respond() returned ${describeValue(result)}: return a Response, a string, bytes or ` +
        `{ status, headers, json, body }; ({}) is an empty 200`,
    );
  }
}
