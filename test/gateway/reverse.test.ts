/**
 * `reverse()`: a server as if it were here. Titles with "WSGIProxy" have the counterparts of the tests of WSGIProxy and WSGIProxy2.
 */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Handler, type HandlerInfo, mount, reverse, type ReverseOptions } from "../../src/gateway/mod.ts";
import { rewriteCookie, rewriteLocation } from "../../src/flow/rewrite_back.ts";
import { startProxy } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { type OriginHandler, startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { readResponse } from "../wire/http1_client.ts";
import { startPeerServer } from "../wire/websocket/peers.ts";
import { openSocket, tell } from "./client.ts";

const FROM = { remoteAddr: { transport: "tcp", hostname: "192.0.2.7", port: 1234 } } as unknown as HandlerInfo;

/** Asks a handler as a server would. */
function ask(
  handler: Handler,
  url: string,
  init: RequestInit = {},
  info: Partial<HandlerInfo> = FROM,
): Promise<Response> {
  return Promise.resolve(handler(new Request(url, init), info as HandlerInfo));
}

/** The forwarding fields that a server was told. */
async function told(
  path: string,
  { url = "http://shop.test/article/1", init = {}, info = FROM, options = {} }: {
    url?: string;
    init?: RequestInit;
    info?: Partial<HandlerInfo>;
    options?: ReverseOptions;
  } = {},
) {
  await using origin = await startOrigin();
  const response = await ask(reverse(`${origin.url}${path}`, options), url, init, info);
  await response.text();
  const { target, headers } = origin.requests[0]!;
  const fields = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  return { target, host: fields["host"], own: `127.0.0.1:${origin.port}`, fields };
}

describe("the server", () => {
  test("WSGIProxy test_create: gets path and query behind its own, and its own Host", async () => {
    const { target, host, own } = await told("/myapp?some=query", { url: "http://shop.test/article/1?a=b" });
    expect(target).toBe("/myapp/article/1?a=b&some=query");
    expect(host).toBe(own);
    expect((await told("/", { url: "http://shop.test/" })).target).toBe("/");
    expect((await told("/myapp/", { url: "http://shop.test" })).target).toBe("/myapp/");
  });

  test("is told what the client has asked for", async () => {
    const { fields } = await told("/myapp?some=query", { url: "https://shop.test:8443/article/1" });
    expect(fields).toMatchObject({
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-host": "shop.test:8443",
      "x-forwarded-server": "shop.test:8443",
      "x-forwarded-proto": "https",
      "x-forwarded-scheme": "https",
      "forwarded": 'for=192.0.2.7;host="shop.test:8443";proto=https',
      "x-traversal-path": "/myapp",
      "x-traversal-query-string": "some=query",
    });
    expect(fields["x-forwarded-script-name"]).toBe(undefined);
  });

  test("is told the path that the handler is mounted at, which is not in the request", async () => {
    const { target, fields } = await told("", { url: "http://shop.test/blog/1", options: { prefix: "/blog" } });
    expect(target).toBe("/1");
    expect(fields["x-forwarded-script-name"]).toBe("/blog");
    const other = await ask(reverse("http://127.0.0.1:9", { prefix: "/blog" }), "http://shop.test/blogger");
    expect([other.status, await other.text()]).toEqual([400, expect.stringContaining("does not begin with /blog")]);
  });

  test("of a client with an IPv6 address, and of one without any", async () => {
    const six = await told("", { info: { remoteAddr: { transport: "tcp", hostname: "2001:db8::1", port: 1 } } });
    expect(six.fields["forwarded"]).toBe('for="[2001:db8::1]";host=shop.test;proto=http');
    expect(six.fields["x-forwarded-for"]).toBe("2001:db8::1");
    const none = await told("", { info: {} });
    expect(none.fields["forwarded"]).toBe("for=unknown;host=shop.test;proto=http");
    expect(none.fields["x-forwarded-for"]).toBe(undefined);
  });

  test("never hears what a client has made up; what a trusted proxy says is kept", async () => {
    const headers = {
      "x-forwarded-for": "10.9.9.9",
      "x-forwarded-proto": "gopher",
      "x-forwarded-user": "root",
      "x-forwarded-anything": "1",
      "x-real-ip": "10.9.9.9",
      "x-script-name": "/x",
      "x-traversal-path": "/x",
      "x-flowtape-signature": "t=1",
      "forwarded": "for=10.9.9.9",
    };
    const { fields } = await told("", { init: { headers } });
    expect(Object.values(fields).join()).not.toMatch(/10\.9\.9\.9|gopher|root/);
    expect(Object.keys(fields)).not.toContain("x-forwarded-anything");
    const kept = await told("", { init: { headers }, options: { trustIps: ["192.0.2.0/24"] } });
    expect(kept.fields["x-forwarded-for"]).toBe("10.9.9.9, 192.0.2.7");
    expect(kept.fields["forwarded"]).toBe("for=10.9.9.9, for=192.0.2.7;host=shop.test;proto=http");
    expect(kept.fields["x-forwarded-proto"]).toBe("http");
    expect(kept.fields["x-flowtape-signature"]).toBe(undefined);
  });

  test.each(["x_forwarded_for", "X-Forwarded_For", "X_FORWARDED-USER", "x_real_ip", "X_Script_Name", "X-Forwarded"])(
    "never hears it in the field %s either, which is the same in CGI, WSGI, Rack and PHP",
    async (name) => {
      const { fields } = await told("", { init: { headers: { [name]: "made-up" } } });
      expect(Object.values(fields)).not.toContain("made-up");
    },
  );

  test("cannot be kept from hearing it by naming the fields in Connection", async () => {
    const headers = { "connection": "close, X-Forwarded-For, x-a, x-forwarded-host, forwarded", "x-a": "1" };
    const { fields } = await told("", { init: { headers }, options: { secret: "a shared secret" } });
    expect(fields).toMatchObject({ "x-forwarded-for": "192.0.2.7", "x-forwarded-host": "shop.test" });
    expect([fields["x-a"], fields["x-flowtape-signature"] !== undefined]).toEqual([undefined, true]);
  });

  test("WSGIProxy2 test_form, test_chunked, test_quoted_utf8_url: bodies and paths arrive as they are", async () => {
    await using origin = await startOrigin(({ target, text }) => ({ body: `${target} ${text()}` }));
    const handler = reverse(origin.url);
    const form = await ask(handler, "http://a.test/form", {
      method: "POST",
      body: new URLSearchParams({ name: "gawel" }),
    });
    expect(await form.text()).toBe("/form name=gawel");
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(Buffer.from("in "));
        controller.enqueue(Buffer.from("chunks"));
        controller.close();
      },
    });
    const chunked = await ask(handler, "http://a.test/", { method: "POST", body, duplex: "half" } as RequestInit);
    expect(await chunked.text()).toBe("/ in chunks");
    const quoted = await ask(handler, "http://a.test/targets/NR2F1%C3%82-human/");
    expect(await quoted.text()).toBe("/targets/NR2F1%C3%82-human/ ");
  });

  test("WSGIProxy2 test_head, test_status", async () => {
    await using origin = await startOrigin(() => ({ status: 404, reason: "Not Found", body: "nothing" }));
    const handler = reverse(origin.url);
    const head = await ask(handler, "http://a.test/form", { method: "HEAD" });
    expect([head.status, await head.text(), head.headers.get("content-length")]).toEqual([404, "", "7"]);
    expect((await ask(handler, "http://a.test/?status=404")).status).toBe(404);
  });
});

