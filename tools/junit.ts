/**
 * Reads the JUnit file of a test run, the one report that all three runners write.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a JUnit file says. */
export interface JunitReport {
  counts: Counts;
  /** The files of the tests that failed, as far as the report tells. */
  failing: Set<string>;
  /** The tests that failed. */
  names: string[];
  /** The files that have a test in the report. */
  seen: Set<string>;
}

/** Reads a report on the tests of `files`; one that is not there counts nothing. */
export function readJunit(path: string, files: readonly string[]): JunitReport {
  const report: JunitReport = {
    counts: { passed: 0, failed: 0, skipped: 0 },
    failing: new Set(),
    names: [],
    seen: new Set(),
  };
  let xml: string;
  try {
    xml = readFileSync(path, "utf8");
  } catch {
    return report;
  }
  for (
    const [, attributes = "", content = ""] of xml.matchAll(
      /<testcase\b((?:"[^"]*"|[^">])*?)(?:\/>|>([^]*?)<\/testcase>)/g,
    )
  ) {
    const file = fileOf(attributes, files);
    if (file !== undefined) report.seen.add(file);
    if (/<(failure|error)\b/.test(content)) {
      report.counts.failed++;
      report.names.push(`${file ?? "?"}: ${attribute(attributes, "name")}`);
      if (file !== undefined) report.failing.add(file);
    } else if (/<skipped\b/.test(content)) report.counts.skipped++;
    else report.counts.passed++;
  }
  return report;
}

/** vitest says the file as the class, Bun as the file; on Deno the name begins with it, see test/support/vitest_for_deno.ts. */
function fileOf(attributes: string, files: readonly string[]): string | undefined {
  const named = [attribute(attributes, "file"), attribute(attributes, "classname").replace(/^\.\//, "")];
  const found = files.find((file) => named.includes(file));
  if (found !== undefined) return found;
  const [start = ""] = attribute(attributes, "name").split(" > ");
  return files.find((file) => file === `test/${start}.test.ts`);
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
