// ProxyClient: where its proxy comes from, what it says to it, and what it says of it when it does not work.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { ProxyClient, proxyFor } from "../../src/client/mod.ts";
import { type HttpFlow, OptionsError, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";
import { closedPort } from "../wire/outbound/next_proxy.ts";

const NOWHERE = ["http://192.0.2.7/", "https://192.0.2.7/"] as const;
const answering = (body: string) => startProxy({ defaultAction: respond({ body }) });
const get = async (client: ProxyClient, url: string, init?: Parameters<ProxyClient["fetch"]>[1]) =>
  await (await client.fetch(url, init)).text();
const through = (proxy: Proxy) => ({ proxy: proxy.url, ca: proxy.ca.cert });

describe("where the proxy comes from", () => {
  test.each(NOWHERE)("the constructor: %s", async (url) => {
    await using proxy = await answering("proxy");
    await using client = new ProxyClient(through(proxy));
    expect(await get(client, url)).toBe("proxy");
    expect((proxy.flows.first() as HttpFlow).request.url).toBe(url);
  });

  test.each(NOWHERE)("the environment: %s", async (url) => {
    await using proxy = await answering("proxy");
    const ca = proxy.ca.cert;
    const env: Record<string, string> = { "http_proxy": proxy.url, HTTPS_PROXY: proxy.url };
    await using client = new ProxyClient({ env, ca });
    expect(await get(client, url)).toBe("proxy");
    // It is read for each request.
    env["no_proxy"] = "192.0.2.7";
    await expect(get(client, url)).rejects.toThrow();
    expect(proxy.flows.length).toBe(1);
  });

  test("setProxy() goes before the constructor, the request before both, and all before the environment", async () => {
    await using fromEnv = await answering("environment");
    await using constructed = await answering("constructor");
    await using set = await answering("set");
    await using given = await answering("request");
    const env = { "http_proxy": fromEnv.url, "https_proxy": fromEnv.url, "no_proxy": "*" };
    await using client = new ProxyClient({ ...through(constructed), env });
    for (const url of NOWHERE) {
      client.setProxy(constructed.url);
      expect(await get(client, url)).toBe("constructor");
      client.setProxy(set.url);
      expect(await get(client, url)).toBe("set");
      expect(await get(client, url, { proxy: given.url })).toBe("request");
      expect(await get(client, url)).toBe("set");
    }
    env["no_proxy"] = "";
    client.setProxy(undefined);
    expect(await get(client, NOWHERE[1])).toBe("environment");
  });

  test("each instance has its own", async () => {
    await using one = await answering("one");
    await using two = await answering("two");
    await using first = new ProxyClient(through(one));
    await using second = new ProxyClient(through(two));
    expect(await Promise.all([get(first, NOWHERE[0]), get(second, NOWHERE[0])])).toEqual(["one", "two"]);
  });

  test("none: servers are reached directly, whatever the environment says", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }));
    await using secure = await startOrigin(() => ({ body: "secure" }), { tls: true });
    await using proxy = await answering("proxy");
    const env = { "http_proxy": proxy.url, "https_proxy": proxy.url };
    await using client = new ProxyClient({ proxy: "", env, ca: secure.ca });
    expect([await get(client, origin.url), await get(client, secure.url)]).toEqual(["server", "secure"]);
    await using named = new ProxyClient({ env: { ...env, NO_PROXY: "127.0.0.1" }, ca: secure.ca });
    expect([await get(named, origin.url), await get(named, secure.url)]).toEqual(["server", "secure"]);
    await using other = new ProxyClient(through(proxy));
    expect(await get(other, origin.url, { proxy: "" })).toBe("server");
    await using plain = new ProxyClient({ env: {} });
    expect(await get(plain, origin.url)).toBe("server");
    expect(proxy.flows.length).toBe(0);
  });

  test("a Request, with method, fields and body", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ status: 201, body: "made" }) });
    await using client = new ProxyClient(through(proxy));
    const { fetch } = client;
    const request = new Request(NOWHERE[1], { method: "POST", body: "text", headers: { "x-a": "1" } });
    const response = await fetch(request);
    expect([response.status, await response.text()]).toEqual([201, "made"]);
    const sent = (proxy.flows.first() as HttpFlow).request;
    expect([sent.method, sent.headers.get("x-a"), sent.text()]).toEqual(["POST", "1", "text"]);
  });

  test("a client that was closed can be used again", async () => {
    await using proxy = await answering("proxy");
    const client = new ProxyClient(through(proxy));
    expect(await get(client, NOWHERE[0])).toBe("proxy");
    await client.close();
    expect(await get(client, NOWHERE[0])).toBe("proxy");
    await client.close();
  });
});

