/**
 * The options of a tape, and what is refused before anything is opened.
 *
 * @module
 */
import process from "node:process";
import { OptionsError } from "../flow/error.ts";
import type { FlowRequest } from "../flow/request.ts";
import { didYouMean } from "../flow/suggest.ts";
import type { TapeStore } from "./store/tape_store.ts";

/**
 * - `auto`: what is on the tape is replayed, what is missing is recorded. On a CI server (`CI` is set): `replay`
 * - `replay`: nothing reaches the network; a request that nothing matches is answered with a 502 that says why
 * - `record`: everything goes to the network and a new tape takes the place of the old one
 * - `passthrough`: the tape is left alone
 */
export type TapeMode = "auto" | "replay" | "record" | "passthrough";

/** What a request and an entry must have in common. Changing it never voids a recording. */
export interface MatchOptions {
  /** The method. `true` by default. */
  method?: boolean;
  /** The query, in any order; `ignore` names parameters that do not count. `true` by default. */
  query?: boolean | { ignore: string[] };
  /** Names of header fields whose values must be the same. None by default. */
  headers?: string[];
  /**
   * The body: JSON with its keys in any order, forms with their fields in any order, multipart without its boundary, all
   * else byte for byte. `ignore` names JSON or form fields: `"nonce"` anywhere, or `"$.meta.time"`, `"items.*.id"` from
   * the top. `true` by default.
   */
  body?: boolean | { ignore: string[] };
  /** Has the last word on an entry for which all of the above holds. */
  custom?: (live: FlowRequest, recorded: FlowRequest) => boolean;
}

/** What is redacted beyond the names that are known to hold credentials. */
export interface RedactOptions {
  /** Names of header fields. */
  headers?: string[];
  /** Names of query parameters and of form fields. */
  query?: string[];
  /** JSON fields: `"ssn"` anywhere, or `"$.user.name"`, `"items.*.card"` from the top. */
  json?: string[];
  /** Is given every URL, header value and text body after all else; returns what is to be written. */
  custom?: (text: string) => string;
}

/** A tape: where it is, and how it is used. */
export interface TapeOptions {
  /** The file, such as `fixtures/checkout.har`. Large bodies are in a folder of the same name with `.d` behind it. */
  path: string;
  /** `"auto"` by default. */
  mode?: TapeMode;
  /** What makes a request and an entry the same. */
  match?: MatchOptions;
  /** What follows when every entry for a request has been replayed. `"repeat"` (the last one) by default. */
  afterLast?: "repeat" | "error" | "loop";
  /** Credentials are redacted before anything is written; `false` writes them. */
  redact?: false | RedactOptions;
  /** Write when and how fast the exchanges were. `false` by default: then two recordings differ only in what was said. */
  times?: boolean;
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
    mode: oneOf("auto", "replay", "record", "passthrough"),
    match: shape({
      method: boolean,
      query: ignoring,
      headers: names,
      body: ignoring,
      custom: callable,
    }),
    afterLast: oneOf("repeat", "error", "loop"),
    redact: (where, value) =>
      value === false
        ? undefined
        : shape({ headers: names, query: names, json: names, custom: callable })(where, value),
    times: boolean,
    store: isStore,
  });
  if ((options as TapeOptions).path === undefined) {
    throw new OptionsError('tape.path is missing: the file of the tape, such as "fixtures/checkout.har"');
  }
}

/** The mode that is meant: `auto` replays only where `CI` is set. */
export function resolveMode(mode: TapeMode = "auto", env: Record<string, string | undefined> = process.env): TapeMode {
  const ci = (env.CI ?? "").trim().toLowerCase();
  return mode === "auto" && !["", "0", "false"].includes(ci) ? "replay" : mode;
}

type Check = (where: string, value: unknown) => void;

function checkShape(where: string, value: unknown, members: Record<string, Check>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(where, value, "an object");
  for (const [key, member] of Object.entries(value as object)) {
    const check = Object.hasOwn(members, key) ? members[key] : undefined;
    if (check === undefined) {
      const known = Object.keys(members);
      throw new OptionsError(`${where}.${key} is not an option: ${known.join(", ")} are${didYouMean(key, known)}`);
    }
    if (member !== undefined) check(`${where}.${key}`, member);
  }
}

function shape(members: Record<string, Check>): Check {
  return (where, value) => checkShape(where, value, members);
}

function oneOf(...accepted: string[]): Check {
  return (where, value) => {
    if (accepted.includes(value as string)) return;
    const hint = typeof value === "string" ? didYouMean(value, accepted) : "";
    wrong(where, value, accepted.map((one) => JSON.stringify(one)).join(", "), hint);
  };
}

function boolean(where: string, value: unknown): void {
  if (typeof value !== "boolean") wrong(where, value, "true or false");
}

function callable(where: string, value: unknown): void {
  if (typeof value !== "function") wrong(where, value, "a function");
}

function nonEmptyString(where: string, value: unknown): void {
  if (typeof value !== "string" || value === "") wrong(where, value, 'the path of a file, such as "fixtures/a.har"');
}

function isStore(where: string, value: unknown): void {
  const fits = typeof value === "object" && value !== null &&
    ["read", "write", "list", "remove"].every((name) => typeof (value as Record<string, unknown>)[name] === "function");
  if (!fits) wrong(where, value, "an object with the methods read, write, list and remove (TapeStore)");
}

function names(where: string, value: unknown): void {
  const fits = Array.isArray(value) && value.every((one) => typeof one === "string" && one !== "");
  if (!fits) wrong(where, value, "an array of names");
}

function ignoring(where: string, value: unknown): void {
  if (typeof value === "boolean") return;
  if (typeof value !== "object" || value === null) wrong(where, value, "true, false or { ignore: [names] }");
  checkShape(where, value, { ignore: names });
  if ((value as { ignore?: unknown }).ignore === undefined) {
    throw new OptionsError(`${where}.ignore is missing: an array of names is accepted`);
  }
}

function wrong(where: string, value: unknown, accepted: string, hint = ""): never {
  const shown = typeof value === "function" ? "a function" : JSON.stringify(value) ?? String(value);
  throw new OptionsError(`${where} is ${shown.slice(0, 80)}: ${accepted} is accepted${hint}`);
}
