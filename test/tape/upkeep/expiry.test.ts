// Tapes that are too old, and tapes that are too large.
import { readFile, writeFile } from "node:fs/promises";
import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TapeOptions } from "../../../src/mod.ts";
import { parseDays } from "../../../src/tape/upkeep/age.ts";
import { checkExpiry } from "../../../src/tape/upkeep/expiry.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { ask, entriesOf, startProxy } from "../proxies.ts";
import { har, harEntry, open, pass } from "../tapes.ts";

let folder: TempFolder;
let path: string;
let origin: Origin;
let count = 0;

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
  count = 0;
  origin = await startOrigin(({ target }) => ({ body: target.startsWith("/large") ? "x".repeat(5000) : `${++count}` }));
});

afterEach(async () => {
  await origin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function run(options: Partial<TapeOptions>, ...targets: string[]) {
  const log: string[] = [];
  const proxy = await startProxy({
    tape: { path, ...options },
    addons: [{ log: ({ level, message }) => void log.push(`${level}: ${message}`) }],
  });
  const answers: string[] = [];
  for (const target of targets) answers.push((await ask(proxy, origin.url + target)).slice(4));
  await proxy.close();
  return { answers: answers.join(" "), log: log.join("\n") };
}

const today = () => new Date().toISOString().slice(0, 10);
const dayOf = async () => JSON.parse(await readFile(path, "utf8")).log._recorded as string | undefined;

async function setDay(day: unknown): Promise<void> {
  const file = JSON.parse(await readFile(path, "utf8"));
  file.log._recorded = day;
  await writeFile(path, JSON.stringify(file));
}

test.each([["1d", 1], ["6w", 42], ["3mo", 90], ["1y", 365], ["30 d", 30], ["1m", undefined], ["d", undefined]])(
  "%s is %s days",
  (text, days) => expect(parseDays(text)).toBe(days),
);

describe("expires", () => {
  const after = (then: "warn" | "fail" | "record") => ({ expires: { after: "30d", then } });

  test("the day of the recording is on the tape only where it may expire", async () => {
    await run({ mode: "record" }, "/a");
    expect(await dayOf()).toBe(undefined);
    await run({ mode: "record", ...after("warn") }, "/a");
    expect(await dayOf()).toBe(today());
    // It is that of the oldest entry.
    await setDay("2020-01-01");
    await run({ ...after("warn") }, "/b");
    expect(await dayOf()).toBe("2020-01-01");
    expect(await entriesOf(path)).toHaveLength(2);
    await run({ mode: "record", ...after("warn") }, "/a");
    expect(await dayOf()).toBe(today());
  });

  test("a tape that is young enough is replayed in silence", async () => {
    await run({ mode: "record", ...after("fail") }, "/a");
    expect(await run(after("fail"), "/a")).toEqual({ answers: "1", log: "" });
  });

  test("of so many days it is young enough, of one more it is not", () => {
    const of = (days: number) => {
      const context = {
        state: { exists: true, recorded: "2026-03-01" },
        mayRecord: true,
        now: Date.parse("2026-03-01") + days * 86_400_000 + 1000,
        log: () => {},
      };
      return checkExpiry({ path: "a.har", expires: { after: "30d", then: "record" } }, context);
    };
    expect([29, 30, 31].map(of)).toEqual([false, false, true]);
  });

  test("warn, fail, record", async () => {
    await run({ mode: "record", ...after("warn") }, "/a");
    await setDay("2020-01-01");
    const warned = await run(after("warn"), "/a");
    expect(warned.answers).toBe("1");
    expect(warned.log).toMatch(/warn: the tape .* was recorded on 2020-01-01, \d+ days ago, and expires after 30d/);
    await expect(run(after("fail"), "/a")).rejects.toMatchObject({ name: "TapeError", code: "TAPE_EXPIRED" });
    expect(await run(after("record"), "/a")).toMatchObject({
      answers: "2",
      log: expect.stringMatching(/it is recorded anew/),
    });
    expect(await dayOf()).toBe(today());
    expect((await run(after("record"), "/a")).answers).toBe("2");
  });

  test.each<[string, Partial<TapeOptions>, string]>([
    ["in mode replay", { mode: "replay" }, ""],
    ["on a CI server", {}, "true"],
    ["on a CI server, in mode once", { mode: "once" }, "true"],
  ])("record is a warning %s", async (_what, options, CI) => {
    await run({ mode: "record", ...after("record") }, "/a");
    await setDay("2020-01-01");
    const { tape, log } = await open(path, { ...options, ...after("record") }, undefined, { CI });
    expect(log[0]!.message).toMatch(/record it anew/);
    expect((await pass(tape, { url: `${origin.url}/a` })).response!.text()).toBe("1");
    await tape.close();
  });

  test("once records an old tape anew", async () => {
    await run({ mode: "once", ...after("record") }, "/a");
    await setDay("2020-01-01");
    expect((await run({ mode: "once", ...after("record") }, "/a")).answers).toBe("2");
  });

  test("a test that fails does not lose the old tape", async () => {
    await run({ mode: "record", ...after("record") }, "/a");
    await setDay("2020-01-01");
    const proxy = await startProxy({ tape: { path, ...after("record") } });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 2");
    await proxy.close({ failed: true });
    expect(await dayOf()).toBe("2020-01-01");
  });

  test("a tape that does not say its day does not expire, and that is said", async () => {
    await run({ mode: "record" }, "/a");
    const { answers, log } = await run(after("fail"), "/a");
    expect(answers).toBe("1");
    expect(log).toContain(
      `does not say when it was recorded, so it cannot expire: record it anew, or write "_recorded": "${today()}"`,
    );
    expect(await run(after("fail"))).toMatchObject({ log: expect.stringMatching(/cannot expire/) });
  });

  test("the times of another recorder are a day too", async () => {
    const entry = { ...harEntry(), startedDateTime: "2021-05-06T07:08:09Z" };
    await writeFile(path, har({ ...entry, startedDateTime: "2022-01-01T00:00:00Z" }, entry));
    await expect(run(after("fail"))).rejects.toThrow("was recorded on 2021-05-06");
  });

  test.each([["yesterday"], [5], ["2020-13-01"]])("a day that is none, %j: the tape is damaged", async (day) => {
    await run({ mode: "record" }, "/a");
    await setDay(day);
    await expect(run(after("warn"))).rejects.toMatchObject({ code: "TAPE_DAMAGED" });
    // Nobody asks for it.
    expect((await run({}, "/a")).answers).toBe("1");
  });

  test("there is no tape yet", async () => {
    expect(await run(after("fail"), "/a")).toEqual({ answers: "1", log: "" });
  });
});

describe("maxBytes", () => {
  test("a tape that would be larger is not written: the error names the largest entries", async () => {
    await run({ mode: "record" }, "/a");
    const before = await readFile(path, "utf8");
    const closing = run({ maxBytes: 4000 }, "/b", "/large", "/c");
    await expect(closing).rejects.toMatchObject({ name: "TapeError", code: "TAPE_TOO_LARGE" });
    await expect(closing).rejects.toThrow(/it would have \d+\.\d kB, and maxBytes allows 4\.0 kB/);
    await expect(closing).rejects.toThrow(/largest entries:\n {2}\d\.\d kB {2}GET http:\S+\/large\n/);
    await expect(closing).rejects.toThrow('modes: [["<matcher>", "passthrough"]]');
    expect(await readFile(path, "utf8")).toBe(before);
    expect(await readdir(folder.path)).toEqual(["a.har"]);
    // And what was too large does not come back.
    expect((await run({ maxBytes: 4000 }, "/a")).answers).toBe("1");
  });

  test("it is the bytes on disk, bodies that are shared once", async () => {
    await run({ mode: "record" }, "/large/1", "/large/2", "/a");
    const [body] = await readdir(`${path}.d`);
    const bytes = (await readFile(path)).length + (await readFile(`${path}.d/${body}`)).length;
    await run({ mode: "record", maxBytes: bytes }, "/large/1", "/large/2", "/a");
    await expect(run({ mode: "record", maxBytes: bytes - 1 }, "/large/1", "/large/2", "/a")).rejects.toMatchObject({
      code: "TAPE_TOO_LARGE",
    });
  });
});
