// Whom the proxy trusts, and where names lead.
import { writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy, type UpstreamOptions } from "../../src/mod.ts";
import { createCa, type TestCa, testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { run } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { startRawServer } from "../support/raw_server.ts";
import { tempFolder } from "../support/temp.ts";
import { getRequest, openTunnel, readText } from "./tunnel.ts";

/** Deno has one reason for whatever is wrong with a certificate but its name. */
const deno = runtime === "deno";
const DENO = /is not trusted: .*unless it has expired, which Deno does not tell/;
const DAY = 24 * 60 * 60 * 1000;

/** GETs through a tunnel in which the client trusts the proxy. */
async function get(proxy: Proxy, target: string, name = target.split(":")[0]!): Promise<string> {
  await using tunnel = await openTunnel(proxy, target);
  await using client = await tunnel.startTls({
    ca: proxy.ca.cert,
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
  });
  await client.write(getRequest("/", name));
  return await readText(client);
}

describe("B43 a certificate that is not trusted is a 502 that says why and what to do", () => {
  const other = createCa("somebody else");
  const cases: [string, UpstreamOptions, () => ReturnType<TestCa["issue"]>, RegExp][] = [
    [
      "of an authority that is not known",
      {},
      () => testCa().issue(["shop.test"]),
      /is not trusted: .*upstream: \{ ca \}/,
    ],
    [
      "of another authority",
      { ca: testCa().cert },
      () => other.issue(["shop.test"]),
      /is not trusted: .*upstream: \{ ca \}/,
    ],
    [
      "for another name",
      { ca: testCa().cert },
      () => testCa().issue(["blog.test"]),
      /is not trusted: .*(blog\.test|NotValidForName|name)/i,
    ],
    [
      "that has expired",
      { ca: testCa().cert },
      () =>
        testCa().issue(["shop.test"], {
          notBefore: new Date(Date.now() - 9 * DAY),
          notAfter: new Date(Date.now() - 2 * DAY),
        }),
      deno ? DENO : /is not trusted: certificate has expired .*Renew it/,
    ],
    [
      "that is not valid yet",
      { ca: testCa().cert },
      () =>
        testCa().issue(["shop.test"], {
          notBefore: new Date(Date.now() + 3 * DAY),
          notAfter: new Date(Date.now() + 9 * DAY),
        }),
      deno ? DENO : /is not trusted: certificate is not yet valid .*Renew it/,
    ],
  ];

  test.each(cases)("%s", async (_, upstream, issue, why) => {
    await using origin = await startOrigin(undefined, { tls: issue() });
    await using proxy = await startProxy({
      upstream: { ...upstream, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const answer = await get(proxy, "shop.test:443");
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(answer).toMatch(why);
    expect(answer).toContain("verify: false");
    expect(answer).toContain(`shop.test (at 127.0.0.1:${origin.port})`);
    expect(answer).not.toContain("--use-system-ca");
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "UPSTREAM_UNTRUSTED", status: 502 });
    expect(origin.requests).toEqual([]);
  });

  test("a server that speaks no TLS", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readBytes(1);
      await connection.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await using proxy = await startProxy();
    const answer = await get(proxy, `127.0.0.1:${server.port}`, "shop.test");
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({
      code: "UPSTREAM_TLS",
      message: expect.stringContaining(`127.0.0.1:${server.port}`),
    });
    expect(answer).toContain("the server answered in plain HTTP");
    expect(answer).toContain("Use http://");
    expect(answer).not.toMatch(/wrong.version|SSL routines|corrupt message/i);
  });

  test("a server that hangs up in the handshake", async () => {
    await using server = await startRawServer(async (connection) => void await connection.readBytes(1));
    await using proxy = await startProxy();
    expect(await get(proxy, `127.0.0.1:${server.port}`, "shop.test")).toMatch(/^HTTP\/1\.1 502 /);
    expect((proxy.flows.first() as HttpFlow).error!.code).toMatch(/^UPSTREAM_(CLOSED|TLS)$/);
  });
});

describe("upstream.ca", () => {
  test("B45 is trusted: one, or several in a list or in one text", async () => {
    const one = createCa("one");
    const two = createCa("two");
    await using first = await startOrigin(undefined, { tls: one.issue(["one.test"]) });
    await using second = await startOrigin(undefined, { tls: two.issue(["two.test"]) });
    const hosts = { "one.test": `127.0.0.1:${first.port}`, "two.test": `127.0.0.1:${second.port}` };
    for (const ca of [[one.cert, two.cert], `${one.cert}\n${two.cert}`]) {
      await using proxy = await startProxy({ upstream: { ca, hosts } });
      expect(await get(proxy, "one.test:443")).toMatch(/ok$/);
      expect(await get(proxy, "two.test:443")).toMatch(/ok$/);
    }
  });

  test("B45 is trusted beside what the runtime trusts", async () => {
    const own = createCa("the runtime's");
    const extra = createCa("extra");
    await using folder = await tempFolder();
    await writeFile(folder.file("own.pem"), own.cert);
    await using first = await startOrigin(undefined, { tls: own.issue(["127.0.0.1"]) });
    await using second = await startOrigin(undefined, { tls: extra.issue(["127.0.0.1"]) });
    await using third = await startOrigin(undefined, { tls: createCa("nobody's").issue(["127.0.0.1"]) });
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const script = fileURLToPath(new URL("extra_ca_in_process.ts", import.meta.url));
    const flags = deno ? ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`] : [];
    const { stdout, stderr } = await run(
      runtimePath(runtime),
      [...flags, script, extra.cert, first.url, second.url, third.url],
      { cwd: root, env: { NODE_EXTRA_CA_CERTS: folder.file("own.pem") } },
    );
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '["200 ok","200 ok","502 fl"]', stderr: "" });
  });

  test("concerns one proxy only", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using trusting = await startProxy({ upstream: { ca: origin.ca } });
    await using other = await startProxy();
    expect(await get(trusting, `127.0.0.1:${origin.port}`)).toMatch(/ok$/);
    expect(await get(other, `127.0.0.1:${origin.port}`)).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe("upstream.verify", () => {
  test("false takes any certificate", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa().issue(["nobody.test"]) });
    await using proxy = await startProxy({ upstream: { verify: false } });
    expect(await get(proxy, `127.0.0.1:${origin.port}`, "shop.test")).toMatch(/ok$/);
    expect((proxy.flows.first() as HttpFlow).server!.tls!.version).toMatch(/^TLSv1/);
  });

  test("B44 a matcher says where certificates must be trusted", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa().issue(["nobody.test"]) });
    const { not } = await import("../../src/mod.ts");
    await using proxy = await startProxy({
      upstream: { verify: not({ host: "dev.test" }), hosts: { "*.test": `127.0.0.1:${origin.port}` } },
    });
    expect(await get(proxy, "dev.test:443")).toMatch(/ok$/);
    expect(await get(proxy, "shop.test:443")).toMatch(/^HTTP\/1\.1 502 /);
    // The connection that was not verified does not serve those that must be.
    expect(await get(proxy, "dev.test:443")).toMatch(/ok$/);
  });

  test("B44 a matcher that looks at the path: connections are not mixed up", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa().issue(["nobody.test"]) });
    await using proxy = await startProxy({
      upstream: { verify: { path: "/pay" }, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    for (const [path, status] of [["/", 200], ["/pay", 502], ["/", 200]] as const) {
      await client.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
      const head = await client.readHead();
      expect(head).toContain(`HTTP/1.1 ${status} `);
      await client.readBytes(Number(/content-length: (\d+)/i.exec(head)![1]));
    }
  });
});

describe("upstream.hosts", () => {
  const rows: [string, Record<string, string>, string, boolean][] = [
    ["an exact name", { "shop.test": "HERE" }, "shop.test:80", true],
    ["in any case", { "Shop.Test": "HERE" }, "sHOP.tEST:80", true],
    ["a name with its port", { "shop.test:8080": "HERE" }, "shop.test:8080", true],
    ["a name with another port", { "shop.test:8080": "HERE" }, "shop.test:80", false],
    ["a wildcard", { "*.shop.test": "HERE" }, "api.shop.test:80", true],
    ["a wildcard, deeper", { "*.shop.test": "HERE" }, "v1.api.shop.test:80", true],
    ["not the name of the wildcard itself", { "*.shop.test": "HERE" }, "shop.test:80", false],
    ["the exact name before a wildcard", { "*.test": "127.0.0.1:1", "shop.test": "HERE" }, "shop.test:80", true],
    ["the port before the name alone", { "shop.test": "127.0.0.1:1", "shop.test:80": "HERE" }, "shop.test:80", true],
    ["the longest wildcard", { "*.test": "127.0.0.1:1", "*.shop.test": "HERE" }, "a.shop.test:80", true],
    ["an IPv4 address", { "192.0.2.1": "HERE" }, "192.0.2.1:80", true],
    ["an IPv6 address", { "[2001:db8::1]": "HERE" }, "[2001:db8::1]:80", true],
  ];

  test.each(rows)("%s", async (_, hosts, target, fits) => {
    await using origin = await startOrigin(({ header }) => ({ body: `host=${header("host")}` }));
    const here = Object.fromEntries(
      Object.entries(hosts).map(([name, to]) => [name, to.replace("HERE", `127.0.0.1:${origin.port}`)]),
    );
    await using proxy = await startProxy({
      upstream: { hosts: { "*.test": "127.0.0.1:1", ...here } },
      timeouts: { connect: 2000 },
    });
    const answer = await rawRequest(
      proxy.port,
      `GET http://${target}/ HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`,
    );
    const seen = answer.includes(`host=${target}`) ||
      answer.toLowerCase().includes(`host=${target.toLowerCase().replace(/:80$/, "")}`);
    expect(seen, answer).toBe(fits);
    if (fits) expect((proxy.flows.first() as HttpFlow).server).toMatchObject({ host: "127.0.0.1", port: origin.port });
  });

  test("without a port keeps the port", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ upstream: { hosts: { "shop.test": "127.0.0.1" } } });
    const answer = await rawRequest(
      proxy.port,
      `GET http://shop.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/ok$/);
  });

  test("keeps the name in SNI, Host and the flow", async () => {
    const names: unknown[] = [];
    await using server = await startRawServer(async (connection) => {
      names.push((connection.socket as TLSSocket & { servername?: string }).servername);
      names.push(/host: (.*)\r\n/i.exec(await connection.readHead())![1]);
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }, { tls: testCa().issue(["shop.test"]) });
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${server.port}` } },
    });
    expect(await get(proxy, "shop.test:443")).toMatch(/ok$/);
    expect(names).toEqual(["shop.test", "shop.test"]);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.url).toBe("https://shop.test/");
    expect(flow.server).toMatchObject({ host: "127.0.0.1", port: server.port, tls: { serverName: "shop.test" } });
  });
});

test("a client that names the server only in its hello reaches the server by that name", async () => {
  await using origin = await startOrigin(undefined, { tls: testCa().issue(["shop.test"]) });
  await using proxy = await startProxy({ upstream: { ca: testCa().cert } });
  expect(await get(proxy, `127.0.0.1:${origin.port}`, "shop.test")).toMatch(/ok$/);
});

test("B19 connections to a TLS server are used again", async () => {
  await using origin = await startOrigin(undefined, { tls: true });
  await using proxy = await startProxy({ upstream: { ca: origin.ca } });
  for (let i = 0; i < 3; i++) expect(await get(proxy, `127.0.0.1:${origin.port}`)).toMatch(/ok$/);
  expect(origin.connections).toBe(1);
});

test("a request in absolute form for an https URL goes to its server over TLS", async () => {
  await using origin = await startOrigin(undefined, { tls: true });
  await using proxy = await startProxy({ upstream: { ca: origin.ca } });
  await using client = await connectRaw(proxy.port);
  await client.write(`GET ${origin.url}/x HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nConnection: close\r\n\r\n`);
  expect(await readText(client)).toMatch(/ok$/);
  expect(proxy.flows.requests[0]!.url).toBe(`${origin.url}/x`);
});
