/**
 * The page of a report in Chromium: what is copied is what is in the clipboard.
 *
 * @module
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect } from "../../src/report/collect.ts";
import { toCurl } from "../../src/report/copy/curl.ts";
import { toFetch } from "../../src/report/copy/fetch.ts";
import { toRule } from "../../src/report/copy/rule.ts";
import { toTapeEntry } from "../../src/report/copy/tape_entry.ts";
import type { HttpFlowData } from "../../src/report/data.ts";
import { hasChromium } from "../support/chromium.ts";
import { launch, LONG, openReport, WAIT } from "./browser.ts";
import { shop } from "./flows.ts";

describe.runIf(hasChromium)("the page of a report", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, LONG);
  afterAll(() => browser?.close());

  test("a flow is copied as curl, fetch, rule and entry of a tape", async () => {
    const flows = shop();
    const data = (await collect({ flows })).flows[1] as HttpFlowData;
    await using report = await openReport(browser, { flows }, {
      hash: `#${data.id}`,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const { page } = report;
    const wanted = {
      curl: toCurl(data),
      fetch: toFetch(data),
      rule: toRule(data),
      "tape entry": await toTapeEntry(data),
      URL: data.request.url,
    };
    for (const [name, text] of Object.entries(wanted)) {
      await page.getByRole("button", { name: "Copy as" }).click();
      await page.getByRole("menuitem", { name: new RegExp(`^${name}`) }).click();
      await expect.poll(() => page.locator("#said").innerText(), WAIT).toContain(`Copied as ${name}`);
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
    }
    expect(report.noises).toEqual([]);
  }, LONG);

  test("where the browser keeps the clipboard to itself, the old way is gone", async () => {
    const flows = shop();
    await using report = await openReport(browser, { flows }, { hash: `#${flows[1]!.id}` });
    const { page } = report;
    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("no")) } });
      document.addEventListener(
        "copy",
        () => document.title = getSelection()!.toString() || (document.activeElement as HTMLTextAreaElement).value,
      );
    });
    await page.getByRole("button", { name: "Copy as" }).click();
    await page.getByRole("menuitem", { name: /^URL/ }).click();
    await expect.poll(() => page.title(), WAIT).toBe("https://api.shop.test/orders?draft=1");
    expect(report.noises).toEqual([]);
  }, LONG);
});
