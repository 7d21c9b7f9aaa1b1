/**
 * A program of its own: opens a page in Chromium and prints what a script in it gives. Run it on Node: Playwright knows no other
 * runtime.
 *
 * @module
 */
import { text } from "node:stream/consumers";
import process from "node:process";
import { chromium } from "playwright-core";
import type { Visit } from "./chromium.ts";

const { launch, url, script } = JSON.parse(await text(process.stdin)) as Visit;
const browser = await chromium.launch(launch);
try {
  const page = await browser.newPage();
  await page.goto(url);
  const result = await page.evaluate(`(async () => { ${script} })()`);
  console.log(JSON.stringify(result ?? null));
} finally {
  await browser.close();
}
