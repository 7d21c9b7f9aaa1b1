/**
 * The options of a tape, and what is refused before anything is opened.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { boolean, checkShape, matcher, names, nonEmptyString, oneOf, required, shape, whole, wrong } from "./check.ts";
import { checkMatchOptions, type MatchOptions } from "./match/match_options.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { checkRedactOptions, type RedactOptions } from "./redact/options.ts";
import { parseDays } from "./upkeep/age.ts";

export type { RedactOptions } from "./redact/options.ts";

/** How a tape is used, in the order of {@linkcode TapeMode}. */
export const TAPE_MODES: readonly TapeMode[] = ["auto", "replay", "record", "once", "passthrough", "verify"];

/**
 * - `auto`: what is on the tape is replayed, what is missing is recorded. On a CI server (`CI` is set): `replay`
 * - `replay`: nothing reaches the network; a request that nothing matches is answered with a 502 that says why
 * - `record`: everything goes to the network and a new tape takes the place of the old one
 * - `once`: `record` when there is no such tape yet, `replay` from then on. On a CI server: `replay`
 * - `passthrough`: the tape is left alone
 * - `verify`: as `replay`, but servers are asked too, and what they answer by now is compared with the tape: `proxy.drift`
 */
export type TapeMode = "auto" | "replay" | "record" | "once" | "passthrough" | "verify";

/** What mode `verify` does. */
export interface VerifyOptions {
  /** The methods for which servers are asked: asking twice has effects. `["GET", "HEAD"]` by default; others are only replayed. */
  methods?: readonly string[];
  /** What is not compared: names of header fields, and places in JSON such as `"$.user.name"`, `"items.*.id"`, or `"id"` anywhere. */
  ignore?: readonly string[];
  /** What becomes of drift when the proxy is closed: `close()` rejects (`"fail"`, the default), or the log has it (`"warn"`). */
  then?: "warn" | "fail";
  /** Milliseconds that a server may take to answer; `close()` waits for it. 10,000 by default. */
  timeout?: number;
}

/** When a tape is too old, and what then. */
export interface ExpiryOptions {
  /** Days, weeks, months of 30 days or years: `"30d"`, `"6w"`, `"3mo"`, `"1y"`. */
  after: string;
  /**
   * `"warn"`: a line in the log. `"fail"`: the tape cannot be opened. `"record"`: modes `auto` and `once` record it anew; other modes,
   * and these on a CI server, warn.
   */
  then: "warn" | "fail" | "record";
}

/** A tape: where it is, and how it is used. */
export interface TapeOptions {
  /** The file, such as `fixtures/checkout.har`. Large bodies are in a folder of the same name with `.d` behind it. */
  path: string;
  /** `"auto"` by default. The environment variable `FLOWTAPE_MODE` goes before it. */
  mode?: TapeMode;
  /**
   * The mode of some requests, by matcher: `[["https://auth.test/*", "record"], [{ host: "localhost" }, "passthrough"]]`. The first that
   * matches wins; `mode` is for those that none matches. `"record"` replaces the entries that its matcher matches, and no others.
   */
  modes?: readonly (readonly [Matcher, TapeMode])[];
  /** What makes a request and an entry the same. */
  match?: MatchOptions;
  /** What follows when every entry for a request has been replayed. `"repeat"` (the last one) by default. */
  afterLast?: "repeat" | "error" | "loop";
  /** Secrets are redacted before anything is written, and a tape that would still hold one is not; `false` writes everything. */
  redact?: false | RedactOptions;
  /**
   * How fast what was recorded is replayed: at once (`"none"`, the default), as it was (`"recorded"`), or so many times as slow: `0.5` is
   * twice as fast. It concerns the wait for an answer, the chunks of streams, and what is said in conversations; all of it needs a tape
   * with times, and asking for it while recording writes them.
   */
  latency?: "none" | "recorded" | number;
  /**
   * Write when and how fast the exchanges were. `false` by default: then two recordings differ only in what was said. `true` by default
   * with `latency`.
   */
  times?: boolean;
  /** How mode `verify` asks and compares. */
  verify?: VerifyOptions;
  /**
   * Refuses to send requests on while recording whose method changes something, such as POST, PUT, PATCH and DELETE: they are answered
   * with a 502 that says so, and `proxy.close()` rejects. WebSockets and raw conversations, of which nobody can tell what will be said,
   * are not begun. `{ allow }` names those that may pass. `false` by default.
   */
  blockUnsafe?: boolean | { allow: Matcher | readonly Matcher[] };
  /**
   * What becomes of entries that nothing has asked for when the proxy is closed: `"ignore"` (the default), `"warn"` in the log, `"fail"`
   * (`close()` rejects), `"prune"` takes them off the tape; on a CI server, where tapes are not written, that is `"warn"`. Nothing of it
   * happens when the test has failed.
   */
  unused?: "ignore" | "warn" | "fail" | "prune";
  /** When the tape is too old. Never by default. With it, the tape holds the day of its recording. */
  expires?: ExpiryOptions;
  /** How many bytes the tape may have with all its bodies: one that is larger is not written. No limit by default. */
  maxBytes?: number;
  /** Where tapes are kept. Files on disk by default. */
  store?: TapeStore;
}

