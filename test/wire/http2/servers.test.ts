// Servers of HTTP/2 that do unusual things, frame by frame; a client on node:http2 on the other side.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { HttpFlow, Proxy } from "../../../src/mod.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { ask, nodeClient, proxyOf } from "./peers.ts";
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  PING,
  PUSH_PROMISE,
  RawPeer,
  RST_STREAM,
  section,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
} from "./raw_peer.ts";

const CODE = { NO_ERROR: 0, INTERNAL_ERROR: 2, REFUSED_STREAM: 7, ENHANCE_YOUR_CALM: 11 };

type Serve = (server: RawPeer, stream: number, number: number) => Promise<unknown>;

/** A server that does something for each request; `number` counts them over all connections. */
function serving(serve: Serve): Promise<RawServer> {
  let number = 0;
  return startRawServer(async (connection: RawConnection) => {
    const server = await RawPeer.server(connection);
    for (;;) {
      const request = await server.find(HEADERS).catch(() => undefined);
      if (request === undefined) return;
      await serve(server, request.stream, ++number);
    }
  });
}

const head = (stream: number, ...fields: [string, string][]) =>
  frame(HEADERS, END_HEADERS, stream, section([":status", "200"], ...fields));
const answer = (stream: number, body = "ok") => [head(stream), frame(DATA, END_STREAM, stream, body)];
const reset = (stream: number, code: number) => frame(RST_STREAM, 0, stream, uint32(code));

function askWithoutTls(proxy: Proxy, request: Parameters<typeof ask>[1]): ReturnType<typeof ask> {
  return ask(proxy, request, { secure: false });
}

describe("B57 RST_STREAM of the server", () => {
  test.each([2, 11])("in the middle of a response reaches the client with its code: %s", async (code) => {
    await using origin = await serving((server, stream) =>
      server.send(head(stream), frame(DATA, 0, stream, "part"), reset(stream, code))
    );
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({ rst: code, error: "ERR_HTTP2_STREAM_ERROR" });
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "UPSTREAM_RESET", resetCode: code });
  });

  test("NO_ERROR behind a response only ends the request", async () => {
    await using origin = await serving((server, stream) =>
      server.send(...answer(stream, "early"), reset(stream, CODE.NO_ERROR))
    );
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/", body: 3_000_000 })).toMatchObject({
      status: 200,
      body: "early",
      ended: true,
    });
    expect((proxy.flows.first() as HttpFlow).error).toBeUndefined();
  });

  test("REFUSED_STREAM: the request was not looked at, and is sent again whatever its method", async () => {
    await using origin = await serving((server, stream, number) =>
      server.send(...(number === 1 ? [reset(stream, CODE.REFUSED_STREAM)] : answer(stream)))
    );
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/", body: "x".repeat(1000) })).toMatchObject({
      status: 200,
      body: "ok",
    });
    expect(proxy.flows.length).toBe(1);
  });

  test("REFUSED_STREAM again and again reaches the client", async () => {
    await using origin = await serving((server, stream) => server.send(reset(stream, CODE.REFUSED_STREAM)));
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({ rst: CODE.REFUSED_STREAM });
  });
});

describe("B63 GOAWAY of the server", () => {
  test("a request that it has not looked at is sent again over another connection", async () => {
    await using origin = await serving((server, stream, number) =>
      number === 2
        ? server.send(frame(GOAWAY, 0, 0, Buffer.concat([uint32(stream - 2), uint32(0)])))
        : server.send(...answer(stream, `answer ${number}`))
    );
    await using proxy = await proxyOf(origin);
    const results = await nodeClient(proxy, [{ path: "/" }, { path: "/", body: "post" }, { path: "/" }], {
      secure: false,
      inTurn: true,
    });
    expect(results.map(({ body }) => body)).toEqual(["answer 1", "answer 3", "answer 4"]);
    expect(origin.connections).toBe(2);
  });
});

describe("a connection that ends", () => {
  test("in the middle of a response: the stream is reset", async () => {
    await using origin = await serving(async (server, stream) => {
      await server.send(head(stream), frame(DATA, 0, stream, "part"));
      server.connection.end();
    });
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({ status: 200, rst: CODE.INTERNAL_ERROR });
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("UPSTREAM_ABORTED");
  });

  test("before the response of a first request: 502", async () => {
    await using origin = await serving((server) => Promise.resolve(server.connection.end()));
    await using proxy = await proxyOf(origin);
    expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({ status: 502 });
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("UPSTREAM_CLOSED");
  });

  test("when it is used again: a GET is sent once more, on a new one", async () => {
    await using origin = await serving(async (server, stream, number) => {
      if (number === 2) server.connection.end();
      else await server.send(...answer(stream, `answer ${number}`));
    });
    await using proxy = await proxyOf(origin);
    const results = await nodeClient(proxy, [{ path: "/" }, { path: "/" }], { secure: false, inTurn: true });
    expect(results.map(({ body }) => body)).toEqual(["answer 1", "answer 3"]);
  });
});

