/**
 * The options of redaction.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { callable, type Check, names, shape, wrong } from "../check.ts";

/** What is redacted beyond what is known to be secret, what is not, and what clients are given on replay. */
export interface RedactOptions {
  /** Names of header fields. */
  headers?: string[];
  /** Names of query parameters, form fields, and of elements and attributes in HTML and XML. */
  query?: string[];
  /** JSON fields: `"ssn"` anywhere, or `"$.user.name"`, `"items.*.card"` from the top. */
  json?: string[];
  /** What is secret wherever it stands: `[/\bACME-[0-9]{12}\b/]`. */
  patterns?: RegExp[];
  /**
   * What is no secret: names and JSON places (`"csrf_token"`, `"$.data.checksum"`), values, and patterns of values (`/^pk_live_/`). It goes
   * before all of the above, and before the last check for secrets.
   */
  allow?: (string | RegExp)[];
  /** Is given every URL, header value and text body after all else; returns what is to be written. */
  custom?: (text: string) => string;
  /**
   * Secrets that are in the environment, by the name that they have on the tape: with `{ SHOP: "SHOP_TOKEN" }`, what is in `SHOP_TOKEN` is
   * written as `[redacted:SHOP]` wherever it stands, and given to clients where that stands when it is replayed. Where the variable is
   * not set, clients are given what is on the tape.
   */
  restore?: Record<string, string>;
}

const regExps: Check = (where, value) => {
  if (!Array.isArray(value) || !value.every((one) => one instanceof RegExp)) wrong(where, value, "an array of RegExp");
};

const allow: Check = (where, value) => {
  const fits = Array.isArray(value) &&
    value.every((one) => one instanceof RegExp || (typeof one === "string" && one !== ""));
  if (!fits) wrong(where, value, "an array of names, places, values and RegExp");
};

const restore: Check = (where, value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(where, value, "an object");
  for (const [name, variable] of Object.entries(value as object)) {
    if (!/^[\w.-]{1,64}$/.test(name)) {
      throw new OptionsError(
        `${where} has the name ${JSON.stringify(name)}: letters, digits, "_", "." and "-" are accepted`,
      );
    }
    if (typeof variable !== "string" || variable === "") {
      wrong(`${where}.${name}`, variable, "the name of an environment variable");
    }
  }
};

const members = shape({
  headers: names,
  query: names,
  json: names,
  patterns: regExps,
  allow,
  custom: callable,
  restore,
});

/** Refuses what is neither `false` nor {@linkcode RedactOptions}. */
export const checkRedactOptions: Check = (where, value) => {
  if (value !== false) members(where, value);
};

/** Shorter values would stand by chance in what is recorded. */
const SHORTEST = 6;

/** The secrets of `restore`, by placeholder. */
export function secretsInEnvironment(
  { restore = {} }: RedactOptions,
  env: Record<string, string | undefined>,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, variable] of Object.entries(restore)) {
    const value = env[variable];
    if (value !== undefined && value.length >= SHORTEST) found.set(`[redacted:${name}]`, value);
  }
  return found;
}
