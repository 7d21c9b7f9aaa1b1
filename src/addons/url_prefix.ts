/**
 * Which part of a URL an addon maps to something else.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue, isRegExp } from "../flow/matcher/describe.ts";

/** The beginning of URLs, or an expression that is looked for in them. */
export type UrlStart = string | RegExp;

/** What comes behind the part that is mapped, as far as it belongs to the path; `undefined` for other URLs. */
export type RestOf = (url: string) => string | undefined;

/**
 * Makes the start of URLs ready. Text ends where a name in the path ends: `https://a.test/v1` is the start of `/v1/users`, not of `/v10`.
 *
 * @param where for errors, such as `mapLocal()`
 */
export function compileStart(start: UrlStart, where: string): RestOf {
  if (isRegExp(start)) {
    return (url) => {
      const at = url.search(start);
      if (at < 0) return undefined;
      // Without its flags g and y it begins where it is found.
      const [found] = new RegExp(start.source, start.flags.replace(/[gy]/g, "")).exec(url)!;
      return pathOf(url.slice(at + found.length));
    };
  }
  const given: unknown = start;
  const parsed = typeof given === "string" && /^https?:\/\//i.test(given) ? URL.parse(given) : null;
  if (parsed === null || parsed.search !== "" || parsed.hash !== "") {
    throw new OptionsError(
      `${where} maps what begins with an absolute URL without a query, such as "https://cdn.test/assets/", or a RegExp, not ` +
        describeValue(given),
    );
  }
  const prefix = parsed.href.replace(/\/$/, "");
  return (url) => {
    if (!url.startsWith(prefix)) return undefined;
    const rest = url.slice(prefix.length);
    return /^(?:$|[/?#])/.test(rest) ? pathOf(rest) : undefined;
  };
}

function pathOf(rest: string): string {
  return rest.split(/[?#]/, 1)[0]!;
}
