/**
 * Requests that go nowhere.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { compile } from "../flow/matcher/compile.ts";
import { any } from "../flow/matcher/combine.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { BodyIncompleteError } from "../flow/message.ts";
import { FlowResponse } from "../flow/response.ts";
import type { Addon } from "../hooks/addon.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { checkObject } from "../rules/check.ts";
import { mediaTypeOf } from "../rules/files/media_types.ts";
import { Waiting } from "./waiting.ts";

/** How {@linkcode blockList} does it. */
export interface BlockListOptions {
  /** The status of the answer, which is empty; `"drop"` cuts the connection. 403 by default. */
  status?: number | "drop";
}

/**
 * Answers requests that match with an empty response, or drops them; the server never hears of them. As an action of a rule it blocks what
 * the rule matches: give it no matchers there.
 *
 * @param matchers which requests: those that one of them accepts; without any, all
 *
 * @example
 * ```ts
 * import { not, startProxy } from "flowtape";
 * import { blockList } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [
 *     blockList([{ host: "*.metrics.test" }, "/beacon"], { status: 204 }),
 *     blockList([not({ host: "*.shop.test" })], { status: "drop" }),
 *   ],
 * });
 * ```
 */
export function blockList(matchers: readonly Matcher[] = [], options: BlockListOptions = {}): Addon {
  if (!Array.isArray(matchers)) {
    throw new OptionsError(`blockList() takes an array of matchers, not ${describeValue(matchers)}`);
  }
  checkObject(options, ["status"], "the options of blockList()");
  const { status = 403 } = options as BlockListOptions;
  if (status !== "drop" && !(Number.isInteger(status) && status >= 200 && status <= 999)) {
    throw new OptionsError(
      `status of blockList() is ${describeValue(status)}: a whole number from 200 to 999, or "drop", is accepted`,
    );
  }
  const matcher = matchers.length === 0
    ? undefined
    : any(...matchers.map((one, i) => compile(one, `matcher ${i + 1} of blockList()`)));
  const waiting = new Waiting();
  const block = (flow: HttpFlow) => {
    if (flow.response !== undefined || flow.error !== undefined) return;
    if (matcher !== undefined && !matcher.matches(flow)) return;
    const { method, url, path } = flow.request;
    if (status === "drop") {
      flow.error = { code: "DROPPED", message: `${method} ${url} is on a block list` };
      return;
    }
    // A script or a style that is empty is better than one of a type that the browser complains about.
    const type = mediaTypeOf(path);
    const headers = type === "application/octet-stream" ? {} : { "content-type": type };
    flow.response = FlowResponse.create({ status, headers });
  };
  return {
    name: "blockList",
    requestHeaders(flow) {
      try {
        block(flow);
      } catch (cause) {
        if (!(cause instanceof BodyIncompleteError)) throw cause;
        waiting.wait(flow, () => block(flow));
      }
    },
    ...(matcher && {
      request: (flow: HttpFlow) => waiting.decide(flow),
      needs: (hook: "request" | "response", flow: HttpFlow) => hook === "request" && waiting.has(flow),
    }),
  };
}
