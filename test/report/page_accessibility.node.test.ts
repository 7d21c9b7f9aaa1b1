/**
 * The page of a report in Chromium: for those who do not see it, or not well.
 *
 * @module
 */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertReceived, FlowSet } from "../../src/mod.ts";
import { hasChromium } from "../support/chromium.ts";
import { launch, LONG, openReport, type ReportPage } from "./browser.ts";
import { shop, socket } from "./flows.ts";

describe.runIf(hasChromium)("the page of a report", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, LONG);
  afterAll(() => browser?.close());

  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
  const violations = async ({ page }: ReportPage) => {
    await page.evaluate(axe);
    return await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(" ; ")}`);
    });
  };
  const said = [{ from: "client", type: "text", data: "hello", time: 10 }] as const;

  for (const colorScheme of ["light", "dark"] as const) {
    test(`nothing is found in any tab, ${colorScheme}`, async () => {
      const flows = [...shop(), socket("ws://live.test/", said)];
      flows[1]!.error = { code: "UPSTREAM_CLOSED", message: "the server hung up" };
      flows[1]!.comment = "a remark";
      const set = new FlowSet(flows);
      let failure: unknown;
      try {
        assertReceived(set, { method: "POST", path: "/orders", json: { qty: 2 } });
      } catch (error) {
        failure = error;
      }
      await using report = await openReport(browser, { flows: set, failure, unmatched: [flows[2]!] }, {
        colorScheme,
      });
      const found = [await violations(report)];
      for (const tab of ["request", "response", "timing", "connection"]) {
        await report.open(`#${flows[1]!.id}/${tab}`);
        found.push(await violations(report));
      }
      for (const i of [2, 4]) {
        await report.open(`#${flows[i]!.id}`);
        found.push(await violations(report));
      }
      await report.page.keyboard.press("?");
      await report.page.getByRole("dialog").waitFor();
      found.push(await violations(report));
      expect(found.flat()).toEqual([]);
    }, LONG);
  }
});
