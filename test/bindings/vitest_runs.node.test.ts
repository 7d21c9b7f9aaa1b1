import { globSync } from "node:fs";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Origin, startOrigin } from "../support/origin.ts";
import { makeProject, type Project, root, type Run, source } from "./project.ts";

let origin: Origin;
let project: Project;
let result: Run;

const vitest = (args: string[], env: Record<string, string> = {}) =>
  project.run(process.execPath, [
    `${root}node_modules/vitest/vitest.mjs`,
    "run",
    "--reporter=verbose",
    "--testTimeout=30000",
    ...args,
  ], {
    VITEST: undefined,
    VITEST_POOL_ID: undefined,
    VITEST_WORKER_ID: undefined,
    NODE_ENV: undefined,
    ...env,
  });

beforeAll(async () => {
  origin = await startOrigin(({ target }) => ({ body: `hello ${target}` }));
  project = await makeProject({
    "vitest.config.ts": CONFIG,
    "own.test.ts": OWN(origin.url),
    "shared.test.ts": SHARED(origin.url),
    "worker.test.ts": WORKER(origin.url),
  });
  result = await vitest([]);
}, 200_000);

afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const outcome = (name: string) => new RegExp(`^ *(\\S) .*> ${name} \\d+ms`, "m").exec(result.output)?.[1];

describe("vitest run", () => {
  test("fails when one of its tests fails", () => {
    expect(result.code).toBe(1);
    expect(result.output).toMatch(/4 failed \| 12 passed \| 1 expected fail \| 8 skipped/);
  });

  test("a retry begins with a new proxy, and the tape as it was", async () => {
    expect(outcome("passes at last")).toBe("✓");
    const tape = await project.read("__tapes__/own/passes-at-last.har");
    expect(tape).toContain("/attempt/2");
    expect(tape).not.toContain("/attempt/1");
  });

  test("concurrent tests have tapes of their own", async () => {
    for (const name of ["c1", "c2", "c3"]) {
      expect(await project.read(`__tapes__/own/at-once--${name}.har`)).toContain(`/${name}"`);
    }
  });

  test("tells what a test has failed with first, and a swallowed request beside it", () => {
    expect(outcome("swallows and fails")).toBe("×");
    expect(result.output).toMatch(/→ its own error\n.*→ a request matched nothing/);
  });

  test("a test that is to fail may do so", () => {
    expect(outcome("fails as it must")).toBe("✓");
    expect(project.tapes()).toContain("own/fails-as-it-must");
  });

  test("leaves a report of each test that failed, says where, and attaches it", () => {
    expect(project.reports()).toEqual([
      "own/expects-in-vain",
      "own/passes-at-last",
      "own/replays--swallows-and-fails",
      "shared/swallows",
    ]);
    expect(result.output).toContain(
      `the traffic of this test is in ${project.folder}/flowtape-report/shared/swallows.html`,
    );
    expect(globSync(".vitest/attachments/*.html", { cwd: project.folder }).length).toBeGreaterThan(2);
  });

  test("every matcher is there", () => {
    expect(outcome("matches")).toBe("✓");
  });

  test("projects share the tapes of a test, with options of their own", async () => {
    expect(result.output).toMatch(/✓ .*first.* own\.test\.ts > of a project/);
    expect(result.output).toMatch(/✓ .*second.* own\.test\.ts > of a project/);
    expect(await project.read("__tapes__/own/of-a-project.har")).toContain("/project");
  });
});

describe("a proxy that the tests of a file share", () => {
  test("is started once, and known to fixtures and hooks of the same scope", () => {
    expect(result.output.match(/the application starts/g)).toHaveLength(1);
    expect(result.output.match(/the application stops/g)).toHaveLength(1);
    expect(outcome("asks the application")).toBe("✓");
  });

  test("shows each test its own flows only", () => {
    expect(outcome("sees no flows of others")).toBe("✓");
  });

  test("fails the test in which a request was swallowed, and no other", () => {
    expect(outcome("swallows")).toBe("×");
    expect(outcome("is not to blame")).toBe("✓");
  });

  test("leaves the tape as it was when one has failed", () => {
    expect(project.tapes()).not.toContain("shared");
  });

  test("has one tape for the file", async () => {
    const run = await vitest(["--project=first", "-t", "asks the application|sees no flows", "shared.test.ts"]);
    expect(run.code).toBe(0);
    expect(await project.read("__tapes__/shared.har")).toContain("/asked");
  }, 200_000);
});

describe("a proxy that a worker has", () => {
  test("has a tape only where a path says which", () => {
    expect(outcome("of a worker")).toBe("✓");
    expect(result.output).toContain('a proxy of scope "worker" has a tape only where a path says which');
  });
});

