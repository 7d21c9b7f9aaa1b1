/** What was recorded through a proxy comes back the same through another; and a recording that dies does no harm. */
import { spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { startProxy } from "../../src/mod.ts";
import { type OriginResponse, startOrigin } from "../support/origin.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { exchange, requestTo, type WireResponse } from "../wire/http1_client.ts";

const TEXT = "héllo wörld ".repeat(500);
const BINARY = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) & 255);

const RESPONSES: Record<string, OriginResponse> = {
  "gzip": { headers: [["Content-Encoding", "gzip"], ["Content-Type", "text/plain"]], body: gzipSync(TEXT) },
  "br": { headers: [["Content-Encoding", "br"], ["Content-Type", "text/plain"]], body: brotliCompressSync(TEXT) },
  "binary": { headers: [["Content-Type", "application/octet-stream"]], body: BINARY },
  "text that says nothing of itself": { body: TEXT },
  "empty": { headers: [["Content-Type", "text/plain"]], body: "" },
  "204": { status: 204, reason: "No Content", headers: [["X-A", "1"]] },
  "304": { status: 304, reason: "Not Modified", headers: [["ETag", '"a"']] },
  "301": { status: 301, reason: "Moved Permanently", headers: [["Location", "/empty"]], body: "moved" },
  "307": { status: 307, reason: "Temporary Redirect", headers: [["Location", "http://b.test/x?y=z"]], body: "" },
  "Set-Cookie twice": {
    headers: [["Set-Cookie", "a=1; Path=/; HttpOnly"], ["X-Between", "b"], ["set-cookie", "c=2; Secure"]],
    body: "cookies",
  },
};

/** A tape keeps text as text, so that people can read it: what was compressed comes back as it was before that. */
function asUnderstood({ head, text, header }: WireResponse): { head: string; text: string } {
  const bytes = Buffer.from(text, "latin1");
  const coding = header("content-encoding");
  if (coding === undefined) return { head: head.replace(/^content-length:.*\r\n/im, ""), text };
  const plain = bytes.length === 0 ? bytes : coding === "br" ? brotliDecompressSync(bytes) : gunzipSync(bytes);
  return { head: head.replace(/^content-(?:length|encoding):.*\r\n/gim, ""), text: plain.toString("latin1") };
}

describe("B91 replay gives the client what the server gave it", () => {
  test.each(Object.keys(RESPONSES))("%s", async (name) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const origin = await startOrigin(() => RESPONSES[name]!);
    const url = `${origin.url}/path?q=1`;
    // Cookies are there to be compared: what is redacted is another matter.
    const tape = { path, redact: false } as const;
    const visit = async (mode: "record" | "replay"): Promise<WireResponse[]> => {
      await using proxy = await startProxy({ tape: { ...tape, mode } });
      return [
        await exchange(proxy.port, requestTo(url)),
        await exchange(proxy.port, requestTo(url, { method: "HEAD" })),
      ];
    };
    const live = await visit("record");
    const { status = 200, body = "" } = RESPONSES[name]!;
    expect([live[0]!.status, live[0]!.text]).toEqual([status, Buffer.from(body as string).toString("latin1")]);
    await origin[Symbol.asyncDispose]();
    const replayed = await visit("replay");

    expect(replayed.map(asUnderstood)).toEqual(live.map(asUnderstood));
  });
});

test("B94 a process that is killed while it records leaves the old tape whole", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await using origin = await startOrigin(({ target }) => ({ body: `old ${target}`.repeat(1000) }));
  await using other = await startOrigin(({ target }) => ({ body: `new ${target}`.repeat(1000) }));
  {
    await using proxy = await startProxy({ tape: { path, mode: "record" } });
    for (let i = 0; i < 5; i++) await exchange(proxy.port, requestTo(`${origin.url}/${i}`));
  }
  const before = await readFile(path, "utf8");

  const root = fileURLToPath(new URL("../../", import.meta.url));
  const args = [fileURLToPath(new URL("record_in_process.ts", import.meta.url)), path, other.url];
  const child = spawn(
    runtimePath(runtime),
    runtime === "deno"
      ? ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`, ...args]
      : args,
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  const closed = once(child, "close");
  // It has recorded a good deal, and goes on.
  await expect.poll(() => other.requests.length, { timeout: 10_000 }).toBeGreaterThan(20);
  child.kill("SIGKILL");
  await closed;

  expect(await readFile(path, "utf8")).toBe(before);
  await using proxy = await startProxy({ tape: { path, mode: "replay" } });
  for (let i = 0; i < 5; i++) {
    expect((await exchange(proxy.port, requestTo(`${origin.url}/${i}`))).text).toBe(`old /${i}`.repeat(1000));
  }
});
