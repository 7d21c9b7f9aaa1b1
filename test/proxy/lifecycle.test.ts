// A proxy from start to close: what opens, what ends it, and what is left behind: nothing.
import { describe, expect, test } from "vitest";
import { type Addon, delay, type HttpFlow, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { leftOpen, openResources } from "./resources.ts";

/** Milliseconds that closing may take, however many clients hang on: a busy machine needs a multiple of the usual few. */
const BOUND_MS = 8000;

async function timed<T>(work: Promise<T>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

function get(url: string): string {
  return `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
}

describe("close()", () => {
  test("is idempotent: the same promise every time", async () => {
    const proxy = await startProxy();
    const first = proxy.close();
    expect(proxy.close()).toBe(first);
    await first;
    expect(proxy.close()).toBe(first);
    await proxy[Symbol.asyncDispose]();
  });

  test("stops listening", async () => {
    const proxy = await startProxy();
    await proxy.close();
    await expect(connectRaw(proxy.port)).rejects.toThrow();
  });

  test("await using closes", async () => {
    let port: number;
    {
      await using proxy = await startProxy();
      port = proxy.port;
    }
    await expect(connectRaw(port)).rejects.toThrow();
  });

  test("B95 ends what is in flight in bounded time, and reports it", async () => {
    // A server that never answers, one that stops in the middle, and one that never ends.
    await using silent = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.closed;
    });
    await using partial = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      await connection.closed;
    });
    const proxy = await startProxy({ rules: [[{ host: "slow.test" }, delay(60_000, respond({ body: "late" }))]] });
    const clients = [
      await connectRaw(proxy.port), // says nothing
      await connectRaw(proxy.port), // half a head
      await connectRaw(proxy.port), // half a body
      await connectRaw(proxy.port),
      await connectRaw(proxy.port),
      await connectRaw(proxy.port),
      await openTunnel(proxy, "a.test:443"), // says nothing in its tunnel
      await openTunnel(proxy, "a.test:443"), // half a hello
      await (await openTunnel(proxy, "a.test:443")).startTls({ ca: proxy.ca.cert, servername: "a.test" }),
    ];
    await clients[1]!.write("GET http://a.test/ HTTP/1.1\r\nHost:");
    await clients[2]!.write(
      `POST http://127.0.0.1:${silent.port}/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf`,
    );
    await clients[3]!.write(get(`http://127.0.0.1:${silent.port}/silent`));
    await clients[4]!.write(get(`http://127.0.0.1:${partial.port}/partial`));
    await clients[4]!.readUntil("half");
    await clients[5]!.write(get("http://slow.test/slow"));
    await clients[7]!.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
    await expect.poll(() => proxy.flows.length).toBe(4);

    const errors: string[] = [];
    proxy.use({ error: (flow) => void errors.push(`${flow.request.path} ${flow.error!.code}`) });
    expect(await timed(proxy.close())).toBeLessThan(BOUND_MS);
    expect(errors.toSorted()).toEqual(
      ["/partial", "/silent", "/slow", "/upload"].map((path) => `${path} PROXY_CLOSED`),
    );
    expect([...proxy.flows].every((flow) => flow.done)).toBe(true);
    for (const client of clients) await client.closed;
  });

  test("ends the fetch of this process", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    const proxy = await startProxy();
    const pending = proxy.fetch(`http://127.0.0.1:${silent.port}/`).catch((error: unknown) => error);
    await expect.poll(() => proxy.flows.length).toBe(1);
    expect(await timed(proxy.close())).toBeLessThan(BOUND_MS);
    expect(await pending).toBeInstanceOf(Error);
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("PROXY_CLOSED");
    await expect(proxy.fetch("http://a.test/")).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  });

  test("does not wait for hooks that never end", async () => {
    const never: Addon = { request: () => new Promise(() => {}), clientDisconnect: () => new Promise(() => {}) };
    const proxy = await startProxy({ addons: [never] });
    await using client = await connectRaw(proxy.port);
    await client.write(get("http://a.test/"));
    await expect.poll(() => proxy.flows.length).toBe(1);
    expect(await timed(proxy.close())).toBeLessThan(BOUND_MS);
  });

  test("while a tunnel is being asked about", async () => {
    const errors: string[] = [];
    const proxy = await startProxy({
      addons: [{ httpConnect: () => new Promise(() => {}), error: (flow) => void errors.push(flow.error!.code) }],
    });
    await using client = await connectRaw(proxy.port);
    await client.write("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await timed(proxy.close())).toBeLessThan(BOUND_MS);
    expect(errors).toEqual(["PROXY_CLOSED"]);
  });

  test("while a server is being connected to", async () => {
    // It accepts the connection, but never answers the hello.
    await using silent = await startRawServer((connection) => connection.closed);
    const proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    await client.write(get(`https://127.0.0.1:${silent.port}/`));
    await expect.poll(() => silent.received.length).toBeGreaterThan(0);
    await expect.poll(() => proxy.flows.length).toBe(1);
    expect(await timed(proxy.close())).toBeLessThan(BOUND_MS);
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("PROXY_CLOSED");
  });

  test("in a hook", async () => {
    const proxies: Proxy[] = [];
    const proxy = await startProxy({ addons: [{ request: () => void proxies[0]!.close() }] });
    proxies.push(proxy);
    await rawRequest(proxy.port, get("http://a.test/")).catch(() => {});
    await proxy.close();
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("PROXY_CLOSED");
  });
});