describe("B61 answers that are not valid HTTP/2", () => {
  test.each<[string, (stream: number) => Uint8Array[]]>([
    ["no :status", (stream) => [frame(HEADERS, END_HEADERS | END_STREAM, stream, section(["x", "1"]))]],
    ["101", (stream) => [frame(HEADERS, END_HEADERS, stream, section([":status", "101"]))]],
    ["transfer-encoding", (stream) => [head(stream, ["transfer-encoding", "chunked"])]],
    ["a pseudo-field of requests", (stream) => [head(stream, [":path", "/"])]],
    ["upper case", (stream) => [head(stream, ["X-Upper", "1"])]],
    ["DATA before HEADERS", (stream) => [frame(DATA, END_STREAM, stream, "x")]],
    ["a content-length without content", (stream) => [
      frame(HEADERS, END_HEADERS | END_STREAM, stream, section([":status", "200"], ["content-length", "5"])),
    ]],
  ])("%s: 502, and the connection stays", async (_, frames) => {
    await using origin = await serving((server, stream, number) =>
      server.send(...(number === 1 ? frames(stream) : answer(stream)))
    );
    await using proxy = await proxyOf(origin);
    const results = await nodeClient(proxy, [{ path: "/" }, { path: "/" }], { secure: false, inTurn: true });
    expect(results[0]).toMatchObject({ status: 502, body: expect.stringContaining("HTTP2_PROTOCOL_ERROR") });
    expect(results[1]).toMatchObject({ status: 200 });
    expect(origin.connections).toBe(1);
  });

  test("what breaks the connection breaks its streams, and the next request gets another one", async () => {
    await using origin = await serving((server, stream, number) =>
      server.send(...(number === 1 ? [frame(PUSH_PROMISE, END_HEADERS, stream, uint32(2))] : answer(stream)))
    );
    await using proxy = await proxyOf(origin);
    const results = await nodeClient(proxy, [{ path: "/" }, { path: "/" }], { secure: false, inTurn: true });
    expect(results.map(({ status }) => status)).toEqual([502, 200]);
    expect(origin.connections).toBe(2);
  });

  test("a head over the limit: 502 that names the limit", async () => {
    await using origin = await serving((server, stream) => server.send(head(stream, ["x-large", "x".repeat(2000)])));
    await using proxy = await proxyOf(origin, { limits: { headBytes: 1024 } });
    expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({
      status: 502,
      body: expect.stringContaining("larger than 1024 bytes (limits.headBytes)"),
    });
  });

  test("less content than content-length resets the stream of the client", async () => {
    await using origin = await serving((server, stream) =>
      server.send(head(stream, ["content-length", "5"]), frame(DATA, END_STREAM, stream, "1234"))
    );
    await using proxy = await proxyOf(origin);
    const result = await askWithoutTls(proxy, { path: "/" });
    expect(result.rst).not.toBe(0);
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("HTTP2_PROTOCOL_ERROR");
  });
});

test("PING of the server is answered, an idle connection is closed with the proxy", async () => {
  const pongs: string[] = [];
  await using origin = await serving(async (server, stream) => {
    await server.send(frame(PING, 0, 0, "12345678"));
    pongs.push(String((await server.find(PING)).payload));
    await server.send(...answer(stream));
  });
  await using proxy = await proxyOf(origin);
  expect(await askWithoutTls(proxy, { path: "/" })).toMatchObject({ status: 200 });
  expect(pongs).toEqual(["12345678"]);
});

test("a server that lowers its window in the middle of a request is respected", async () => {
  let seen = 0;
  await using origin = await startRawServer(async (connection: RawConnection) => {
    const server = await RawPeer.server(connection);
    const { stream } = await server.find(HEADERS);
    while (seen < 65_535) seen += (await server.find(DATA)).payload.length;
    // The window is 0 now, then 65,525 below it, then 5.
    await server.send(
      frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 10])),
      frame(WINDOW_UPDATE, 0, 0, uint32(100_000)),
      frame(WINDOW_UPDATE, 0, stream, uint32(65_530)),
    );
    while (seen < 65_540) seen += (await server.find(DATA)).payload.length;
    await server.send(frame(PING, 0, 0, "12345678"));
    const next = await server.find(DATA, PING);
    await server.send(...answer(stream, next.type === PING ? "enough" : "too much"), reset(stream, CODE.NO_ERROR));
    await server.find(GOAWAY).catch(() => {});
  });
  await using proxy = await proxyOf(origin);
  expect(await askWithoutTls(proxy, { path: "/", body: 200_000 })).toMatchObject({ status: 200, body: "enough" });
  expect(seen).toBe(65_540);
});
