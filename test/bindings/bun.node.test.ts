import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Origin, startOrigin } from "../support/origin.ts";
import { runtimePath } from "../support/runtime.ts";
import { makeProject, type Project, type Run, source } from "./project.ts";

let origin: Origin;
let project: Project;
let result: Run;

beforeAll(async () => {
  origin = await startOrigin(({ target }) => ({ body: `hello ${target}` }));
  project = await makeProject({ "shop.test.ts": SHOP(origin.url), "other.test.ts": OTHER(origin.url) });
  result = await project.run(runtimePath("bun"), ["test", "--timeout=30000"]);
}, 200_000);

afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const outcome = (name: string) => new RegExp(`^\\((\\w+)\\) ${name}( \\(| \\[|$)`, "m").exec(result.output)?.[1];

describe("bun test", () => {
  test("fails when one of its tests fails", () => {
    expect(result.code).toBe(1);
    expect(result.output).toMatch(/\b10 pass\b.*\b1 skip\b.*\b5 fail\b/s);
  });

  test("gives a test its proxy, and the tape that is named after its file and it", async () => {
    expect(outcome("lists orders")).toBe("pass");
    expect(await project.read("__tapes__/shop/lists-orders.har")).toContain("/orders");
    expect(await project.read("__tapes__/other/lists-orders.har")).toContain("/other");
  });

  test("keeps tests of the same name apart, and knows the blocks around them", () => {
    expect(project.tapes().filter((name) => name.includes("is-empty"))).toEqual([
      "shop/cart--full--is-empty",
      "shop/cart--is-empty",
      expect.stringMatching(/^shop\/cart--is-empty-[0-9a-f]{8}$/),
    ]);
  });

  test("fails a test whose request was swallowed", () => {
    expect(outcome("swallows")).toBe("fail");
    expect(result.output).toMatch(/UnmatchedRequestError: a request matched nothing.*\/swallowed\n/s);
  });

  test("tells both what a test has failed with and a swallowed request", () => {
    expect(result.output).toMatch(/error: its own error.*UnmatchedRequestError.*\/swallowed-too\n/s);
  });

  test("gives each of the tests that run at once its own, and fails the right one", () => {
    expect(["c1", "c2", "c3"].map(outcome)).toEqual(["pass", "fail", "pass"]);
  });

  test("closes the proxy of a test that takes too long", () => {
    expect(outcome("takes too long")).toBe("fail");
    expect(result.output).toContain("closed: FlowtapeError");
  });

  test("tries again with a new proxy, and keeps the tape of the attempt that passed", async () => {
    expect(outcome("passes at last")).toBe("pass");
    const tape = await project.read("__tapes__/shop/passes-at-last.har");
    expect(tape).toContain("/attempt/2");
    expect(tape).not.toContain("/attempt/1");
  });

  test("leaves the tape of a test that failed as it was, and a report", async () => {
    expect(project.tapes().filter((name) => /swallows|too-long|c2|expects/.test(name))).toEqual([]);
    expect(project.reports()).toEqual([
      "shop/c2",
      "shop/expects-in-vain",
      "shop/passes-at-last",
      "shop/swallows",
      "shop/swallows-and-fails",
      "shop/takes-too-long",
    ]);
    expect(result.output).toContain(`the traffic of this test is in ${project.folder}/flowtape-report/shop/c2.html`);
    expect(await project.read("flowtape-report/shop/expects-in-vain.html")).toContain("PUT /orders");
  });

  test("has the matchers in its expect", () => {
    expect(result.output).toMatch(/expected at least 1 request matching PUT \/orders\nreceived none/);
  });

  test("replays on a CI server", async () => {
    const run = await project.run(runtimePath("bun"), ["test", "--timeout=30000", "-t", "lists orders|is empty"], {
      CI: "true",
    });
    expect(run.output).toMatch(/\b5 pass\b/);
    expect(run.code).toBe(0);
  });

  test("a test that is to fail may do so", () => {
    expect(outcome("fails as it must")).toBe("pass");
    expect(project.tapes()).toContain("shop/fails-as-it-must");
  });
});

const SHOP = (origin: string) => `
import { describe, expect, test } from ${source("bun.ts")};
const get = async (proxy, path) => await (await proxy.fetch("${origin}" + path)).text();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
test("lists orders", async ({ proxy }) => {
  expect(await get(proxy, "/orders")).toBe("hello /orders");
  expect(proxy).toHaveReceived("/orders");
  expect(proxy).not.toHaveReceived("/cart");
  await expect(proxy.flows.last()).toHaveResponded(200, { within: 10_000 });
});
test("expects in vain", async ({ proxy }) => {
  await get(proxy, "/orders");
  expect(proxy).toHaveReceived("PUT /orders");
});
describe("cart", () => {
  test("is empty", async ({ proxy }) => { await get(proxy, "/cart"); });
  describe("full", async () => {
    await sleep(1);
    test("is empty", async ({ proxy }) => { await get(proxy, "/cart"); });
  });
  test("is empty!", async ({ proxy }) => { await get(proxy, "/cart"); });
});
test("swallows", { tape: { mode: "replay" } }, async ({ proxy }) => { await get(proxy, "/swallowed"); });
test("swallows and fails", { tape: { mode: "replay" } }, async ({ proxy }) => {
  await get(proxy, "/swallowed-too");
  throw new Error("its own error");
});
test("takes too long", { test: { timeout: 500 } }, async ({ proxy }) => {
  await get(proxy, "/long");
  await sleep(1000);
  await get(proxy, "/late").catch((error) => console.log("closed: " + error.name));
});
test.skip("left out", () => { throw new Error("this must not run"); });
test.failing("fails as it must", async ({ proxy }) => { await get(proxy, "/fails"); throw new Error("it must"); });
let attempt = 0;
test("passes at last", { test: { retry: 2 } }, async ({ proxy }) => {
  await get(proxy, "/attempt/" + ++attempt);
  if (attempt === 1) throw new Error("once more");
});
for (const name of ["c1", "c2", "c3"]) {
  test.concurrent(name, { tape: { mode: name === "c2" ? "replay" : "auto" } }, async ({ proxy }) => {
    await get(proxy, "/" + name);
    await sleep(50);
    expect(proxy.flows.length).toBe(1);
  });
}
test("waits for the one that took too long", { tape: false }, () => sleep(1500));
`;

const OTHER = (origin: string) => `
import { test } from ${source("bun.ts")};
test("lists orders", async ({ proxy }) => { await (await proxy.fetch("${origin}/other")).text(); });
`;
