// Bodies that come bit by bit: recorded with their chunks, and replayed with them.
import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { constants, createGzip } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy, type TapeOptions } from "../../../src/mod.ts";
import { readTape } from "../../../src/tape/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { PATIENTLY } from "../../wire/http1_client.ts";
import { har, harEntry, readLog } from "../tapes.ts";

let folder: TempFolder;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
});
afterEach(() => folder[Symbol.asyncDispose]());

const EVENTS: [string, string][] = [["Content-Type", "text/event-stream"]];

/** A server that sends some chunks to every client, and then ends, or waits until the client has gone. */
function startStream(chunks: (string | Uint8Array)[], { endless = false, headers = EVENTS } = {}): Promise<RawServer> {
  return startRawServer(async (connection) => {
    await connection.readHead();
    const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await connection.write(`HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n`);
    for (const chunk of chunks) {
      const data = Buffer.from(chunk as string);
      await connection.write(
        Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]),
      );
    }
    if (endless) await connection.readAll().catch(() => {});
    else await connection.write("0\r\n\r\n");
  });
}

const get = (url: string) => `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`;

/** What a client sees of a stream until so much has come: its chunks, as they are on the wire. */
async function read(proxy: Proxy, url: string, until: string): Promise<string> {
  await using client = await connectRaw(proxy.port);
  await client.write(get(url));
  await client.readHead();
  return await client.readUntil(until);
}

/** Records what a client reads, and gives back what it has read. */
async function record(server: RawServer, until: string, options: Partial<TapeOptions> = {}): Promise<string> {
  await using proxy = await startProxy({ tape: { path, mode: "record", ...options } });
  const seen = await read(proxy, `http://127.0.0.1:${server.port}/`, until);
  await expect.poll(() => (proxy.flows.first() as HttpFlow).done, PATIENTLY).toBe(true);
  return seen;
}

async function replay(server: RawServer, until: string, options: Partial<TapeOptions> = {}): Promise<string> {
  await using proxy = await startProxy({ tape: { path, mode: "replay", ...options } });
  const seen = await read(proxy, `http://127.0.0.1:${server.port}/`, until);
  expect((proxy.flows.first() as HttpFlow).source).toBe("tape");
  return seen;
}

