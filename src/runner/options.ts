/**
 * The options of a proxy that a test runner's binding starts.
 *
 * @module
 */
import type { ProxyOptions } from "../options/proxy_options.ts";
import { refuse, text } from "../options/schema.ts";
import type { TapeOptions } from "../tape/options.ts";
import { pathOfTest } from "./tape_name.ts";

/** Options of the tape that is named after the test. */
export interface NamedTapeOptions extends Partial<TapeOptions> {
  /** The folder of the tapes that are named after tests, seen from the test file. `"__tapes__"` by default. */
  folder?: string;
}

/** The tape of a test: another path, some options for the one named after the test, or `false` for none. */
export type FixtureTape = string | false | NamedTapeOptions;

/** Options of the proxy that a test gets: those of `startProxy()`, with a tape that has a place already. */
export interface FixtureOptions extends Omit<ProxyOptions, "tape"> {
  /**
   * The tape. By default it lies next to the test file and is named after the test: `__tapes__/checkout/is-empty.har`.
   * `false`: no tape. A path: that one. Options without a path: those options for the one named after the test.
   */
  tape?: FixtureTape;
  /**
   * The folder of the reports of tests that fail, seen from the test file; `false`: no reports. `"flowtape-report"` by default: a
   * report is `flowtape-report/checkout/is-empty.html` then.
   */
  report?: string | false;
}

/** A test, as far as its files are concerned. */
export interface TestPlace {
  /** The test file. */
  readonly file: string;
  /** What the files of the test are called; `undefined` for what belongs to the whole test file. */
  readonly slug: string | undefined;
}

/**
 * The tape that a binding gives to its proxy.
 *
 * @throws {OptionsError} the options are of the wrong form
 */
export function tapeOf(given: FixtureTape | undefined, place: TestPlace): string | TapeOptions | undefined {
  if (given === false) return undefined;
  if (typeof given === "string") return given;
  if (given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given))) {
    refuse(given, "tape", "a path, an object of options, or false");
  }
  const { folder, ...options } = given ?? {};
  if (folder !== undefined) text(folder, "tape.folder");
  return { ...options, path: options.path ?? pathOfTest(place.file, place.slug, { folder }) };
}

/**
 * Where the report of a test goes, should it fail; `undefined` when none is wanted.
 *
 * @throws {OptionsError} the option is of the wrong form
 */
export function reportPathOf(given: FixtureOptions["report"], place: TestPlace): string | undefined {
  if (given === false) return undefined;
  if (given !== undefined && (typeof given !== "string" || given === "")) {
    refuse(given, "report", "the path of a folder, or false");
  }
  return pathOfTest(place.file, place.slug, { folder: given ?? REPORTS, extension: "html" });
}

const REPORTS = "flowtape-report";
