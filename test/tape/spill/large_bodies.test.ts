import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { readTape, type TapeMode } from "../../../src/tape/mod.ts";
import { fileStore } from "../../../src/tape/store/file_store.ts";
import { tempFolder } from "../../support/temp.ts";
import { readLog } from "../tapes.ts";

const MIB = 1024 * 1024;
/** So many lines, and so long that a body of them does not stay in memory. */
const LINES = 40_000;
const PADDING = "as long as lines in logs are, ".repeat(8).trim();
const FORM_PADDING = PADDING.replaceAll(" ", "+");
const DISPOSITION = 'Content-Disposition: form-data; name="file"';

interface Origin extends AsyncDisposable {
  url: string;
  asked: string[];
  /** SHA-256 of the bodies that were sent. */
  got: string[];
}

/** Answers with what `body` gives, and says what it was sent. */
async function origin(
  answer: (
    path: string,
  ) => { body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>; headers: { [name: string]: string | undefined } },
): Promise<Origin> {
  const asked: string[] = [];
  const got: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url!);
    const hash = createHash("sha256");
    request.on("data", (piece: Uint8Array) => void hash.update(piece));
    request.on("end", () => {
      got.push(hash.digest("hex"));
      const { body, headers } = answer(request.url!);
      response.writeHead(200, JSON.parse(JSON.stringify(headers)));
      pipeline(Readable.from(body, { objectMode: false }), response).catch(() => {});
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    got,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function* repeated(piece: string, bytes: number): Generator<Uint8Array> {
  const block = Buffer.from(piece.repeat(Math.ceil(65536 / piece.length)));
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
}

async function digestOf(response: Response): Promise<{ sha: string; size: number; length: string | null }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    size += piece.length;
  }
  return { sha: hash.digest("hex"), size, length: response.headers.get("content-length") };
}

