/**
 * The page of a report in Chromium: bodies, messages, failures.
 *
 * @module
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertReceived, FlowSet } from "../../src/mod.ts";
import { hasChromium } from "../support/chromium.ts";
import { launch, LONG, openReport, WAIT } from "./browser.ts";
import { flow, shop, socket } from "./flows.ts";

describe.runIf(hasChromium)("the page of a report", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, LONG);
  afterAll(() => browser?.close());

  test("bodies are shown as what they are: JSON with its numbers as written, forms, pictures, bytes", async () => {
    const png = Uint8Array.from(
      atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
      (char) => char.charCodeAt(0),
    );
    const form =
      '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nR\u00f6d\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\nContent-Type: application/json\r\n\r\n{"deep":[1]}\r\n--b--\r\n';
    const flows = [
      ...shop(),
      flow({
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "name=%C3%85sa&city=G%C3%B6teborg+N",
        response: { headers: { "content-type": "image/png" }, body: png },
      }),
      flow({
        method: "POST",
        headers: { "content-type": "multipart/form-data; boundary=b" },
        body: form,
        response: { headers: { "content-type": "application/octet-stream" }, body: new Uint8Array([0, 255, 65, 66]) },
      }),
    ];
    await using report = await openReport(browser, { flows });
    const { page } = report;
    const panel = page.locator("#panel");
    const at = async (i: number, tab: string) => {
      await report.open(`#${flows[i]!.id}/${tab}`);
      return await panel.innerText();
    };
    expect(await at(1, "request")).toMatch(/big\s*:\s*12345678901234567890/);
    expect(await at(4, "request")).toMatch(/name\s+Åsa\s+city\s+Göteborg N/);
    await at(4, "response");
    await expect.poll(() => panel.locator("figcaption").innerText(), WAIT).toBe("1 × 1");
    expect(await at(5, "request")).toMatch(/title[^]*Röd[^]*file\s*x\.json[^]*deep/);
    expect(await at(5, "response")).toContain("00 ff 41 42");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("what was said over a WebSocket is on a line of time, and opens", async () => {
    const flows = [socket("ws://live.test/chat", [
      { from: "client", type: "text", data: '{"say":"hello"}', time: 10 },
      { from: "server", type: "text", data: "welcome", time: 500 },
      { from: "server", type: "binary", data: new Uint8Array([1, 2, 254]), time: 1500, injected: true },
    ])];
    await using report = await openReport(browser, { flows });
    const { page } = report;
    await page.locator("#flows .flow").click();
    expect(await page.getByRole("tab", { selected: true }).innerText()).toMatch(/Messages\s*3/);
    const marks = await page.locator(".lanes .mark").evaluateAll((marks) =>
      marks.map((mark) => mark.getBoundingClientRect().x)
    );
    expect(marks).toEqual([...marks].sort((a, b) => a - b));
    expect(new Set(marks).size).toBe(3);
    expect(await page.locator(".said li").allInnerTexts()).toEqual([
      expect.stringContaining("hello"),
      expect.stringContaining("welcome"),
      expect.stringMatching(/01 02 fe[^]*injected/),
    ]);
    await page.locator(".said summary").first().click();
    expect(await page.locator(".said .json").innerText()).toContain("hello");
    expect(await page.locator("#panel").innerText()).toContain("Closed with 1000 (normal) by the client: done");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("server-sent events are told one by one", async () => {
    const body = ': hi\n\nid: 1\nevent: step\ndata: {"n":1}\n\ndata: a\ndata: b\r\n\r\ndata: cut off';
    const flows = [flow({ response: { headers: { "content-type": "text/event-stream" }, body } })];
    await using report = await openReport(browser, { flows }, { hash: `#${flows[0]!.id}` });
    const { page } = report;
    expect(await page.getByRole("tab", { selected: true }).innerText()).toMatch(/Events\s*4/);
    const said = await page.locator(".said li").allInnerTexts();
    expect(said.map((text) => text.replace(/\s+/g, " ").trim())).toEqual([
      expect.stringContaining("comment hi"),
      expect.stringMatching(/step \{"n":1\} id 1/),
      expect.stringContaining("message a b"),
      expect.stringContaining("cut off"),
    ]);
    expect(report.noises).toEqual([]);
  }, LONG);

  test("a failing assertion comes first: what was wanted, what came nearest, and the way to that flow", async () => {
    const flows = new FlowSet(shop());
    let failure: unknown;
    try {
      assertReceived(flows, { method: "POST", path: "/orders", json: { qty: 2 } });
    } catch (error) {
      failure = error;
    }
    await using report = await openReport(browser, { flows, failure, title: "checkout > orders once" });
    const { page } = report;
    expect(await page.title()).toBe("checkout > orders once");
    expect(await page.evaluate(() => location.hash === "" || location.hash === "#failure")).toBe(true);
    const text = await page.locator(".side-detail").innerText();
    expect(text).toMatch(/expected[^]*POST[^]*\/orders/);
    expect(text).toMatch(/json\.qty\s+2\s+3/);
    await page.getByRole("button", { name: "Show" }).click();
    expect(await report.heading()).toContain("orders");
    await page.keyboard.press("f");
    await expect.poll(report.heading, WAIT).toContain("expected");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("any error is a failure that can be shown, with its difference", async () => {
    const failure = Object.assign(new Error("\u001b[31mexpected\u001b[39m 1 to be 2\n\nmore"), {
      expected: "a\nb\nc",
      actual: "a\nx\nc",
    });
    await using report = await openReport(browser, { flows: shop(), failure });
    expect(await report.heading()).toBe("expected 1 to be 2");
    expect(await report.page.locator(".difference pre span.removed").innerText()).toContain("− b");
    expect(await report.page.locator(".difference pre span.added").innerText()).toContain("+ x");
    expect(report.noises).toEqual([]);
  }, LONG);

  test("requests that nothing matched come first, and say why", async () => {
    const flows = shop();
    flows[2]!.response!.body = "Nothing on the tape matches this request";
    await using report = await openReport(browser, { flows, unmatched: [flows[2]!] });
    expect((await report.lines())[0]).toMatch(/2\s+GET\s+unmatched/);
    expect(await report.heading()).toContain("missing");
    expect(await report.page.locator(".remark").innerText()).toContain("Nothing on the tape matches this request");
    await report.page.getByRole("button", { name: /^Problems/ }).click();
    await expect.poll(report.count, WAIT).toBe("1 of 4 flows");
    expect(report.noises).toEqual([]);
  }, LONG);
});
