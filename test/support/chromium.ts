/**
 * Debian's Chromium, driven by Playwright.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { BrowserOptions, Proxy } from "../../src/mod.ts";
import { run } from "./run.ts";
import { hasCommand, runtimePath } from "./runtime.ts";

/** Whether it is installed. */
export const hasChromium: boolean = hasCommand("chromium");

/** Launch options; the proxy may also be named among the arguments. */
type Launch = Pick<BrowserOptions, "args"> & Partial<BrowserOptions>;

/** What the driver is told. */
export interface Visit {
  readonly launch: Launch & { executablePath: string };
  readonly url: string;
  readonly script: string;
}

/**
 * Opens a page through a proxy, and gives what a script in it returns.
 *
 * @param script the body of an async function
 * @param browser how Chromium is pointed at the proxy
 */
export async function inChromium(
  proxy: Proxy,
  url: string,
  script: string,
  browser: Launch = proxy.browser(),
): Promise<unknown> {
  // What Chromium asks its maker by itself goes nowhere: a lookup that is still under way when a test ends is a leak for Deno.
  using _ = proxy.use([{ host: /\.(google|googleapis|gstatic)\.com$/ }, "drop"]);
  const { args, ...options } = browser;
  // As root, and in containers, its sandbox is not available.
  const launch = {
    ...options,
    args: [...args, "--no-sandbox", "--disable-dev-shm-usage"],
    executablePath: executable(),
  };
  const driver = fileURLToPath(new URL("chromium_driver.ts", import.meta.url));
  const visit: Visit = { launch, url, script };
  const { stdout, stderr, code } = await run(runtimePath("node"), [driver], {
    input: JSON.stringify(visit),
    timeoutMs: 60_000,
    env: { NODE_OPTIONS: undefined },
  });
  if (code !== 0) throw new Error(`Chromium failed: ${stderr}`);
  return JSON.parse(stdout);
}

function executable(): string {
  return (process.env.PATH ?? "").split(":").map((folder) => `${folder}/chromium`).find((path) => fs.existsSync(path))!;
}
