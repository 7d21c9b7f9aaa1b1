import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { merge, readTape, writeTape } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, type FlowInit, flowOf, open, readLog, record } from "./tapes.ts";

/** A flow that began and ended so many milliseconds after some moment. */
function at(start: number, end: number, path: string, body: string, changes: FlowInit = {}) {
  const flow = flowOf({ url: `https://shop.test${path}`, response: { body }, start: 1e12 + start, ...changes });
  flow.timings.end = end - start;
  return flow;
}

type Timed = ReturnType<typeof at>;

async function write(path: string, flows: Timed[], mode: "record" | "auto" = "record", times = false): Promise<string> {
  const { tape } = await open(path, { mode, times });
  for (const flow of flows) tape.record(flow);
  await tape.close();
  return await readFile(path, "utf8");
}

const names = async (path: string) => (await readTape(path)).entries.map(({ url }) => new URL(url).pathname.slice(1));

describe("entries are written in an order that does not depend on chance", () => {
  test("what was under way together is sorted, what came one after the other is not", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const story = (jitter: number) => [
      at(0, 10, "/login", "1"),
      at(20 + jitter, 40, "/z", "2"),
      at(22 - jitter, 35 + jitter, "/a", "3"),
      at(30, 50 - jitter, "/m", "4"),
      at(60, 70, "/b", "5"),
    ];
    const first = await write(path, story(0));
    expect(await names(path)).toEqual(["login", "a", "m", "z", "b"]);
    for (const jitter of [-5, 1, 4]) {
      const other = folder.file(`${jitter}.har`);
      expect(await write(other, story(jitter).reverse())).toBe(first);
    }
  });

  test("equal requests stay in the order in which they began, however they ended", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await write(path, [at(5, 10, "/x", "second"), at(0, 20, "/x", "first"), at(6, 8, "/x", "third")]);
    expect((await readLog(path)).entries.map(({ response }) => response.content.text)).toEqual([
      "first",
      "second",
      "third",
    ]);
  });

  test("a new recording keeps the order of the old one, and what has not changed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const id = (value: string) => ({ headers: [["x-request-id", value], ["etag", "1"]] as [string, string][] });
    const response = (body: string, value: string) => ({ response: { body, ...id(value) } });
    const first = await write(path, [
      at(0, 1, "/a", "", response("same", "1")),
      at(2, 3, "/b", "", response("old", "2")),
      at(4, 5, "/c", "", response("same", "3")),
    ]);
    // In another order, as requests may be that hardly ever overlap.
    const same = await write(path, [
      at(0, 1, "/c", "", response("same", "4")),
      at(2, 3, "/b", "", response("old", "5")),
      at(4, 5, "/a", "", response("same", "6")),
    ]);
    expect(same).toBe(first);
    await write(path, [
      at(0, 1, "/a", "", response("same", "7")),
      at(2, 3, "/new", "", response("new", "8")),
      at(4, 5, "/b", "", response("changed", "9")),
    ]);
    expect((await readLog(path)).entries.map(({ response }) => [response.content.text, response.headers[0]!.value]))
      .toEqual([["same", "1"], ["new", "8"], ["changed", "9"]]);
  });

  test("an upload whose boundary is drawn anew stays as it was", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const upload = (boundary: string, value: string) =>
      at(0, 1, "/upload", "done", {
        method: "POST",
        headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
        body: `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${value}\r\n--${boundary}--\r\n`,
      });
    const first = await write(path, [upload("----formdata-094792483731", "1")]);
    expect(await write(path, [upload("----formdata-103248047945", "1")])).toBe(first);
    expect(await write(path, [upload("----formdata-103248047946", "2")])).not.toBe(first);
  });

  test("bodies that are equal are one file, whoever recorded them", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const body = "x".repeat(5000);
    await write(path, [at(0, 1, "/a", body), at(0, 1, "/b", body), at(0, 1, "/c", body)]);
    const files = (await readLog(path)).entries.map(({ response }) => response.content._file);
    expect(new Set(files).size).toBe(1);
    expect(files[0]).toMatch(/^[0-9a-f]{16}\./);
  });
});

