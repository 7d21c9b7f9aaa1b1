/**
 * The page of a report in Chromium: what a person does with it, with the pointer and with keys.
 *
 * @module
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { launch, LONG, openReport, WAIT } from "./browser.ts";
import { flow, shop } from "./flows.ts";

describe.runIf(hasChromium)("the page of a report", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, LONG);
  afterAll(() => browser?.close());

  test("the filter box speaks the filter language, and says what is wrong with an expression", async () => {
    await using report = await openReport(browser, { flows: shop() });
    const { page } = report;
    expect(await report.lines()).toHaveLength(4);
    await page.keyboard.press("/");
    await page.keyboard.type("~m POST & ~bq A-1");
    await expect.poll(report.count, WAIT).toBe("1 of 4 flows");
    expect((await report.lines())[0]).toContain("api.shop.test/orders");
    await page.locator("#filter").fill("~c 404 | products");
    await expect.poll(report.count, WAIT).toBe("2 of 4 flows");
    await page.locator("#filter").fill("~mehtod POST");
    await expect.poll(() => page.locator("#filter-problem").innerText(), WAIT).toContain("~mehtod is not an operator");
    expect(await page.locator("#filter").getAttribute("aria-invalid")).toBe("true");
    // What was found before stays in sight while the expression is being written.
    expect(await report.count()).toBe("2 of 4 flows");
    await page.keyboard.press("Escape");
    await expect.poll(report.count, WAIT).toBe("4 flows");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("everything can be done with keys", async () => {
    const flows = shop();
    await using report = await openReport(browser, { flows });
    const { page } = report;
    const focused = () => page.evaluate(() => document.activeElement?.id);
    await page.keyboard.press("/");
    expect(await focused()).toBe("filter");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("flows");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await report.heading()).toContain("api.shop.test");
    expect(await page.locator("#flows").getAttribute("aria-activedescendant")).toBe(`row-${flows[1]!.id}`);
    await page.keyboard.press("Enter");
    await expect.poll(focused, WAIT).toBe("detail-title");
    await page.keyboard.press("j");
    await expect.poll(report.heading, WAIT).toContain("missing");
    await page.keyboard.press("k");
    await expect.poll(report.heading, WAIT).toContain("orders");
    await page.keyboard.press("2");
    expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("Response");
    await page.getByRole("tab", { selected: true }).focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("Timing");
    await page.keyboard.press("End");
    expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("Connection");
    await page.keyboard.press("c");
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("Escape");
    expect(await focused()).toBe("copy");
    await page.keyboard.press("Escape");
    expect(await focused()).toBe("flows");
    await page.keyboard.press("Escape");
    expect(await page.locator("#detail-title").count()).toBe(0);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count(), WAIT).toBe(0);
    expect(report.noises).toEqual([]);
  }, LONG);

  test("the address leads back to the same flow, tab and filter", async () => {
    await using report = await openReport(browser, { flows: shop() });
    const { page } = report;
    await page.locator("#filter").fill("shop");
    await page.getByRole("row", { name: /orders/ }).click();
    await page.getByRole("tab", { name: "Response" }).click();
    const hash = await expect.poll(() => page.evaluate(() => location.hash), WAIT).toContain("/response?shop").then(
      () => page.evaluate(() => location.hash),
    );
    await report.open(hash);
    expect(await report.heading()).toContain("orders");
    expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("Response");
    expect(await page.locator("#filter").inputValue()).toBe("shop");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("the list is sorted by its columns", async () => {
    await using report = await openReport(browser, { flows: shop() });
    const { page } = report;
    await page.getByRole("columnheader", { name: "Time" }).getByRole("button").click();
    expect((await report.lines())[0]).toContain("products");
    expect(await page.getByRole("columnheader", { name: "Time" }).getAttribute("aria-sort")).toBe("descending");
    await page.getByRole("columnheader", { name: "#" }).getByRole("button").click();
    expect((await report.lines())[0]).toMatch(/^0\s/);
  }, LONG);

  test("light and dark, as the system has it or as the reader says", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await using report = await openReport(browser, { flows: shop() }, { colorScheme });
      const { page } = report;
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const system = await ground();
      expect(Number(/\d+/.exec(system)![0]) > 128).toBe(colorScheme === "light");
      await page.getByRole("button", { name: /^Theme: auto/ }).click();
      await page.getByRole("button", { name: /^Theme: light/ }).click();
      await expect.poll(async () => Number(/\d+/.exec(await ground())![0]), WAIT).toBeLessThan(128);
      expect(report.noises).toEqual([]);
    }
  }, LONG);

  test("on paper everything that is open is there", async () => {
    const flows = Array.from({ length: 300 }, (_, i) => flow({ url: `http://shop.test/${i}` }));
    await using report = await openReport(browser, { flows }, { hash: `#${flows[0]!.id}` });
    expect((await report.lines()).length).toBeLessThan(100);
    await report.page.emulateMedia({ media: "print" });
    await expect.poll(async () => (await report.lines()).length, WAIT).toBe(300);
    expect(await report.page.locator("section.panel h3").allInnerTexts()).toEqual(
      expect.arrayContaining(["Request", "Response", "Timing"]),
    );
    expect(report.noises).toEqual([]);
  }, LONG);

  test("ten thousand flows: the document stays small, every flow can be reached, the filter works", async () => {
    const flows = Array.from(
      { length: 10_000 },
      (_, i) =>
        flow({
          url: `http://host-${i % 50}.test/items/${i}?page=${i % 7}`,
          start: 1_700_000_000_000 + i * 3,
          response: { status: i % 100 === 0 ? 500 : 200, json: { i } },
        }),
    );
    await using report = await openReport(browser, { flows });
    const { page } = report;
    const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
    expect(await report.count()).toBe("10,000 flows");
    expect(await nodes()).toBeLessThan(3000);
    await page.locator("#flows").focus();
    await page.keyboard.press("End");
    await expect.poll(report.heading, WAIT).toContain("items/9999");
    expect(await page.locator(`#row-${flows[9999]!.id}`).isVisible()).toBe(true);
    expect(await nodes()).toBeLessThan(3000);
    await page.evaluate(() => document.getElementById("flows")!.scrollTop = 5000 * 27);
    await expect.poll(async () => (await report.lines()).some((line) => line.includes("items/5005")), WAIT).toBe(true);
    expect(await nodes()).toBeLessThan(3000);
    await page.locator("#filter").fill("~c 500 & ~bs 9900");
    await expect.poll(report.count, WAIT).toBe("1 of 10,000 flows");
    await page.getByRole("button", { name: /^Problems/ }).click();
    await page.locator("#filter").fill("");
    await expect.poll(report.count, WAIT).toBe("100 of 10,000 flows");
    expect(report.noises).toEqual([]);
  }, LONG);
});
