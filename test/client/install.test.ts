// What install() changes in the process, what it leaves alone, and that nothing is left of it.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import process from "node:process";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { agents, dispatcher } from "../../src/client/mod.ts";
import { webhook } from "../../src/addons/mod.ts";
import { FlowResponse, type HttpFlow, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { runtime } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { byRequest } from "./clients.ts";

const NOWHERE = "http://192.0.2.7/";
const answering = (body: string) => startProxy({ defaultAction: respond({ body }) });
const get = async (url: string, init?: RequestInit) => await (await fetch(url, init)).text();
const byNode = (url: string, options: https.RequestOptions = {}) =>
  byRequest(url.startsWith("https:") ? https.request : http.request, options)(url);
const urls = (proxy: Proxy) => [...proxy.flows].map((flow) => (flow as HttpFlow).request.url);

describe("what is changed is put back", () => {
  const places = [
    [globalThis, "fetch"],
    [globalThis, "WebSocket"],
    [globalThis, Symbol.for("undici.globalDispatcher.1")],
    [globalThis, Symbol.for("undici.globalDispatcher.2")],
    [http.Agent.prototype, "addRequest"],
    [http, "request"],
    [http, "get"],
    [http, "globalAgent"],
    [https, "request"],
    [https, "get"],
    [https, "globalAgent"],
    [net, "connect"],
    [tls, "connect"],
  ] as const;
  const all = () => places.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));

  test("exactly, and is not the same in between", async () => {
    void globalThis.Headers;
    await using proxy = await answering("a");
    const before = all();
    const installed = proxy.install();
    expect(all()).not.toEqual(before);
    expect(await get(NOWHERE)).toBe("a");
    installed[Symbol.dispose]();
    const after = all();
    for (const [i, [, name]] of places.entries()) {
      expect([name, after[i]?.value === before[i]?.value, after[i]?.get === before[i]?.get]).toEqual([
        name,
        true,
        true,
      ]);
      const { value: _, get: _get, set: _set, ...flags } = after[i] ?? {};
      expect([name, flags]).toEqual([name, { ...flags, ...withoutValues(before[i]) }]);
    }
    installed[Symbol.dispose]();
    expect(all().map((it) => it?.value)).toEqual(before.map((it) => it?.value));
  });

  test("the environment too, but for what was set meanwhile", async () => {
    const before = { http: process.env["http_proxy"], no: process.env["NO_PROXY"] };
    try {
      process.env["http_proxy"] = "http://127.0.0.1:1";
      process.env["NO_PROXY"] = "*";
      await using proxy = await answering("a");
      {
        using _ = proxy.install();
        expect([process.env["http_proxy"], process.env["NO_PROXY"]]).toEqual([undefined, undefined]);
        process.env["NO_PROXY"] = "shop.test";
      }
      expect([process.env["http_proxy"], process.env["NO_PROXY"]]).toEqual(["http://127.0.0.1:1", "shop.test"]);
    } finally {
      restore("http_proxy", before.http);
      restore("NO_PROXY", before.no);
    }
  });

  test("unless somebody else has replaced it meanwhile: that stays, and goes past the proxy", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }));
    await using proxy = await answering("proxy");
    const { request } = http;
    const installed = proxy.install();
    const ours = http.request;
    let calls = 0;
    const theirs = ((...args: Parameters<typeof http.request>) => (calls++, ours(...args))) as typeof http.request;
    http.request = theirs;
    try {
      expect(await byNode(origin.url)).toBe("proxy");
      installed[Symbol.dispose]();
      expect(http.request).toBe(theirs);
      expect(await byNode(origin.url)).toBe("server");
      expect(calls).toBe(2);
    } finally {
      http.request = request;
    }
  });

  test("when the proxy is closed", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }));
    const proxy = await answering("proxy");
    const installed = proxy.install();
    expect([await get(origin.url), await byNode(origin.url)]).toEqual(["proxy", "proxy"]);
    await proxy.close();
    expect([await get(origin.url), await byNode(origin.url)]).toEqual(["server", "server"]);
    installed[Symbol.dispose]();
    expect(() => proxy.install()).toThrow(expect.objectContaining({ code: "PROXY_CLOSED" }));
  });
});

