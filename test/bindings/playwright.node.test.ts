import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { makeProject, type Project, root, type Run, source } from "./project.ts";

describe.runIf(hasChromium)("playwright test", () => {
  let origin: Origin;
  let secure: Origin;
  let project: Project;
  let result: Run;
  let attached: Record<string, string[]>;

  const playwright = (...args: string[]) =>
    project.run(process.execPath, [`${root}node_modules/@playwright/test/cli.js`, "test", ...args], {
      PLAYWRIGHT_JSON_OUTPUT_NAME: "report.json",
    });

  beforeAll(async () => {
    origin = await startOrigin(({ target }) => ({
      headers: [["content-type", "text/html"]],
      body: `<title>shop</title><h1>hello ${target}</h1><script>fetch("/api").catch(() => {})</script>`,
    }));
    secure = await startOrigin(() => ({ body: "secret" }), { tls: true });
    project = await makeProject({ "playwright.config.ts": CONFIG, "shop.spec.ts": SHOP(origin.url, secure.url) });
    result = await playwright();
    const report = JSON.parse(await project.read("report.json")) as Suite;
    attached = Object.fromEntries(
      specsOf(report).map(({ title, tests }) => [
        title,
        tests.flatMap(({ results }) =>
          results.flatMap(({ attachments }) => attachments.map(({ name, contentType }) => `${name} ${contentType}`))
        ).filter((it) => it.startsWith("flowtape")),
      ]),
    );
  }, 200_000);

  afterAll(async () => {
    await project[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
    await secure[Symbol.asyncDispose]();
  });

  const outcome = (name: string) => new RegExp(`^ *(\\S+) +\\d+ .*› ${name} \\(`, "m").exec(result.output)?.[1];

  test("fails when one of its tests fails", () => {
    expect(result.code).toBe(1);
    expect(result.output).toMatch(/2 failed\n.*1 flaky\n.*5 passed/s);
  });

  test("sends the browser through the proxy, and records a tape that is named after the test", async () => {
    expect(outcome("shows orders")).toBe("✓");
    const tape = await project.read("__tapes__/shop/shows-orders.har");
    expect(tape).toContain(`${origin.url}/orders`);
    expect(tape).toContain(`${origin.url}/api`);
    // The browser asks for it when it likes: a tape that had it sometimes would fail at other times.
    expect(tape).not.toContain("favicon");
  });

  test("lets the browser accept the certificates of the proxy, and no others", () => {
    expect(outcome("trusts the proxy")).toBe("✓");
    expect(outcome("and nobody else")).toBe("✓");
  });

  test("sends Playwright's own requests through it, too", () => {
    expect(outcome("requests")).toBe("✓");
  });

  test("gives a further context a proxy of its own", () => {
    expect(outcome("two browsers")).toBe("✓");
    expect(project.tapes()).toContain("shop/two-browsers--context-2");
  });

  test("fails a test whose request was swallowed by the page", () => {
    expect(outcome("swallows")).toBe("✘");
    expect(result.output).toMatch(/UnmatchedRequestError: a request matched nothing:.*\/swallowed\n/s);
  });

  test("leaves the tape of a test that failed as it was, and attaches its report", () => {
    expect(outcome("Expects, in vain")).toBe("✘");
    expect(result.output).toMatch(/expected at least 1 request matching PUT \/orders/);
    expect(project.tapes().filter((name) => /vain|swallow/.test(name))).toEqual([]);
    const one = ["flowtape report text/html"];
    expect(attached).toMatchObject({
      "Expects, in vain": one,
      swallows: one,
      "passes at last": one,
      "shows orders": [],
    });
  });

  test("a retry begins with the tape as it was", async () => {
    const tape = await project.read("__tapes__/shop/retries--passes-at-last.har");
    expect(tape).toContain("/attempt/1");
    expect(tape).not.toContain("/attempt/0");
  });

  test("a shard replays what the whole run has recorded", async () => {
    const { code, output } = await project.run(
      process.execPath,
      [`${root}node_modules/@playwright/test/cli.js`, "test", "--shard=1/2", "-g", "shows orders|two browsers"],
      { CI: "true" },
    );
    expect(output).toMatch(/\b1 passed/);
    expect(code).toBe(0);
  }, 200_000);
});

interface Suite {
  suites?: Suite[];
  specs?: { title: string; tests: { results: { attachments: { name: string; contentType: string }[] }[] }[] }[];
}

function specsOf(suite: Suite): NonNullable<Suite["specs"]> {
  return [...suite.specs ?? [], ...(suite.suites ?? []).flatMap(specsOf)];
}

const CONFIG = `
import { defineConfig } from "@playwright/test";
export default defineConfig({
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["json"]],
  use: { launchOptions: { executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] } },
});
`;

const SHOP = (origin: string, secure: string) => `
import { expect, test } from ${source("playwright.ts")};
import { respond } from ${source("mod.ts")};
const html = (text) => respond({ body: "<h1>" + text + "</h1>", headers: { "content-type": "text/html" } });
test("shows orders", async ({ page, flowtape }) => {
  await page.goto("${origin}/orders");
  await expect(page.locator("h1")).toHaveText("hello /orders");
  expect(flowtape).toHaveReceived("/orders");
  await expect(flowtape).toHaveReceived({ path: "/api" }, { within: 10_000 });
  await expect.poll(() => flowtape).toHaveReceived({ path: "/api", status: 200 });
  expect(await page.evaluate(async () => (await fetch("/favicon.ico")).status)).toBe(404);
});
test.describe("certificates", () => {
  test.use({ proxyOptions: { tape: false, rules: [["https://*/*", html("secret")]] } });
  test("trusts the proxy", async ({ page, flowtape }) => {
    await page.goto("https://shop.test/");
    await expect(page.locator("h1")).toHaveText("secret");
    expect(flowtape).toHaveReceived("https://shop.test/");
  });
  test("requests", async ({ context, request, flowtape }) => {
    for (const one of [context.request, request]) {
      expect(await (await one.get("https://shop.test/api")).text()).toContain("secret");
    }
    expect(flowtape).toHaveReceivedTimes("https://shop.test/api", 2);
  });
});
test.describe("servers", () => {
  test.use({ proxyOptions: { tape: false } });
  test("and nobody else", async ({ browser, flowtape }) => {
    // Past the proxy, to a server whose authority nobody knows.
    const page = await browser.newPage({ proxy: { server: flowtape.url, bypass: "127.0.0.1" } });
    await expect(page.goto("${secure}/")).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
    expect(flowtape).not.toHaveReceived({ host: "127.0.0.1" });
  });
});
test("two browsers", async ({ page, flowtape, openContext }) => {
  const { context, proxy } = await openContext();
  const other = await context.newPage();
  await page.goto("${origin}/mine");
  await other.goto("${origin}/yours");
  expect(flowtape).not.toHaveReceived("/yours");
  expect(proxy).not.toHaveReceived("/mine");
  for (const one of [flowtape, proxy]) await expect(one).toHaveReceived({ path: "/api", status: 200 }, { within: 10_000 });
});
test("Expects, in vain", async ({ page, flowtape }) => {
  await page.goto("${origin}/orders");
  expect.soft(flowtape).toHaveReceived("PUT /orders");
});
test.describe("replay", () => {
  test.use({ proxyOptions: { tape: { mode: "replay" } } });
  test("swallows", async ({ page }) => {
    await page.goto("${origin}/swallowed");
  });
});
test.describe("retries", () => {
test.describe.configure({ retries: 1 });
test("passes at last", async ({ page, flowtape }) => {
  const attempt = test.info().retry;
  await page.goto("${origin}/attempt/" + attempt);
  if (attempt === 0) throw new Error("once more");
  await expect(flowtape).toHaveReceived({ path: "/api", status: 200 }, { within: 10_000 });
});
});
`;
