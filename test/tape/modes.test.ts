import { existsSync } from "node:fs";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import { resolveMode } from "../../src/tape/modes.ts";
import { readTape, type TapeMode } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, type FlowInit, flowOf, har, harEntry, open, pass, record } from "./tapes.ts";

const url = (rest: string) => ({ url: `https://shop.test/${rest}` });
const urls = async (path: string) => (await readTape(path)).entries.map((entry) => new URL(entry.url).pathname);

test.each<[TapeMode | undefined, string | undefined, TapeMode]>([
  [undefined, undefined, "auto"],
  ["auto", "", "auto"],
  ["auto", "0", "auto"],
  ["auto", "False", "auto"],
  [undefined, "true", "replay"],
  ["auto", "1", "replay"],
  ["record", "1", "record"],
  ["passthrough", "1", "passthrough"],
])("mode %s with CI=%s is %s", (mode, CI, expected) => {
  expect(resolveMode(mode, CI === undefined ? {} : { CI })).toBe(expected);
});

describe("auto", () => {
  test("replays what is there, records what is missing, and keeps both", async () => {
    await using folder = await tempFolder();
    const path = folder.file("deep", "er", "a.har");
    const first = await open(path, { mode: "auto" });
    expect((await pass(first.tape, url("a"))).response).toBe(undefined);
    first.tape.record(flowOf({ ...url("a"), response: { body: "a" } }));
    await first.tape.close();

    const second = await open(path, { mode: "auto" });
    expect(await answer(second.tape, url("a"))).toBe("a");
    expect((await pass(second.tape, url("b"))).response).toBe(undefined);
    second.tape.record(flowOf({ ...url("b"), response: { body: "x".repeat(3000) } }));
    await second.tape.close();
    expect(await urls(path)).toEqual(["/a", "/b"]);
    expect(second.unmatched).toEqual([]);

    const before = await readFile(path, "utf8");
    const third = await open(path, { mode: "auto" });
    expect(await answer(third.tape, url("b"))).toHaveLength(3000);
    expect(third.tape.unused.map(String)).toEqual(["GET https://shop.test/a"]);
    third.tape.record(flowOf({ ...url("c"), response: {} }));
    await third.tape.close();
    expect(await urls(path)).toEqual(["/a", "/b", "/c"]);
    expect((await readFile(path, "utf8")).startsWith(before.slice(0, -20).trimEnd())).toBe(true);
  });

  test("nothing is written when nothing was recorded", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const { tape, log } = await open(path, { mode: "auto" });
    await tape.close();
    expect(existsSync(path)).toBe(false);
    expect(log).toEqual([]);
  });

  test("a body that somebody edited in place is kept as it is", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const response = { headers: { "content-type": "text/plain" }, body: "x".repeat(3000) };
    await record(path, [{ ...url("a"), response }]);
    const [entry] = (await readTape(path)).entries;
    const { content } = JSON.parse(await readFile(path, "utf8")).log.entries[0].response;
    await writeFile(`${path}.d/${content._file}`, "edited");
    const { tape } = await open(path, { mode: "auto" });
    tape.record(flowOf({ ...url("b"), response }));
    await tape.close();
    const { tape: replay } = await open(path, { mode: "replay" });
    expect(entry!.index).toBe(0);
    expect(await answer(replay, url("a"))).toBe("edited");
    expect(await answer(replay, url("b"))).toBe(response.body);
    await replay.close();
  });
});

