/**
 * `forwarded()`: requests as the client has sent them. Titles with "WSGIProxy" have the counterparts of the tests of its middleware.
 */
import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  forwarded,
  type ForwardedOptions,
  type Handler,
  type HandlerInfo,
  mount,
  reverse,
} from "../../src/gateway/mod.ts";
import { parseForwarded } from "../../src/gateway/forwarding/fields.ts";
import { sign, SignatureCheck } from "../../src/gateway/forwarding/signature.ts";
import { startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";

const SECRET = "a long random text that both sides know";

/** What a handler was given. */
interface Seen {
  url: string;
  host: string | null;
  prefix: string | undefined;
  from: string | undefined;
  user: string | undefined;
  fields: string[];
}

const show: Handler = async (request, info) => {
  const fields = [...request.headers.keys()].filter((name) => /forward|traversal|script|signature|real-ip/.test(name));
  const seen: Seen = {
    url: request.url,
    host: request.headers.get("host"),
    prefix: info.prefix,
    from: info.remoteAddr?.hostname,
    user: info.username,
    fields,
  };
  return Response.json({ ...seen, body: await request.text() });
};

function info(address: string, log: string[] = []): HandlerInfo {
  const remoteAddr = { transport: "tcp", hostname: address, port: 1234 };
  return { remoteAddr, log: (_level: string, message: string) => void log.push(message) } as unknown as HandlerInfo;
}

interface Ask {
  url?: string;
  headers?: Record<string, string>;
  from?: string;
  log?: string[];
}

async function ask(
  options: ForwardedOptions,
  { url = "http://inner.test/path/to/page?q=1", headers = {}, from = "127.0.0.1", log = [] }: Ask = {},
) {
  const response = await forwarded(show, options)(new Request(url, { headers }), info(from, log));
  if (response.status !== 200) return { status: response.status, text: await response.text() };
  return await response.json() as Seen & { body: string };
}

const TRUST = { trustIps: ["127.0.0.1"] };

describe("from a trusted address", () => {
  test("WSGIProxy test_forwarded_server: host, scheme and client are those of the fields, which are gone", async () => {
    const headers = {
      "X-Forwarded-Server": "wsgiproxy",
      "X-Forwarded-Scheme": "https",
      "X-Forwarded-For": "192.0.2.9",
    };
    expect(await ask(TRUST, { headers })).toMatchObject({
      url: "https://wsgiproxy/path/to/page?q=1",
      host: "wsgiproxy",
      from: "192.0.2.9",
      prefix: "",
      fields: [],
    });
  });

  test("X-Forwarded-Host and -Proto go before -Server and -Scheme, and all before Forwarded", async () => {
    const old = { "X-Forwarded-Server": "old", "X-Forwarded-Scheme": "http" };
    const usual = { "X-Forwarded-Host": "new:8443", "X-Forwarded-Proto": "https" };
    const standard = { "Forwarded": 'for="[2001:db8::1]:4711";proto=https;host="std.test:99"' };
    expect(await ask(TRUST, { headers: { ...old, ...usual, ...standard } })).toMatchObject({
      url: "https://new:8443/path/to/page?q=1",
    });
    expect(await ask(TRUST, { headers: standard })).toMatchObject({
      url: "https://std.test:99/path/to/page?q=1",
      from: "2001:db8::1",
    });
  });

  test.each([
    ["one", "192.0.2.9", "192.0.2.9"],
    ["one before, which may be made up", "10.0.0.1, 192.0.2.9", "192.0.2.9"],
    ["one that is another trusted proxy", "192.0.2.9, 127.0.0.1", "192.0.2.9"],
    ["all of them trusted", "127.0.0.1", "127.0.0.1"],
    ["one with a port", "192.0.2.9:4711", "192.0.2.9"],
    ["IPv6 with a port", "[2001:db8::1]:4711", "2001:db8::1"],
    ["garbage", "unknown", "127.0.0.1"],
    ["garbage at the end", "192.0.2.9, <script>", "127.0.0.1"],
  ])("the chain of clients: %s", async (_, chain, expected) => {
    expect(await ask(TRUST, { headers: { "X-Forwarded-For": chain } })).toMatchObject({ from: expected });
  });

  test.each([
    ["WSGIProxy test_traversal_path_equals_path_info", "/path/to/page", "http://inner.test/?q=1"],
    ["WSGIProxy test_traversal_path_subset_of_path_info", "/path/to", "http://inner.test/page?q=1"],
    ["with a slash at its end", "/path/", "http://inner.test/to/page?q=1"],
  ])("%s: what the proxy has put before the path goes", async (_, path, url) => {
    expect(await ask(TRUST, { headers: { "X-Traversal-Path": path } })).toMatchObject({ url });
  });

  test("what the proxy has put behind the query goes", async () => {
    const at = (url: string, end: string) => ask(TRUST, { url, headers: { "X-Traversal-Query-String": end } });
    expect(await at("http://a.test/?q=1&some=query", "some=query")).toMatchObject({ url: "http://a.test/?q=1" });
    expect(await at("http://a.test/?some=query", "some=query")).toMatchObject({ url: "http://a.test/" });
    expect(await at("http://a.test/?awesome=query", "some=query")).toMatchObject({
      url: "http://a.test/?awesome=query",
    });
  });

  test("X-Forwarded-Script-Name is info.prefix", async () => {
    expect(await ask(TRUST, { headers: { "X-Forwarded-Script-Name": "/blog/" } })).toMatchObject({ prefix: "/blog" });
    expect(await ask(TRUST, { headers: { "X-Script-Name": "/blog" } })).toMatchObject({ prefix: "/blog" });
  });

  test.each([
    [
      "WSGIProxy test_traversal_path_doesnt_start_with_slash",
      { "X-Traversal-Path": "traversal/path" },
      /X-Traversal-Path is traversal\/path, but the path is/,
    ],
    ["a path that is another one", { "X-Traversal-Path": "/pat" }, /it should begin with that/],
    [
      "WSGIProxy test_exception_HTTPBadRequest",
      { "X-Forwarded-Script-Name": "no_leading_slash" },
      /"no_leading_slash", which does not start with a slash/,
    ],
    ["a host that is none", { "X-Forwarded-Host": "a b" }, /X-Forwarded-Host is "a b"/],
    ["a scheme that is none", { "X-Forwarded-Proto": "javascript" }, /X-Forwarded-Proto is "javascript"/],
    ["Forwarded that cannot be read", { "Forwarded": "for=[::1", "X-A": "" }, /Forwarded cannot be read/],
  ])("400: %s", async (_, headers, message) => {
    const broken = "Forwarded" in headers ? { Forwarded: 'for="x' } : headers;
    expect(await ask(TRUST, { headers: broken as Record<string, string> })).toEqual({
      status: 400,
      text: expect.stringMatching(message),
    });
  });

  test.each([
    ["127.0.0.1", ["127.0.0.0/8"], true],
    ["127.0.0.1", ["10.0.0.0/8", "127.0.0.1"], true],
    ["128.0.0.1", ["127.0.0.0/8"], false],
    ["::1", ["::1"], true],
    ["::ffff:10.1.2.3", ["10.0.0.0/8"], true],
    ["2001:db8:1::5", ["2001:db8::/32"], true],
    ["2001:db9::5", ["2001:db8::/32"], false],
  ])("WSGIProxy test_trust_ips: %s in %j: %s", async (from, trustIps, believed) => {
    const seen = await ask({ trustIps }, { from, headers: { "X-Forwarded-Host": "shop.test" } });
    expect(seen).toMatchObject({ host: believed ? "shop.test" : "inner.test" });
  });
});

describe("from anybody else", () => {
  afterEach(() => void vi.restoreAllMocks());

  const headers = {
    "X-Forwarded-For": "10.9.9.9",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-User": "root",
    "X-Forwarded-Script-Name": "/x",
    "X-Traversal-Path": "/path",
    "X-Real-IP": "10.9.9.9",
    "Forwarded": "for=10.9.9.9",
  };

  test("the fields are taken out, and the log says so", async () => {
    const log: string[] = [];
    expect(await ask({ trustIps: ["10.0.0.1"] }, { headers, from: "192.0.2.1", log })).toEqual({
      url: "http://inner.test/path/to/page?q=1",
      host: "inner.test",
      prefix: "",
      from: "192.0.2.1",
      fields: [],
      body: "",
    });
    expect(log).toEqual([
      expect.stringMatching(
        /^192\.0\.2\.1 says forwarded, .*x-forwarded-host.* is not trusted \(secret, trustIps\): ignored$/,
      ),
    ]);
  });

  test("without a proxy's log, the console says so", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const response = await forwarded(show, TRUST)(new Request("http://a.test/", { headers }), {} as HandlerInfo);
    expect((await response.json() as Seen).host).toBe("a.test");
    expect(warn.mock.calls[0]![0]).toMatch(/^flowtape: a client says .* is not trusted/);
  });

  test("WSGIProxy test_blank_environ: a request without any of them passes, and nothing is logged", async () => {
    const log: string[] = [];
    expect(await ask({}, { log })).toMatchObject({ url: "http://inner.test/path/to/page?q=1", fields: [] });
    expect(log).toEqual([]);
  });
});