describe("chunks", () => {
  test.each([
    ["events", "text/event-stream", ["data: 1\n\n", "data: 2\n\ndata: 3\n\n"]],
    ["lines of JSON", "application/x-ndjson", ['{"a":1}\n', '{"a":', "2}\n"]],
    ["text cut within a character", "text/event-stream", [
      Buffer.from("data: ä").subarray(0, 7),
      Buffer.from([0xa4, 10, 10]),
    ]],
    ["much of it", "text/event-stream", ["x".repeat(3000), "y".repeat(500)]],
    ["bytes", "multipart/x-mixed-replace; boundary=b", [Uint8Array.of(0, 255, 1), Uint8Array.of(9)]],
  ])("%s are replayed as they came", async (_, type, chunks) => {
    await using server = await startStream(chunks as string[], { headers: [["Content-Type", type]] });
    const live = await record(server, "0\r\n\r\n");
    expect(live.match(/\r\n/g)!.length).toBeGreaterThanOrEqual(2 * chunks.length);
    expect(await replay(server, "0\r\n\r\n")).toBe(live);
  });

  test("small text stands in the entry, with the sizes of its chunks", async () => {
    await using server = await startStream(["data: 1\n\n", "data: zwölf\n\n"]);
    await record(server, "0\r\n\r\n");
    const { content } = (await readLog(path)).entries[0]!.response;
    expect(content).toEqual({
      size: 23,
      mimeType: "text/event-stream",
      text: "data: 1\n\ndata: zwölf\n\n",
      _stream: "ended",
      _chunks: [{ size: 9 }, { size: 14 }],
    });
    expect(await readFile(path, "utf8")).toContain('{ "size": 9 },\n');
  });

  test("a long stream is a file with a line for each chunk, which people can read and edit", async () => {
    const long = `data: ${"x".repeat(3000)}\n\n`;
    await using server = await startStream(["data: 1\n\n", long]);
    await record(server, "0\r\n\r\n");
    const { content } = (await readLog(path)).entries[0]!.response;
    expect(content._file).toMatch(/^[0-9a-f]{16}\.jsonl$/);
    const file = `${path}.d/${content._file}`;
    expect(await readFile(file, "utf8")).toBe(`{"text":"data: 1\\n\\n"}\n${JSON.stringify({ text: long })}\n`);
    await writeFile(file, '{"text":"edited"}\n\n{"base64":"IQ=="}\n');
    expect(await replay(server, "0\r\n\r\n")).toBe("6\r\nedited\r\n1\r\n!\r\n0\r\n\r\n");
  });

  test("what came in one chunk is a body like any other", async () => {
    await using server = await startStream(["data: 1\n\n"]);
    await record(server, "0\r\n\r\n");
    expect((await readLog(path)).entries[0]!.response.content).toEqual({
      size: 9,
      mimeType: "text/event-stream",
      text: "data: 1\n\n",
    });
  });

  test("two recordings of the same stream are the same file", async () => {
    await using server = await startStream(["data: 1\n\n", "data: 2\n\n"]);
    await record(server, "0\r\n\r\n");
    const first = await readFile(path, "utf8");
    await record(server, "0\r\n\r\n");
    expect(await readFile(path, "utf8")).toBe(first);
  });

  test("a secret that begins in one chunk and ends in the next is not written", async () => {
    await using server = await startStream(['data: {"password":"hunt', 'er22"}\n\n', "data: {}\n\n"]);
    await record(server, "0\r\n\r\n");
    const text = await readFile(path, "utf8");
    for (const part of ["hunt", "er22"]) expect(text).not.toContain(part);
    const chunks = (await (await readTape(path)).entries[0]!.chunks())!.map(({ data }) => Buffer.from(data).toString());
    expect(chunks).toHaveLength(3);
    expect(chunks.join("")).toMatch(/^data: \{"password":"\[redacted.*\]"\}\n\ndata: \{\}\n\n$/);
    expect(chunks[2]).toBe("data: {}\n\n");
  });

  test("a coded stream is readable on the tape, and replayed without its coding", async () => {
    const gzip = createGzip();
    const coded: Uint8Array[] = [];
    gzip.on("data", (it) => coded.push(it));
    for (const text of ["data: one\n\n", "data: two\n\n"]) {
      gzip.write(text);
      await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, () => resolve()));
      // Chunks are what the compressor gives at once.
      const all = Buffer.concat(coded.splice(0));
      coded.push(all);
    }
    const all = Buffer.concat(coded);
    gzip.destroy();
    await using server = await startStream([all.subarray(0, 21), all.subarray(21)], {
      endless: true,
      headers: [["Content-Type", "text/event-stream"], ["Content-Encoding", "gzip"]],
    });
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      await using client = await connectRaw(proxy.port);
      await client.write(get(`http://127.0.0.1:${server.port}/`));
      await client.readHead();
      await client.readBytes(all.length);
    }
    const { content } = (await readLog(path)).entries[0]!.response;
    expect(content.text).toBe("data: one\n\ndata: two\n\n");
    await replay(server, "data: two");
  });
});

describe("the end", () => {
  test("a stream that its client has left is recorded, and stays open when it is replayed", async () => {
    await using server = await startStream(["data: 1\n\n", "data: 2\n\n"], { endless: true });
    await record(server, "data: 2\n\n\r\n");
    expect((await readLog(path)).entries[0]!.response.content._stream).toBe("open");
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    await using client = await connectRaw(proxy.port);
    await client.write(get(`http://127.0.0.1:${server.port}/`));
    await client.readHead();
    expect(await client.readUntil("data: 2\n\n\r\n")).toBe("9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n");
    const flow = proxy.flows.first() as HttpFlow;
    expect([flow.done, client.socket.readableEnded]).toEqual([false, false]);
    client.end();
    await expect.poll(() => flow.error?.code, PATIENTLY).toBe("CLIENT_ABORTED");
  });

  test("a stream that closing the proxy ended is recorded, and ends when the next proxy is closed", async () => {
    await using server = await startStream(["data: 1\n\n"], { endless: true });
    for (const mode of ["record", "replay"] as const) {
      const proxy = await startProxy({ tape: { path, mode } });
      await using client = await connectRaw(proxy.port);
      await client.write(get(`http://127.0.0.1:${server.port}/`));
      await client.readUntil("data: 1\n\n\r\n");
      await proxy.close();
      await client.closed;
      expect(proxy.flows.first()).toMatchObject({ error: { code: "PROXY_CLOSED" } });
    }
  });

  test("a download that its client has left is not recorded", async () => {
    await using server = await startStream(["x".repeat(100)], {
      endless: true,
      headers: [["Content-Type", "text/css"]],
    });
    const lines: string[] = [];
    await using proxy = await startProxy({
      tape: { path, mode: "record" },
      addons: [{ log: ({ level, message }) => lines.push(`${level} ${message}`) }],
    });
    await read(proxy, `http://127.0.0.1:${server.port}/`, "x\r\n");
    await expect.poll(() => lines, PATIENTLY).toEqual([
      `warn not recorded (CLIENT_ABORTED): GET http://127.0.0.1:${server.port}/`,
    ]);
  });

  test("a stream that its server cut is replayed up to there, and cut", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      await connection.write("9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n");
      connection.reset();
    });
    for (const mode of ["record", "replay"] as const) {
      await using proxy = await startProxy({ tape: { path, mode } });
      await using client = await connectRaw(proxy.port);
      await client.write(get(`http://127.0.0.1:${server.port}/`));
      await client.closed;
      expect(Buffer.from(client.received).toString()).toContain("9\r\ndata: 2\n\n\r\n");
      expect(Buffer.from(client.received).toString()).not.toContain("0\r\n\r\n");
      expect(proxy.flows.first()).toMatchObject({ error: { code: "UPSTREAM_ABORTED" } });
    }
  });

  test("a hook that wants whole responses does not keep an open stream from its client", async () => {
    await using server = await startStream(["data: 1\n\n"], { endless: true });
    await record(server, "data: 1\n\n\r\n");
    await using proxy = await startProxy({ tape: { path, mode: "replay" }, addons: [{ response() {} }] });
    expect(await read(proxy, `http://127.0.0.1:${server.port}/`, "data: 1\n\n\r\n")).toContain("data: 1");
  });
});

