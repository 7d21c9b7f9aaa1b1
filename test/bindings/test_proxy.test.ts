import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { respond, UnmatchedRequestError } from "../../src/mod.ts";
import { SharedProxy } from "../../src/runner/shared_proxy.ts";
import { messageOf, oneError, openTestProxy, type Report } from "../../src/runner/test_proxy.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";

const passed = { failed: false } as const;
const failed = (error: unknown) => ({ failed: true, error }) as const;

/** A test in a folder, and what the user is told of it. */
async function inFolder() {
  const folder = await tempFolder();
  const told: Report[] = [];
  return {
    info: { file: folder.file("shop.test.ts"), slug: "a-test", title: "a test" },
    tape: folder.file("__tapes__/shop/a-test.har"),
    report: folder.file("flowtape-report/shop/a-test.html"),
    told,
    tell: (report: Report) => void told.push(report),
    file: folder.file,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const get = async (proxy: { fetch: typeof fetch }, url: string) => await (await proxy.fetch(url)).text();

describe("the proxy of a test", () => {
  test("that passes has a tape, and no report", async () => {
    await using origin = await startOrigin();
    await using it = await inFolder();
    const own = await openTestProxy({ tape: { mode: "record" } }, it.info);
    await get(own.proxy, `${origin.url}/orders`);
    await own.end(passed, it.tell);
    expect(await readFile(it.tape, "utf8")).toContain("/orders");
    expect(it.told).toEqual([]);
    expect(existsSync(it.report)).toBe(false);
  });

  test("that fails has a report that only its owner can read, and its tape as it was", async () => {
    await using origin = await startOrigin();
    await using it = await inFolder();
    const own = await openTestProxy({ tape: { mode: "record" } }, it.info);
    await get(own.proxy, `${origin.url}/orders`);
    await own.end(failed(new Error("out of luck")), it.tell);
    expect(existsSync(it.tape)).toBe(false);
    expect(it.told).toEqual([{ line: `flowtape: the traffic of this test is in ${it.report}`, path: it.report }]);
    const page = await readFile(it.report, "utf8");
    for (const text of ["out of luck", "a test", "/orders"]) expect(page).toContain(text);
    expect((await stat(it.report)).mode & 0o077).toBe(0);
  });

  test("fails for a request that nothing matched, and has both in its report when it has failed already", async () => {
    await using it = await inFolder();
    for (const outcome of [passed, failed(new Error("out of luck"))]) {
      const own = await openTestProxy({ tape: { mode: "replay" } }, it.info);
      await get(own.proxy, "http://shop.test/missing");
      await expect(own.end(outcome, it.tell)).rejects.toThrow(UnmatchedRequestError);
      const page = await readFile(it.report, "utf8");
      expect(page).toContain("/missing");
      expect(page.includes("out of luck")).toBe(outcome.failed);
    }
  });

  test("has no report where none is wanted", async () => {
    await using it = await inFolder();
    const own = await openTestProxy({ tape: false, report: false }, it.info);
    await own.end(failed("?"), it.tell);
    expect(it.told).toEqual([]);
  });

  test("says so when the report cannot be written, and nothing is hidden by that", async () => {
    await using it = await inFolder();
    await writeFile(it.file("taken"), "");
    const own = await openTestProxy({ tape: { mode: "replay" }, report: "taken" }, it.info);
    await get(own.proxy, "http://shop.test/missing");
    await expect(own.end(passed, it.tell)).rejects.toThrow(UnmatchedRequestError);
    expect(it.told).toEqual([{ line: expect.stringContaining("could not be written: "), path: undefined }]);
  });

  test("does not mind a runner that takes no reports any more", async () => {
    await using it = await inFolder();
    const own = await openTestProxy({ tape: false }, it.info);
    await own.end(failed(new Error("out of luck")), () => {
      throw new Error("too late");
    });
    expect(existsSync(it.report)).toBe(true);
  });

  test("may be closed by the test", async () => {
    await using it = await inFolder();
    const own = await openTestProxy({ tape: false }, it.info);
    await own.proxy.close();
    await own.end(failed(new Error("out of luck")), it.tell);
    expect(it.told.map(({ path }) => path)).toEqual([it.report]);
  });

  test("does not start with options that are none", async () => {
    await using it = await inFolder();
    await expect(openTestProxy({ report: 1 as never }, it.info)).rejects.toThrow("option report is 1");
    await expect(openTestProxy({ tape: [] as never }, it.info)).rejects.toThrow("option tape is []");
    await expect(openTestProxy({ rule: [] } as never, it.info)).rejects.toThrow("rule");
  });
});

describe("a proxy that tests share", () => {
  test("blames the test in which it happened, once", async () => {
    await using it = await inFolder();
    const shared = await SharedProxy.open({ tape: { mode: "replay" } }, it.info);
    shared.begin();
    await get(shared.proxy, "http://shop.test/missing");
    await expect(shared.end(it.info, passed, it.tell)).rejects.toThrow(UnmatchedRequestError);
    expect(it.told.length).toBe(1);
    shared.begin();
    expect(shared.proxy.flows.length).toBe(0);
    await shared.end(it.info, passed, it.tell);
    await shared.close();
  });

  test("keeps flows and rules while a test runs, and lets them go with the last", async () => {
    await using it = await inFolder();
    const shared = await SharedProxy.open({ tape: false, defaultAction: "drop" }, it.info);
    shared.begin();
    shared.begin();
    shared.proxy.use(["*", respond({ body: "ruled" })]);
    await get(shared.proxy, "http://shop.test/one");
    await shared.end(it.info, passed, it.tell);
    expect(await get(shared.proxy, "http://shop.test/two")).toBe("ruled");
    expect(shared.proxy.flows.length).toBe(2);
    await shared.end(it.info, passed, it.tell);
    expect(shared.proxy.flows.length).toBe(0);
    await expect(get(shared.proxy, "http://shop.test/three")).rejects.toThrow();
    await shared.close();
  });

  test("leaves the tape as it was when one of them has failed", async () => {
    await using origin = await startOrigin();
    await using it = await inFolder();
    for (const outcome of [failed(new Error("out of luck")), passed]) {
      const shared = await SharedProxy.open({ tape: { mode: "record" } }, it.info);
      shared.begin();
      await get(shared.proxy, `${origin.url}/orders`);
      await shared.end(it.info, outcome, it.tell);
      shared.begin();
      await shared.end(it.info, passed, it.tell);
      await shared.close();
      expect(existsSync(it.tape)).toBe(!outcome.failed);
    }
  });

  test("says at the end what no test has answered for", async () => {
    await using it = await inFolder();
    const shared = await SharedProxy.open({ tape: { mode: "replay" } }, it.info);
    await get(shared.proxy, "http://shop.test/missing");
    await expect(shared.close()).rejects.toThrow(UnmatchedRequestError);
  });
});

test("errors of any kind become one", () => {
  const error = new Error("one");
  expect(oneError([error])).toBe(error);
  const both = oneError([error, "two", undefined]) as AggregateError;
  expect(both.errors.length).toBe(3);
  expect(both.message).toBe("one\n\ntwo\n\nundefined");
  const odd = {
    get message() {
      throw new Error("not even this");
    },
  };
  expect(messageOf(odd)).toBe("something without a message");
  expect(messageOf(Object.create(null))).toBe("something without a message");
});
