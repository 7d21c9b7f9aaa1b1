import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Proxy, startProxy } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { run } from "../support/run.ts";
import { type Runtime, runtimePath, RUNTIMES } from "../support/runtime.ts";
import { type BunEcho, startBunEcho } from "../wire/websocket/bun_server.ts";
import { ended } from "../wire/websocket/peers.ts";

let plain: BunEcho;
let secure: BunEcho;

beforeAll(async () => {
  [plain, secure] = await Promise.all([startBunEcho(), startBunEcho(testCa().issue(["127.0.0.1"]))]);
});
afterAll(() => Promise.all([plain[Symbol.asyncDispose](), secure[Symbol.asyncDispose]()]));

const urls = () => ({ ws: `ws://127.0.0.1:${plain.port}/`, wss: `wss://127.0.0.1:${secure.port}/` });

/** The runtime's own WebSocket: sends, tells what comes, and closes after so many messages. */
const TALK = (url: string, options: string) => `
const socket = new WebSocket(${JSON.stringify(url)}, ${options});
socket.binaryType = "arraybuffer";
const seen = [];
socket.onopen = () => {
  for (const text of ["first", "lazy ".repeat(5000), "edit", "drop", "lazy ".repeat(5000)]) socket.send(text);
  socket.send(Uint8Array.of(0, 255));
};
socket.onmessage = ({ data }) => {
  seen.push(typeof data === "string" ? data.length > 20 ? data.length : data : [...new Uint8Array(data)].join(" "));
  if (seen.length === 6) socket.close(4000, "done");
};
socket.onerror = (event) => seen.push("error " + event.message);
socket.onclose = ({ code, reason, wasClean }) => {
  console.log(JSON.stringify([...seen, [code, reason, wasClean].join(" ")]));
};`;

async function talk(proxy: Proxy, name: Runtime, url: string, options = "{}"): Promise<unknown> {
  const code = TALK(url, options);
  const args = { node: ["--eval", code], deno: ["eval", "--no-config", code], bun: ["--eval", code] };
  const { stdout, stderr } = await run(runtimePath(name), args[name], { env: proxy.env() });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

/** Bun's WebSocket does not read the environment. */
const optionsFor = (name: Runtime, proxy: Proxy): string =>
  name === "bun" ? JSON.stringify({ proxy: proxy.url, tls: { ca: proxy.ca.cert } }) : "{}";

describe.each(RUNTIMES)("the WebSocket of %s", (name) => {
  test.each(["ws", "wss"] as const)("%s: passes, and is edited, dropped and injected", async (scheme) => {
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert },
      addons: [{
        websocketMessage({ websocket }, message) {
          if (message.from === "server") {
            if (message.text === "edited") message.data = "an edited echo";
            return;
          }
          if (message.text === "first") websocket!.inject("client", "injected");
          if (message.text === "edit") message.data = "edited";
          if (message.text === "drop") message.drop();
        },
      }],
    });
    const url = urls()[scheme];
    expect(await talk(proxy, name, url, optionsFor(name, proxy))).toEqual([
      "injected",
      "first",
      25_000,
      "an edited echo",
      25_000,
      "0 255",
      "4000 done true",
    ]);
    const { request, response, websocket, error } = await ended(proxy);
    expect([request.url, request.scheme, response!.status, error]).toEqual([url, scheme, 101, undefined]);
    expect(
      websocket!.messages.filter(({ from }) => from === "client").map(({ size, edited, dropped }) => ({
        size,
        edited,
        dropped,
      })),
    )
      .toEqual([
        { size: 5, edited: false, dropped: false },
        { size: 25_000, edited: false, dropped: false },
        { size: 4, edited: true, dropped: false },
        { size: 4, edited: false, dropped: true },
        { size: 25_000, edited: false, dropped: false },
        { size: 2, edited: false, dropped: false },
      ]);
    expect([websocket!.closeCode, websocket!.closeReason, websocket!.closedBy]).toEqual([4000, "done", "client"]);
    // Node and Bun offer compression, Deno does not.
    const compressed = response!.headers.get("sec-websocket-extensions")?.startsWith("permessage-deflate") ?? false;
    expect(compressed).toBe(name !== "deno");
  });

  test("learns that the proxy is closed", async () => {
    const proxy = await startProxy({
      upstream: { ca: testCa().cert },
      addons: [{ websocketMessage: () => void proxy.close().catch(() => {}) }],
    });
    const closed = await talk(proxy, name, urls().wss, optionsFor(name, proxy));
    expect(closed).toEqual(["1001 the proxy was closed true"]);
  });
});

test("Bun's WebSocket goes past the proxy unless it is told of it", async () => {
  await using proxy = await startProxy();
  expect(await talk(proxy, "bun", urls().ws)).toContain("4000 done true");
  expect(proxy.flows.length).toBe(0);
});