describe("times", () => {
  const paced = (times: (number | undefined)[]) =>
    har(harEntry({
      request: { url: "http://paced.test/" },
      response: {
        headers: [{ name: "content-type", value: "text/event-stream" }],
        content: { text: "abc", _stream: "ended", _chunks: times.map((time) => ({ time, size: 1 })) },
      },
    })).replace('"response":', '"timings":{"send":0,"wait":150,"receive":0},"response":');

  /** Milliseconds until the head and until each of the three bytes had come. */
  async function timesOf(options: Partial<TapeOptions>): Promise<number[]> {
    await using proxy = await startProxy({ tape: { path, mode: "replay", ...options } });
    await using client = await connectRaw(proxy.port);
    const start = performance.now();
    await client.write(get("http://paced.test/"));
    const times: number[] = [];
    await client.readHead();
    times.push(performance.now() - start);
    for (const letter of "abc") {
      await client.readUntil(`${letter}\r\n`);
      times.push(performance.now() - start);
    }
    return times;
  }

  test("as they were: the head, and each chunk", async () => {
    await writeFile(path, paced([0, 100, 250]));
    const [head, a, b, c] = await timesOf({ latency: "recorded" });
    expect(head).toBeGreaterThan(140);
    expect(a).toBeGreaterThan(140);
    expect(b).toBeGreaterThan(240);
    expect(c).toBeGreaterThan(390);
  });

  test("scaled by a number", async () => {
    await writeFile(path, paced([0, 100, 60_000]));
    const [head, , b] = await timesOf({ latency: 0.005 });
    expect(head).toBeLessThan(140 + 2000);
    expect(b).toBeLessThan(60_000);
    await writeFile(path, paced([0, 100, 100]));
    expect((await timesOf({ latency: 2 }))[2]).toBeGreaterThan(490);
  });

  test.each([{ latency: "none" as const }, { latency: 0 }, {}])("at once: %j", async (options) => {
    await writeFile(path, paced([0, 60_000, 3_600_000]));
    expect(await timesOf(options)).toHaveLength(4);
  });

  test("are written where they are asked for, and where the pace matters", async () => {
    await using server = await startStream(["data: 1\n\n", "data: 2\n\n"]);
    for (const [options, written] of [[{}, false], [{ times: true }, true], [{ latency: "recorded" }, true]] as const) {
      await record(server, "0\r\n\r\n", options);
      const chunks = (await readLog(path)).entries[0]!.response.content._chunks!;
      expect(chunks.map(({ time }) => time !== undefined)).toEqual([written, written]);
    }
  });

  test("a client that leaves, or closing the proxy, ends the wait", async () => {
    await writeFile(path, paced([0, 3_600_000, 3_600_000]));
    const proxy = await startProxy({ tape: { path, mode: "replay", latency: "recorded" } });
    await using client = await connectRaw(proxy.port);
    await using other = await connectRaw(proxy.port);
    for (const it of [client, other]) {
      await it.write(get("http://paced.test/"));
      await it.readUntil("a\r\n");
    }
    client.end();
    await proxy.waitFor({ host: "paced.test" });
    await proxy.close();
    await other.closed;
  });
});

