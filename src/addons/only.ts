/**
 * An addon for some flows only.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { BodyIncompleteError } from "../flow/message.ts";
import { OptionsError } from "../flow/error.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkAddon } from "../hooks/check_addon.ts";
import { nameOf } from "../hooks/hook_error.ts";
import { type HookName, HOOKS } from "../hooks/table.ts";

/**
 * Calls the http hooks of an addon for those flows only that match when the head of the request has arrived; its other hooks are called
 * as ever. In a rule it is the matcher of the rule that says so.
 *
 * @param matcher in any of its forms, as long as it does not look at the body
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { anticache, only } from "flowtape/addons";
 *
 * await using proxy = await startProxy({ addons: [only({ host: "*.shop.test" }, anticache())] });
 * ```
 */
export function only(matcher: Matcher, addon: Addon): Addon {
  const compiled = compile(matcher, "the matcher of only()");
  const { description } = compiled;
  checkAddon(addon, "the addon of only()");
  const chosen = new WeakSet<HttpFlow>();
  const choose = (flow: HttpFlow) => {
    try {
      if (compiled.matches(flow)) chosen.add(flow);
      else chosen.delete(flow);
    } catch (cause) {
      if (!(cause instanceof BodyIncompleteError)) throw cause;
      throw new OptionsError(
        `only(${description}, ...) looks at the body, which has not arrived when an addon is chosen: make it a rule, [matcher, addon]`,
      );
    }
  };
  const limited: Record<string, unknown> = { name: `${addon.name ?? nameOf(addon)} for ${description}` };
  for (const [hook, { group }] of Object.entries(HOOKS)) {
    const call = addon[hook as HookName] as ((...args: unknown[]) => unknown) | undefined;
    if (typeof call !== "function") continue;
    const isHttp = group === "http" || group === "websocket";
    limited[hook] = isHttp && hook !== "httpConnect"
      ? (flow: HttpFlow, ...more: unknown[]) => chosen.has(flow) ? call.call(addon, flow, ...more) : undefined
      : (...args: unknown[]) => call.apply(addon, args);
  }
  const { requestHeaders } = limited as Addon;
  return Object.assign(
    limited,
    {
      requestHeaders(flow: HttpFlow) {
        choose(flow);
        return requestHeaders?.(flow);
      },
      needs: (hook: "request" | "response", flow: HttpFlow) =>
        chosen.has(flow) && typeof addon[hook] === "function" && (addon.needs?.(hook, flow) ?? true),
    } satisfies Addon,
  );
}
