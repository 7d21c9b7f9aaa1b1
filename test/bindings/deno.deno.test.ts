import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { proxyTest } from "../../src/deno.ts";
import { assertReceived, respond } from "../../src/mod.ts";

const rules = [["/hello", respond({ status: 201 })]] as const;

proxyTest("proxyTest > gives a proxy with options", { tape: false, rules }, async ({ proxy, name, step }) => {
  const response = await proxy.fetch("http://a.test/hello");
  expect(response.status).toBe(201);
  await response.body?.cancel();
  assertReceived(proxy, "GET http://a.test/hello");
  expect(name).toBe("proxyTest > gives a proxy with options");
  await step("and steps", () => {});
});

Deno.test("proxyTest > in a run of deno test", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "flowtape-deno-" });
  const origin = createServer((_, response) => response.end("hello"));
  await new Promise<void>((done) => origin.listen(0, "127.0.0.1", done));
  try {
    const file = join(folder, "shop.test.ts");
    await Deno.writeTextFile(file, SHOP(`http://127.0.0.1:${(origin.address() as AddressInfo).port}`));
    const root = (path: string) => new URL(`../../${path}`, import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--no-check",
        "--sanitize-ops",
        "--sanitize-resources",
        `--config=${root("deno.json")}`,
        `--import-map=${root("tools/import_map.json")}`,
        file,
      ],
      // A CI server would only replay.
      env: { CI: "", NO_COLOR: "1" },
    });
    const { stdout } = await command.output();
    const output = new TextDecoder().decode(stdout);
    const tape = (name: string) => Deno.readTextFile(join(folder, "__tapes__/shop", name));

    await t.step("the tape is named after the test", async () => {
      expect(output).toContain("lists orders! ... ok");
      expect(await tape("lists-orders.har")).toContain("/orders");
    });
    await t.step("tests of the same name are kept apart", async () => {
      const tapes = await readdir(join(folder, "__tapes__/shop"));
      expect(tapes.filter((name) => /^lists-orders-[0-9a-f]{8}\.har$/.test(name)).length).toBe(1);
      expect(tapes.filter((name) => name.startsWith("lists")).length).toBe(2);
    });
    await t.step("options of Deno.test are passed on", () => {
      expect(output).toContain("not now ... ignored");
    });
    await t.step("a swallowed miss fails its test", () => {
      expect(output).toContain("swallows a miss ... FAILED");
      expect(output).toContain("UnmatchedRequestError");
    });
    await t.step("the tape of a test that failed stays as it was", async () => {
      expect(output).toContain("records and fails ... FAILED");
      expect(output).toContain("records and fails in a step ... FAILED");
      const tapes = await readdir(join(folder, "__tapes__/shop"));
      expect(tapes.filter((name) => name.startsWith("records"))).toEqual(["records-with-a-step-ignored.har"]);
      expect(tapes).toContain("gives-steps-the-proxy.har");
    });
    await t.step("a test that failed leaves a report, and says where", async () => {
      const reports = await readdir(join(folder, "flowtape-report/shop"));
      expect(reports.sort()).toEqual([
        "fails-twice.html",
        "records-and-fails-in-a-step.html",
        "records-and-fails.html",
        "swallows-a-miss.html",
      ]);
      expect(output).toContain(`${folder}/flowtape-report/shop/swallows-a-miss.html`);
      expect(await Deno.readTextFile(join(folder, "flowtape-report/shop/fails-twice.html"))).toContain("first of all");
    });
    await t.step("the sanitizers find nothing", () => {
      expect(output).toContain("FAILED | 4 passed (3 steps) | 4 failed (1 step) | 2 ignored");
      expect(output).not.toContain("Leaks detected");
    });
    await t.step("two failures are both told", () => {
      expect(output).toContain("AggregateError");
      expect(output).toContain("first of all");
    });
  } finally {
    origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

const SHOP = (origin: string) => `
import { proxyTest } from ${JSON.stringify(import.meta.resolve("../../src/deno.ts"))};
proxyTest("lists orders!", async ({ proxy }) => {
  await (await proxy.fetch("${origin}/orders")).text();
});
proxyTest("Lists: orders", async ({ proxy }) => {
  await (await proxy.fetch("${origin}/orders")).text();
});
proxyTest("swallows a miss", { tape: { mode: "replay" } }, async ({ proxy }) => {
  await (await proxy.fetch("${origin}/")).text();
});
proxyTest("fails twice", { tape: { mode: "replay" } }, async ({ proxy }) => {
  await (await proxy.fetch("${origin}/")).text();
  throw new Error("first of all");
});
proxyTest("records and fails", async ({ proxy }) => {
  await (await proxy.fetch("${origin}/orders")).text();
  throw new Error("no luck");
});
proxyTest("records and fails in a step", async ({ proxy, step }) => {
  await (await proxy.fetch("${origin}/orders")).text();
  await step("first", () => { throw new Error("no luck"); });
});
proxyTest("records with a step ignored", async ({ proxy, step }) => {
  await (await proxy.fetch("${origin}/orders")).text();
  await step({ name: "first", ignore: true, fn: () => {} });
  await step("second", () => {});
});
proxyTest("gives steps the proxy", async (t) => {
  await t.step("first", async (t) => {
    await (await t.proxy.fetch("${origin}/orders")).text();
    await t.step("second", (t) => { if (t.proxy.flows.length !== 1) throw new Error("another proxy"); });
  });
});
proxyTest.ignore("not today", () => {
  throw new Error("this must not run");
});
proxyTest("not now", { test: { ignore: true } }, () => {
  throw new Error("this must not run");
});
`;
