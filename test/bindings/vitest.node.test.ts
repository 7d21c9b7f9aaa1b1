import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe } from "vitest";
import { respond } from "../../src/mod.ts";
import { expect, test } from "../../src/vitest.ts";

describe("a test that asks for a proxy", () => {
  test.override({ proxyOptions: { tape: false, rules: [["/hello", respond({ status: 201 })]] } });

  test("has one, with the options of its block", async ({ proxy }) => {
    const response = await proxy.fetch("http://a.test/hello");
    expect(response.status).toBe(201);
    expect(proxy).toHaveReceived("GET http://a.test/hello");
    expect(proxy).toHaveReceivedTimes("/hello", 1);
    expect(proxy).not.toHaveReceived("POST *");
    expect(proxy).toHaveNoUnmatched();
    expect(proxy.flows).toHaveLength(1);
    expect(proxy.flows).toHaveReceived({ path: "/hello" }, { times: { atMost: 1 } });
  });

  for (const word of ["one", "two"]) {
    test.concurrent(`has its own, also beside others: ${word}`, async ({ proxy }) => {
      await proxy.fetch(`http://a.test/hello?${word}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await proxy.fetch("http://a.test/hello");
      expect(proxy.flows.requests.map((request) => request.target)).toEqual([`/hello?${word}`, "/hello"]);
    });
  }

  describe("in a block of its own", () => {
    test.override({ proxyOptions: { tape: false, rules: [["*", respond({ status: 202 })]] } });
    test("has other options", async ({ proxy }) => {
      expect((await proxy.fetch("http://a.test/")).status).toBe(202);
    });
  });
});

describe("a run of vitest", () => {
  const folder = mkdtempSync(join(tmpdir(), "flowtape-vitest-"));
  const origin = createServer((_, response) => response.end("hello"));
  const results = new Map<string, string>();
  let output = "";

  beforeAll(async () => {
    await new Promise<void>((done) => origin.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    writeFileSync(join(folder, "shop.test.ts"), SHOP(url));
    const report = join(folder, "report.json");
    // A CI server would only replay.
    const env = { ...process.env, CI: "", NO_COLOR: "1" };
    const args = [
      "run",
      "--testTimeout=30000",
      "--root",
      folder,
      "--reporter=json",
      "--reporter=default",
      `--outputFile.json=${report}`,
    ];
    const vitest = resolve(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
    const run = promisify(execFile)(process.execPath, [vitest, ...args], { env, cwd: folder });
    output = await run.then(({ stdout }) => stdout, (error) => error.stdout + error.stderr);
    for (const test of JSON.parse(readFileSync(report, "utf8")).testResults[0].assertionResults) {
      results.set(test.title, `${test.status} ${test.failureMessages.join("\n")}`);
    }
  }, 200_000);
  afterAll(() => {
    origin.close();
    rmSync(folder, { recursive: true });
  });

  const tape = (name: string) => join(folder, "__tapes__/shop", name);

  test("records a tape for each test, next to its file", () => {
    expect(results.get("lists orders!")).toBe("passed ");
    expect(existsSync(tape("cart--lists-orders.har"))).toBe(true);
    expect(readFileSync(tape("cart--lists-orders.har"), "utf8")).toContain("/orders");
  });

  test("keeps tests of the same name apart", () => {
    expect(results.get("Lists: orders")).toBe("passed ");
    expect(output).toMatch(/second: cart--lists-orders-[0-9a-f]{8}\.har/);
  });

  test("has no tape where none is wanted", () => {
    expect(results.get("without a tape")).toBe("passed ");
    expect(existsSync(tape("without-a-tape.har"))).toBe(false);
  });

  test("fails a test whose request was swallowed", () => {
    expect(results.get("swallows a miss")).toMatch(/^failed .*matched nothing/s);
  });

  test("fails a test with a broken hook", () => {
    expect(results.get("breaks")).toMatch(/^failed .*boom/s);
  });

  test("shows what was received when an assertion fails", () => {
    expect(results.get("expects in vain")).toMatch(/^failed .*expected at least 1 request matching PUT \*/s);
    expect(results.get("expects in vain")).toContain("- method: PUT\n  + method: GET");
  });

  test("leaves the tape of a test that failed as it was", () => {
    expect(results.get("records and fails")).toMatch(/^failed .*no luck/s);
    expect(results.get("records and fails softly")).toMatch(/^failed /);
    expect(readdirSync(join(folder, "__tapes__/shop")).filter((name) => name.startsWith("records"))).toEqual([]);
  });

  test("does not start a proxy that nobody asks for", () => {
    expect(results.get("does without")).toBe("passed ");
  });
});

/** A test file that goes wrong in every way. */
const SHOP = (origin: string) => `
import { readdirSync } from "node:fs";
import { describe } from ${JSON.stringify(import.meta.resolve("vitest"))};
import { expect, test } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/vitest.ts"))};
const folder = import.meta.dirname + "/__tapes__/shop";
describe("Cart", () => {
  test("lists orders!", async ({ proxy }) => {
    expect(await (await proxy.fetch("${origin}/orders")).text()).toBe("hello");
  });
  test("Lists: orders", async ({ proxy }) => {
    await proxy.fetch("${origin}/orders");
    await proxy.close();
    console.log("second: " + readdirSync(folder).find((name) => name.includes("orders-")));
  });
});
describe("without", () => {
  test.override({ proxyOptions: { tape: false } });
  test("without a tape", async ({ proxy }) => {
    await proxy.fetch("${origin}/");
  });
});
test("records and fails", async ({ proxy }) => {
  await (await proxy.fetch("${origin}/orders")).text();
  throw new Error("no luck");
});
test("records and fails softly", async ({ proxy, expect }) => {
  await (await proxy.fetch("${origin}/orders")).text();
  expect.soft(1).toBe(2);
});
describe("replay", () => {
  test.override({ proxyOptions: { tape: { mode: "replay" } } });
  test("swallows a miss", async ({ proxy }) => {
    await proxy.fetch("${origin}/").catch(() => {});
  });
});
describe("hooks", () => {
  test.override({ proxyOptions: { tape: false, addons: [{ request() { throw new Error("boom") } }] } });
  test("breaks", async ({ proxy }) => {
    await proxy.fetch("${origin}/").catch(() => {});
  });
});
describe("assertions", () => {
  test.override({ proxyOptions: { tape: false } });
  test("expects in vain", async ({ proxy }) => {
    await proxy.fetch("${origin}/");
    expect(proxy).toHaveReceived("PUT *");
  });
});
describe("unused", () => {
  test.override({ proxyOptions: { port: -1 } });
  test("does without", () => {});
});
`;