describe("dates", () => {
  const headers = (now: number): [string, string][] => [
    ["Date", new Date(now).toUTCString()],
    ["Age", String(now % 100)],
    ["Expires", new Date(now + 60_000).toUTCString()],
    ["Last-Modified", new Date(now).toUTCString()],
    ["Set-Cookie", `theme=dark; Expires=${new Date(now + 3_600_000).toUTCString()}; Path=/`],
    ["Set-Cookie", `old=; Expires=Thu, 01 Jan 1970 00:00:00 GMT`],
  ];
  const second = 1000 * Math.floor(Date.now() / 1000);

  test("are not written as they were: two recordings at different times are the same file", async () => {
    await using folder = await tempFolder();
    const files = [0, 86_400_000].map(async (later, i) => {
      const flow = at(later, later + 1, "/", "", { response: { headers: headers(second - later), body: "x" } });
      return await write(folder.file(`${i}.har`), [flow]);
    });
    const [one, other] = await Promise.all(files);
    expect(one).toBe(other);
    expect(one).toContain('"Thu, 01 Jan 1970 00:01:00 GMT"');
  });

  test("are written with times: true, in the order of their moments", async () => {
    await using folder = await tempFolder();
    const flow = at(0, 5, "/z", "", { response: { headers: headers(second), body: "x" } });
    const text = await write(folder.file("a.har"), [at(1, 4, "/a", "y"), flow], "record", true);
    expect(text).toContain(new Date(second + 60_000).toUTCString());
    expect(text).toContain('"startedDateTime": "2001-09-09T01:46:40.000Z"');
  });

  test("that have passed stay in the past, and a response without a valid Date stays as it is", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const passed: [string, string][] = [["Date", new Date(second).toUTCString()], [
      "Expires",
      "Mon, 01 Jan 1990 00:00:00 GMT",
    ]];
    const without: [string, string][] = [["Date", "now"], ["Expires", new Date(second).toUTCString()], ["Age", "7"]];
    await write(path, [
      at(0, 1, "/a", "", { response: { headers: passed } }),
      at(2, 3, "/b", "", { response: { headers: without } }),
    ]);
    const written = (await readLog(path)).entries.map(({ response }) => response.headers.map(({ value }) => value));
    expect(written).toEqual([
      ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"],
      without.map(([, value]) => value),
    ]);
  });
});

describe("merge()", () => {
  const entry = (path: string, body: string): FlowInit => ({ url: `https://shop.test${path}`, response: { body } });

  async function merged(...shards: FlowInit[][]): Promise<{ names: string[]; bodies: string[] }> {
    await using folder = await tempFolder();
    const paths = shards.map((_, i) => folder.file(`${i}.har`));
    for (const [i, flows] of shards.entries()) await record(paths[i]!, flows);
    const tapes = await Promise.all(paths.map((path) => readTape(path)));
    const tape = merge(tapes);
    expect(tape.entries.map(({ index }) => index)).toEqual(tape.entries.map((_, i) => i));
    const again = merge([tape, ...tapes]);
    expect(again.entries.map(String)).toEqual(tape.entries.map(String));
    const to = folder.file("merged.har");
    await writeTape(to, tape);
    const { entries } = await readTape(to);
    const bodies = await Promise.all(entries.map(async (entry) => (await entry.response())!.text().slice(0, 10)));
    return { names: entries.map(({ url }) => new URL(url).pathname), bodies };
  }

  test("what is the same is there once, what differs is all there, in order", async () => {
    const big = "x".repeat(5000);
    const result = await merged(
      [entry("/config", big), entry("/a", "a"), entry("/poll", "1"), entry("/poll", "2"), entry("/poll", "done")],
      [entry("/config", big), entry("/poll", "1"), entry("/poll", "done"), entry("/b", "b")],
      [entry("/config", "other")],
    );
    expect(result.names).toEqual(["/config", "/config", "/a", "/poll", "/poll", "/poll", "/b"]);
    expect(result.bodies).toEqual(["x".repeat(10), "other", "a", "1", "2", "done", "b"]);
  });

  test("answers to one request keep the order in which each tape has them", async () => {
    const polls = (...bodies: string[]) => bodies.map((body) => entry("/poll", body));
    expect((await merged(polls("b", "c"), polls("a", "b", "c", "d"))).bodies).toEqual(["a", "b", "c", "d"]);
    expect((await merged(polls("a", "c"), polls("a", "b", "c"))).bodies).toEqual(["a", "b", "c"]);
    expect((await merged(polls("1", "1", "1"), polls("1", "1"))).bodies).toEqual(["1", "1", "1"]);
  });

  test("nothing, and one", async () => {
    expect(merge([]).entries).toEqual([]);
    expect((await merged([entry("/a", "1")])).bodies).toEqual(["1"]);
  });
});

test("a tape that was merged is replayed", async () => {
  await using folder = await tempFolder();
  const paths = ["a", "b"].map((name) => folder.file(`${name}.har`));
  for (const path of paths) {
    await record(path, [{ url: `https://shop.test/${path.at(-5)}`, response: { body: "x".repeat(3000) } }]);
  }
  await writeTape(folder.file("c.har"), merge(await Promise.all(paths.map((path) => readTape(path)))));
  const { tape } = await open(folder.file("c.har"), { mode: "replay" });
  for (const name of ["a", "b"]) {
    expect(await answer(tape, { url: `https://shop.test/${name}` })).toBe("x".repeat(3000));
  }
  await tape.close();
});