describe("bodies that are too large for memory", () => {
  test("are recorded and replayed, down and up", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await using server = await origin((target) => ({
      body: target === "/up" ? [Buffer.from("ok")] : repeated("\0binary", 20 * MIB),
      headers: target === "/up"
        ? { "content-type": "text/plain" }
        : { "content-type": "video/mp4", "content-length": String(20 * MIB) },
    }));
    const upload = (letter: string) => ({
      method: "POST",
      headers: { "content-type": "application/zip" },
      body: Buffer.alloc(20 * MIB, letter),
    });
    const visit = async (mode: TapeMode) => {
      await using proxy = await startProxy({ tape: { path, mode } });
      const down = await digestOf(await proxy.fetch(`${server.url}/down`));
      const up = await proxy.fetch(`${server.url}/up`, upload("u"));
      return { down, up: [up.status, await up.text()] };
    };
    const live = await visit("record");
    expect(live.down).toMatchObject({ size: 20 * MIB });
    const { entries } = await readLog(path);
    const files = [entries[0]!.response.content._file!, entries[1]!.request.postData!._file!];
    expect(entries[0]!.response.content.size).toBe(20 * MIB);
    expect((await stat(`${path}.d/${files[0]}`)).size).toBe(20 * MIB);
    expect((await stat(`${path}.d/${files[1]}`)).size).toBe(20 * MIB);
    expect((await readdir(`${path}.d`)).toSorted()).toEqual(files.toSorted());

    const asked = server.asked.length;
    expect(await visit("replay")).toEqual(live);
    expect(server.asked).toHaveLength(asked);

    // Another body is another request.
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    const other = await proxy.fetch(`${server.url}/up`, upload("v"));
    expect([other.status, await other.text()]).toEqual([
      502,
      expect.stringMatching(/Nothing on the tape[^]*20971520 bytes, SHA-256/),
    ]);
    await expect(proxy.close()).rejects.toMatchObject({ code: "UNMATCHED_REQUEST" });
  }, 120_000);

  test.each([
    [
      "JSON",
      "application/json",
      () => [
        '{"items":[',
        ...Array.from(
          { length: LINES },
          (_, i) => `${i ? "," : ""}{"id":${i},"token":"secret-token-${i}-qwertzuiop","name":"${PADDING}"}`,
        ),
        "]}",
      ],
    ],
    [
      "lines of JSON",
      "application/x-ndjson",
      () => Array.from({ length: LINES }, (_, i) => `{"id":${i},"password":"secret-token-${i}","a":"${PADDING}"}\n`),
    ],
    [
      "text",
      "text/plain",
      () => Array.from({ length: LINES }, (_, i) => `line ${i} password: "secret-token-${i}-Hj7sKq82" ${PADDING}\n`),
    ],
    [
      "a form",
      "application/x-www-form-urlencoded",
      () =>
        Array.from({ length: LINES }, (_, i) => `${i ? "&" : ""}id=${i}&password=secret-token-${i}&a=${FORM_PADDING}`),
    ],
  ])("%s is redacted while it passes, wherever it is cut", async (_, type, lines) => {
    const body = Buffer.from(lines().join(""));
    expect(body.length).toBeGreaterThan(9 * MIB);
    await using folder = await tempFolder();
    const written: string[] = [];
    for (const coded of [false, true]) {
      const path = folder.file(`${coded}.har`);
      const sent = coded ? zlib.gzipSync(body) : body;
      const step = coded ? 3000 : 60_001;
      await using server = await origin(() => ({
        body: (function* () {
          for (let at = 0; at < sent.length; at += step) yield sent.subarray(at, at + step);
        })(),
        headers: { "content-type": type, ...(coded && { "content-encoding": "gzip" }) },
      }));
      const proxy = await startProxy({ tape: { path, mode: "record" }, capture: { maxBody: 1000 } });
      expect((await digestOf(await proxy.fetch(server.url))).sha).toBe(createHash("sha256").update(body).digest("hex"));
      await proxy.close();
      const { content } = (await readLog(path)).entries[0]!.response;
      // A small stream is kept as one.
      if (content._stream !== undefined) continue;
      if (content._file === undefined) {
        // Compressed, it is small.
        expect(coded).toBe(true);
        continue;
      }
      const text = await readFile(`${path}.d/${content._file}`, "utf8");
      const left = text.indexOf("secret-token");
      expect(left < 0 ? "" : text.slice(left - 100, left + 100)).toBe("");
      expect(text.match(/\[redacted/g)!.length).toBe(LINES);
      if (!coded) expect(text.length).toBe(content.size);
      written.push(text.replaceAll(/-\d+\]/g, "]"));
      // All else is as it was.
      expect(written[0]!.replaceAll(/\[redacted[^\]]*\]/g, "?")).toBe(
        body.toString("utf8").replaceAll(/secret-token-[\w-]*/g, "?"),
      );
    }
    if (written.length === 2) expect(written[1]).toBe(written[0]);
  }, 120_000);

  test("what cannot be redacted while it passes is left out, and the error says why", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await using server = await origin(() => ({
      body: (function* () {
        yield Buffer.from('{"file":"');
        yield* repeated("base64", 40 * MIB);
        yield Buffer.from('"}');
      })(),
      headers: { "content-type": "application/json" },
    }));
    const proxy = await startProxy({ tape: { path, mode: "record" } });
    expect((await digestOf(await proxy.fetch(`${server.url}/file`))).size).toBe(40 * MIB + 11);
    await expect(proxy.close()).rejects.toMatchObject({
      code: "TAPE_BODY_TRUNCATED",
      message: expect.stringContaining(
        `GET ${server.url}/file: the response body could not be recorded while it passed: a string of JSON in it is longer than 16 MiB`,
      ),
    });
    expect(await readdir(folder.path)).toEqual([]);
  }, 120_000);

  test("a disk that is full: the client has its body, and closing says what is missing", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await using server = await origin(() => ({
      body: repeated("\0x", 40 * MIB),
      headers: { "content-type": "video/mp4" },
    }));
    let written = 0;
    const store = {
      ...fileStore,
      async begin(at: string) {
        const file = await fileStore.begin(at);
        return {
          write(bytes: Uint8Array) {
            written += bytes.length;
            return written > 20 * MIB
              ? Promise.reject(new Error("ENOSPC: no space left on device"))
              : file.write(bytes);
          },
          keep: (name: string) => file.keep(name),
          discard: () => file.discard(),
        };
      },
    };
    const proxy = await startProxy({ tape: { path, mode: "record", store } });
    expect((await digestOf(await proxy.fetch(server.url))).size).toBe(40 * MIB);
    await expect(proxy.close()).rejects.toThrow("ENOSPC: no space left on device");
    expect(await readdir(folder.path)).toEqual([]);
  }, 120_000);

  test("a client that leaves in the middle leaves nothing behind", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    // So slowly that it could be a stream.
    await using server = await origin(() => ({
      body: (async function* () {
        yield* repeated("\0x", 10 * MIB);
        await new Promise((resolve) => setTimeout(resolve, 400));
        yield* repeated("\0x", 390 * MIB);
      })(),
      headers: { "content-type": "video/mp4" },
    }));
    const proxy = await startProxy({ tape: { path, mode: "record" } });
    const abort = new AbortController();
    const response = await proxy.fetch(server.url, { signal: abort.signal });
    let size = 0;
    await (async () => {
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
        size += piece.length;
        if (size > 20 * MIB) abort.abort();
      }
    })().catch(() => {});
    await proxy.waitFor((flow) => flow.error?.code === "CLIENT_ABORTED");
    await proxy.close();
    expect(await readdir(folder.path)).toEqual([]);
  }, 120_000);

  test("a slow disk slows the server down: memory does not grow", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    let waiting = 0, most = 0;
    let sent = 0, kept = 0;
    await using server = await origin(() => ({
      body: (function* () {
        for (const piece of repeated("\0x", 100 * MIB)) {
          sent += piece.length;
          waiting = sent - kept;
          most = Math.max(most, waiting);
          yield piece;
        }
      })(),
      headers: { "content-type": "video/mp4" },
    }));
    const store = {
      ...fileStore,
      async begin(at: string) {
        const file = await fileStore.begin(at);
        return {
          async write(bytes: Uint8Array) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            kept += bytes.length;
            await file.write(bytes);
          },
          keep: (name: string) => file.keep(name),
          discard: () => file.discard(),
        };
      },
    };
    const proxy = await startProxy({ tape: { path, mode: "record", store } });
    expect((await digestOf(await proxy.fetch(server.url))).size).toBe(100 * MIB);
    await proxy.close();
    expect(kept).toBe(100 * MIB);
    // What sockets and pipes hold, and what waits for the disk.
    expect(most).toBeLessThan(50 * MIB);
    expect((await readTape(path)).entries).toHaveLength(1);
  }, 120_000);

  test.each([
    [
      "parts of a form",
      "multipart/form-data; boundary=b",
      (text: string) => `--b\r\n${DISPOSITION}\r\n\r\n${text}\r\n--b--\r\n`,
    ],
    ["events", "text/event-stream", (text: string) => `data: ${text}\n\n`],
  ])("%s stay in memory, as they cannot be looked at bit by bit", async (_, type, around) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const body = around(`password=\"hunter2hunter2\" ${"word ".repeat(2 * MIB)}`);
    await using server = await origin(() => ({ body: [Buffer.from(body)], headers: { "content-type": type } }));
    const visit = async (mode: TapeMode) => {
      await using proxy = await startProxy({ tape: { path, mode } });
      return (await digestOf(await proxy.fetch(server.url))).size;
    };
    expect(body.length).toBeGreaterThan(10 * MIB);
    expect(await visit("record")).toBe(body.length);
    const files = await readdir(`${path}.d`);
    expect(files).toHaveLength(1);
    expect(await readFile(`${path}.d/${files[0]}`, "utf8")).not.toContain("hunter2");
    expect(await visit("replay")).toBeGreaterThan(10 * MIB);
  }, 120_000);
});
