/**
 * An addon in the place of an action: its hooks are called for the flows that the rule takes.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkAddon } from "../hooks/check_addon.ts";
import { nameOf } from "../hooks/hook_error.ts";
import { HOOK_NAMES, type HookName } from "../hooks/table.ts";
import { constantPlan, type Plan, type Work } from "./action.ts";
import { isThenable } from "./check.ts";
import { addErrorWork, addResponseWork } from "./flow_state.ts";
import { currentContext } from "./plan_context.ts";

/** The hooks that a rule can call. */
const CALLED: readonly HookName[] = ["requestHeaders", "request", "responseHeaders", "response", "error", "done"];

/** Whether a value has hooks. */
export function isAddon(value: unknown): value is Addon {
  if (typeof value !== "object" || value === null) return false;
  return HOOK_NAMES.some((hook) => typeof (value as Record<string, unknown>)[hook] === "function");
}

/**
 * The plan of an addon.
 *
 * @param where the place of the action, such as `rules[2]`
 * @throws {OptionsError} it has hooks that a rule cannot call
 */
export function addonPlan(addon: Addon, where: string): Plan {
  checkAddon(addon, `the action of ${where}`);
  const hooks = HOOK_NAMES.filter((hook) => hook in addon);
  const other = hooks.find((hook) => !CALLED.includes(hook));
  if (other !== undefined) {
    throw new OptionsError(
      `${where}: the action is the addon ${nameOf(addon)}, whose hook ${other} a rule cannot call (${
        CALLED.join(", ")
      } ` +
        "it can): give the addon to `addons`, or to proxy.use()",
    );
  }
  if (addon.done !== undefined) currentContext().addons.add(addon);
  return constantPlan(`addon ${nameOf(addon)}`, new AddonWork(addon));
}

class AddonWork implements Work {
  readonly needsBody: boolean;
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.needsBody = addon.request !== undefined;
  }

  run(flow: HttpFlow): void | Promise<void> {
    const addon = this.#addon;
    if (addon.responseHeaders !== undefined || addon.response !== undefined) {
      addResponseWork(flow, { needsBody: false, run: (flow) => this.#responseHead(flow) });
    }
    if (addon.error !== undefined) addErrorWork(flow, (flow) => addon.error!(flow));
    const head = addon.requestHeaders?.(flow);
    if (isThenable(head)) return Promise.resolve(head).then(() => this.#request(flow));
    return this.#request(flow);
  }

  #request(flow: HttpFlow): void | Promise<void> {
    const addon = this.#addon;
    if (addon.request === undefined || flow.response !== undefined || flow.error !== undefined) return;
    if (addon.needs?.("request", flow) === false) return;
    return addon.request(flow) as void | Promise<void>;
  }

  #responseHead(flow: HttpFlow): void | Promise<void> {
    const addon = this.#addon;
    // Whether the body is needed may depend on the head as the hook leaves it.
    const wait = () => {
      if (addon.response === undefined) return;
      const needed = addon.needs?.("response", flow) ?? true;
      if (needed) addResponseWork(flow, { needsBody: needed, run: (flow) => addon.response!(flow) as void });
    };
    const result = addon.responseHeaders?.(flow);
    if (isThenable(result)) return Promise.resolve(result).then(wait);
    wait();
  }
}