describe("what it says", () => {
  const inner = { origin: "http://127.0.0.1:8000", path: "/myapp" };
  const outer = { origin: "https://shop.test", path: "/blog" };
  const base = "http://127.0.0.1:8000/myapp/here";

  test.each([
    [
      "WSGIProxy2 test_redirect: of itself, whole",
      "http://127.0.0.1:8000/myapp/form.html",
      "https://shop.test/blog/form.html",
    ],
    ["WSGIProxy2 test_redirect: of another server", "http://foo.test", "http://foo.test"],
    ["WSGIProxy2 test_redirect: a path", "/myapp/foo", "https://shop.test/blog/foo"],
    ["a relative path", "there?x=1#y", "https://shop.test/blog/there?x=1#y"],
    ["its root", "http://127.0.0.1:8000/myapp", "https://shop.test/blog"],
    ["of itself, but of what is not served", "/login", "http://127.0.0.1:8000/login"],
    ["a path that only begins alike", "/myapps/1", "http://127.0.0.1:8000/myapps/1"],
    ["another port", "http://127.0.0.1:8001/myapp/", "http://127.0.0.1:8001/myapp/"],
    ["no URL at all", "http://[", "http://["],
  ])(
    "Location %s",
    (_, location, expected) => expect(rewriteLocation(location, { inner, outer }, base)).toBe(expected),
  );

  test.each([
    ["UTF-8", "/myapp/caf\xc3\xa9", "caf%C3%A9"],
    ["Latin-1", "/myapp/caf\xe9", "caf%E9"],
  ])("bytes of a Location that are %s stay the same bytes", (_, location, name) => {
    expect(rewriteLocation(location, { inner, outer }, base)).toBe(`${outer.origin}${outer.path}/${name}`);
  });

  test("Location of a server that is at the root on both sides", () => {
    const places = {
      inner: { origin: "http://127.0.0.1:8000", path: "" },
      outer: { origin: "http://localhost:80", path: "" },
    };
    expect(rewriteLocation("/foo", places, base)).toBe("http://localhost:80/foo");
    expect(rewriteLocation("http://127.0.0.1:8000", places, base)).toBe("http://localhost:80/");
  });

  test("WSGIProxy2 test_rewrite_location: with a path", () => {
    const places = {
      inner: { origin: "http://localhost:80", path: "" },
      outer: { origin: "http://localhost:80", path: "/path" },
    };
    const at = "http://localhost:80/";
    expect(rewriteLocation("/foo", { ...places, inner: { origin: "http://localhost", path: "" } }, at)).toBe(
      "http://localhost:80/path/foo",
    );
  });

  test.each([
    ["a=1; Path=/myapp; HttpOnly", "a=1; Path=/blog; HttpOnly"],
    ["a=1; path=/myapp/cart", "a=1; Path=/blog/cart"],
    ["a=1; Path=/", "a=1; Path=/blog"],
    ["a=1; Path=/elsewhere", "a=1; Path=/elsewhere"],
    ["a=1; Domain=127.0.0.1; Secure", "a=1; Secure"],
    ["a=1; Domain=.other.test", "a=1; Domain=.other.test"],
    ["a=b=c; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "a=b=c; Expires=Wed, 21 Oct 2015 07:28:00 GMT"],
    ["path=/myapp; x", "path=/myapp; x"],
    ["__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"],
    ["a=1; Path", "a=1; Path"],
    ["a=1; Domain=; Path=myapp", "a=1; Domain=; Path=myapp"],
    ["a=1;; PATH = /myapp ;Partitioned", "a=1;; Path=/blog;Partitioned"],
  ])("the cookie %s", (cookie, expected) => expect(rewriteCookie(cookie, { inner, outer })).toBe(expected));

  test("reaches the client rewritten, all of it", async () => {
    const handle: OriginHandler = ({ header }) => ({
      status: 302,
      reason: "Found",
      headers: [
        ["Location", `http://${header("host")}/myapp/there`],
        ["Content-Location", "/myapp/here"],
        ["Set-Cookie", "a=1; Path=/myapp"],
        ["Set-Cookie", "b=2; Path=/myapp/x"],
        ["X-Other", "/myapp/other"],
      ],
    });
    await using origin = await startOrigin(handle);
    const response = await ask(reverse(`${origin.url}/myapp`, { prefix: "/blog" }), "https://shop.test/blog/1");
    expect(response.headers.get("location")).toBe("https://shop.test/blog/there");
    expect(response.headers.get("content-location")).toBe("https://shop.test/blog/here");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/blog", "b=2; Path=/blog/x"]);
    expect(response.headers.get("x-other")).toBe("/myapp/other");
  });
});

describe("a path", () => {
  test.each([
    ["/shop", "/v1"],
    ["/shop/", "/v1/"],
    ["/shop//a", "/v1//a"],
    ["/shop/a;b", "/v1/a;b"],
    ["/shop/a/../b", "/v1/b"],
    ["/shop/%2e%2e/shop/b", "/v1/b"],
    ["/shop\\..\\shop\\b", "/v1/b"],
    ["/shop/..%2fb", "/v1/..%2fb"],
    ["/shop/../admin", undefined],
    ["/shop/%2e%2E/admin", undefined],
    ["/shop/.%2e\\admin", undefined],
    ["/shopping", undefined],
    ["/shop;a=1/b", undefined],
    ["/sh%6Fp/a", undefined],
    ["//shop/a", undefined],
  ])("%s is %s for the server: none leaves what is served", async (path, expected) => {
    await using origin = await startOrigin();
    await using front = await startProxy({ app: mount(reverse(`${origin.url}/v1`, { prefix: "/shop" })) });
    await using client = await connectRaw(front.port);
    await client.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    expect((await readResponse(client)).status).toBe(expected === undefined ? 400 : 200);
    expect(origin.requests.map(({ target }) => target)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe("refused", () => {
  test("a method that is not allowed: 405, which says which are", async () => {
    await using origin = await startOrigin();
    const response = await ask(reverse(origin.url, { methods: ["GET", "HEAD"] }), "http://a.test/", { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.text()).toContain("POST is not handed on here: GET, HEAD are");
    expect((await ask(reverse(origin.url), "http://a.test/", { method: "PROPFIND" })).status).toBe(405);
    expect(origin.requests).toEqual([]);
  });

  test("WSGIProxy2 test_socket_gaierror, test_socket_timeout: 502 and 504", async () => {
    expect((await ask(reverse("http://nowhere.invalid"), "http://a.test/")).status).toBe(502);
    expect((await ask(reverse("http://127.0.0.1:9"), "http://a.test/")).status).toBe(502);
    await using server = await startRawServer(async (connection) => void await connection.readAll());
    const slow = reverse(`http://127.0.0.1:${server.port}`, { timeout: 100 });
    expect((await ask(slow, "http://a.test/")).status).toBe(504);
  });

  test.each([
    ["shop.test", {}, /not "shop.test"/],
    ["ftp://shop.test", {}, /such as "https:\/\/api\.test\/v1"/],
    ["http://me:pw@shop.test", {}, /without credentials/],
    [undefined, {}, /not undefined/],
    ["http://shop.test", { prefix: "blog" }, /option prefix/],
    ["http://shop.test", { trustIps: ["shop.test"] }, /option trustIps has "shop\.test"/],
    ["http://shop.test", { trustIps: ["10.0.0.0/33"] }, /10\.0\.0\.0\/33/],
    ["http://shop.test", { secret: "" }, /option secret is empty/],
    ["http://shop.test", { methods: "GET" }, /option methods/],
    ["http://shop.test", { timout: 1 }, /timout.*timeout/],
  ])("%j with %j", (href, options, message) => {
    const make = () => reverse(href as string, options as object);
    expect(make).toThrow(message);
    expect(make).not.toThrow("pw");
  });
});

describe("behind a proxy", () => {
  test("over HTTPS on both sides, with a large body both ways", async () => {
    await using origin = await startOrigin(({ body }) => ({ body }), { tls: true });
    const handler = reverse(origin.url, { ca: origin.ca });
    await using proxy = await startProxy({ app: mount(handler) });
    const body = Buffer.alloc(3_000_000, "flowtape ");
    const response = await proxy.fetch("https://shop.test/upload", { method: "POST", body });
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
    expect(origin.requests[0]!.header("x-forwarded-host")).toBe("shop.test");
  });

  test.each(["ws", "wss"])("WebSockets are handed on: %s", async (scheme) => {
    const tls = testCa().issue(["127.0.0.1"]);
    await using server = await startPeerServer(async (peer) => {
      const { payload } = await peer.frame();
      await peer.send({ opcode: "text", payload: `echo: ${Buffer.from(payload)}` });
    }, { tls });
    await using proxy = await startProxy({
      app: mount(reverse(`https://127.0.0.1:${server.port}`, { ca: testCa().cert })),
    });
    const peer = await openSocket(proxy, `${scheme}://shop.test/chat`);
    expect(await tell(peer, "hello")).toBe("echo: hello");
    await peer[Symbol.asyncDispose]();
  });

  test("a client that leaves is not waited for", async () => {
    const gone = Promise.withResolvers<void>();
    await using server = await startRawServer(async (connection) => {
      await connection.readAll();
      gone.resolve();
    });
    await using proxy = await startProxy({ app: mount(reverse(`http://127.0.0.1:${server.port}`)) });
    const abort = new AbortController();
    const asked = proxy.fetch("http://shop.test/", { signal: abort.signal });
    await expect.poll(() => server.received.length).toBeGreaterThan(0);
    abort.abort();
    await expect(asked).rejects.toThrow();
    await gone.promise;
  });
});