describe("several proxies", () => {
  test("the one that was installed last is used, whichever goes first", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }));
    await using first = await answering("first");
    await using second = await answering("second");
    const both = async () => [await get(origin.url), await byNode(origin.url)].join();
    const a = first.install();
    const b = second.install();
    expect(await both()).toBe("second,second");
    a[Symbol.dispose]();
    expect(await both()).toBe("second,second");
    const c = first.install();
    expect(await both()).toBe("first,first");
    c[Symbol.dispose]();
    expect(await both()).toBe("second,second");
    b[Symbol.dispose]();
    expect(await both()).toBe("server,server");
  });

  test("one proxy twice", async () => {
    await using proxy = await answering("proxy");
    const a = proxy.install();
    const b = proxy.install();
    a[Symbol.dispose]();
    expect(await get(NOWHERE)).toBe("proxy");
    b[Symbol.dispose]();
  });

  test("who names a proxy for a request gets that one", async () => {
    await using named = await answering("named");
    await using proxy = await answering("installed");
    using _ = proxy.install();
    const { http: agent, https: secureAgent } = agents(named);
    expect(await byNode(NOWHERE, { agent })).toBe("named");
    expect(await byNode("https://192.0.2.7/", { agent: secureAgent })).toBe("named");
    expect(await (await named.fetch("https://192.0.2.7/")).text()).toBe("named");
    if (runtime === "node") {
      const through = await dispatcher(named);
      expect(await get("https://192.0.2.7/", { dispatcher: through } as RequestInit)).toBe("named");
      await through.close();
    }
    agent.destroy();
    secureAgent.destroy();
    expect(urls(proxy)).toEqual([]);
  });
});

describe("nothing goes in circles", () => {
  test("what is sent to the proxy itself reaches it as it is", async () => {
    await using proxy = await answering("proxy");
    using _ = proxy.install();
    expect(await byNode(proxy.url, { path: NOWHERE, headers: { host: "192.0.2.7" } })).toBe("proxy");
    const direct = await fetch(proxy.url);
    await direct.body?.cancel();
    expect(urls(proxy)[0]).toBe(NOWHERE);
  });

  test("its connections to servers, also through another proxy, and by HTTP/2", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }), { tls: true });
    await using next = await startProxy({ upstream: { ca: origin.ca } });
    await using proxy = await startProxy({ upstream: { proxy: next.url, ca: next.ca.cert } });
    using _ = proxy.install();
    expect(await get(origin.url)).toBe("server");
    expect(await byNode(origin.url)).toBe("server");
    expect([proxy.flows.length, next.flows.length]).toEqual([2, 2]);
  });

  test("what a webhook tells", async () => {
    await using origin = await startOrigin(() => ({ body: "told" }));
    await using proxy = await startProxy({
      defaultAction: respond({ body: "proxy" }),
      addons: [webhook(`${origin.url}/told`)],
    });
    using _ = proxy.install();
    expect(await get(NOWHERE)).toBe("proxy");
    await expect.poll(() => origin.requests.length, { timeout: 10_000 }).toBe(1);
    expect(urls(proxy)).toEqual([NOWHERE]);
  });
});

describe("what else clients say is kept", () => {
  test("the authorities that they trust, where the proxy looks into nothing", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }), { tls: true });
    await using proxy = await startProxy({ https: { passthrough: "*" } });
    using _ = proxy.install();
    expect(await byNode(origin.url, { ca: testCa().cert })).toBe("server");
    expect(await byNode(origin.url, { ca: [testCa().cert], agent: new https.Agent() })).toBe("server");
    await expect(byNode(origin.url)).rejects.toThrow();
    expect(await byNode(origin.url, { rejectUnauthorized: false })).toBe("server");
  });

  test("an agent's options: one connection for requests in turn", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    let clients = 0;
    proxy.use({ clientConnect: () => void clients++ });
    using _ = proxy.install();
    await Promise.all([1, 2, 3].map(() => byNode(origin.url, { agent })));
    expect([clients, proxy.flows.length]).toEqual([1, 3]);
    agent.destroy();
    // Nor does a tunnel that is refused keep others waiting.
    proxy.use({ httpConnect: (flow) => void (flow.response = FlowResponse.create({ status: 403 })) });
    const refused = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const all = await Promise.allSettled([1, 2, 3].map(() => byNode(NOWHERE, { agent: refused })));
    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  test.skipIf(process.platform === "win32")("a unix socket, and a connection that the client has made", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin(() => ({ body: "server" }));
    const unix = http.createServer((_, response) => response.end("unix"));
    await new Promise<void>((resolve) => unix.listen(folder.file("s"), resolve));
    await using proxy = await answering("proxy");
    using _ = proxy.install();
    try {
      expect(await byNode("http://192.0.2.7/", { socketPath: folder.file("s") })).toBe("unix");
      const createConnection = () => net.connect(origin.port, "127.0.0.1");
      expect(await byNode("http://192.0.2.7/", { createConnection })).toBe("server");
      expect(urls(proxy)).toEqual([]);
    } finally {
      unix.closeAllConnections?.();
      await new Promise((resolve) => unix.close(resolve));
    }
  });

  test.skipIf(runtime === "node")("what has no server: data, blob, file", async () => {
    await using folder = await tempFolder();
    await using proxy = await answering("proxy");
    using _ = proxy.install();
    expect(await get("data:,hello")).toBe("hello");
    const blob = URL.createObjectURL(new Blob(["blob"]));
    expect(await get(blob)).toBe("blob");
    URL.revokeObjectURL(blob);
    await expect(get(`file://${folder.path}/missing`)).rejects.toThrow();
    expect(urls(proxy)).toEqual([]);
  });
});

