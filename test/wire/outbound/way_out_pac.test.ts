// PAC files of a running proxy (upstream.pac).
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { echoServer } from "../tcp/support.ts";
import { openTunnel } from "../tunnel.ts";
import { closedPort, get, lastFlow, startNext } from "./next_proxy.ts";

/** A PAC file that says what it was asked. */
function pacFile(body: string): string {
  return `function FindProxyForURL(url, host) { alert(url); ${body} }`;
}

test("chooses the way of each flow, is asked once for a server, and yields to noProxy and hosts", async () => {
  await using next = await startNext();
  const asked: string[] = [];
  const port = await closedPort();
  await using proxy = await startProxy({
    upstream: {
      ca: next.proxy.ca.cert,
      pac: pacFile(`return dnsDomainIs(host, ".test") ? "PROXY 127.0.0.1:${next.proxy.port}" : "DIRECT";`),
      hosts: { "local.test": `127.0.0.1:${next.plain.port}` },
      noProxy: `localhost:${port}`,
    },
    addons: [{
      log({ message }) {
        const [, url] = /^the PAC file says: (.*)/.exec(message) ?? [];
        if (url !== undefined) asked.push(url);
      },
    }],
  });
  expect(await get(proxy, "https://secure.test/a?b")).toBe("200 secure");
  expect(await get(proxy, "https://secure.test/c")).toBe("200 secure");
  expect(await get(proxy, "http://shop.test/d")).toBe("200 plain");
  expect(lastFlow(proxy).server!.via).toBe(next.url);
  expect(await get(proxy, `${next.plain.url}/e`)).toBe("200 plain");
  expect(lastFlow(proxy).server!.via).toBeUndefined();
  expect(await get(proxy, "http://local.test/")).toBe("200 plain");
  expect(await get(proxy, `http://localhost:${port}/`)).toMatch(/^502 [^]*UPSTREAM_REFUSED/);
  expect(asked).toEqual(["https://secure.test/", "http://shop.test/d", `${next.plain.url}/e`]);
  expect(next.passed).toEqual([
    "GET https://secure.test/a?b",
    "GET https://secure.test/c",
    "GET http://shop.test/d",
  ]);
});

test("a connection that waits is used again, also where the file was asked anew", async () => {
  await using next = await startNext();
  await using proxy = await startProxy({ upstream: { pac: pacFile(`return "PROXY 127.0.0.1:${next.proxy.port}";`) } });
  expect(await get(proxy, "http://shop.test/1")).toBe("200 plain");
  expect(await get(proxy, "http://shop.test/2")).toBe("200 plain");
  expect(new Set([...proxy.flows].map(({ server }) => server!.id)).size).toBe(1);
});

test("a proxy that is down is passed over; when all ways fail, the first one's failure is told with the others", async () => {
  await using next = await startNext();
  const port = await closedPort();
  await using proxy = await startProxy({
    upstream: {
      pac: pacFile(`return host === "shop.test" ? "PROXY 127.0.0.1:${port}; PROXY 127.0.0.1:${next.proxy.port}; DIRECT"
        : "PROXY 127.0.0.1:${port}; DIRECT";`),
    },
  });
  expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
  expect(lastFlow(proxy).server!.via).toBe(next.url);
  const answer = await get(proxy, `http://localhost:${port}/`);
  expect(answer).toMatch(/^502 .*through the proxy http:\/\/127\.0\.0\.1:\d+: .*; then: cannot reach localhost:/);
  expect(lastFlow(proxy).error!.code).toBe("NEXT_PROXY_UNREACHABLE");
});

test("chooses for conversations of raw bytes too, by host and port", async () => {
  await using next = await startNext();
  await using server = await echoServer();
  await using proxy = await startProxy({
    upstream: {
      pac: pacFile(
        `return url === "https://127.0.0.1:${server.port}/" ? "SOCKS 127.0.0.1:${next.proxy.port}" : "DIRECT";`,
      ),
    },
  });
  await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
  await client.write("PING\r\n");
  expect(await client.readUntil("\n")).toBe("PING\r\n");
  expect(proxy.flows.last()!.server!.via).toBe(`socks5h://127.0.0.1:${next.proxy.port}`);
});

test("is read from a path at the start, from a server with the first flow, and again when that failed", async () => {
  await using next = await startNext();
  await using folder = await tempFolder();
  const text = pacFile(`return "PROXY 127.0.0.1:${next.proxy.port}";`);
  const path = folder.file("proxy.pac");
  await expect(startProxy({ upstream: { pac: path } })).rejects.toMatchObject({ code: "PAC_UNREADABLE" });
  await writeFile(path, text);
  await using local = await startProxy({ upstream: { pac: path } });
  expect(await get(local, "http://shop.test/")).toBe("200 plain");

  let ready = false;
  await using server = await startOrigin(() => ready ? { body: text } : { status: 503 });
  await using remote = await startProxy({ upstream: { pac: `${server.url}/proxy.pac` } });
  expect(server.requests.length).toBe(0);
  expect(await get(remote, "http://shop.test/")).toMatch(/^502 .*the server answered 503[^]*PAC_UNREADABLE/);
  ready = true;
  expect(await get(remote, "http://shop.test/")).toBe("200 plain");
  expect(await get(remote, "http://blog.test/")).toBe("200 plain");
  expect(server.requests.length).toBe(2);
});

test("one that fails is a 502 that says how", async () => {
  await using proxy = await startProxy({ upstream: { pac: pacFile(`return shop.door;`) } });
  expect(await get(proxy, "http://shop.test/")).toMatch(/^502 .*The PAC file threw: .*shop[^]*PAC_FAILED/);
});

test("a server that does not give it: 502, and closing does not wait", async () => {
  let asked = 0;
  await using server = await startRawServer((connection) => {
    asked++;
    return connection.closed;
  });
  const pac = `http://127.0.0.1:${server.port}/proxy.pac`;
  {
    await using hasty = await startProxy({ upstream: { pac }, timeouts: { connect: 100 } });
    expect(await get(hasty, "http://shop.test/")).toMatch(/^502 .*no answer within 100 ms[^]*PAC_UNREADABLE/);
  }
  const proxy = await startProxy({ upstream: { pac } });
  const answer = proxy.fetch("http://shop.test/").then(() => "an answer", () => "none");
  await expect.poll(() => asked).toBe(2);
  await proxy.close();
  expect(await answer).toBe("none");
});
