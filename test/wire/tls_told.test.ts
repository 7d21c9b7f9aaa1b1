// What a connection tells: names, protocols, certificates, addresses, times.
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { createCa, testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { getRequest, openTunnel, readText } from "./tunnel.ts";

async function visit(proxy: Proxy, host = "shop.test"): Promise<HttpFlow> {
  await using tunnel = await openTunnel(proxy, `${host}:443`);
  await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: host, ALPNProtocols: ["http/1.1"] });
  await client.write(getRequest("/", host));
  await readText(client);
  return proxy.flows.last() as HttpFlow;
}

describe("flow.server", () => {
  test("tells what TLS agreed on, and the chain of certificates", async () => {
    const leaf = testCa().issue(["shop.test", "*.shop.test", "192.0.2.7"]);
    await using origin = await startOrigin(undefined, {
      tls: { ...leaf, cert: leaf.cert + testCa().cert, ALPNProtocols: ["http/1.1"] },
    });
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const before = Date.now();
    const { server, timings } = await visit(proxy);
    await proxy.close(); // certificates are made when somebody looks, whatever has become of the connection
    const tls = server!.tls!;
    expect(tls).toMatchObject({ version: "TLSv1.3", serverName: "shop.test", alpn: "http/1.1" });
    expect(tls.cipher).toMatch(/^TLS_/);
    expect(tls.establishedAt).toBeGreaterThanOrEqual(before);
    expect(tls.establishedAt).toBeLessThanOrEqual(Date.now());
    expect(tls.certificates).toHaveLength(2);
    const [own, authority] = tls.certificates;
    const real = new X509Certificate(leaf.cert);
    expect(own).toEqual({
      subject: "CN=shop.test",
      issuer: "CN=flowtape test CA",
      names: ["shop.test", "*.shop.test", "192.0.2.7"],
      serialNumber: own!.serialNumber,
      validFrom: new Date(real.validFrom).toISOString(),
      validTo: new Date(real.validTo).toISOString(),
      fingerprint: real.fingerprint256,
      pem: own!.pem,
    });
    expect(own!.serialNumber).toMatch(/^01[0-9A-F]{16}$/);
    expect(new X509Certificate(own!.pem).fingerprint256).toBe(real.fingerprint256);
    expect(authority).toMatchObject({ subject: "CN=flowtape test CA", issuer: "CN=flowtape test CA", names: [] });
    expect(JSON.parse(JSON.stringify(tls)).certificates).toEqual(tls.certificates);
    expect(tls.certificates).toBe(tls.certificates);
    expect(timings.connectStart).toBeLessThanOrEqual(timings.connectEnd!);
    expect(timings.connectEnd).toBeLessThanOrEqual(timings.tlsEnd!);
    expect(timings.tlsEnd).toBeLessThanOrEqual(timings.responseStart!);
    expect(timings.dnsEnd).toBeUndefined();
  });

  test("tells the certificate of a server that is not verified", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa("nobody").issue(["elsewhere.test"]) });
    await using proxy = await startProxy({
      upstream: { verify: false, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const { server } = await visit(proxy);
    expect(server!.tls!.certificates[0]).toMatchObject({ issuer: "CN=nobody", names: ["elsewhere.test"] });
  });

  test("tells the addresses of both ends", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const { server, client } = await visit(proxy);
    expect(server).toMatchObject({ host: "127.0.0.1", port: origin.port, address: "127.0.0.1" });
    expect([server!.localAddress, typeof server!.localPort]).toEqual(["127.0.0.1", "number"]);
    expect(client).toMatchObject({ address: "127.0.0.1", localAddress: "127.0.0.1", localPort: proxy.port });
    expect(client.connectedAt).toBeLessThanOrEqual(client.tls!.establishedAt);
    expect(client.tls!.certificates).toEqual([]);
  });

  test("how long the name took, when there was one to resolve", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    for (const host of ["localhost", "127.0.0.1"]) {
      await using client = await connectRaw(proxy.port);
      await client.write(`GET http://${host}:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.readAll();
    }
    const [named, numbered] = [...proxy.flows] as HttpFlow[];
    expect(named!.timings.dnsEnd).toBeGreaterThanOrEqual(named!.timings.connectStart!);
    expect(named!.timings.dnsEnd).toBeLessThanOrEqual(named!.timings.connectEnd!);
    expect(numbered!.timings.dnsEnd).toBeUndefined();
  });
});

describe("flow.client", () => {
  test.runIf(hasCommand("openssl"))("a client without extensions to speak of has its own fingerprints", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    const prints: string[] = [];
    for (const args of [["-tls1_2"], ["-tls1_3"], ["-tls1_3", "-alpn", "http/1.1"], ["-tls1_2", "-noservername"]]) {
      await run("openssl", [
        "s_client",
        "-proxy",
        `127.0.0.1:${proxy.port}`,
        "-connect",
        "shop.test:443",
        "-CAfile",
        proxy.ca.path,
        "-ign_eof",
        ...args,
      ], { input: getRequest("/", "shop.test") });
      const { tls } = (proxy.flows.last() as HttpFlow).client;
      prints.push(tls!.ja4!.slice(0, 4) + tls!.ja4!.slice(8, 10));
      expect(tls!.version).toBe(args[0] === "-tls1_2" ? "TLSv1.2" : "TLSv1.3");
      expect(tls!.ja3).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(prints).toEqual(["t12d00", "t13d00", "t13dh1", "t12i00"]);
  });

  test("a client has the same fingerprints each time", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    const prints = new Set<string>();
    for (let i = 0; i < 3; i++) prints.add((await visit(proxy, `a${i}.test`)).client.tls!.ja4!);
    expect(prints.size).toBe(1);
  });
});