describe("record", () => {
  test("a new tape takes the place of the old one; nothing is replayed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ ...url("a"), response: {} }]);
    const { tape } = await open(path, { mode: "record" });
    expect(tape.requestHeaders).toBe(undefined);
    expect(tape.response).toBe(undefined);
    tape.record(flowOf({ ...url("b"), response: {} }));
    expect(await urls(path)).toEqual(["/a"]);
    await tape.close();
    await tape.close();
    expect(await urls(path)).toEqual(["/b"]);
  });

  test("nothing recorded leaves the tape as it was, and says so", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ ...url("a"), response: {} }]);
    const { tape, log } = await open(path, { mode: "record" });
    await tape.close();
    expect(await urls(path)).toEqual(["/a"]);
    expect(log).toEqual([{ level: "warn", message: `nothing was recorded: the tape ${path} is left as it was` }]);
  });

  test.each<[boolean, string, FlowInit, string?]>([
    [true, "an answer", { response: {} }],
    [true, "an error status", { response: { status: 503 } }],
    [true, "a failure of the server", { error: { code: "UPSTREAM_REFUSED", message: "x" } }],
    [false, "a client that went", { error: { code: "CLIENT_ABORTED", message: "x" } }],
    [false, "a client that went in the middle", { response: {}, error: { code: "CLIENT_ABORTED", message: "x" } }],
    [false, "a dropped flow", { error: { code: "DROPPED", message: "x" } }],
    [false, "a flow without an end", {}],
    [false, "a tunnel", { method: "CONNECT", response: {} }],
    [false, "an answer of a rule", { response: {} }, "rule"],
    [false, "an answer of a tape", { response: {} }, "tape"],
    [false, "a failure of a tape", { error: { code: "UPSTREAM_REFUSED", message: "x" } }, "tape"],
  ])("%s: %s", async (expected, _what, init, source = "upstream") => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const { tape } = await open(path, { mode: "record" });
    const flow = flowOf(init);
    flow.source = source as typeof flow.source;
    tape.record(flow);
    await tape.close();
    tape.record(flowOf({ response: {} }));
    expect(existsSync(path)).toBe(expected);
  });

  test("what was not kept whole is not recorded: close() rejects, and the rest is written", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const { tape, log } = await open(path, { mode: "record" });
    const flow = flowOf({ ...url("big?token=abc"), response: {} });
    flow.response!.content = new BodyBuffer(10);
    flow.response!.content.push(new Uint8Array(99));
    flow.response!.content.complete = true;
    tape.record(flow);
    tape.record(flowOf({ ...url("small"), response: {} }));
    const message =
      "GET https://shop.test/big?token=[redacted]: the response body has 99 bytes, of which only 10 were kept";
    expect(log).toEqual([{ level: "error", message: `not recorded: ${message}` }]);
    await expect(tape.close()).rejects.toMatchObject({ code: "TAPE_BODY_TRUNCATED" });
    await expect(tape.close()).rejects.toThrow(message);
    expect(await urls(path)).toEqual(["/small"]);
  });

  test("a connection that became another protocol is left out with a warning", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const { tape, log } = await open(path, { mode: "record" });
    const flow = flowOf({ response: {} });
    flow.response!.status = 101;
    tape.record(flow);
    await tape.close();
    expect(log.map(({ level }) => level)).toEqual(["warn", "warn"]);
    expect(existsSync(path)).toBe(false);
  });
});

describe("replay", () => {
  test("does not touch what others have answered", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ response: { body: "tape" } }]);
    const { tape, unmatched } = await open(path, { mode: "replay" });
    const answered = flowOf({ response: { body: "rule" } });
    await tape.requestHeaders!(answered);
    expect(answered.response!.text()).toBe("rule");
    const failed = flowOf({ ...url("x"), error: { code: "DROPPED", message: "x" } });
    await tape.requestHeaders!(failed);
    expect([failed.response, failed.error!.code]).toEqual([undefined, "DROPPED"]);
    expect([unmatched, tape.unused.length]).toEqual([[], 1]);
    await tape.close();
  });

  test("waits for the body only when it decides", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [
      { ...url("a"), method: "POST", response: { body: "a" } },
      { ...url("b"), method: "POST", body: "1", response: { body: "b" } },
    ]);
    const { tape } = await open(path, { mode: "replay" });
    const arriving = (rest: string) => {
      const flow = flowOf({ ...url(rest), method: "POST" });
      flow.request.content = new BodyBuffer();
      return flow;
    };
    const a = arriving("a");
    await tape.requestHeaders!(a);
    expect(a.response!.text()).toBe("a");
    const b = arriving("b");
    b.request.stream = true;
    await tape.requestHeaders!(b);
    expect(b.response).toBe(undefined);
    expect([tape.needs!("request", b), tape.needs!("response", b), tape.keepsBodies(b)]).toEqual([true, false, true]);
    expect(b.request.stream).toBe(false);
    b.request.content.push(new TextEncoder().encode("1"));
    b.request.content.complete = true;
    await tape.request!(b);
    expect(b.response!.text()).toBe("b");
    expect([tape.needs!("request", b), tape.keepsBodies(b)]).toEqual([false, false]);
    await tape.close();
  });

  test("an addon may still change a request that nothing matches so far", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ ...url("a"), response: { body: "a" } }]);
    const { tape, unmatched } = await open(path, { mode: "replay" });
    const flow = flowOf(url("b"));
    await tape.requestHeaders!(flow);
    expect(tape.needs!("request", flow)).toBe(true);
    flow.request.url = "https://shop.test/a";
    await tape.request!(flow);
    expect([flow.response!.text(), unmatched]).toEqual(["a", []]);
    await tape.close();
  });

  test("an answer may be changed without changing the next one", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ response: { headers: { a: "1" }, body: "x" } }]);
    const { tape } = await open(path, { mode: "replay" });
    const first = await pass(tape);
    first.response!.headers.set("a", "2");
    first.response!.body = "y";
    const second = await pass(tape);
    expect([second.response!.headers.get("a"), second.response!.text()]).toEqual(["1", "x"]);
    await tape.close();
  });

  test("a body file that disappears is an error that names the entry", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{ response: { body: "x".repeat(3000) } }]);
    const { tape } = await open(path, { mode: "replay" });
    const { rm } = await import("node:fs/promises");
    await rm(`${path}.d`, { recursive: true });
    await expect(pass(tape)).rejects.toMatchObject({ code: "TAPE_BODY_MISSING" });
    await tape.close();
  });

  test("nothing is recorded", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const { tape } = await open(path, { mode: "replay" });
    const flow = flowOf({ response: {} });
    expect(tape.keepsBodies(flow)).toBe(false);
    tape.record(flow);
    await tape.close();
    expect(existsSync(path)).toBe(false);
  });
});