describe("from a trusted address, what is no host", () => {
  test.each(["[1.2.3]", "1.2.3.4.5", "256.0.0.1", "user@shop.test", "shop.test/path", "shop.test:99999"])(
    "%s: 400",
    async (host) => {
      const answer = await ask(TRUST, { headers: { "x-forwarded-host": host } });
      expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(/FORWARDED_(FIELD|PATH)/) });
    },
  );
});

describe("from a client that spells them otherwise", () => {
  test.each(["X_Forwarded_Host", "x-forwarded_for", "X_REAL_IP", "x-forwarded"])("%s is taken out", async (name) => {
    const log: string[] = [];
    const got = new Promise<string[]>((resolve) => {
      const handler = forwarded((request) => (resolve([...request.headers.keys()]), new Response()), TRUST);
      void handler(new Request("http://inner.test/", { headers: { [name]: "evil.test" } }), info("192.0.2.1", log));
    });
    expect((await got).filter((it) => it !== "host")).toEqual([]);
    expect(log.join()).toContain(`${name.toLowerCase()}, and is not trusted`);
  });
});

describe("whatever a proxy says", () => {
  test("WSGIProxy test_scheme, test_host, test_domain_and_port", async () => {
    const url = "http://inner.test:81/path";
    expect(await ask({ scheme: "https" }, { url })).toMatchObject({ url: "https://inner.test:81/path" });
    expect(await ask({ host: "shop.test:80" }, { url })).toMatchObject({
      url: "http://shop.test/path",
      host: "shop.test",
    });
    expect(await ask({ domain: "shop.test" }, { url })).toMatchObject({ url: "http://shop.test:81/path" });
    expect(await ask({ port: 80 }, { url })).toMatchObject({ url: "http://inner.test/path" });
    expect(await ask({ domain: "localhost", port: 8080 }, { url })).toMatchObject({
      url: "http://localhost:8080/path",
    });
    const headers = { "X-Forwarded-Host": "said.test", "X-Forwarded-Proto": "http" };
    expect(await ask({ ...TRUST, scheme: "https", host: "shop.test:443" }, { url, headers })).toMatchObject({
      url: "https://shop.test/path",
    });
  });

  test("WSGIProxy test_prefix: the path stays, and info.prefix is that", async () => {
    expect(await ask({ prefix: "/a/prefix/" })).toMatchObject({
      prefix: "/a/prefix",
      url: "http://inner.test/path/to/page?q=1",
    });
  });

  test("WSGIProxy test_pop_prefix: it is taken off the path; another path is a 400", async () => {
    expect(await ask({ popPrefix: "/path/" })).toMatchObject({ prefix: "/path", url: "http://inner.test/to/page?q=1" });
    expect(await ask({ popPrefix: "/path/to/page" })).toMatchObject({ url: "http://inner.test/?q=1" });
    const headers = { "X-Forwarded-Script-Name": "/outer" };
    expect(await ask({ ...TRUST, popPrefix: "/path" }, { headers })).toMatchObject({ prefix: "/outer/path" });
    expect(await ask({ popPrefix: "/a/pop_prefix" })).toEqual({
      status: 400,
      text: expect.stringContaining("should start with the path /a/pop_prefix"),
    });
  });

  test.each([
    [
      "WSGIProxy test_prefix_and_pop_prefix",
      { prefix: "/a", popPrefix: "/b" },
      /prefix and popPrefix of forwarded\(\) exclude each other/,
    ],
    ["WSGIProxy test_host", { host: "localhost" }, /option host is "localhost": host and port/],
    [
      "WSGIProxy test_port_and_host",
      { port: 80, host: "localhost:80" },
      /host and port of forwarded\(\) exclude each other/,
    ],
    ["WSGIProxy test_domain_and_host", { domain: "localhost", host: "localhost:80" }, /host and domain/],
    ["a domain with a port", { domain: "localhost:80" }, /option domain/],
    ["a prefix without a slash", { prefix: "a" }, /option prefix/],
    ["a scheme", { scheme: "ftp" }, /option scheme is "ftp"/],
    ["a name among the addresses", { trustIps: ["proxy.test"] }, /trustIps has "proxy\.test"/],
    ["a window without a secret", { window: 1000 }, /needs secret/],
    ["something unknown", { trustIp: [] }, /trustIp is not known.*trustIps/],
  ])("refused: %s", (_, options, message) => {
    expect(() => forwarded(show, options as ForwardedOptions)).toThrow(message);
  });

  test("refused: no handler", () =>
    expect(() => forwarded(undefined as unknown as Handler, {})).toThrow(/takes a handler/));
});

