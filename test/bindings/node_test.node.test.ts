import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Origin, startOrigin } from "../support/origin.ts";
import { makeProject, type Project, type Run, source } from "./project.ts";

let origin: Origin;
let project: Project;
let result: Run;

beforeAll(async () => {
  origin = await startOrigin(({ target }) => ({ body: `hello ${target}` }));
  project = await makeProject({ "shop.test.mjs": SHOP(origin.url), "asserts.test.mjs": ASSERTS });
  // In a test runner, another one of node:test takes itself for a child of it.
  result = await project.run(process.execPath, ["--test", "--test-reporter=spec"], { NODE_TEST_CONTEXT: undefined });
}, 200_000);

afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** The line of a test in what the reporter `spec` prints. */
const mark = (name: string) => new RegExp(`^ *(\\S) ${name} \\(`, "m").exec(result.output)?.[1];

describe("node --test", () => {
  test("fails when one of its tests fails", () => {
    expect(result.code).toBe(1);
    expect(result.output).toMatch(/pass 11\b.*fail 6\b.*cancelled 1\b.*skipped 1\b.*todo 1\b/s);
  });

  test("gives a test its proxy, and the tape that is named after it", async () => {
    expect(mark("lists orders")).toBe("✔");
    expect(await project.read("__tapes__/shop/lists-orders.har")).toContain("/orders");
  });

  test("gives subtests the proxy of their test", async () => {
    expect(mark("is empty")).toBe("✔");
    const tape = await project.read("__tapes__/shop/cart--is-empty.har");
    for (const path of ["/cart", "/sub", "/subsub"]) expect(tape).toContain(`${origin.url}${path}"`);
  });

  test("keeps tests of the same name apart", async () => {
    expect(await project.read("__tapes__/shop/same.har")).toContain("/same/1");
    expect(await project.read("__tapes__/shop/same-2.har")).toContain("/same/2");
  });

  test("gives each of the tests that run at once its own", () => {
    expect(["c1", "c2", "c3"].map(mark)).toEqual(["✔", "✔", "✔"]);
  });

  test("fails a test whose request was swallowed", () => {
    expect(mark("swallows")).toBe("✖");
    expect(result.output).toMatch(/UnmatchedRequestError.*a request matched nothing.*swallowed/s);
  });

  test("tells what a test has failed with, and a swallowed request beside it", () => {
    expect(result.output).toContain("Error: its own error");
    expect(result.output).toMatch(/ℹ flowtape: a request matched nothing:.*\/swallowed-too/s);
  });

  test("waits with closing for the hooks that the test has added", async () => {
    expect(mark("has a hook")).toBe("✔");
    expect(await project.read("__tapes__/shop/has-a-hook.har")).toContain("/in-hook");
  });

  test("knows only, skip and todo", () => {
    expect(mark("left out")).toBe("﹣");
    expect(mark("later")).toBe("⚠");
  });

  test("leaves the tape of a test that failed as it was: on its own, in a subtest, or because it took too long", () => {
    expect(project.tapes()).toEqual([
      "shop/at-once--c1",
      "shop/at-once--c2",
      "shop/at-once--c3",
      "shop/cart--is-empty",
      "shop/has-a-hook",
      "shop/lists-orders",
      "shop/same",
      "shop/same-2",
    ]);
  });

  test("leaves a report beside the file of each test that failed, and says where", async () => {
    expect(project.reports()).toEqual([
      "asserts/fails",
      "asserts/plans-more-than-it-does",
      "shop/cart--a-subtest-fails",
      "shop/later",
      "shop/swallows",
      "shop/swallows-and-fails",
      "shop/takes-too-long",
    ]);
    expect(result.output).toContain(
      `ℹ flowtape: the traffic of this test is in ${project.folder}/flowtape-report/shop/swallows.html`,
    );
    expect(await project.read("flowtape-report/shop/swallows-and-fails.html")).toContain("its own error");
  });

  test("has the assertions in t.assert, which t.plan() counts", () => {
    expect(mark("plans")).toBe("✔");
    expect(result.output).toContain("plan expected 2 assertions but received 1");
    expect(result.output).toContain("expected at least 1 request matching /x");
  });

  test("runs only what is asked for, and names tapes as ever", async () => {
    const run = await project.run(process.execPath, ["--test", "--test-name-pattern=^same$", "shop.test.mjs"], {
      NODE_TEST_CONTEXT: undefined,
      CI: "true",
    });
    expect(run.code).toBe(0);
  });
});

const SHOP = (origin: string) => `
import { describe } from "node:test";
import { test } from ${source("node_test.ts")};
const get = async (t, path) => await (await t.proxy.fetch("${origin}" + path)).text();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
test("lists orders", async (t) => { t.assert.equal(await get(t, "/orders"), "hello /orders"); });
describe("cart", () => {
  test("is empty", async (t) => {
    await get(t, "/cart");
    await t.test("sub", async (t) => {
      await get(t, "/sub");
      await t.test("subsub", async (t) => { await get(t, "/subsub"); });
    });
  });
  test("a subtest fails", async (t) => {
    await get(t, "/cart");
    t.test("sub", async () => { await sleep(20); throw new Error("in a subtest"); });
  });
});
test("same", async (t) => { await get(t, "/same/1"); });
test("same", async (t) => { await get(t, "/same/2"); });
test("swallows", { tape: { mode: "replay" } }, async (t) => { await get(t, "/swallowed"); });
test("swallows and fails", { tape: { mode: "replay" } }, async (t) => {
  await get(t, "/swallowed-too");
  throw new Error("its own error");
});
test("takes too long", { test: { timeout: 500 } }, async (t) => { await get(t, "/long"); await new Promise(() => setTimeout(() => {}, 1500)); });
test("has a hook", async (t) => { t.after(async () => { await get(t, "/in-hook"); }); });
test.skip("left out", () => { throw new Error("this must not run"); });
test.todo("later", async (t) => { await get(t, "/later"); throw new Error("not yet"); });
describe("at once", { concurrency: true }, () => {
  for (const name of ["c1", "c2", "c3"]) {
    test(name, async (t) => {
      await get(t, "/" + name);
      await sleep(50);
      t.assert.equal(t.proxy.flows.length, 1);
    });
  }
});
`;

const ASSERTS = `
import { test } from ${source("node_test.ts")};
import { respond } from ${source("mod.ts")};
const options = { tape: false, rules: [["*", respond({ status: 201 })]] };
test("plans", options, async (t) => {
  t.plan(3);
  await t.proxy.fetch("http://a.test/x");
  t.assert.received(t.proxy, "/x");
  t.assert.notReceived(t.proxy, "/y");
  await t.assert.responded(t.proxy.flows.last(), 201, { within: 10_000 });
});
test("plans more than it does", options, async (t) => {
  t.plan(2);
  await t.proxy.fetch("http://a.test/x");
  t.assert.received(t.proxy, "/x");
});
test("fails", options, (t) => t.assert.received(t.proxy, "/x"));
`;
