/**
 * What a report is made from.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { TapeEntry } from "../tape/entry.ts";
import type { RedactOptions } from "../tape/redact/options.ts";
import type { ReportLimits } from "./limits.ts";

/** What `proxy.report()` takes. */
export interface ReportOptions {
  /** What the test has failed with: an error of an assertion, or anything else that was thrown. */
  failure?: unknown;
  /** What it is about, such as the name of the test. `"flowtape report"` by default. */
  title?: string;
}

/** What a report is made from. */
export interface ReportInput extends ReportOptions {
  /** The flows in order: those of a proxy, some of them, or the entries of a tape. */
  flows: Iterable<Flow | TapeEntry>;
  /** Those of them that nothing on the tape matched: they come first in the page. */
  unmatched?: Iterable<Flow>;
  /** What is taken out as a secret, as in the options of a tape: credentials by default. */
  redact?: false | RedactOptions;
  /** How large the page may become. */
  limits?: ReportLimits;
}
