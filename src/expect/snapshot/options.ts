/**
 * The options of snapshots.
 *
 * @module
 */
import type { Matcher } from "../../flow/matcher/types.ts";
import { compile } from "../../flow/matcher/compile.ts";
import { type Check, isRecord, list, oneOf, refuse, shape, text, whole } from "../../options/schema.ts";
import { checkRedactOptions, type RedactOptions } from "../../tape/redact/options.ts";

/** What is replaced by numbered placeholders, as it is another one in each run. */
export type VolatileKind = "ids" | "ports" | "times";

/** What {@linkcode snapshot} takes. */
export interface SnapshotOptions {
  /** Which flows; all by default. */
  matcher?: Matcher;
  /**
   * The order of the flows: as they `"began"` (the default), or by `"url"`, for requests that are made at the same time.
   */
  order?: "began" | "url";
  /**
   * Names of the header fields that are shown, or `"all"` but those that clients and servers make anew for each message. By default
   * `authorization`, `content-type`, `cookie`, `location` and `set-cookie`.
   */
  headers?: "all" | readonly string[];
  /** How many characters of a body are shown: of a longer one its beginning, its length and a hash. 2,000 by default. */
  maxBody?: number;
  /**
   * What is left as it is, although it may be another one in the next run: `"ids"` (UUIDs, ULIDs, ObjectIds), `"times"` (ISO 8601, those
   * of HTTP, milliseconds since 1970), `"ports"` (of this machine). None by default.
   */
  keep?: readonly VolatileKind[];
  /** What else is replaced, by the name of its placeholders: `{ order: /ord_\w+/ }` makes `[order-1]` of the first. */
  replace?: Readonly<Record<string, RegExp>>;
  /** As on a tape; that of the proxy's tape by default. */
  redact?: false | RedactOptions;
}

const regExps: Check = (value, where) => {
  if (!isRecord(value)) refuse(value, where, "an object of names and RegExp");
  for (const [name, pattern] of Object.entries(value)) {
    const is = Object.prototype.toString.call(pattern) === "[object RegExp]";
    if (!is) refuse(pattern, `${where}.${name}`, "a RegExp");
    if (!/^[\w.-]{1,64}$/.test(name)) refuse(name, `${where}: the name`, 'letters, digits, "_", "." and "-"');
  }
};

/**
 * Refuses what is not accepted.
 *
 * @throws {OptionsError} names the option
 */
export const checkSnapshotOptions: Check = shape({
  matcher: (value) => void compile(value as Matcher, "option matcher"),
  order: oneOf("began", "url"),
  headers: (value, where) => {
    if (value !== "all") list(text)(value, where);
  },
  maxBody: whole(0),
  keep: list(oneOf("ids", "ports", "times")),
  replace: regExps,
  redact: (value, where) => checkRedactOptions(where, value),
});