describe("the proxy that the environment names", () => {
  const env = { "http_proxy": "http://a.test:1", HTTPS_PROXY: "http://b.test:2", "all_proxy": "http://c.test:3" };

  test.each([
    ["http://shop.test/", env, "http://a.test:1"],
    ["https://shop.test/", env, "http://b.test:2"],
    ["ws://shop.test/", env, "http://a.test:1"],
    ["wss://shop.test/", env, "http://b.test:2"],
    ["http://shop.test/", { HTTP_PROXY: "http://upper.test:1" }, "http://upper.test:1"],
    [
      "http://shop.test/",
      { HTTP_PROXY: "http://upper.test:1", "http_proxy": "http://lower.test:1" },
      "http://lower.test:1",
    ],
    ["https://shop.test/", { ALL_PROXY: "socks5://c.test:3" }, "socks5://c.test:3"],
    ["https://shop.test/", { "http_proxy": "http://a.test:1" }, undefined],
    ["http://shop.test/", { "http_proxy": "", HTTP_PROXY: "" }, undefined],
    ["http://shop.test/", {}, undefined],
    // A CGI program: the field "Proxy" of its client is in HTTP_PROXY.
    ["http://shop.test/", { HTTP_PROXY: "http://evil.test:1", REQUEST_METHOD: "GET" }, undefined],
    ["http://shop.test/", { "http_proxy": "http://a.test:1", REQUEST_METHOD: "GET" }, "http://a.test:1"],
    ["https://shop.test/", { HTTPS_PROXY: "http://b.test:2", REQUEST_METHOD: "GET" }, "http://b.test:2"],
    ["http://shop.test/", { ...env, "no_proxy": "shop.test" }, undefined],
    ["http://api.shop.test/", { ...env, NO_PROXY: ".shop.test" }, undefined],
    ["http://shop.test/", { ...env, "no_proxy": "", NO_PROXY: "shop.test" }, undefined],
    ["http://shop.test:81/", { ...env, "no_proxy": "shop.test:80" }, "http://a.test:1"],
    ["https://10.1.2.3/", { ...env, "no_proxy": "10.0.0.0/8" }, undefined],
    ["http://[::1]/", { ...env, "no_proxy": "[::1]" }, undefined],
    ["http://shop.test/", { ...env, "no_proxy": "*" }, undefined],
  ])("%s with %j: %s", (url, variables, expected) => {
    expect(proxyFor(url, variables as Record<string, string>)).toBe(expected);
  });

  test("a variable that cannot be read is named, and not repeated", () => {
    expect(() => proxyFor("https://shop.test/", { HTTPS_PROXY: "ftp://me:secret@a.test" })).toThrow(
      /^the environment variable HTTPS_PROXY is not the URL of a proxy: its scheme is "ftp"(?!.*secret)/,
    );
    expect(() => proxyFor("https://shop.test/", { HTTPS_PROXY: "http://a.test", "no_proxy": "a b/c" })).toThrow(
      /^the environment variable no_proxy has "b\/c"/,
    );
  });
});