describe("signal", () => {
  test("that has aborted: startProxy() rejects with its reason", async () => {
    const reason = new Error("enough");
    await expect(startProxy({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("that aborts while the proxy starts", async () => {
    const abort = new AbortController();
    let done = 0;
    const addon: Addon = { start: () => abort.abort(new Error("too late")), done: () => void done++ };
    await expect(startProxy({ signal: abort.signal, addons: [addon] })).rejects.toThrow("too late");
    expect(done).toBe(1);
  });

  test("that aborts later closes the proxy, and close() tells how that went", async () => {
    const abort = new AbortController();
    const proxy = await startProxy({
      signal: abort.signal,
      addons: [{
        name: "bad",
        done: () => {
          throw new Error("not done");
        },
      }],
    });
    abort.abort();
    await expect.poll(() => connectRaw(proxy.port).then((client) => client[Symbol.asyncDispose](), () => "refused"))
      .toBe("refused");
    await expect(proxy.close()).rejects.toThrow(/hook done of addon "bad" threw: not done/);
  });
});

describe("a start that fails leaves nothing open", () => {
  test.each(
    [
      ["configure", "configure of addon"],
      ["start", "start of addon"],
    ] as const,
  )("%s throws", async (hook, text) => {
    const before = openResources();
    let port = 0;
    const ports: Addon = { start: () => void port++ };
    const failing: Addon = {
      name: "bad",
      [hook]: async () => {
        await Promise.resolve();
        throw new Error("cannot");
      },
    };
    await expect(startProxy({ addons: [ports, failing] })).rejects.toMatchObject({
      name: "HookError",
      code: "HOOK_FAILED",
      message: expect.stringContaining(`${text} "bad" threw: cannot`),
    });
    expect(await leftOpen(before)).toEqual({});
  });

  test("the port is in use: done follows configure", async () => {
    await using proxy = await startProxy();
    const seen: string[] = [];
    const addon: Addon = {
      configure: () => void seen.push("configure"),
      start: () => void seen.push("start"),
      done: () => void seen.push("done"),
    };
    await expect(startProxy({ port: proxy.port, addons: [addon] })).rejects.toMatchObject({ code: "PORT_IN_USE" });
    expect(seen).toEqual(["configure", "done"]);
  });
});

describe("nothing is left open", () => {
  async function traffic(proxy: Proxy, plain: string, secure: string): Promise<void> {
    await (await proxy.fetch(`${plain}/a`)).text();
    await (await proxy.fetch(`${secure}/b`)).text();
    await rawRequest(proxy.port, get(`${plain}/c`));
    await rawRequest(proxy.port, get("http://127.0.0.1:1/refused"));
    await using tunnel = await openTunnel(proxy, "a.test:443");
    tunnel.reset();
  }

  test("after http, https, failures and hang-ups", async () => {
    await using plain = await startOrigin();
    await using secure = await startOrigin(undefined, { tls: true });
    const run = async () => {
      await using proxy = await startProxy({ upstream: { ca: secure.ca }, addons: [{ tick: () => {} }] });
      await traffic(proxy, plain.url, secure.url);
      await using idle = await connectRaw(proxy.port);
      await idle.write("GET ");
      await proxy.waitFor({ path: "/c" });
    };
    // What the process makes once, for all proxies, comes first.
    await run();
    const before = openResources();
    await run();
    expect(await leftOpen(before)).toEqual({});
  });

  test("no connection is left at close() on either side", async () => {
    await using plain = await startOrigin();
    const seen: string[] = [];
    const count = (what: string) => () => void seen.push(what);
    const proxy = await startProxy({
      addons: [{
        clientConnect: count("client"),
        clientDisconnect: count("client gone"),
        serverConnect: count("server"),
        serverDisconnect: count("server gone"),
        done: count("done"),
      }],
    });
    await using client = await connectRaw(proxy.port);
    await client.write(`GET ${plain.url}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.readUntil("ok");
    await proxy.close();
    expect(seen.slice(0, 2)).toEqual(["client", "server"]);
    expect(seen.slice(2, 4).toSorted()).toEqual(["client gone", "server gone"]);
    expect(seen.slice(4)).toEqual(["done"]);
  });
});

test("B87 a hundred proxies at once", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  const before = openResources();
  const proxies = await Promise.all(
    Array.from(
      { length: 100 },
      (_, i) => startProxy({ rules: [[{ path: "/mine" }, respond({ body: `proxy ${i}` })]] }),
    ),
  );
  expect(new Set(proxies.map(({ port }) => port)).size).toBe(100);
  const answers = await Promise.all(proxies.map(async (proxy, i) => {
    const mine = await rawRequest(proxy.port, get("http://a.test/mine"));
    const other = await rawRequest(proxy.port, get(`${origin.url}/${i}`));
    return [mine.split("\r\n\r\n")[1], other.split("\r\n\r\n")[1], proxy.flows.length];
  }));
  expect(answers).toEqual(answers.map((_, i) => [`proxy ${i}`, `/${i}`, 2]));
  expect(new Set(proxies.map(({ ca }) => ca.cert)).size).toBe(1);
  await Promise.all(proxies.map((proxy) => proxy.close()));
  expect(await leftOpen(before)).toEqual({});
});

test("reset() forgets flows, failures, and what was added; the rest goes on", async () => {
  const seen: string[] = [];
  await using proxy = await startProxy({
    rules: [[{ path: "/rule" }, respond({ body: "rule" })]],
    defaultAction: respond({ body: "default" }),
    addons: [{
      name: "moody",
      requestHeaders: ({ request }) => {
        seen.push(request.path);
        if (request.path === "/throw") throw new Error("no");
      },
    }],
  });
  const handle = proxy.use([{ path: "/rule" }, respond({ body: "added" })], {
    requestHeaders: () => void seen.push("added"),
  });
  const fetch = async (path: string) => await (await proxy.fetch(`http://a.test${path}`)).text();
  expect(await fetch("/rule")).toBe("added");
  expect(await fetch("/throw")).toContain('hook requestHeaders of addon "moody" threw');
  expect(handle.calls.length).toBe(1);
  proxy.reset();
  expect(proxy.flows.length).toBe(0);
  expect(await fetch("/rule")).toBe("rule");
  expect(await fetch("/other")).toBe("default");
  expect(seen).toEqual(["/rule", "added", "/throw", "/rule", "/other"]);
  // What is gone does not come back.
  handle.enabled = true;
  handle.dispose();
  expect(await fetch("/rule")).toBe("rule");
  expect(seen.filter((one) => one === "added")).toHaveLength(1);
  // And close() has nothing to complain about.
});
