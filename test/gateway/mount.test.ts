// mount(): which requests an application gets, as what, and what it learns of them.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Handler, type HandlerInfo, mount, unprefixed, userPrefix } from "../../src/gateway/mod.ts";
import { type HttpFlow, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { exchange, readResponse, requestTo } from "../wire/http1_client.ts";
import { nodeClient } from "../wire/http2/peers.ts";
import { ask } from "./client.ts";

const withCurl = test.runIf(hasCommand("curl"));
const echo: Handler = (request) => new Response(request.url);
/** What the proxy itself is asked for. */
const directly = (proxy: Proxy, path: string) =>
  exchange(proxy.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\n\r\n`);
const flowOf = (proxy: Proxy) => proxy.flows.last() as HttpFlow;

describe("the URL", () => {
  test("is the one that was asked for when there is no prefix", async () => {
    await using proxy = await startProxy({ app: mount(echo) });
    expect((await ask(proxy, "https://shop.test:8443/cart?a=b")).text).toBe("https://shop.test:8443/cart?a=b");
    expect((await ask(proxy, "http://shop.test/")).text).toBe("http://shop.test/");
  });

  test.each(["/prefix/", "/prefix"])("follows the prefix %s", async (prefix) => {
    await using proxy = await startProxy({ app: mount(echo, { prefix }) });
    const { text } = await ask(proxy, "https://shop.test/cart?a=b");
    expect(text).toBe("https://shop.test/prefix/https://shop.test/cart?a=b");
    expect(unprefixed(text, prefix).href).toBe("https://shop.test/cart?a=b");
  });

  test("does not leave its prefix, whatever dots a path has", async () => {
    await using proxy = await startProxy({ app: mount(echo, { prefix: "/prefix/" }) });
    for (const path of ["/../../admin", "/%2e%2e/%2E%2e/admin", "/a/../../../../admin", "/..;/../admin/./"]) {
      const { text } = await exchange(
        proxy.port,
        requestTo(`http://shop.test${path}`).replace(/GET \S+/, `GET http://shop.test${path}`),
      );
      expect(text).toMatch(
        /^http:\/\/shop\.test\/prefix\/http:\/\/shop\.test\/(?:\.\.;\/)?admin\/?$|\/prefix\/http:\/\/shop\.test\/admin\/$/,
      );
    }
  });

  test("is what a resolver makes of it, and of the name of the client", async () => {
    const auth = { username: "alice", password: "secret" };
    const resolve = (url: URL, user?: string) =>
      `/${user}/${url.hostname}${url.pathname}?q=${url.searchParams.get("q")}`;
    await using proxy = await startProxy({ auth, app: mount(echo, { resolve }) });
    const { text } = await ask(proxy, "https://shop.test/cart?q=7", { login: "alice:secret" });
    expect(text).toBe("https://shop.test/alice/shop.test/cart?q=7");
  });

  test("a rule has sent the request elsewhere: that is the URL", async () => {
    await using proxy = await startProxy({
      app: mount(echo, { prefix: "/p/" }),
      addons: [{ requestHeaders: (flow) => void (flow.request.url = "http://other.test/x") }],
    });
    expect((await ask(proxy, "https://shop.test/cart")).text).toBe("http://other.test/p/http://other.test/x");
  });
});