describe("credentials", () => {
  const auth = { username: "me@home/#?", password: "p:a/s s%@[é" };

  test.each(["http", "https"])("are sent, whatever is in them: %s", async (scheme) => {
    await using proxy = await startProxy({ auth, defaultAction: respond({ body: "proxy" }) });
    using _ = proxy.install();
    const url = `${scheme}://192.0.2.7/`;
    expect([await get(url), await byNode(url)]).toEqual(["proxy", "proxy"]);
    await proxy.configure({ auth: { username: "other", password: "one" } });
    expect([await get(url), await byNode(url)]).toEqual(["proxy", "proxy"]);
  });
});

describe("failures", () => {
  test("a tunnel that is refused", async () => {
    await using proxy = await startProxy({
      addons: [{ httpConnect: (flow) => void (flow.response = FlowResponse.create({ status: 403 })) }],
    });
    using _ = proxy.install();
    await expect(byNode("https://192.0.2.7/")).rejects.toMatchObject({
      code: "PROXY_REFUSED",
      message: expect.stringMatching(
        /^cannot reach 192\.0\.2\.7:443: the proxy http:\/\/127\.0\.0\.1:\d+ answered 403/,
      ),
    });
    await expect(get("https://192.0.2.7/")).rejects.toThrow();
  });

  test("a request that is given up while its tunnel is opened, and many at once", async () => {
    await using proxy = await answering("proxy");
    using _ = proxy.install();
    for (let i = 0; i < 20; i++) {
      const request = https.get("https://192.0.2.7/", { agent: false }).on("error", () => {});
      setTimeout(() => request.destroy(), i % 5);
    }
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => i % 2 ? get(`${NOWHERE}${i}`) : byNode(`${NOWHERE}${i}`)),
    );
    expect(new Set(all)).toEqual(new Set(["proxy"]));
  });

  test("what is in flight when it is taken back comes to its end", async () => {
    let answer = () => {};
    await using proxy = await startProxy({
      rules: [[
        "*",
        respond(async () => {
          await new Promise<void>((resolve) => answer = resolve);
          return { body: "late" };
        }),
      ]],
    });
    for (const ask of [get, byNode]) {
      answer = () => {};
      const installed = proxy.install();
      const late = ask(NOWHERE);
      await expect.poll(() => proxy.flows.length, { timeout: 10_000 }).toBeGreaterThan(0);
      await expect.poll(() => answer.name, { timeout: 10_000 }).not.toBe("answer");
      installed[Symbol.dispose]();
      answer();
      expect(await late).toBe("late");
      proxy.reset();
    }
  });
});

test("a PAC file is fetched past the proxy", async () => {
  await using origin = await startOrigin(({ target }) => ({
    body: target === "/pac" ? "function FindProxyForURL() { return 'DIRECT'; }" : "server",
  }));
  await using first = await answering("first");
  using _ = first.install();
  await using proxy = await startProxy({ upstream: { pac: `${origin.url}/pac` } });
  expect(await (await proxy.fetch(`${origin.url}/a`)).text()).toBe("server");
  expect(first.flows.length).toBe(0);
});

function withoutValues(descriptor: PropertyDescriptor = {}): PropertyDescriptor {
  const { value: _value, get: _get, set: _set, ...flags } = descriptor;
  return flags;
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