describe("credentials", () => {
  const auth = { username: "me@home/#?", password: "p:a/s s%@[é" };
  const encoded = `${encodeURIComponent(auth.username)}:${encodeURIComponent(auth.password)}@`;

  test.each(NOWHERE)("with reserved characters, percent-encoded: %s", async (url) => {
    await using proxy = await startProxy({ auth, defaultAction: respond({ body: "let in" }) });
    await using client = new ProxyClient({ proxy: proxy.url.replace("//", `//${encoded}`), ca: proxy.ca.cert });
    expect(await get(client, url)).toBe("let in");
    // They are for the proxy alone.
    expect((proxy.flows.last() as HttpFlow).request.headers.has("proxy-authorization")).toBe(false);
  });

  test.each(NOWHERE)("are sent as RFC 7617 has it: %s", async (url) => {
    let head = "";
    await using server = await startRawServer(async (connection) => {
      head = await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    await using client = new ProxyClient({ proxy: `http://${encoded}127.0.0.1:${server.port}` });
    await client.fetch(url).then((it) => it.body?.cancel(), () => {});
    const sent = /^proxy-authorization: Basic (\S+)\r\n/im.exec(head)![1]!;
    expect(Buffer.from(sent, "base64").toString()).toBe(`${auth.username}:${auth.password}`);
  });

  test("a name without a password has an empty one", async () => {
    let head = "";
    await using server = await startRawServer(async (connection) => {
      head = await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    await using client = new ProxyClient({ proxy: `http://me@127.0.0.1:${server.port}` });
    await (await client.fetch("http://shop.test/")).body?.cancel();
    expect(head).toMatch(/^proxy-authorization: Basic bWU6\r\n/im);
  });

  test.each(NOWHERE.flatMap((url) => [["none", "", url], ["wrong ones", "me:wrong@", url]]))(
    "%s: %s, %s",
    async (...row) => {
      const [, userinfo, url] = row;
      await using proxy = await startProxy({ auth });
      await using client = new ProxyClient({ proxy: proxy.url.replace("//", `//${userinfo}`), ca: proxy.ca.cert });
      const error = await client.fetch(url!).catch((it) => it);
      expect(error).toMatchObject({ name: "FlowtapeError", code: "PROXY_AUTH" });
      expect(error.message).toMatch(
        userinfo === "" ? /407.*: it wants a name and a password/ : /407.*: it does not accept the name and password/,
      );
      expect(error.message).not.toMatch(/wrong/);
    },
  );
});

describe("a proxy that does not work", () => {
  test.each(NOWHERE)("is not there: %s", async (url) => {
    const port = await closedPort();
    await using client = new ProxyClient({ proxy: `http://me:secret@127.0.0.1:${port}` });
    const error = await client.fetch(url).catch((it) => it);
    expect(error).toMatchObject({ name: "FlowtapeError", code: "PROXY_UNREACHABLE" });
    expect(error.message).toContain(`through the proxy http://127.0.0.1:${port}`);
    expect(error.message).not.toContain("secret");
  });

  test("does not speak HTTP", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("220 mail.test ready\r\n");
      await connection.readAll().catch(() => {});
    });
    await using client = new ProxyClient({ proxy: `http://127.0.0.1:${server.port}` });
    await expect(client.fetch(NOWHERE[1])).rejects.toMatchObject({ code: "PROXY_ANSWER" });
  });

  test("refuses the server", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    await using client = new ProxyClient({ proxy: `http://127.0.0.1:${server.port}` });
    await expect(client.fetch(NOWHERE[1])).rejects.toMatchObject({
      code: "PROXY_REFUSED",
      message: expect.stringContaining("answered 403 Forbidden"),
    });
  });

  test("hangs up", async () => {
    await using server = await startRawServer(async (connection) => void await connection.readHead());
    await using client = new ProxyClient({ proxy: `http://127.0.0.1:${server.port}` });
    await expect(client.fetch(NOWHERE[1])).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  });

  test("a request that is aborted is that, and nothing else", async () => {
    await using server = await startRawServer(async (connection) => void await connection.readAll().catch(() => {}));
    await using client = new ProxyClient({ proxy: `http://127.0.0.1:${server.port}` });
    const controller = new AbortController();
    const asked = client.fetch(NOWHERE[1], { signal: controller.signal });
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBe(1);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });

  test("a server that does not work is no fault of the proxy", async () => {
    await using proxy = await startProxy({ rules: [["*", "drop"]] });
    await using client = new ProxyClient(through(proxy));
    for (const url of NOWHERE) {
      const error = await client.fetch(url).catch((it) => it);
      expect(error).toBeInstanceOf(Error);
      expect(error.code ?? "").not.toMatch(/^PROXY_/);
    }
  });
});

describe("what is given is checked", () => {
  test.each([
    ["ftp://a.test:21", /its scheme is "ftp"/],
    ["http://", /it has no host/],
    ["http://me:secret@", /it has no host/],
    ["http://a.test:99999", /its host and port cannot be read/],
    ["http://a.test:x", /its host and port cannot be read/],
    ["http://a.test/path", /something follows the host and port/],
    ["http://me:sec@ret@a.test:1", /its name or password holds one of/],
    ["http://me:sec%ret@a.test:1", /holds a % that is not followed/],
    ["socks://a.test", /"socks" can be 4 or 5/],
  ])("%s", async (url, message) => {
    const client = new ProxyClient();
    for (
      const [where, give] of [
        ["proxy", () => new ProxyClient({ proxy: url })],
        ["the argument of setProxy()", () => client.setProxy(url)],
      ] as const
    ) {
      expect(give).toThrow(OptionsError);
      expect(give).toThrow(message);
      expect(give).toThrow(where);
      expect(give).not.toThrow(/secret|sec@ret|sec%ret/);
    }
    await expect(client.fetch(NOWHERE[0], { proxy: url })).rejects.toThrow(/^the option proxy of a request is not/);
  });

  test("a type, and a certificate that is a path", () => {
    expect(() => new ProxyClient({ proxy: 8080 as never })).toThrow(/^proxy is of type number/);
    expect(() => new ProxyClient({ ca: "/etc/ca.pem" })).toThrow(/^ca is no certificate: .*read the file first/);
  });
});