describe("informational responses and trailers", () => {
  test("103 Early Hints goes before the answer, through its hook", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
      await connection.write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
      );
      await connection.readAll().catch(() => {});
    });
    const seen: string[] = [];
    for (const mode of ["record", "replay"] as const) {
      const hooks: string[] = [];
      await using proxy = await startProxy({
        tape: { path, mode },
        addons: [{ informational: ({ informational }) => void hooks.push(informational.at(-1)!.reason) }],
      });
      await using client = await connectRaw(proxy.port);
      await client.write(get(`http://127.0.0.1:${server.port}/`));
      seen.push(await client.readHead());
      await client.readHead();
      expect(await client.readUntil("X-Sum: 7\r\n\r\n")).toBe("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n");
      expect(hooks).toEqual(["Early Hints"]);
    }
    expect(seen[0]).toBe("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    expect(seen[1]).toBe(seen[0]);
  });
});

describe("what is wrong with a stream is named", () => {
  const content = (changes: object) =>
    har(harEntry({ response: { content: { mimeType: "text/event-stream", ...changes } } }));
  const place = "log.entries[0] (GET https://shop.test/)";

  test.each([
    [{ text: "a", _stream: "half" }, `${place}: response.content._stream is "half": "ended" or "open" is expected`],
    [{ text: "a", _stream: "ended", _chunks: 1 }, `${place}: response.content._chunks is 1: an array is expected`],
    [
      { text: "a", _stream: "ended", _chunks: [{}] },
      `${place}: response.content._chunks[0].size is missing: a number of bytes is expected`,
    ],
    [
      { text: "a", _stream: "ended", _chunks: [{ size: -1 }] },
      `response.content._chunks[0].size is -1: a number that is not negative`,
    ],
    [{ text: "a", _stream: "ended", _chunks: [{ size: 1, time: "x" }] }, 'response.content._chunks[0].time is "x"'],
    [{ text: "a", _stream: "ended", _turns: { head: 1 } }, "response.content._turns.end is missing"],
  ])("%j", async (changes, message) => {
    await writeFile(path, content(changes));
    await expect(readTape(path)).rejects.toMatchObject({
      code: "TAPE_DAMAGED",
      message: expect.stringContaining(message),
    });
    await expect(readTape(path)).rejects.toThrow(path);
  });

  test("chunks that are not those of the text", async () => {
    await writeFile(path, content({ text: "abc", _stream: "ended", _chunks: [{ size: 1 }] }));
    await expect((await readTape(path)).entries[0]!.chunks()).rejects.toThrow(
      `${path} cannot be used as a tape: ${place}: response.content._chunks have 1 bytes together, and the text has 3`,
    );
  });

  test.each([
    ["{", " line 1 is not JSON"],
    ['{"text":"a"}\n[]\n', " line 2 is []: an object is expected"],
    ['{"time":1}\n', " line 1: text is missing: text or base64 is expected"],
    ['{"base64":"?"}\n', ' line 1: base64 is "?": base64 is expected'],
    ['{"text":1}\n', " line 1: text is 1: a string is expected"],
    ['{"text":"","time":-1}\n', " line 1: time is -1: a number that is not negative is expected"],
    ["\xff", " is not UTF-8 text"],
  ])("a line: %j", async (lines, message) => {
    await writeFile(path, content({ _file: "a.jsonl", _stream: "ended" }));
    await mkdir(`${path}.d`);
    await writeFile(`${path}.d/a.jsonl`, Buffer.from(lines, "latin1"));
    const error: unknown = await (await readTape(path)).entries[0]!.chunks().catch((it) => it);
    expect(error).toMatchObject({
      code: "TAPE_DAMAGED",
      message: expect.stringContaining(`${place}: a.har.d/a.jsonl${message}`),
    });
  });
});

test("entries with streams are written again as they were", async () => {
  await using server = await startStream(["data: 1\n\n", "data: 2\n\n"]);
  await record(server, "0\r\n\r\n", { times: true });
  const { writeTape } = await import("../../../src/tape/mod.ts");
  const again = folder.file("again.har");
  await writeTape(again, (await readTape(path)).entries);
  const content = (await readLog(again)).entries[0]!.response.content;
  expect(content._chunks!.map(({ size }) => size)).toEqual([9, 9]);
  expect(content._stream).toBe("ended");
});

test("rules may change a replayed stream", async () => {
  await using origin = await startOrigin(async function () {
    async function* body() {
      yield '{"a":1}\n';
      yield '{"a":2}\n';
    }
    return await Promise.resolve({ headers: [["Content-Type", "application/x-ndjson"]], body: body() });
  });
  {
    await using proxy = await startProxy({ tape: { path, mode: "record" } });
    await (await proxy.fetch(origin.url)).text();
  }
  await using proxy = await startProxy({
    tape: { path, mode: "replay" },
    addons: [{ response: ({ response }) => void (response!.body = response!.text().replace("2", "3")) }],
  });
  expect(await (await proxy.fetch(origin.url)).text()).toBe('{"a":1}\n{"a":3}\n');
  expect((await readdir(folder.path)).sort()).toEqual(["a.har"]);
});
