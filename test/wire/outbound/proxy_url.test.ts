/** B82: the URL of a proxy, and who may read the password in it. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseProxyUrl } from "../../../src/wire/outbound/proxy/mod.ts";

describe("parseProxyUrl", () => {
  test.each<[string, string, string, number]>([
    ["http://proxy.test:3128", "http", "proxy.test", 3128],
    ["http://proxy.test:3128/", "http", "proxy.test", 3128],
    ["HTTP://Proxy.Test", "http", "proxy.test", 80],
    ["https://proxy.test", "https", "proxy.test", 443],
    ["socks4://10.0.0.1", "socks4", "10.0.0.1", 1080],
    ["socks4a://proxy.test", "socks4a", "proxy.test", 1080],
    ["socks5://[::1]:9050", "socks5", "::1", 9050],
    ["socks5h://proxy.test", "socks5h", "proxy.test", 1080],
    ["proxy.test:8080", "http", "proxy.test", 8080],
    ["127.0.0.1", "http", "127.0.0.1", 80],
  ])("%s", (url, scheme, hostname, port) => {
    const proxy = parseProxyUrl(url);
    expect([proxy.scheme, proxy.hostname, proxy.port, proxy.credentials()]).toEqual([
      scheme,
      hostname,
      port,
      undefined,
    ]);
    expect(proxy.authorization()).toBe(undefined);
  });

  test.each<[string, string, string]>([
    ["http://ann:secret@proxy.test", "ann", "secret"],
    ["ann:secret@proxy.test:3128", "ann", "secret"],
    ["http://ann@proxy.test", "ann", ""],
    ["http://:secret@proxy.test", "", "secret"],
    ["socks5h://a%3Ab:%40%2F%3F%23%25%20%C3%A4:x@proxy.test", "a:b", "@/?#% ä:x"],
    ["socks4a://ann@proxy.test", "ann", ""],
  ])("credentials of %s", (url, username, password) => {
    expect(parseProxyUrl(url).credentials()).toEqual({ username, password });
  });

  test.each(["http://@proxy.test", "http://:@proxy.test"])("no credentials in %s", (url) => {
    expect(parseProxyUrl(url).credentials()).toBe(undefined);
  });

  test.each<[string, RegExp]>([
    ["", /no host/],
    ["http://", /no host/],
    ["http://:3128", /no host/],
    ["http://ann:secret@", /no host/],
    ["ftp://proxy.test", /its scheme is "ftp"/],
    ["socks://proxy.test", /4 or 5/],
    ["http://proxy.test/path", /something follows/],
    ["http://proxy.test?x", /something follows/],
    ["http://proxy.test:0", /host and port/],
    ["http://proxy.test:65536", /host and port/],
    ["http://proxy.test:http", /host and port/],
    ["http://ann:secret", /host and port/],
    ["http://::1:3128", /no host/],
    ["http://2001:db8::1", /host and port/],
    ["http://[::1", /host and port/],
    ["http://a b", /host and port/],
    ["http://ann:sec@ret@proxy.test", /%40/],
    ["http://ann:sec/ret@proxy.test", /%2F/],
    ["http://ann:sec ret@proxy.test", /%20/],
    ["http://ann:se%cret@proxy.test", /%25/],
    ["http://ann:secret%E4@proxy.test", /%25/],
    ["http://ann:secret%0d%0a@proxy.test", /control characters/],
    ["http://a%3Ann:secret@proxy.test", /colon/],
    ["socks4://ann:secret@proxy.test", /SOCKS 4 has a name but no password/],
    ["socks5://:secret@proxy.test", /needs a name/],
    [`socks5://ann:secret${"x".repeat(250)}@proxy.test`, /255 bytes/],
  ])("refused: %s", (url, message) => {
    let thrown: unknown;
    try {
      parseProxyUrl(url, "upstream.proxy");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "BAD_OPTION" });
    const text = (thrown as Error).message;
    expect(text).toMatch(message);
    expect(text).toMatch(/^upstream\.proxy is not/);
    expect(text).not.toContain("secret");
    expect(text).not.toContain("ret@");
  });

  test("what is shown of a proxy has no password in it", () => {
    const proxy = parseProxyUrl("http://ann:secret@[::1]:3128");
    expect(`${proxy}`).toBe("http://[::1]:3128");
    expect(proxy.authorization()).toBe("Basic YW5uOnNlY3JldA==");
    for (const text of [inspect(proxy, { depth: 9, showHidden: true }), JSON.stringify(proxy)]) {
      expect(text).not.toMatch(/secret|YW5u/);
    }
    expect(proxy.key()).not.toBe(parseProxyUrl("http://ann:other@[::1]:3128").key());
    expect(proxy.key()).toBe(parseProxyUrl("http://ann:secret@[::1]:3128").key());
  });
});
