/**
 * Takes secrets out of messages, as on the tape of the proxy that they are about.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { FlowSet } from "../flow/flow_set.ts";
import { type PathTest, pathTest } from "../flow/json_path.ts";
import type { Comparison } from "../flow/matcher/types.ts";
import { REDACTED } from "../flow/sensitive.ts";
import type { RedactOptions } from "../tape/redact/options.ts";
import { redactionOf } from "../tape/redact/owners.ts";
import { createRedactor } from "../tape/redact/redactor.ts";

/** Takes secrets out of what is shown. */
export interface Cleaner {
  /** Any text. */
  text(text: string): string;
  /** A difference: also by the place where it was found. */
  comparison(comparison: Comparison): Comparison;
}

/**
 * One that follows the option `redact` of the tape. With `redact: false` it takes out what is taken out by default: that the tape of a
 * server for tests may hold its passwords does not mean that the log of a CI may.
 *
 * @param about the proxy, its flows, or one of them
 */
export function cleanerFor(about: object): Cleaner {
  const owner = ownerOf(about);
  const options = redactionOf(owner) || {};
  const known = cleaners.get(options);
  if (known !== undefined) return known;
  const cleaner = make(options);
  cleaners.set(options, cleaner);
  return cleaner;
}

const cleaners = new WeakMap<RedactOptions, Cleaner>();

/** The proxy that something belongs to: the proxy itself, its flows, or one of them. */
export function ownerOf(about: object): object | undefined {
  if ("type" in about && (about as Flow).type === "http") return (about as { player?: object }).player;
  if (!(about instanceof FlowSet)) return about;
  for (const flow of about) if (flow.type === "http" && flow.player !== undefined) return flow.player;
  return undefined;
}

function make(options: RedactOptions): Cleaner {
  const redactor = createRedactor(options);
  const { json = [], query = [], headers = [] } = options;
  const isPlace = pathTest(json);
  const names = new Set([...query, ...headers].map((name) => name.toLowerCase()));
  return {
    text: (text) => redactor.text(text),
    comparison: ({ field, expected, actual, matches }) => {
      const clean = isHidden(field, isPlace, names) ? () => REDACTED : (text: string) => redactor.text(text);
      return { field, matches, expected: clean(expected), actual: actual === undefined ? undefined : clean(actual) };
    },
  };
}

/** Whether the options name the place of a difference: `json.user.name`, `response.headers.x-id`. */
function isHidden(field: string, isPlace: PathTest, names: ReadonlySet<string>): boolean {
  const [, part, rest = ""] = /^(?:response\.)?([a-z]+)(.*)$/s.exec(field) ?? [];
  if (part === "json") return isPlace(stepsOf(rest));
  return rest.startsWith(".") && names.has(rest.slice(1).toLowerCase());
}

/** `.items[0]["a.b"]` as its steps. */
function stepsOf(path: string): string[] {
  return Array.from(
    path.matchAll(/\.([^.[]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/g),
    ([, name, index, quoted]) => name ?? index ?? quoted ?? "",
  );
}
