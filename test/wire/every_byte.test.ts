// Connections that end at every byte of what is said on them, in either way.
import { Buffer } from "node:buffer";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Proxy, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, exchange, latin1, PATIENTLY, requestTo } from "./http1_client.ts";
import { DATA, END_HEADERS, END_STREAM, frame, HEADERS, PREFACE, section, SETTINGS } from "./http2/raw_peer.ts";
import { handshake } from "./websocket/peers.ts";
import { close, frames } from "./websocket/support.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const escaped: unknown[] = [];
const note = (error: unknown) => void escaped.push(error);
beforeEach(() => {
  escaped.length = 0;
  process.on("uncaughtException", note).on("unhandledRejection", note);
});
afterEach(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
  expect(escaped).toEqual([]);
});

/** Does something for 0, 1, 2... up to a limit, some at once. */
async function each(limit: number, work: (at: number) => Promise<void>): Promise<void> {
  let at = 0;
  const worker = async () => {
    while (at <= limit) await work(at++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function leave(connection: RawConnection, how: "end" | "reset"): void {
  if (how === "end") connection.end();
  else connection.reset();
}

/** All flows are over, and the next request is answered. */
async function allIsWell(proxy: Proxy, port: number): Promise<void> {
  await expect.poll(() => [...proxy.flows].filter(({ done }) => !done).length, PATIENTLY).toBe(0);
  expect((await exchange(proxy.port, requestTo(`http://127.0.0.1:${port}/`))).text).toBe("ok");
}

describe.each(["end", "reset"] as const)("a client that leaves with %s", (how) => {
  const target = (port: number) => Buffer.of(1, 127, 0, 0, 1, port >> 8, port & 255);
  const get = Buffer.from("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const CONVERSATIONS: [string, (port: number) => Buffer][] = [
    ["HTTP/1.1", (port) =>
      Buffer.from(
        `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: 1\r\n\r\n`,
      )],
    ["a WebSocket", (port) =>
      Buffer.concat([
        Buffer.from(handshake(`http://127.0.0.1:${port}/`, `127.0.0.1:${port}`)),
        frames("client", { opcode: "text", payload: "hello" }, { opcode: "ping" }, close(1000, "bye")),
      ])],
    ["SOCKS 5", (port) => Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0), target(port), get])],
    [
      "SOCKS 4",
      (port) =>
        Buffer.concat([Buffer.of(4, 1), target(port).subarray(5), target(port).subarray(1, 5), Buffer.of(0), get]),
    ],
    ["HTTP/2", (port) => {
      const fields: [string, string][] = [[":scheme", "http"], [":authority", `127.0.0.1:${port}`], [":path", "/"]];
      return Buffer.concat([
        Buffer.from(PREFACE),
        frame(SETTINGS, 0, 0),
        frame(HEADERS, END_HEADERS, 1, section([":method", "POST"], ...fields)),
        frame(DATA, END_STREAM, 1, "hello"),
      ]);
    }],
  ];

  test.each(CONVERSATIONS)("%s", { timeout: 30_000 }, async (_, say) => {
    await using origin = await answering(OK);
    await using proxy = await startProxy({ timeouts: { head: 1000, idle: 1000 } });
    const bytes = say(origin.port);
    await each(bytes.length, async (at) => {
      await using client = await connectRaw(proxy.port);
      await client.write(bytes.subarray(0, at));
      leave(client, how);
      await client.closed;
    });
    await allIsWell(proxy, origin.port);
  });
});

describe.each(["end", "reset"] as const)("a server that leaves with %s", (how) => {
  test.each([
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\nX-T: 1\r\n\r\n"],
    ["hints", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ])(
    "B18 %s: the client has all of it, a 502, or a connection that breaks off",
    { timeout: 30_000 },
    async (_, answer) => {
      await using healthy = await answering(OK);
      await using origin = await startRawServer(async (connection) => {
        const [, at] = /^GET \/(\d+) /.exec(await connection.readHead())!;
        await connection.write(answer.slice(0, Number(at)));
        leave(connection, how);
        await connection.closed;
      });
      await using proxy = await startProxy();
      await each(answer.length, async (at) => {
        await using client = await connectRaw(proxy.port);
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/${at}`, { fields: ["Connection: close"] }));
        await client.closed;
        const text = latin1(client.received);
        // A chunk extension goes no further.
        const whole = /\r\n\r\n(?:0123456789|4\r\nabcd\r\n3\r\nefg\r\n0\r\nX-T: 1\r\n\r\n|ok)$/.test(text);
        // A reset may overtake what was sent before it.
        if (at === answer.length && how === "end") expect([at, whole]).toEqual([at, true]);
        if (at < answer.length) expect([at, whole]).toEqual([at, false]);
      });
      await expect.poll(() => [...proxy.flows].filter(({ done }) => !done).length, PATIENTLY).toBe(0);
      const wrong = [...proxy.flows].filter((flow) =>
        flow.type === "http" && flow.error === undefined && !flow.request.url.endsWith(`/${answer.length}`)
      );
      expect(wrong.map((flow) => flow.type === "http" && flow.request.url)).toEqual([]);
      await allIsWell(proxy, healthy.port);
    },
  );
});
