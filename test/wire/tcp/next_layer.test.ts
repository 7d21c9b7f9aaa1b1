// The hook nextLayer: what it is told, and what it can decide.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Layer, respond, startProxy, tcp } from "../../../src/mod.ts";
import { connectRaw, rawRequest } from "../../support/raw_client.ts";
import { getRequest, openTunnel, readText } from "../tunnel.ts";
import { echoServer, greetingServer, openSocks, tcpFlowOf } from "./support.ts";

const ok = respond({ body: "ok" });

function saying(lines: string[]): { nextLayer(layer: Layer): void } {
  return {
    nextLayer({ name, tunnel, serverName, client, data }) {
      const where = [
        tunnel && `${tunnel.hostname}:${tunnel.port}`,
        serverName,
        client.tls && "secure",
        data.length === 0 && "silent",
      ];
      lines.push([name, ...where.filter(Boolean)].join(" "));
    },
  };
}

describe("is told", () => {
  test("of the port, of the tunnel, and of what is behind TLS", async () => {
    const lines: string[] = [];
    await using proxy = await startProxy({ defaultAction: ok, addons: [saying(lines)] });
    await rawRequest(proxy.port, getRequest("http://a.test/", "a.test"));
    expect(lines.splice(0)).toEqual(["http1"]);

    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "api.shop.test" });
    await client.write(getRequest("/", "a.test"));
    expect(await readText(client)).toMatch(/ok$/);
    expect(lines.splice(0)).toEqual([
      "http1",
      "tls shop.test:443 api.shop.test",
      "http1 shop.test:443 secure",
    ]);

    await using socks = await openSocks(proxy, "shop.test", 80);
    await socks.write(getRequest("/", "a.test"));
    expect(await readText(socks)).toMatch(/ok$/);
    expect(lines).toEqual(["socks", "http1 shop.test:80"]);
  });

  test("of a server that speaks first, and of the first bytes", async () => {
    await using server = await greetingServer();
    const lines: string[] = [];
    let first: Uint8Array | undefined;
    await using proxy = await startProxy({
      addons: [saying(lines), { nextLayer: (layer) => void (first = layer.data) }],
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.readUntil("\n");
    expect(lines).toEqual(["http1", `tcp 127.0.0.1:${server.port} silent`]);
    await using other = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await other.write("\x00\x01\x02");
    await other.readUntil("\n");
    expect(Buffer.from(first!)).toEqual(Buffer.from([0, 1, 2]));
  });
});

describe("decides", () => {
  test("that HTTP is relayed untouched", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy({
      addons: [{
        name: "first",
        nextLayer: (layer) => layer.tunnel && { ...layer, name: "tcp" },
      }, {
        name: "second",
        async nextLayer(layer) {
          await Promise.resolve();
          if (layer.tunnel) expect(layer.name).toBe("tcp");
        },
      }],
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await client.readHead()).toBe("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(tcpFlowOf(proxy).messages.length).toBe(2);
  });

  test("that unusual HTTP is read, which would have been relayed", async () => {
    await using proxy = await startProxy({
      addons: [{ nextLayer: (layer) => layer.tunnel && { ...layer, name: "http1" } }],
    });
    await using client = await openTunnel(proxy, "a.test:80");
    await client.write("BROKEN\r\n\r\n");
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("that a connection is dropped", async () => {
    await using proxy = await startProxy({
      defaultAction: ok,
      addons: [{
        nextLayer: (layer) => layer.name === "socks" || layer.tunnel ? { ...layer, name: "drop" } : undefined,
      }],
    });
    await using tunnel = await openTunnel(proxy, "a.test:80");
    await tunnel.write(getRequest("/", "a.test"));
    await tunnel.closed;
    await using socks = await connectRaw(proxy.port);
    await socks.write(Uint8Array.of(5, 1, 0));
    await socks.closed;
    expect(socks.received.length).toBe(0);
    expect(proxy.flows.length).toBe(0);
    expect(await rawRequest(proxy.port, getRequest("http://a.test/", "a.test"))).toMatch(/ok$/);
  });

  test("nothing that there is no target for: the connection is closed, and the log says why", async () => {
    const log: string[] = [];
    await using proxy = await startProxy({
      addons: [{ nextLayer: (layer) => ({ ...layer, name: "tcp" }), log: ({ message }) => void log.push(message) }],
    });
    await using client = await connectRaw(proxy.port);
    await client.write("\x00garbage");
    await client.closed;
    await expect.poll(() => log.join()).toContain("its first byte is 0x00");
  });
});

test.each([
  ["throws", () => {
    throw new Error("oops");
  }, "oops"],
  ["returns something else", () => ({ name: "quic" }) as unknown as Layer, '{"name":"quic"}'],
])("a hook that %s closes the connection, and close() tells", async (_, nextLayer, why) => {
  const proxy = await startProxy({ addons: [{ name: "broken", nextLayer }] });
  await using client = await connectRaw(proxy.port);
  await client.write("GET / HTTP/1.1\r\n\r\n");
  await client.closed;
  await expect(proxy.close()).rejects.toThrow(why);
  expect(proxy.flows.filter(tcp()).length).toBe(0);
});
