/** Requests that would come back to the proxy: by whatever name, through whatever other proxies. */
import { readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, type ProxyOptions, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { exchange, readResponse, requestTo } from "./http1_client.ts";
import { openSocks } from "./tcp/support.ts";
import { connectRequest, openTunnel } from "./tunnel.ts";

/** A proxy whose way out is another one that is not there yet. */
async function startTo(next: () => string | undefined, options: ProxyOptions = {}): Promise<Proxy> {
  return await startProxy({ ...options, upstream: { proxy: () => next() } });
}

/** The error codes of all flows of a proxy. */
const errors = (proxy: Proxy) => [...proxy.flows].map((flow) => flow.error?.code);

/** A name of this machine in its hosts file, other than localhost. */
const ownName = readFileSync("/etc/hosts", "utf8").match(/^127\.0\.0\.1\s+(?!localhost)([\w-]+)/m)?.[1];

describe("a proxy that is its own server", () => {
  test.each([
    ["localhost", "LOCALHOST", {}],
    ["a name below localhost", "me.localhost", {}],
    ["::1", "[::1]", {}],
    ["::ffff:127.0.0.1", "[::ffff:127.0.0.1]", {}],
    ["::", "[::]", {}],
    ["an override with a name", "me.test", { "me.test": "localhost" }],
    ["an override with a wildcard", "a.me.test", { "*.me.test": "127.0.0.1" }],
  ])("%s: 508, and what to do", async (_, name, hosts) => {
    await using proxy = await startProxy({ upstream: { hosts } });

    const response = await exchange(proxy.port, requestTo(`http://${name}:${proxy.port}/`));

    expect(response.status).toBe(508);
    expect(response.text).toContain("leads to this proxy itself");
    expect(response.text).toContain("upstream: { hosts }");
    expect(errors(proxy)).toEqual(["LOOP"]);
  });

  test.runIf(ownName !== undefined)("a name of the hosts file: 508", async () => {
    await using proxy = await startProxy();

    expect((await exchange(proxy.port, requestTo(`http://${ownName}:${proxy.port}/`))).status).toBe(508);
    expect((await exchange(proxy.port, requestTo(`http://${ownName}.:${proxy.port}/`))).status).toBe(508);
  });

  test("an override of another port that leads to the proxy: 508", async () => {
    const hosts: Record<string, string> = {};
    await using origin = await startOrigin();
    await using first = await startProxy();
    const { port } = first;
    await first.close();
    hosts["me.test"] = `localhost:${port}`;
    await using proxy = await startProxy({ port, upstream: { hosts } });

    expect((await exchange(proxy.port, requestTo("http://me.test/"))).status).toBe(508);
    expect((await exchange(proxy.port, requestTo(origin.url))).text).toBe("ok");
  });

  test("one that listens on all addresses: its name, and every address of this machine", async () => {
    await using proxy = await startProxy({ host: "0.0.0.0" });

    for (const name of ["127.0.0.1", "127.9.9.9", "0.0.0.0", "localhost", "[::1]"]) {
      expect([name, (await exchange(proxy.port, requestTo(`http://${name}:${proxy.port}/`))).status]).toEqual([
        name,
        508,
      ]);
    }
  });

  test("in a tunnel of CONNECT, and of SOCKS", async () => {
    await using proxy = await startProxy();
    await using tunnel = await openTunnel(proxy, `localhost:${proxy.port}`);
    await tunnel.write(`GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect((await readResponse(tunnel)).status).toBe(508);
    await using socks = await openSocks(proxy, "localhost", proxy.port);
    await socks.write(`GET / HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect((await readResponse(socks)).status).toBe(508);
    await using raw = await openSocks(proxy, "localhost", proxy.port);
    await raw.write("\0\0\0\0");
    await raw.closed;
    expect(errors(proxy)).toEqual(["LOOP", "LOOP", "LOOP"]);
  });

  test("through another proxy, by name", async () => {
    await using next = await startProxy();
    await using proxy = await startProxy({ upstream: { proxy: next.url } });

    expect((await exchange(proxy.port, requestTo(`http://localhost:${proxy.port}/`))).status).toBe(508);
    expect(next.flows.length).toBe(0);
  });

  test.each(["http://localhost", "http://[::1]", "socks5://127.0.0.1", "socks4a://localhost"])(
    "upstream.proxy %s is the proxy itself",
    async (url) => {
      await using proxy: Proxy = await startTo(() => `${url}:${proxy.port}`);

      const response = await exchange(proxy.port, requestTo("http://shop.test/"));

      expect(response.status).toBe(508);
      expect(response.text).toContain("is this proxy itself");
      expect(errors(proxy)).toEqual(["LOOP"]);
    },
  );

  test("another server at the same port of another address is none", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    expect((await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`))).text).toBe("ok");
  });
});

describe("proxies in a ring", () => {
  test.each(["http", "socks5", "socks4a", "socks5h", "socks4"])("two over %s: 508 that says how", async (scheme) => {
    await using one: Proxy = await startTo(() => `${scheme}://127.0.0.1:${two.port}`);
    await using two: Proxy = await startTo(() => `${scheme}://127.0.0.1:${one.port}`);

    const response = await exchange(one.port, requestTo("http://127.0.0.9:9/"));

    expect(response.status).toBe(508);
    expect(response.text).toContain("has come back to this proxy through another proxy");
    expect(response.text).toContain("upstream.noProxy");
    // Once around, and no further.
    expect([one.flows.length, two.flows.length]).toEqual([2, 1]);
    expect(errors(one)[1]).toBe("LOOP");
  });

  test("three, in a tunnel with TLS", async () => {
    await using one: Proxy = await startProxy({ upstream: { proxy: () => two.url, verify: false } });
    await using two: Proxy = await startProxy({ upstream: { proxy: () => three.url, verify: false } });
    await using three: Proxy = await startProxy({ upstream: { proxy: () => one.url, verify: false } });

    const response = await one.fetch("https://shop.test/");

    expect(response.status).toBe(508);
    expect(await response.text()).toContain("through 2 other proxies");
    expect(two.flows.length).toBe(1);
    expect(three.flows.length).toBe(1);
  });

  test("two that are each other's server by an override", async () => {
    const hosts: Record<string, string> = {};
    await using last = await startProxy();
    const { port } = last;
    await last.close();
    await using two: Proxy = await startProxy({ upstream: { hosts: { "shop.test": `127.0.0.1:${port}` } } });
    hosts["shop.test"] = `localhost:${two.port}`;
    await using one = await startProxy({ port, upstream: { hosts } });

    expect((await exchange(one.port, requestTo("http://shop.test/"))).status).toBe(508);
    expect([one.flows.length, two.flows.length]).toEqual([2, 1]);
  });

  test("raw conversations are cut", async () => {
    await using one: Proxy = await startTo(() => two.url);
    await using two: Proxy = await startTo(() => one.url);
    await using client = await openTunnel(one, "db.test:5432");

    await client.write("\0\0\0\x08");
    await client.closed;

    expect([...errors(one), ...errors(two)]).toContain("LOOP");
    expect(one.flows.length + two.flows.length).toBe(3);
  });

  test("WebSockets too", async () => {
    await using one: Proxy = await startTo(() => two.url);
    await using two: Proxy = await startTo(() => one.url);
    await using client = await connectRaw(one.port);

    await client.write(requestTo("http://shop.test/", {
      fields: [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ],
    }));

    expect((await readResponse(client)).status).toBe(508);
  });

  test("what a rule answers when it comes back is no loop", async () => {
    await using one: Proxy = await startTo(() => two.url);
    await using two: Proxy = await startTo(() => one.url);
    let times = 0;
    one.use([() => ++times === 2, respond({ body: "answered" })]);

    expect((await exchange(one.port, requestTo("http://shop.test/"))).text).toBe("answered");
  });

  test("a client of its own of the second proxy is not taken for what went around", async () => {
    await using origin = await startOrigin();
    await using one: Proxy = await startTo(() => two.url);
    // Only what is for shop.test goes around.
    await using two: Proxy = await startProxy({
      upstream: { proxy: ({ request }) => request.hostname === "shop.test" ? one.url : undefined },
    });

    expect((await exchange(one.port, requestTo("http://shop.test/"))).status).toBe(508);
    expect((await exchange(one.port, requestTo(origin.url))).text).toBe("ok");
    expect((await exchange(two.port, requestTo(origin.url))).text).toBe("ok");
    expect((await exchange(one.port, requestTo(origin.url))).text).toBe("ok");
  });

  test("connections that have come another way are not used for it", async () => {
    // The server of `two` is `one`, which answers by itself: the connection between them is kept.
    await using one: Proxy = await startProxy({
      rules: [[{ path: "/answered" }, respond({ body: "answered" })]],
      upstream: { proxy: () => two.url },
    });
    await using two: Proxy = await startProxy({ upstream: { proxy: () => one.url } });
    const get = async (proxy: Proxy, path: string) =>
      (await exchange(proxy.port, requestTo(`http://shop.test${path}`))).status;

    expect(await get(one, "/")).toBe(508);
    expect(await get(two, "/answered")).toBe(200);
    // From `two` alone it goes around once as well, but is noticed by `two`.
    expect(await get(two, "/")).toBe(508);
    expect(errors(two).filter((code) => code === "LOOP")).toHaveLength(1);
    expect(await get(two, "/answered")).toBe(200);
  });

  test("chains that are no ring pass, however long", async () => {
    await using origin = await startOrigin();
    const proxies: Proxy[] = [];
    try {
      for (let i = 0; i < 5; i++) proxies.push(await startProxy({ upstream: { proxy: proxies.at(-1)?.url } }));
      expect((await exchange(proxies.at(-1)!.port, requestTo(origin.url))).text).toBe("ok");
      // The server has seen nothing of it.
      expect(origin.requests[0]!.header("via")).toBe(undefined);
    } finally {
      for (const proxy of proxies) await proxy.close();
    }
  });
});

describe("proxies of other processes", () => {
  test.each(["http", "socks5", "socks5h"])("a ring over %s is noticed, by what only proxies see", async (scheme) => {
    await using one: Proxy = await startTo(() => other.url.replace("http:", `${scheme}:`));
    await using other = await startOther(one.url.replace("http:", `${scheme}:`));

    const response = await exchange(one.port, requestTo("http://127.0.0.9:9/"));

    expect(response.status).toBe(508);
    expect(response.text).toContain("has come back to this proxy");
    expect(one.flows.length).toBe(2);
  });

  test("SOCKS 4 has no room for it: limits.connections ends a ring, and the client has its answer", async () => {
    await using one: Proxy = await startTo(() => other.url.replace("http:", "socks4:"), {
      limits: { connections: 20 },
    });
    await using other = await startOther(one.url.replace("http:", "socks4:"));

    const response = await exchange(one.port, requestTo("http://127.0.0.9:9/"));

    expect(response.status).toBe(502);
    // Once for the client, then for each round.
    expect(one.flows.length).toBeLessThanOrEqual(20);
    for (const flow of one.flows) expect(flow.done).toBe(true);
  });

  test("who offers the methods of a trail to SOCKS 5 is not taken for a ring, nor for more than it is", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const trails = [
      [0xf7, 0xf1, 0xf0, 0xf7],
      [0xf7, 0xf1, 0xf0, 0xf7, ...Array(15).fill(0x81)],
      [0xf7, 0xf1, 0xf0, 0xf7, ...Array(248).fill(0x8f)],
      [0xfe, 0xf7, 0xf1, 0xf0, 0xf7, 0xf7],
    ];
    for (const methods of trails) {
      await using client = await connectRaw(proxy.port);
      await client.write(Uint8Array.of(5, methods.length + 1, ...methods, 0));
      expect([...await client.readBytes(2)]).toEqual([5, 0]);
      await client.write(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, origin.port >> 8, origin.port & 255));
      await client.readBytes(10);
      await client.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
      expect((await readResponse(client)).text).toBe("ok");
    }
  });

  test("a CONNECT says which proxies it has passed; an httpConnect hook can see and take that away", async () => {
    const seen: (string | null)[] = [];
    await using next = await startProxy({
      addons: [{ httpConnect: (flow: HttpFlow) => void seen.push(flow.request.headers.get("via")) }],
      rules: [[{ path: "/" }, respond({ body: "ok" })]],
    });
    await using plain = await startProxy({ upstream: { proxy: next.url } });
    await using hooked = await startProxy({
      upstream: { proxy: next.url },
      addons: [{ httpConnect: (flow: HttpFlow) => flow.request.headers.delete("via") }],
    });

    await exchange(plain.port, requestTo("http://shop.test/"));
    await exchange(hooked.port, requestTo("http://shop.test/"));

    expect(seen).toEqual([expect.stringMatching(/^1\.1 flowtape-[0-9a-f]{16}$/), null]);
  });

  test("a proxy that answers CONNECT with 508 has found the ring: that is said", async () => {
    await using next = await startOrigin(() => ({ status: 508, reason: "Loop Detected" }));
    await using proxy = await startProxy({ upstream: { proxy: `http://127.0.0.1:${next.port}` } });

    const response = await exchange(proxy.port, requestTo("http://shop.test/"));

    expect(response.status).toBe(508);
    expect(response.text).toContain("send requests to one another");
    expect(errors(proxy)).toEqual(["LOOP"]);
  });

  test("a Via that a client has made up does no harm", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    const names = Array.from({ length: 1000 }, (_, i) => `1.1 flowtape-${i.toString(16).padStart(16, "0")}`).join(", ");

    const target = `127.0.0.1:${origin.port}`;
    await client.write(connectRequest(target).replace(/\r\n\r\n$/, `\r\nVia: ${names}\r\nVia: 1.0 fred, "\r\n\r\n`));
    await client.readHead();
    await client.write(`GET / HTTP/1.1\r\nHost: ${target}\r\n\r\n`);

    expect((await readResponse(client)).text).toBe("ok");
  });
});

/** A proxy in a process of its own whose way out is `proxy`. */
async function startOther(proxy: string): Promise<{ url: string } & AsyncDisposable> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const script = fileURLToPath(new URL("loops_in_process.ts", import.meta.url));
  const args = {
    node: [script, proxy],
    deno: ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`, script, proxy],
    bun: [script, proxy],
  };
  const child = spawn(runtimePath(runtime), args[runtime], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    child.once("error", reject);
    child.once("exit", () => reject(new Error("it ended at once")));
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
      lines.close();
    },
  };
}