/**
 * The options behind `tape: "a.har"` or `tape: { path: "a.har", ... }`.
 *
 * @throws {OptionsError} names the option, its value, and what is accepted
 */
export function toTapeOptions(given: string | TapeOptions): TapeOptions {
  const options = typeof given === "string" ? { path: given } : given;
  checkTapeOptions(options);
  return options;
}

/** Refuses what is not {@linkcode TapeOptions}. */
export function checkTapeOptions(options: unknown): asserts options is TapeOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    wrong("tape", options, "the path of a file, or an object with a path,");
  }
  checkShape("tape", options, {
    path: nonEmptyString,
    mode,
    modes: (where, value) => {
      if (!Array.isArray(value)) wrong(where, value, "an array of [matcher, mode]");
      value.forEach((pair, i) => {
        if (!Array.isArray(pair) || pair.length !== 2) wrong(`${where}[${i}]`, pair, "[matcher, mode]");
        matcher(`${where}[${i}][0]`, pair[0]);
        mode(`${where}[${i}][1]`, pair[1]);
      });
    },
    match: checkMatchOptions,
    afterLast: oneOf("repeat", "error", "loop"),
    redact: checkRedactOptions,
    latency: (where, value) => {
      if (value === "none" || value === "recorded") return;
      if (typeof value !== "number" || !(value >= 0) || value === Infinity) {
        wrong(where, value, '"none", "recorded" or a factor such as 0.5');
      }
    },
    times: boolean,
    store: isStore,
    verify: shape({ methods: names, ignore: names, then: oneOf("warn", "fail"), timeout: whole(1) }),
    blockUnsafe: (where, value) => {
      if (typeof value === "boolean") return;
      shape({ allow: matchers })(where, value);
      required(where, value, "allow", "a matcher, or an array of matchers, is accepted");
    },
    unused: oneOf("ignore", "warn", "fail", "prune"),
    expires: (where, value) => {
      shape({ after: days, then: oneOf("warn", "fail", "record") })(where, value);
      required(where, value, "after", '"30d", "6w", "3mo" or "1y" is accepted');
      required(where, value, "then", '"warn", "fail" or "record" is accepted');
    },
    maxBytes: whole(1),
  });
  if ((options as TapeOptions).path === undefined) {
    throw new OptionsError('tape.path is missing: the file of the tape, such as "fixtures/checkout.har"');
  }
}

const mode = oneOf(...TAPE_MODES);

function matchers(where: string, value: unknown): void {
  if (Array.isArray(value)) value.forEach((one, i) => matcher(`${where}[${i}]`, one));
  else matcher(where, value);
}

function days(where: string, value: unknown): void {
  if (typeof value !== "string" || parseDays(value) === undefined) wrong(where, value, '"30d", "6w", "3mo" or "1y"');
}

function isStore(where: string, value: unknown): void {
  const fits = typeof value === "object" && value !== null &&
    ["read", "write", "list", "remove"].every((name) => typeof (value as Record<string, unknown>)[name] === "function");
  if (!fits) wrong(where, value, "an object with the methods read, write, list and remove (TapeStore)");
}
