/**
 * Writes a report: whole or not at all, and for nobody else to read.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FlowtapeError } from "../flow/error.ts";
import type { ReportInput } from "./input.ts";
import { renderReport } from "./render.ts";

/**
 * Makes a report and writes it; folders that are missing are made. A file that is there stays whole until the new one is complete.
 *
 * @param path the HTML file; by default one of its own in the folder `flowtape-report`
 * @returns its absolute path
 * @throws {FlowtapeError} `REPORT_NOT_WRITTEN`
 */
export async function writeReport(path: string | undefined, input: ReportInput): Promise<string> {
  const file = resolve(path ?? join("flowtape-report", nameOf(input.title)));
  const html = await renderReport(input);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(html);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlowtapeError("REPORT_NOT_WRITTEN", `the report ${file} could not be written: ${why}`, { cause });
  }
  return file;
}

/** Two reports of the same test are two files. */
function nameOf(title = "report"): string {
  const words = title.normalize("NFC").toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, "-").replace(/^-|-$/g, "");
  const slug = Array.from(words).slice(0, 60).join("");
  return `${slug === "" ? "report" : slug}-${randomBytes(4).toString("hex")}.html`;
}
