// https.passthrough: TLS that the proxy does not open.
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpsOptions, type Proxy, respond, startProxy, tcp, UnmatchedRequestError } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { getRequest, openTunnel, readText } from "../tunnel.ts";
import { openSocks, tcpFlowOf } from "./support.ts";

let origin: Origin;

beforeEach(async () => {
  origin = await startOrigin(({ target }) => ({ body: `origin ${target}` }), { tls: true });
});

afterEach(() => origin[Symbol.asyncDispose]());

function start(passthrough: HttpsOptions["passthrough"]): Promise<Proxy> {
  return startProxy({
    https: { passthrough },
    upstream: { hosts: { "*.test": `127.0.0.1:${origin.port}` } },
    defaultAction: respond({ body: "from the proxy" }),
  });
}

/** Asks for `/` over TLS: who answered, and with whose certificate. */
async function ask(proxy: Proxy, tunnel: RawConnection, servername: string): Promise<string> {
  await using client = await tunnel.startTls({ ca: [proxy.ca.cert, testCa().cert], servername });
  const { issuer } = (client.socket as TLSSocket).getPeerCertificate();
  await client.write(getRequest("/", servername));
  const answer = await readText(client);
  const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  expect([body, issuer.CN === "flowtape test CA"]).toEqual([body, body.startsWith("origin")]);
  return body;
}

describe("B42 passthrough", () => {
  test.each<[string, HttpsOptions["passthrough"]]>([
    ["a list of hosts", ["pinned.test", "*.bank.test"]],
    ["a list with a port", ["pinned.test:443"]],
    ["a shape", { host: "pinned.test" }],
    ["a string", "https://pinned.test/*"],
    ["a pattern", /^https:\/\/pinned\./],
    ["a function", (flow) => flow.request.method === "CONNECT" && flow.request.hostname === "pinned.test"],
  ])("by host: %s", async (_, passthrough) => {
    await using proxy = await start(passthrough);
    expect(await ask(proxy, await openTunnel(proxy, "pinned.test:443"), "pinned.test")).toBe("origin /");
    const flow = tcpFlowOf(proxy);
    expect(flow).toMatchObject({ hostname: "pinned.test", port: 443, serverName: "pinned.test" });
    expect(flow.messages[0]!.data[0]).toBe(0x16);
    proxy.reset();
    expect(await ask(proxy, await openTunnel(proxy, "other.test:443"), "other.test")).toBe("from the proxy");
    expect(proxy.flows.filter(tcp()).length).toBe(0);
  });

  test("by the name in the hello", async () => {
    await using proxy = await start(["pinned.test"]);
    const target = `127.0.0.1:${origin.port}`;
    expect(await ask(proxy, await openTunnel(proxy, target), "pinned.test")).toBe("origin /");
    expect(tcpFlowOf(proxy)).toMatchObject({ hostname: "127.0.0.1", serverName: "pinned.test" });
    expect(await ask(proxy, await openTunnel(proxy, target), "other.test")).toBe("from the proxy");
  });

  test("by the host of the tunnel, whatever the hello says", async () => {
    await using proxy = await start(["pinned.test"]);
    expect(await ask(proxy, await openTunnel(proxy, "pinned.test:443"), "other.test")).toBe("origin /");
    expect(tcpFlowOf(proxy).serverName).toBe("other.test");
  });

  test("through SOCKS", async () => {
    await using proxy = await start(["pinned.test"]);
    expect(await ask(proxy, await openSocks(proxy, "pinned.test", 443), "pinned.test")).toBe("origin /");
    expect(await ask(proxy, await openSocks(proxy, "other.test", 443), "other.test")).toBe("from the proxy");
  });

  test("plain HTTP to such a host is served as ever", async () => {
    await using proxy = await start(["pinned.test"]);
    await using tunnel = await openTunnel(proxy, "pinned.test:80");
    await tunnel.write(getRequest("/", "pinned.test"));
    expect(await readText(tunnel)).toMatch(/from the proxy$/);
  });

  test("every byte is the same, in both directions", async () => {
    const every = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 0xff));
    const answer = Buffer.concat([Buffer.from([0x15, 3, 3, 0, 2, 2, 40]), every]);
    await using server = await startRawServer(async (connection) => {
      await connection.write(answer);
      await connection.readAll();
    }, { halfOpen: true });
    await using proxy = await startProxy({ https: { passthrough: ["*"] } });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    // No hello that could be read: such a connection is passed on all the same.
    const sent = Buffer.concat([Buffer.from([0x16, 3, 1, 0, 5]), Buffer.from("hello"), every]);
    await client.write(sent);
    client.end();
    expect(Buffer.from(await client.readAll()).equals(answer)).toBe(true);
    expect(Buffer.from(server.received).equals(sent)).toBe(true);
  });

  test("a hello that comes byte by byte", async () => {
    await using proxy = await start(["pinned.test"]);
    const tunnel = await openTunnel(proxy, "10.0.0.1:443");
    const { default: net } = await import("node:net");
    const relay = net.createServer((socket) => {
      socket.on("data", async (bytes: Buffer) => {
        socket.pause();
        for (const byte of bytes.subarray(0, 600)) await tunnel.write(Uint8Array.of(byte));
        await tunnel.write(bytes.subarray(600));
        socket.resume();
      });
      socket.on("error", () => {});
      tunnel.socket.pipe(socket);
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const { connectRaw } = await import("../../support/raw_client.ts");
    await using plain = await connectRaw((relay.address() as { port: number }).port);
    const asking = plain.startTls({ ca: testCa().cert, servername: "pinned.test" }).catch(() => undefined);
    await expect.poll(() => proxy.flows.length).toBe(1);
    expect(tcpFlowOf(proxy)).toMatchObject({ hostname: "10.0.0.1", serverName: "pinned.test" });
    tcpFlowOf(proxy).kill();
    plain.reset();
    await asking;
    tunnel.socket.destroy();
    relay.close();
  });
});

describe("in replay mode", () => {
  test("B92 no conversation reaches the network: it is reset, unmatched, and fails close()", async () => {
    await using server = await startRawServer((connection) => connection.closed);
    await using folder = await tempFolder();
    const dialled: number[] = [];
    const proxy = await startProxy({
      tape: { path: folder.file("tape.har"), mode: "replay" },
      https: { passthrough: ["pinned.test"] },
      addons: [{ serverConnect: ({ port }) => void dialled.push(port) }],
    });
    await using pinned = await openTunnel(proxy, "pinned.test:443");
    await expect(pinned.startTls({ servername: "pinned.test" })).rejects.toThrow();
    pinned.socket.destroy();
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write(Uint8Array.of(0));
    await client.closed;
    await using silent = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await silent.closed;
    expect(proxy.unmatched.toJSON().map(({ url, status }) => `${url} ${status}`)).toEqual([
      "pinned.test:443 UNMATCHED",
      `127.0.0.1:${server.port} UNMATCHED`,
      `127.0.0.1:${server.port} UNMATCHED`,
    ]);
    const error: unknown = await proxy.close().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UnmatchedRequestError);
    expect((error as Error).message).toContain("is on no tape, and in replay mode nothing reaches the network");
    expect([server.connections, origin.connections, ...dialled]).toEqual([0, 0]);
  });
});

test.each([[["a b"], "https.passthrough[0]"], [[1], "https.passthrough[0]"], [5, "https.passthrough"]])(
  "%j is refused",
  async (passthrough, where) => {
    await expect(startProxy({ https: { passthrough: passthrough as string[] } })).rejects.toThrow(where);
  },
);