describe("signed", () => {
  /** What `reverse()` sends for a request, as it arrives. */
  async function sentBy(
    secret: string | undefined,
    url = "http://shop.test/article?q=1",
    path = "/app?x=2",
  ): Promise<Request> {
    await using origin = await startOrigin();
    const handler = reverse(`${origin.url}${path}`, secret === undefined ? {} : { secret });
    const given = { ...info("192.0.2.7"), username: "Zoë" } as HandlerInfo;
    await (await handler(new Request(url, { method: "POST", body: "hello" }), given)).text();
    const { target, headers, body } = origin.requests[0]!;
    return new Request(`http://127.0.0.1:${origin.port}${target}`, {
      method: "POST",
      headers: headers.filter(([name]) => name !== "Connection"),
      body,
    });
  }

  const receive = async (request: Request, options: ForwardedOptions = {}, log: string[] = []) => {
    const response = await forwarded(show, { secret: SECRET, ...options })(request, info("127.0.0.1", log));
    return { status: response.status, text: await response.text() };
  };

  test("by reverse(): the request is what the client has sent", async () => {
    const { status, text } = await receive(await sentBy(SECRET));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      url: "http://shop.test/article?q=1",
      host: "shop.test",
      prefix: "",
      from: "192.0.2.7",
      user: "Zoë",
      fields: [],
      body: "hello",
    });
  });

  test("with another secret: 403, and the log says so without the secret", async () => {
    const log: string[] = [];
    const { status, text } = await receive(await sentBy("another one"), {}, log);
    expect([status, text]).toEqual([403, expect.stringMatching(/not accepted: it does not fit the request/)]);
    expect(log.join()).toContain("127.0.0.1: the signature of the request is not accepted");
    expect(log.join() + text).not.toContain(SECRET);
  });

  test("not at all: the fields are ignored; from a trusted address they are believed all the same", async () => {
    const log: string[] = [];
    expect(JSON.parse((await receive(await sentBy(undefined), {}, log)).text)).toMatchObject({
      from: "127.0.0.1",
      fields: [],
    });
    expect(log[0]).toContain("is not trusted");
    expect(JSON.parse((await receive(await sentBy(undefined), TRUST)).text)).toMatchObject({ host: "shop.test" });
  });

  test.each([
    ["method", (request: Request) => new Request(request, { method: "PUT" })],
    ["path", (request: Request) => new Request(request.url.replace("article", "admin"), request)],
    ["query", (request: Request) => new Request(`${request.url}&admin=1`, request)],
    ...[
      "host",
      "forwarded",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-forwarded-user",
      "x-forwarded-script-name",
      "x-traversal-path",
    ].map((
      name,
    ): [string, (request: Request) => Request] => [name, (request) => {
      const changed = new Request(request);
      changed.headers.set(name, "10.0.0.1");
      return changed;
    }]),
    ["time", (request: Request) => {
      const changed = new Request(request);
      changed.headers.set(
        "x-flowtape-signature",
        changed.headers.get("x-flowtape-signature")!.replace(/^t=\d+/, `t=${Math.floor(Date.now() / 1000) + 1}`),
      );
      return changed;
    }],
  ])("and then changed: its %s", async (_, change) => {
    expect(await receive(change(await sentBy(SECRET)))).toMatchObject({ status: 403 });
  });

  test("twice: the second one is refused", async () => {
    const handler = forwarded(show, { secret: SECRET });
    const request = await sentBy(SECRET);
    const again = request.clone();
    expect((await handler(request, info("127.0.0.1"))).status).toBe(200);
    const second = await handler(again, info("127.0.0.1"));
    expect([second.status, await second.text()]).toEqual([403, expect.stringContaining("it was used before")]);
  });

  test("twice, with more in between than are remembered: the second one is refused all the same", () => {
    const check = new SignatureCheck(SECRET, 300_000);
    const start = Date.now();
    const clock = vi.spyOn(Date, "now");
    try {
      const signed = (ms: number) => {
        clock.mockReturnValue(start + ms);
        const headers = new Headers({ host: "shop.test" });
        sign(headers, "GET", "/", SECRET);
        expect(check.wrong(headers, "GET", "/")).toBe(undefined);
        return headers;
      };
      const first = signed(0);
      for (let i = 0; i < 100_001; i++) signed(1000 + i);
      expect(check.wrong(first, "GET", "/")).toMatch(/older than those that are remembered/);
      expect(check.wrong(signed(110_000), "GET", "/")).toBe("it was used before");
    } finally {
      clock.mockRestore();
    }
  });

  test("outside of the window: refused, in the past and in the future", async () => {
    const request = await sentBy(SECRET);
    const now = Date.now();
    const at = async (ms: number, options: ForwardedOptions = {}) => {
      const clock = vi.spyOn(Date, "now").mockReturnValue(now + ms);
      try {
        return await receive(request.clone(), options);
      } finally {
        clock.mockRestore();
      }
    };
    // The time in a signature has no fractions of a second.
    expect(await at(295_000)).toMatchObject({ status: 200 });
    expect(await at(303_000)).toEqual({
      status: 403,
      text: expect.stringMatching(/made 30\d s ago, and 300 s are accepted \(window\)/),
    });
    expect(await at(-303_000)).toEqual({ status: 403, text: expect.stringMatching(/in the future/) });
    expect(await at(20_000, { window: 10_000 })).toMatchObject({ status: 403 });
  });

  test.each(["", "t=1", "x", `t=1,n=${"0".repeat(32)},s=${"z".repeat(64)}`, `t=1,n=${"0".repeat(32)},s=00`])(
    "in another form: %j",
    async (value) => {
      const request = await sentBy(SECRET);
      request.headers.set("x-flowtape-signature", value);
      expect(await receive(request)).toEqual({
        status: 403,
        text: expect.stringContaining("it has not the form of one"),
      });
    },
  );

  test("in the documented way, by anybody who has the secret", async () => {
    const [time, nonce] = [String(Math.floor(Date.now() / 1000)), "0123456789abcdef".repeat(2)];
    const names = [
      "host",
      "forwarded",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-server",
      "x-forwarded-proto",
      "x-forwarded-scheme",
    ];
    const others = ["x-forwarded-script-name", "x-forwarded-user", "x-traversal-path", "x-traversal-query-string"];
    const fields: Record<string, string> = { "host": "inner.test", "x-forwarded-for": "192.0.2.3" };
    const lines = [
      "flowtape-signature-1",
      time,
      nonce,
      "GET",
      "/a?b",
      ...[...names, ...others].map((name) => `${name}:${fields[name] ?? ""}`),
    ];
    const signature = createHmac("sha256", SECRET).update(lines.join("\n")).digest("hex");
    const headers = { ...fields, "x-flowtape-signature": `t=${time},n=${nonce},s=${signature}` };
    expect(JSON.parse((await receive(new Request("http://inner.test/a?b", { headers }))).text)).toMatchObject({
      from: "192.0.2.3",
    });
  });
});

