/** PAC files: what they answer, and what they cannot do. */
import { createRequire } from "node:module";
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { loadPacEngine, Pac, type PacOptions, readPacSource } from "../../../src/wire/outbound/proxy/mod.ts";
import { parsePacRoutes } from "../../../src/wire/outbound/proxy/pac/route.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { codeOf } from "../ca/helpers.ts";

/** The engine is an optional package. */
const hasEngine = (() => {
  try {
    return createRequire(import.meta.url).resolve("quickjs-wasi") !== "";
  } catch {
    return false;
  }
})();

describe("what FindProxyForURL returns", () => {
  test.each<[string, string[]]>([
    ["DIRECT", ["direct"]],
    ["direct", ["direct"]],
    ["", ["direct"]],
    [" ; ", ["direct"]],
    ["PROXY proxy.test:8080", ["http://proxy.test:8080"]],
    ["PROXY proxy.test", ["http://proxy.test:80"]],
    ["proxy a.test:1;PROXY b.test:2 ; DIRECT;", ["http://a.test:1", "http://b.test:2", "direct"]],
    ["HTTPS a.test; HTTP b.test", ["https://a.test:443", "http://b.test:80"]],
    ["SOCKS a.test:1; SOCKS5 b.test; SOCKS4 c.test", [
      "socks5h://a.test:1",
      "socks5h://b.test:1080",
      "socks4a://c.test:1080",
    ]],
    ["PROXY [::1]:8080", ["http://[::1]:8080"]],
  ])("%j", (text, routes) => {
    expect(parsePacRoutes(text).map(String)).toEqual(routes);
  });

  test.each([
    "PROXY",
    "PROXY a.test b.test",
    "QUIC a.test",
    "DIRECT a.test",
    "PROXY a.test:0",
    "PROXY u:p@a.test",
    "constructor x",
  ])(
    "refused: %s",
    (text) => {
      expect(() => parsePacRoutes(`DIRECT; ${text}`)).toThrow(/PAC file returned "DIRECT; /);
    },
  );
});

describe("readPacSource", () => {
  const source = `function FindProxyForURL(url, host) { return "DIRECT"; }`;

  test("text, path, and URLs", async () => {
    await using folder = await tempFolder();
    const path = folder.file("proxy.pac");
    await writeFile(path, source);
    await using server = await startRawServer(async (connection) => {
      const found = (await connection.readHead()).startsWith("GET /proxy.pac ");
      await connection.write(
        `HTTP/1.1 ${found ? 200 : 404} X\r\nConnection: close\r\nContent-Length: ${source.length}\r\n\r\n${source}`,
      );
    });
    const base = `http://127.0.0.1:${server.port}`;
    const data = `data:,${encodeURIComponent("function FindProxy" + "ForUrl(){}")}`;
    for (const given of [source, path, pathToFileURL(path).href, `${base}/proxy.pac`]) {
      expect(await readPacSource(given)).toBe(source);
    }
    expect(await readPacSource(data)).toBe("function FindProxyForUrl(){}");
    expect(await codeOf(readPacSource(`${base}/other.pac`))).toBe("PAC_UNREADABLE");
  });

  test.each([
    ["/nowhere/proxy.pac", "PAC_UNREADABLE"],
    ["http://127.0.0.1:1/proxy.pac", "PAC_UNREADABLE"],
    ["ftp://a.test/proxy.pac", "BAD_OPTION"],
  ])("refused: %s", async (given, code) => {
    expect(await codeOf(readPacSource(given))).toBe(code);
  });
});

test.skipIf(hasEngine)("without its engine: says what to install", async () => {
  const error = await loadPacEngine().catch((it: unknown) => it as Error);
  expect(error).toMatchObject({ code: "PAC_ENGINE" });
  expect((error as Error).message).toContain("npm install --save-dev quickjs-wasi");
});

describe.skipIf(!hasEngine)("Pac", () => {
  const pac = async (body: string, options: Partial<PacOptions> = {}) =>
    new Pac(body, { engine: await loadPacEngine(), resolve: () => Promise.resolve(null), ...options });
  const find = async (body: string, url = "http://a.test/", options: Partial<PacOptions> = {}) =>
    (await (await pac(body, options)).find(url)).map(String);
  const returning = (expression: string) => `function FindProxyForURL(url, host) { return ${expression}; }`;
  const failing = async (body: string, options?: Partial<PacOptions>) =>
    await (await pac(body, options)).find("http://a.test/").then(() => "found", (error: Error) => error.message);

  test("a file as there are many", async () => {
    const body = `
      var proxy = "PROXY proxy.test:3128; DIRECT";
      function FindProxyForURL(url, host) {
        if (isPlainHostName(host) || dnsDomainIs(host, ".internal.test")) return "DIRECT";
        if (isInNet(dnsResolve(host), "10.0.0.0", "255.0.0.0")) return "DIRECT";
        if (shExpMatch(url, "http://*/secret/*")) return "SOCKS socks.test:1080";
        return proxy;
      }`;
    const resolve = (name: string) => Promise.resolve(name === "ten.test" ? "10.1.2.3" : "192.0.2.1");
    expect(await find(body, "http://www/", { resolve })).toEqual(["direct"]);
    expect(await find(body, "https://a.internal.test/x", { resolve })).toEqual(["direct"]);
    expect(await find(body, "http://ten.test/", { resolve })).toEqual(["direct"]);
    expect(await find(body, "http://a.test/secret/x", { resolve })).toEqual(["socks5h://socks.test:1080"]);
    expect(await find(body, "http://a.test/", { resolve })).toEqual(["http://proxy.test:3128", "direct"]);
  });

  test.each([
    ["http://ann:secret@a.test:8080/p?q=1#f", "http://a.test:8080/p?q=1", "a.test"],
    ["https://a.test/p?q=1", "https://a.test/", "a.test"],
    ["https://a.test:8443/p", "https://a.test:8443/", "a.test"],
    ["wss://a.test/p", "wss://a.test/", "a.test"],
    ["http://[::1]:80/p", "http://[::1]/p", "::1"],
  ])("of %s it sees %s and %s", async (url, shown, host) => {
    const heard: string[] = [];
    await find(`function FindProxyForURL(url, host) { alert(url); alert(host); }`, url, {
      alert: (it) => heard.push(it),
    });
    expect(heard).toEqual([shown, host]);
  });

  test("names are resolved once each, and the file may depend on them", async () => {
    const asked: string[] = [];
    const resolve = (name: string) => {
      asked.push(name);
      return name === "gone.test" ? Promise.reject(new Error("ENOTFOUND")) : Promise.resolve(`10.0.0.${asked.length}`);
    };
    const body = `
      var first = dnsResolve("one.test");
      function FindProxyForURL(url, host) {
        try { var next = dnsResolve(first + ".test"); } catch (e) {}
        return "PROXY " + first + ":1; PROXY " + next + ":" + (isResolvable("gone.test") ? 2 : 3);
      }`;
    expect(await find(body, "http://a.test/", { resolve })).toEqual(["http://10.0.0.1:1", "http://10.0.0.4:3"]);
    expect(asked.sort()).toEqual(["10.0.0.1.test", "gone.test", "null.test", "one.test"]);
  });

  test("myIpAddress", async () => {
    expect(await find(returning(`"PROXY " + myIpAddress() + ":1"`), undefined, { address: () => "10.9.8.7" })).toEqual([
      "http://10.9.8.7:1",
    ]);
    expect(await find(returning(`/^\\d+(\\.\\d+){3}$/.test(myIpAddress()) ? "DIRECT" : "PROXY wrong"`))).toEqual([
      "direct",
    ]);
  });

  test("the clock is the one of this machine", async () => {
    const now = new Date();
    expect(await find(returning(`"PROXY offset:" + (2000 + new Date(${+now}).getTimezoneOffset())`))).toEqual([
      `http://offset:${2000 + now.getTimezoneOffset()}`,
    ]);
  });

  test.each(["undefined", "null", `""`])("%s means DIRECT", async (value) => {
    expect(await find(returning(value))).toEqual(["direct"]);
  });

  test.each([
    ["no function", "var x = 1;", /defines no function FindProxyForURL/],
    ["a syntax error", "function {", /threw: /],
    ["it throws", returning(`missing(host)`), /threw: .*missing/],
    ["it returns a number", returning("1"), /type number/],
    ["it returns an object", returning("({})"), /type object/],
    ["it returns nonsense", returning(`"PROXI x"`), /returned "PROXI x"/],
    ["it never ends", returning(`(function () { for (;;) ; })()`), /did not end within 500 ms/],
    ["it never ends while it is read", `while (true) ;`, /did not end within 500 ms/],
    [
      "it catches the end",
      returning(`(function f() { for (;;) { try { for (;;) ; } catch (e) {} } })()`),
      /did not end/,
    ],
    ["it recurses", returning(`(function f() { return f() + 1; })()`), /threw: /],
    [
      "it fills the memory",
      returning(`(function () { var a = []; for (;;) a.push("x" + a.length); })()`),
      /threw: |did not end/,
    ],
    [
      "it asks for ever",
      returning(`(function () { var n = "a"; for (var i = 0; i < 99; i++) n = dnsResolve(n) + i; })()`),
      /20 names/,
    ],
  ])("%s", async (_, body, message) => {
    const resolve = (name: string) => Promise.resolve(`${name}x`);
    expect(await failing(body, { resolve })).toMatch(message);
  });

  test("the process is out of reach", async () => {
    const names = [
      "process",
      "require",
      "Deno",
      "Bun",
      "fetch",
      "WebAssembly",
      "setTimeout",
      "console",
      "navigator",
      "std",
      "os",
    ];
    const roots = [
      `Function("return this")()`,
      `dnsResolve.constructor("return this")()`,
      `this`,
      `(0, eval)("this")`,
      `alert.constructor.constructor("return this")()`,
    ];
    for (const root of roots) {
      const seen = names.map((name) => `typeof (${root}).${name}`).join(` + "," + `);
      const heard: string[] = [];
      await find(
        `var me = this; function FindProxyForURL() { alert(${seen.replaceAll("(this)", "(me)")}); }`,
        undefined,
        {
          alert: (it) => heard.push(it),
        },
      );
      expect([root, heard]).toEqual([root, [names.map(() => "undefined").join()]]);
    }
    expect(await failing(`import("node:fs"); ${returning("1")}`)).toMatch(/PAC file/);
  });

  test("what one run does, no other sees", async () => {
    const it = await pac(
      `var n = 0; function FindProxyForURL() { Array.prototype.x = ++n; return "PROXY p" + n + ([].x) + ":1"; }`,
    );
    expect((await it.find("http://a.test/")).map(String)).toEqual(["http://p11:1"]);
    expect((await it.find("http://a.test/")).map(String)).toEqual(["http://p11:1"]);
  });

  test("too large", async () => {
    const engine = await loadPacEngine();
    expect(() => new Pac(" ".repeat(2 ** 20 + 1), { engine })).toThrow(/larger/);
  });
});