test("passthrough leaves the tape alone, even a damaged one", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await writeFile(path, "damaged");
  const { tape } = await open(path, { mode: "passthrough" });
  expect([tape.mode, tape.requestHeaders, tape.unused]).toEqual(["passthrough", undefined, []]);
  tape.record(flowOf({ response: {} }));
  await tape.close();
  expect(await readFile(path, "utf8")).toBe("damaged");
});

describe("one tape, two proxies", () => {
  test.each<[TapeMode, TapeMode]>([
    ["replay", "replay"],
    ["record", "record"],
    ["auto", "auto"],
    ["auto", "replay"],
    ["replay", "record"],
    ["record", "passthrough"],
  ])("%s and %s: what both record is on the tape", async (a, b) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(path, har(harEntry()));
    await symlink(folder.path, folder.file("link"));
    const first = await open(path, { mode: a });
    const second = await open(folder.file("link", "a.har"), { mode: b });
    first.tape.record(flowOf({ url: "https://shop.test/both", response: { body: "same" } }));
    second.tape.record(flowOf({ url: "https://shop.test/both", response: { body: "same" } }));
    first.tape.record(flowOf({ url: "https://shop.test/first", response: { body: "x".repeat(3000) } }));
    second.tape.record(flowOf({ url: "https://shop.test/second", response: { body: "x".repeat(3000) } }));
    await first.tape.close();
    await second.tape.close();
    const writes = (mode: TapeMode) => mode === "record" || mode === "auto";
    expect((await readTape(path)).entries.map(({ url }) => url.slice(18)).sort()).toEqual([
      ...(a === "record" || b === "record" ? [] : [""]),
      ...(writes(a) || writes(b) ? ["both"] : []),
      ...(writes(a) ? ["first"] : []),
      ...(writes(b) ? ["second"] : []),
    ]);
    expect((await readdir(folder.path)).sort()).toEqual(
      writes(a) || writes(b) ? ["a.har", "a.har.d", "link"] : ["a.har", "link"],
    );
    if (writes(a) || writes(b)) expect(await readdir(`${path}.d`)).toHaveLength(1);
  });

  test("a tape is free again after opening or closing it has failed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(path, "damaged");
    await expect(open(path, { mode: "record" })).rejects.toMatchObject({ code: "TAPE_DAMAGED" });
    await writeFile(path, har(harEntry()));
    const { tape } = await open(path, { mode: "auto" });
    await writeFile(path, "damaged meanwhile");
    tape.record(flowOf({ response: {} }));
    await expect(tape.close()).rejects.toMatchObject({ code: "TAPE_DAMAGED" });
    expect(await readFile(path, "utf8")).toBe("damaged meanwhile");
    await writeFile(path, har(harEntry()));
    await (await open(path, { mode: "record" })).tape.close();
  });
});
