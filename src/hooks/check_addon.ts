/**
 * What is an addon and what is not.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { didYouMean } from "../flow/suggest.ts";
import type { Addon } from "./addon.ts";
import { HOOK_NAMES } from "./table.ts";

/**
 * Refuses what is not an addon, before it is used.
 *
 * @param where its place, such as `addons[0]`
 */
export function checkAddon(addon: unknown, where: string): asserts addon is Addon {
  if (typeof addon !== "object" || addon === null) {
    throw new OptionsError(
      `${where} is not an addon: an object with hooks as methods is accepted, not ${describeValue(addon)}`,
    );
  }
  const hooks = HOOK_NAMES.filter((name) => name in addon);
  for (const name of hooks) {
    if (typeof (addon as Record<string, unknown>)[name] !== "function") {
      throw new OptionsError(`hook ${name} of ${where} is not a function`);
    }
  }
  if (hooks.length === 0) {
    const near = Object.keys(addon).map((name) => didYouMean(name, HOOK_NAMES)).find((hint) => hint !== "") ?? "";
    throw new OptionsError(`${where} has no hook${near} (${HOOK_NAMES.join(", ")} are the hooks)`);
  }
}