test("shards replay what the whole run has recorded", async () => {
  for (const shard of ["1/2", "2/2"]) {
    const run = await vitest([
      "--project=first",
      `--shard=${shard}`,
      "-t",
      "at once|of a project|of a worker|asks the app",
    ], {
      CI: "true",
    });
    expect(run.output).toMatch(/passed/);
    expect(run.code).toBe(0);
  }
}, 200_000);

const CONFIG = `
import { defineConfig } from "vitest/config";
const first = { extends: true, test: { name: "first", provide: { proxyOptions: { report: "flowtape-report" } } } };
const second = { extends: true, test: { name: "second", include: ["own.test.ts"], testNamePattern: "of a project" } };
export default defineConfig({ test: { pool: "forks", projects: [first, second] } });
`;

const OWN = (origin: string) => `
import { describe } from "vitest";
import { expect, test } from ${source("vitest.ts")};
import { respond } from ${source("mod.ts")};
const get = async (proxy, path) => await (await proxy.fetch("${origin}" + path)).text();
let attempt = 0;
test("passes at last", { retry: 2 }, async ({ proxy }) => {
  await get(proxy, "/attempt/" + ++attempt);
  if (attempt === 1) throw new Error("once more");
});
describe("at once", () => {
  for (const name of ["c1", "c2", "c3"]) {
    test.concurrent(name, async ({ proxy }) => {
      await get(proxy, "/" + name);
      await new Promise((done) => setTimeout(done, 50));
      expect(proxy.flows).toHaveLength(1);
    });
  }
});
test("of a project", async ({ proxy }) => { await get(proxy, "/project"); });
test.fails("fails as it must", async ({ proxy }) => { await get(proxy, "/fails"); throw new Error("it must"); });
test("expects in vain", async ({ proxy }) => {
  await get(proxy, "/orders");
  expect(proxy).toHaveReceived("PUT /orders");
});
describe("matchers", () => {
  test.override({ proxyOptions: { tape: false, rules: [["*", respond({ json: { id: 1 } })]] } });
  test("matches", async ({ proxy }) => {
    await proxy.fetch("http://a.test/one");
    await proxy.fetch("http://a.test/two", { method: "POST", body: "{}" });
    expect(proxy).toHaveReceived("/one");
    expect(proxy).toHaveReceivedTimes("/one", 1);
    expect(proxy).toHaveReceivedNth(1, "/one");
    expect(proxy).toHaveReceivedLast("POST /two");
    expect(proxy).toHaveReceivedInOrder(["/one", "/two"]);
    expect(proxy).toHaveNoUnmatched();
    expect(proxy.flows.first()).toMatchRequest("/one");
    await expect(proxy.flows.first()).toHaveResponded(200, { within: 10_000 });
    expect.soft(proxy).not.toHaveReceived("/three");
    await expect.poll(() => proxy.flows).toHaveReceivedTimes("http://a.test/:any", 2);
  });
});
describe("replays", () => {
  test.override({ proxyOptions: { tape: { mode: "replay" } } });
  test("swallows and fails", async ({ proxy }) => { await get(proxy, "/swallowed"); throw new Error("its own error"); });
});
`;

const SHARED = (origin: string) => `
import { expect, sharedTest } from ${source("vitest.ts")};
const test = sharedTest({ scope: "file", tape: { modes: [["/missing", "replay"]] } })
  .extend("app", { scope: "file" }, async ({ proxy }, { onCleanup }) => {
    console.log("the application starts");
    onCleanup(() => console.log("the application stops"));
    return { ask: async (path: string) => await (await proxy.fetch("${origin}" + path)).text() };
  });
test.beforeAll(async ({ app }) => { await app.ask("/before"); });
test("asks the application", async ({ app, proxy }) => {
  expect(await app.ask("/asked")).toBe("hello /asked");
  expect(proxy).toHaveReceived("/asked");
});
test("sees no flows of others", async ({ app, proxy }) => {
  await app.ask("/mine");
  expect(proxy.flows).toHaveLength(1);
});
test("swallows", async ({ app }) => { await app.ask("/missing"); });
test("is not to blame", ({ proxy }) => { expect(proxy).toHaveNoUnmatched(); });
`;

const WORKER = (origin: string) => `
import { expect, sharedTest } from ${source("vitest.ts")};
const test = sharedTest({ scope: "worker" });
test("of a worker", async ({ proxy }) => {
  await (await proxy.fetch("${origin}/worker")).text();
  expect(proxy).toHaveReceived("/worker");
});
const named = sharedTest({ scope: "worker", tape: { times: true } });
named("without a path", async ({ proxy }) => { throw new Error("this must not be reached: " + proxy.url); });
try {
  sharedTest({ scope: "test" as "file" });
} catch (error) {
  test("of no scope", () => expect(String(error)).toContain('option scope is'));
}
`;
