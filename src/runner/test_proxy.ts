/**
 * The life of a test's proxy: what every binding does around a test.
 *
 * @module
 */
import { type Proxy, startProxy } from "../proxy.ts";
import type { ReportOptions } from "../report/input.ts";
import { type FixtureOptions, reportPathOf, tapeOf, type TestPlace } from "./options.ts";

/** A test, as far as its proxy needs to know it. */
export interface TestInfo extends TestPlace {
  /** Its name with the blocks around it, for the heading of the report. */
  readonly title: string;
}

/** How a test has ended: with what it threw, when it has failed. */
export type Outcome = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/** Tells the user where the report of a test is, in the way of the runner. */
export type Tell = (report: Report) => unknown;

/** What has become of a report. */
export interface Report {
  /** A line that says where it is, or why there is none. */
  readonly line: string;
  /** Its absolute path; `undefined` when it could not be written. */
  readonly path: string | undefined;
}

/** A proxy that belongs to a test. */
export interface TestProxy {
  /** The proxy. */
  readonly proxy: Proxy;
  /**
   * Closes it. When the test has failed, or closing fails, a report is written; the tape of a test that has failed stays as it was.
   *
   * @throws what `proxy.close()` throws: requests that matched nothing, hooks that threw...
   */
  end(outcome: Outcome, tell: Tell): Promise<void>;
}

/**
 * Starts the proxy of a test.
 *
 * @throws {OptionsError} an option is not accepted
 */
export async function openTestProxy(options: FixtureOptions, test: TestInfo): Promise<TestProxy> {
  const proxy = await startFor(options, test);
  return {
    proxy,
    end: async (outcome, tell) => {
      const closing = await settled(() => proxy.close({ failed: outcome.failed }));
      await tellOfFailure(proxy, { test, outcomes: [outcome, closing], report: options.report }, tell);
      if (closing.failed) throw closing.error;
    },
  };
}

/**
 * Starts a proxy with the files of a test, or of a whole test file.
 *
 * @throws {OptionsError} an option is not accepted
 */
export async function startFor({ tape: given, report, ...options }: FixtureOptions, place: TestPlace): Promise<Proxy> {
  reportPathOf(report, place);
  const tape = tapeOf(given, place);
  return await startProxy({ ...options, ...(tape === undefined ? {} : { tape }) });
}

/** Does something, and says how it has ended. */
export async function settled(step: () => unknown): Promise<Outcome> {
  try {
    await step();
    return { failed: false };
  } catch (error) {
    return { failed: true, error };
  }
}

/** Writes the report of a test when something has failed. Whatever goes wrong with it must not hide why the test has failed. */
export async function tellOfFailure(
  proxy: Proxy,
  { test, outcomes, report }: {
    test: TestInfo;
    outcomes: readonly Outcome[];
    report: FixtureOptions["report"];
  },
  tell: Tell,
): Promise<void> {
  const errors = outcomes.flatMap((outcome) => outcome.failed ? [outcome.error] : []);
  const path = reportPathOf(report, test);
  if (errors.length === 0 || path === undefined) return;
  try {
    await tell(await writeReport(proxy, path, { title: test.title || undefined, failure: oneError(errors) }));
  } catch {
    // The runner does not take it any more.
  }
}

async function writeReport(proxy: Proxy, path: string, options: ReportOptions): Promise<Report> {
  try {
    const written = await proxy.report(path, options);
    return { line: `flowtape: the traffic of this test is in ${written}`, path: written };
  } catch (error) {
    return { line: `flowtape: the report of this test could not be written: ${messageOf(error)}`, path: undefined };
  }
}

/** One error that says what several say. The first is the test's own. */
export function oneError(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map(messageOf).join("\n\n"));
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  try {
    const { message } = (error ?? {}) as { message?: unknown };
    return typeof message === "string" ? message : String(error);
  } catch {
    return "something without a message";
  }
}