describe("the name of the client as prefix", () => {
  test("a name with characters of its own stays one segment", async () => {
    await using proxy = await startProxy({ app: mount(echo, { resolve: userPrefix() }) });
    const { text } = await ask(proxy, "http://shop.test/", { login: "a/../b c:x" });
    expect(text).toBe("http://shop.test/a%2F..%2Fb%20c/http://shop.test/");
  });

  test("a prefix that does not match: 400", async () => {
    await using proxy = await startProxy({ app: mount(echo, { resolve: userPrefix({ users: ["live", "archive"] }) }) });
    expect((await ask(proxy, "http://shop.test/", { login: "live:x" })).status).toBe(200);
    const { status, text } = await ask(proxy, "https://shop.test/", { login: "dead:x" });
    expect(status).toBe(400);
    expect(text).toContain('no prefix is known as "dead", the name that the client has told the proxy');
    expect(flowOf(proxy).error).toMatchObject({ code: "GATEWAY_PREFIX", status: 400 });
  });

  test("users may be a pattern, asked again and again", async () => {
    await using proxy = await startProxy({ app: mount(echo, { resolve: userPrefix({ users: /^t\d$/g }) }) });
    for (const login of ["t1:x", "t2:x", "t3:x"]) {
      expect((await ask(proxy, "http://shop.test/", { login })).status).toBe(200);
    }
    expect((await ask(proxy, "http://shop.test/", { login: "t10:x" })).status).toBe(400);
  });

  test("unprefixed() in a handler: a path without the prefix is a 400", async () => {
    await using proxy = await startProxy({
      app: mount((request) => new Response(unprefixed(request.url, "/prefix/").href), { prefix: "/prefix/" }),
    });
    expect((await ask(proxy, "https://shop.test/a?b")).text).toBe("https://shop.test/a?b");
    const response = await fetch(`${proxy.url}/other/https://shop.test/`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('the path "/other/https://shop.test/" is not "/prefix/" followed by a URL');
    expect((await directly(proxy, "/prefix/ftp://shop.test/")).status).toBe(400);
  });

  test("whoever asks the proxy itself need not tell a name", async () => {
    await using proxy = await startProxy({ app: mount(echo, { resolve: userPrefix() }) });
    expect(await (await fetch(`${proxy.url}/own`)).text()).toBe(`${proxy.url}/own`);
  });

  test("over SOCKS 5", async () => {
    await using proxy = await startProxy({ app: mount(echo, { resolve: userPrefix() }) });
    await using client = await connectRaw(proxy.port);
    await client.write(Uint8Array.of(5, 2, 0, 2));
    expect([...await client.readBytes(2)]).toEqual([5, 2]);
    await client.write(Uint8Array.of(1, 4, ...Buffer.from("live"), 1, 120));
    expect([...await client.readBytes(2)]).toEqual([1, 0]);
    await client.write(Uint8Array.of(5, 1, 0, 3, 9, ...Buffer.from("shop.test"), 0, 80));
    await client.readBytes(10);
    await client.write("GET /cart HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    expect((await readResponse(client)).text).toBe("http://shop.test/live/http://shop.test/cart");
    expect(flowOf(proxy).client.username).toBe("live");
  });
});

describe("authentication", () => {
  const auth = { username: "alice", password: "secret" };

  test("user: required takes any name, and says 407 without one", async () => {
    const app = mount((_, info) => new Response(info.username), { user: "required" });
    await using proxy = await startProxy({ app });
    expect((await ask(proxy, "http://shop.test/")).status).toBe(407);
    expect((await ask(proxy, "https://shop.test/")).status).toBe(407);
    expect((await ask(proxy, "http://shop.test/", { login: "bob:" })).text).toBe("bob");
    const { text } = await ask(proxy, "https://shop.test/", { login: "jürgen:x" });
    expect(Buffer.from(text, "latin1").toString()).toBe("jürgen");
  });

  test("option auth goes before it: its name and password alone will do", async () => {
    await using proxy = await startProxy({ auth, app: mount(echo, { resolve: userPrefix() }) });
    expect((await ask(proxy, "http://shop.test/", { login: "bob:secret" })).status).toBe(407);
    expect((await ask(proxy, "http://shop.test/", { login: "alice:secret" })).text).toContain("/alice/");
    expect(await (await proxy.fetch("https://shop.test/")).text()).toContain("/alice/");
  });

  test("the application does not see what was meant for the proxy", async () => {
    const app = mount((request) => Response.json([...request.headers.keys()]));
    await using proxy = await startProxy({ auth, app });
    const fields = ["Proxy-Connection: keep-alive", "X-Own: 1"];
    const { text } = await ask(proxy, "http://shop.test/", { login: "alice:secret", fields });
    expect(JSON.parse(text)).toEqual(["host", "x-own"]);
  });
});

describe("info", () => {
  const told = (keep: (info: HandlerInfo) => unknown): Handler => (_, info) => Response.json(keep(info) ?? null);

  test("has the URL, and of a tunnel host and port", async () => {
    const app = mount(told(({ url, connectHost, connectPort }) => [url?.href, connectHost, connectPort]), {
      prefix: "/p/",
    });
    await using proxy = await startProxy({ app });
    expect(JSON.parse((await ask(proxy, "https://shop.test/a")).text)).toEqual([
      "https://shop.test/a",
      "shop.test",
      443,
    ]);
    expect(JSON.parse((await ask(proxy, "https://shop.test:8443/")).text)).toEqual([
      "https://shop.test:8443/",
      "shop.test",
      8443,
    ]);
    expect(JSON.parse((await ask(proxy, "http://shop.test/")).text)).toEqual(["http://shop.test/", null, null]);
    const named = await ask(proxy, "https://shop.test/", { connect: "127.0.0.9:443" });
    expect(JSON.parse(named.text)).toEqual(["https://shop.test/", "shop.test", 443]);
  });

  test("has no URL where the proxy itself was asked", async () => {
    await using proxy = await startProxy({ app: mount(told(({ url, proxyHost }) => [url, proxyHost])) });
    expect(await (await fetch(proxy.url)).json()).toEqual([null, null]);
  });

  test("has the client, in the form of Deno.serve too", async () => {
    const app = mount(told(({ client, remoteAddr }) => [client.port, remoteAddr]));
    await using proxy = await startProxy({ app });
    const [port, address] = JSON.parse((await ask(proxy, "http://shop.test/")).text);
    expect(address).toEqual({ transport: "tcp", hostname: "127.0.0.1", port });
  });
});

describe("hosts", () => {
  const named = (name: string): Handler => (request, info) => new Response(`${name} ${info.proxyHost} ${request.url}`);

  test("several applications, each for its host; names in any case", async () => {
    await using proxy = await startProxy({
      app: mount(named("main"), { prefix: "/p/", hosts: { "One.test": named("one"), "two.test": named("two") } }),
    });
    expect((await ask(proxy, "https://one.test/a?b")).text).toBe("one one.test https://one.test/a?b");
    expect((await ask(proxy, "http://TWO.test:81/")).text).toBe("two two.test http://two.test:81/");
    expect((await ask(proxy, "http://three.test/")).text).toBe("main undefined http://three.test/p/http://three.test/");
  });

  test("what one of them leaves, the main handler gets", async () => {
    const own = (request: Request) => new URL(request.url).pathname === "/own" ? new Response("own") : undefined;
    await using proxy = await startProxy({ app: mount(named("main"), { hosts: { "one.test": own } }) });
    expect((await ask(proxy, "https://one.test/own")).text).toBe("own");
    expect((await ask(proxy, "https://one.test/other")).text).toBe("main one.test https://one.test/other");
  });

  test("a list is for the main handler", async () => {
    await using proxy = await startProxy({ app: mount(named("main"), { prefix: "/p/", hosts: ["alias.test"] }) });
    expect((await ask(proxy, "http://alias.test/a")).text).toBe("main alias.test http://alias.test/a");
  });
});

describe("the certificate", () => {
  test.each(["der", "mobileconfig", "pem", "p12"])("as %s: no key is in it", async (format) => {
    await using proxy = await startProxy({ app: mount(echo, { prefix: "/p/" }) });
    const response = await proxy.fetch(`http://flowtape/download/${format}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(200);
    expect(response.headers.get("content-disposition")).toContain("flowtape-ca.");
    const der = Buffer.from(proxy.ca.cert.replace(/-----[^-]+-----|\s/g, ""), "base64");
    if (format === "der") expect(bytes.equals(der)).toBe(true);
    if (format === "p12") expect(bytes.includes(der)).toBe(true);
    if (format === "mobileconfig") {
      expect(bytes.toString()).toContain(der.toString("base64"));
      expect(bytes.toString()).toMatch(/<key>PayloadUUID<\/key><string>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}</);
    }
    expect(bytes.toString("latin1")).not.toContain("PRIVATE");
    const head = await ask(proxy, `https://flowtape/download/${format}`, { method: "HEAD" });
    expect(head.header("content-length")).toBe(String(bytes.length));
  });

  test("another path of that host is for the main handler, and so is another method", async () => {
    await using proxy = await startProxy({ app: mount(echo, { prefix: "/p/", download: "mine.test" }) });
    expect((await ask(proxy, "http://mine.test/download/pfx")).text).toBe("http://mine.test/download/pfx");
    expect((await ask(proxy, "http://mine.test/download/pem", { method: "POST" })).text).toBe(
      "http://mine.test/download/pem",
    );
    expect((await ask(proxy, "http://flowtape/download/pem")).text).toBe(
      "http://flowtape/p/http://flowtape/download/pem",
    );
  });

  test("download: false", async () => {
    await using proxy = await startProxy({ app: mount(echo, { download: false }) });
    expect((await ask(proxy, "http://flowtape/download/pem")).text).toBe("http://flowtape/download/pem");
  });

  test("a host of the same name has the rest of it", async () => {
    await using proxy = await startProxy({
      app: mount(echo, { hosts: { flowtape: () => new Response("own") } }),
    });
    expect((await ask(proxy, "http://flowtape/")).text).toBe("own");
    expect((await ask(proxy, "http://flowtape/download/pem")).text).toBe(proxy.ca.cert);
  });
});

describe("beside servers, rules and tapes", () => {
  test("only: the others go to their servers", async () => {
    await using origin = await startOrigin(() => ({ body: "from the server" }));
    await using proxy = await startProxy({
      upstream: { hosts: { "*.server.test": `127.0.0.1:${origin.port}` } },
      app: mount(() => new Response("from the app"), { only: { host: /^app\./ } }),
    });
    expect((await ask(proxy, "http://app.server.test/")).text).toBe("from the app");
    expect((await ask(proxy, "http://api.server.test/")).text).toBe("from the server");
    expect((await ask(proxy, "http://flowtape/download/pem")).text).toBe(proxy.ca.cert);
    expect(await (await fetch(proxy.url)).text()).toBe("from the app");
    expect([...proxy.flows].map(({ source }) => source)).toEqual(["app", "upstream", "app", "app"]);
  });

  test("rules go before the application, and hooks see its answers", async () => {
    await using proxy = await startProxy({
      rules: [["http://mocked.test/", respond({ body: "from a rule" })]],
      addons: [{ responseHeaders: (flow) => flow.response!.headers.set("x-seen", flow.source) }],
      app: mount(() => new Response("from the app")),
    });
    expect((await ask(proxy, "http://mocked.test/")).text).toBe("from a rule");
    const { text, header } = await ask(proxy, "http://other.test/");
    expect([text, header("x-seen")]).toEqual(["from the app", "app"]);
    expect(flowOf(proxy).response!.text()).toBe("from the app");
    expect(flowOf(proxy).server).toBeUndefined();
  });

  test("a hook changes what the application says, and the original is kept", async () => {
    await using proxy = await startProxy({
      addons: [{ response: (flow) => void (flow.response!.body = flow.response!.text().toUpperCase()) }],
      app: mount(() => new Response("quiet")),
    });
    expect((await ask(proxy, "http://other.test/")).text).toBe("QUIET");
    expect(flowOf(proxy).original!.text()).toBe("quiet");
  });

  test("a tape leaves what the application answers alone: nothing is recorded of it, and nothing misses", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin(() => ({ body: "from the server" }));
    const options = {
      upstream: { hosts: { "api.test": `127.0.0.1:${origin.port}` } },
      app: mount(() => new Response("from the app"), { only: { host: "app.test" } }),
    };
    const path = `${folder.path}/a.har`;
    for (const mode of ["record", "replay"] as const) {
      await using proxy = await startProxy({ ...options, tape: { path, mode } });
      expect((await ask(proxy, "http://app.test/", { method: "POST", body: mode })).text).toBe("from the app");
      expect((await ask(proxy, "http://api.test/")).text).toBe("from the server");
      expect([...proxy.flows].map(({ source }) => source)).toEqual(["app", mode === "record" ? "upstream" : "tape"]);
      expect(proxy.unmatched.length).toBe(0);
    }
    const { readFile } = await import("node:fs/promises");
    expect(await readFile(path, "utf8")).not.toContain("app.test");
  });

  test("configure() puts another application in its place, or none", async () => {
    await using proxy = await startProxy({ app: mount(() => new Response("one")) });
    expect((await ask(proxy, "http://shop.test/")).text).toBe("one");
    await proxy.configure({ app: mount(() => new Response("two")) });
    expect((await ask(proxy, "https://shop.test/")).text).toBe("two");
    await using origin = await startOrigin(() => ({ body: "three" }));
    await proxy.configure({ app: undefined });
    expect((await ask(proxy, `http://127.0.0.1:${origin.port}/`)).text).toBe("three");
  });

  test("play() sends the request to the application again", async () => {
    let calls = 0;
    await using proxy = await startProxy({
      app: mount((request) => new Response(`${request.url} ${++calls}`), { prefix: "/p/" }),
    });
    await ask(proxy, "https://shop.test/a");
    await directly(proxy, "/own");
    expect((await (proxy.flows.first() as HttpFlow).play()).response!.text()).toBe(
      "https://shop.test/p/https://shop.test/a 3",
    );
    expect((await (proxy.flows.at(1) as HttpFlow).play()).response!.text()).toBe(`${proxy.url}/own 4`);
  });

  test("a silent client in a tunnel: no server is connected to", async () => {
    const connected: string[] = [];
    await using origin = await startOrigin(() => ({ body: "from the server" }));
    await using proxy = await startProxy({
      app: mount(echo),
      addons: [{ serverConnect: ({ host }) => void connected.push(host) }],
    });
    const host = `127.0.0.1:${origin.port}`;
    await using client = await connectRaw(proxy.port);
    await client.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await client.readHead();
    // Longer than a server would be waited for that speaks first.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await client.write(`GET /late HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await readResponse(client)).text).toBe(`http://${host}/late`);
    expect(connected).toEqual([]);
  });
});

describe("clients", () => {
  test("HTTP/2 in a tunnel, with and without TLS", async () => {
    const app = mount(async (request) => new Response(`${request.method} ${request.url} ${await request.text()}`), {
      prefix: "/p/",
    });
    await using proxy = await startProxy({ app });
    for (const tls of [true, false]) {
      const scheme = tls ? "https" : "http";
      const requests = [{ path: "/a?b" }, { path: "/post", body: "x".repeat(100_000) }];
      const [get, post] = await nodeClient(proxy, requests, { secure: tls });
      expect(get!.body).toBe(`GET ${scheme}://origin.test/p/${scheme}://origin.test/a?b `);
      expect(post!.length).toBe(`POST ${scheme}://origin.test/p/${scheme}://origin.test/post `.length + 100_000);
    }
    expect([...proxy.flows.requests].every(({ httpVersion }) => httpVersion === "2")).toBe(true);
  });

  withCurl("curl, over HTTP and HTTPS, SOCKS and HTTP/2 with the proxy", async () => {
    await using proxy = await startProxy({ app: mount(echo, { prefix: "/prefix/" }) });
    const curl = async (...args: string[]) =>
      (await run("curl", ["--silent", "--cacert", proxy.ca.path, ...args])).stdout;
    const url = "example.com/path/file.html?A=B";
    expect(await curl("-x", proxy.url, `http://${url}`)).toBe(`http://example.com/prefix/http://${url}`);
    expect(await curl("-x", proxy.url, `https://${url}`)).toBe(`https://example.com/prefix/https://${url}`);
    expect(await curl("-x", `socks5h://127.0.0.1:${proxy.port}`, `https://${url}`)).toBe(
      `https://example.com/prefix/https://${url}`,
    );
    expect(await curl("-x", proxy.url, "https://flowtape/path/file.html?A=B")).toBe(
      "https://flowtape/path/file.html?A=B",
    );
    expect(await curl("-x", proxy.url, "http://flowtape/download/pem")).toBe(proxy.ca.cert);
    expect(await curl("--http2-prior-knowledge", `${proxy.url}/own`)).toBe(`${proxy.url}/own`);
  });

  test("a connection serves one request after the other; with limits.keepAlive only while few are connected", async () => {
    await using proxy = await startProxy({ app: mount(echo), limits: { keepAlive: 1 } });
    await using one = await connectRaw(proxy.port);
    for (const path of ["/1", "/2"]) {
      await one.write(requestTo(`http://shop.test${path}`));
      expect((await readResponse(one)).header("connection")).toBeUndefined();
    }
    await using two = await connectRaw(proxy.port);
    await two.write(requestTo("http://shop.test/3"));
    expect((await readResponse(two)).header("connection")).toBe("close");
    await two.closed;
    await one.write(requestTo("http://shop.test/4"));
    expect((await readResponse(one)).text).toBe("http://shop.test/4");
  });

  test.each([{ limits: { keepAlive: 0 } }, { persistent: false }])("none is kept with %j", async (options) => {
    await using proxy = await startProxy({ app: mount(echo), ...options });
    expect((await exchange(proxy.port, requestTo("http://shop.test/"))).header("connection")).toBe("close");
  });
});
