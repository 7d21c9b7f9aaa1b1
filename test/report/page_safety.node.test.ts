/**
 * The page of a report in Chromium: what is in the flows is shown, and nothing else.
 *
 * @module
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { launch, LONG, openReport, WAIT } from "./browser.ts";
import { flow, shop, socket } from "./flows.ts";

describe.runIf(hasChromium)("the page of a report", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, LONG);
  afterAll(() => browser?.close());

  test("nothing that is in the flows is executed, or leaves the page", async () => {
    const evil = `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1"><!--<script>\u2028`;
    const latin = evil.replace("\u2028", "");
    const flows = [
      flow({
        method: "POST",
        url: `http://shop.test/%3Cscript%3E?q=${encodeURIComponent(evil)}`,
        headers: { "x-evil": latin, cookie: `a=${latin}`, "content-type": "text/html" },
        body: evil,
        response: {
          reason: latin,
          headers: { "content-type": "text/html", "x-evil": latin },
          body: `<html><body>${evil}<iframe src="javascript:parent.pwned=1"></iframe></body></html>`,
        },
      }),
      flow({
        response: {
          headers: { "content-type": "image/svg+xml" },
          body:
            `<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"><script>window.pwned=1</script><image href="http://127.0.0.1:9/x.png"/></svg>`,
        },
      }),
      flow({
        response: {
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ [evil]: evil, __proto__: null, constructor: { prototype: { pwned: 1 } } }),
        },
      }),
      flow({ response: { headers: { "content-type": `image/${"x".repeat(30)}"><script>` }, body: "x" } }),
      socket("ws://live.test/", [{ from: "client", type: "text", data: evil, time: 1 }]),
    ];
    flows[0]!.comment = evil;
    flows[0]!.marked = evil;
    flows[0]!.alerts.push(evil);
    flows[0]!.metadata[evil] = evil;
    flows[0]!.error = { code: evil, message: evil };
    flows[0]!.request.method = evil;
    const failure = Object.assign(new Error(evil), { name: evil, expected: evil, actual: `${evil}2`, operator: evil });
    await using report = await openReport(browser, { flows, failure, title: evil, unmatched: [flows[0]!] });
    const { page } = report;
    const scripts = await page.locator("script").count();
    for (const { id } of flows) {
      for (const tab of ["messages", "request", "response", "timing", "connection", "metadata"]) {
        await page.evaluate((hash) => location.hash = hash, `#${id}/${tab}`);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        for (const view of await page.locator("#panel .choice button").all()) await view.click();
        for (const summary of await page.locator("#panel details:not([open]) > summary").all()) await summary.click();
      }
    }
    expect(await page.evaluate(() => (window as { pwned?: unknown }).pwned)).toBe(undefined);
    expect(await page.evaluate(() => ({} as { pwned?: unknown }).pwned)).toBe(undefined);
    expect(await page.locator("script").count()).toBe(scripts);
    expect(await page.locator("iframe, object, embed, svg image, a[href]").count()).toBe(0);
    expect(await page.title()).toBe(evil.replace("\u2028", "\u2028"));
    expect(report.noises).toEqual([]);
  }, LONG);

  test("no injected script would run: the policy knows the page's own by its hash alone", async () => {
    await using report = await openReport(browser, { flows: shop() });
    const { page } = report;
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", '<p style="color: red" onclick="window.pwned = 1" id="evil">x</p>');
      document.getElementById("evil")!.click();
    });
    expect(await page.evaluate(() => (window as { pwned?: unknown }).pwned)).toBe(undefined);
    await expect.poll(() => report.noises.filter((noise) => noise.includes("violation")).length, WAIT).toBeGreaterThan(
      1,
    );
  }, LONG);
});