describe("Forwarded (RFC 7239 section 4)", () => {
  test.each([
    ["for=192.0.2.60;proto=http;by=203.0.113.43", [{ for: "192.0.2.60", proto: "http", by: "203.0.113.43" }]],
    ['For="[2001:db8:cafe::17]:4711"', [{ for: "[2001:db8:cafe::17]:4711" }]],
    ["for=192.0.2.43, for=198.51.100.17", [{ for: "192.0.2.43" }, { for: "198.51.100.17" }]],
    ['for="a,b;c";host="x\\"y"', [{ for: "a,b;c", host: 'x"y' }]],
    ["for=1;;proto=http", [{ for: "1", proto: "http" }]],
    ["for", undefined],
    ["for=a b", undefined],
  ])("%s", (value, expected) => expect(parseForwarded(value)).toEqual(expected));

  test("a long one is read quickly", () => {
    const start = performance.now();
    parseForwarded('for="'.repeat(50_000));
    parseForwarded("for=1,".repeat(50_000));
    parseForwarded('for="\\'.repeat(50_000));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test("two proxies of flowtape, one behind the other", async () => {
  const handler = forwarded(show, { secret: SECRET, popPrefix: "/app" });
  await using server = await startProxy({ app: mount(handler) });
  await using gateway = await startProxy({ app: mount(reverse(server.url, { secret: SECRET })) });
  const response = await fetch(`${gateway.url}/app/cart?q=1`, { headers: { "x-forwarded-for": "10.9.9.9" } });
  expect(await response.json()).toMatchObject({
    url: `${gateway.url}/cart?q=1`,
    prefix: "/app",
    from: "127.0.0.1",
    fields: [],
  });
});
