/**
 * A report in a real browser: every console message, error and violation of the policy is noted.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { ReportInput } from "../../src/report/input.ts";
import { renderReport } from "../../src/report/render.ts";
import { tempFolder } from "../support/temp.ts";

/** How long a test with a browser may take: it only bounds a hang. */
export const LONG = 120_000;

/** For `expect.poll`: a browser may have to wait for its turn. */
export const WAIT: { readonly timeout: number } = { timeout: 30_000 };

/** A page with a report. */
export interface ReportPage extends AsyncDisposable {
  readonly page: Page;
  /** What the console said, what threw, what the policy refused, what was asked of the network: nothing of it should be there. */
  readonly noises: string[];
  /** The lines of the list that are in the document: their text. */
  lines(): Promise<string[]>;
  /** What the number of flows says. */
  count(): Promise<string>;
  /** What is open: the heading. */
  heading(): Promise<string>;
  /** Opens the report again, at another place. */
  open(hash: string): Promise<void>;
}

/** Starts the Chromium of the system. */
export function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // As root, and in containers, its sandbox is not available.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** Opens a report from a file, as a person would. */
export async function openReport(
  browser: Browser,
  input: ReportInput,
  { hash = "", ...options }: BrowserContextOptions & { hash?: string } = {},
): Promise<ReportPage> {
  const folder = await tempFolder();
  const path = folder.file("report.html");
  await writeFile(path, await renderReport(input));
  const url = String(pathToFileURL(path));
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const noises: string[] = [];
  page.on("console", (message) => noises.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => noises.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    noises.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url && !request.url().startsWith("data:")) {
      noises.push(`request: ${request.url()}`);
    }
  });
  await page.addInitScript(() => {
    addEventListener(
      "securitypolicyviolation",
      (event) => console.error(`violation: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(url + hash);
  await page.locator("#flows").waitFor();
  return {
    page,
    noises,
    lines: () => page.locator("#flows .flow").allInnerTexts(),
    count: () => page.locator(".count").innerText(),
    heading: () => page.locator("#detail-title").innerText(),
    open: async (hash) => {
      await page.goto("about:blank");
      await page.goto(url + hash);
      await page.locator("#flows").waitFor();
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
