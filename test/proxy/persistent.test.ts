// The option persistent: false: a connection serves one request, on both sides.
import { describe, expect, test } from "vitest";
import { type HttpFlow, respond, startProxy } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { readResponse, requestTo } from "../wire/http1_client.ts";
import { nodeClient, proxyOf, startNodeOrigin } from "../wire/http2/peers.ts";
import { openTunnel } from "../wire/tunnel.ts";

describe("persistent: false", () => {
  test("both connections of HTTP/1.1 end with the response, and both sides are told", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ persistent: false });
    for (let i = 1; i <= 2; i++) {
      await using client = await connectRaw(proxy.port);
      // The second one comes too late for this connection.
      await client.write(requestTo(`${origin.url}/1`) + requestTo(`${origin.url}/2`));
      const response = await readResponse(client);
      expect([response.text, response.header("connection")]).toEqual(["ok", "close"]);
      expect((await client.readAll()).length).toBe(0);
      expect(origin.connections).toBe(i);
    }
    expect(origin.requests.map(({ target, header }) => [target, header("connection")])).toEqual([
      ["/1", "close"],
      ["/1", "close"],
    ]);
  });

  test("by default both are used again", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(origin.url));
      expect((await readResponse(client)).header("connection")).toBeUndefined();
    }
    expect(origin.connections).toBe(1);
    expect(origin.requests[0]!.header("connection")).toBeUndefined();
  });

  test("in a tunnel, and behind TLS, where HTTP/2 is not offered", async () => {
    await using origin = await startOrigin(() => ({ body: "ok" }), { tls: true });
    await using proxy = await startProxy({ persistent: false, upstream: { ca: testCa().cert } });
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${origin.port}`);
    const secure = await tunnel.startTls({
      ca: proxy.ca.cert,
      host: "127.0.0.1",
      ALPNProtocols: ["h2", "http/1.1"],
    });
    expect((secure.socket as unknown as { alpnProtocol: string }).alpnProtocol).toBe("http/1.1");
    await secure.write("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await readResponse(secure)).header("connection")).toBe("close");
    await secure.closed;
    expect(origin.requests[0]!.header("connection")).toBe("close");
  });

  test("a server that keeps its connection open has it closed", async () => {
    const connections: Promise<void>[] = [];
    await using server = await startRawServer(async (connection) => {
      connections.push(connection.closed);
      while (await connection.readHead().catch(() => undefined) !== undefined) {
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
    await using proxy = await startProxy({ persistent: false });
    for (let i = 1; i <= 2; i++) {
      expect(await (await proxy.fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe("ok");
      expect(connections.length).toBe(i);
    }
    await Promise.all(connections);
  });

  test("servers are not asked for HTTP/2", async () => {
    await using origin = await startNodeOrigin({ allowHTTP1: true });
    const spoken = async (persistent: boolean) => {
      await using proxy = await proxyOf(origin, { persistent });
      await (await proxy.fetch("https://origin.test/echo")).arrayBuffer();
      return (proxy.flows.first() as HttpFlow).server?.tls?.alpn;
    };
    expect(await spoken(true)).toBe("h2");
    expect(await spoken(false)).not.toBe("h2");
  });

  test("who speaks HTTP/2 unasked gets one answer for each connection", async () => {
    await using proxy = await startProxy({ persistent: false, rules: [[() => true, respond({ body: "rule" })]] });
    const results = await nodeClient(proxy, [{ path: "/1" }, { path: "/2" }], { secure: false, inTurn: true });
    expect(results.map(({ status, body }) => [status, body])[0]).toEqual([200, "rule"]);
    expect(results[1]!.status).toBeUndefined();
  });

  test("proxy.fetch, many at once", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ persistent: false });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => proxy.fetch(origin.url).then((it) => it.text())),
    );
    expect(answers).toEqual(answers.map(() => "ok"));
    expect(origin.connections).toBe(20);
  });
});
