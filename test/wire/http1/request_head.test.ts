import { describe, expect, test } from "vitest";
import { readRequest, requestHead } from "./support.ts";

const get = (fields: string, version = "1.1") => requestHead(`GET / HTTP/${version}\r\n${fields}\r\n`);

describe("the head of a request", () => {
  test("B2 B4 is given raw: method, target, host, and fields with order, case, spacing and duplicates", () => {
    const fields = "Host: shop.test:8080\r\nX-One:1\r\nx-one: \t1 \r\nX-eMpTy:\r\nX-Latin: caf\xe9\r\n";
    expect(requestHead(`PATCH /a?b=c HTTP/1.1\r\n${fields}\r\n`)).toEqual({
      kind: "request",
      version: "1.1",
      method: "PATCH",
      target: "/a?b=c",
      host: "shop.test:8080",
      fields,
      framing: { kind: "none" },
      keepAlive: true,
      hops: [],
      lengthAt: -1,
      codingAt: -1,
      upgrade: undefined,
      expectContinue: false,
    });
  });

  test("may have no fields at all", () => {
    expect(requestHead("GET / HTTP/1.0\r\n\r\n")).toMatchObject({
      version: "1.0",
      fields: "",
      host: undefined,
      keepAlive: false,
    });
  });

  test.each([
    ["GET", "/"],
    ["get", "/lower-case-is-another-method"],
    ["M-SEARCH", "/"],
    ["!#$%&'*+-.^_`|~9aZ", "/any-token"],
    ["GET", "//double//slash"],
    ["GET", '/a|b{c}"d\\e^`<>[]'],
    ["GET", "/raw-utf8-\xc3\xa9"],
    ["GET", "http://shop.test/a"],
    ["GET", "HTTP://user@shop.test:1?q"],
    ["GET", "ws://shop.test/"],
    ["OPTIONS", "*"],
    ["CONNECT", "shop.test:443"],
    ["CONNECT", "[::1]:8443"],
    ["CONNECT", "127.0.0.1:1"],
  ])("B1 B40 takes %s %s", (method, target) => {
    expect(requestHead(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatchObject({ method, target });
  });

  test("reads a higher minor version as 1.1 (RFC 9110 2.5)", () => {
    expect(get("Host: a\r\n", "1.2").version).toBe("1.1");
    expect(get("Host: a\r\n", "1.9").keepAlive).toBe(true);
  });

  test("skips a few empty lines before the request line (RFC 9112 2.2), not many", () => {
    const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    expect(requestHead(`\r\n${request}`).target).toBe("/");
    expect(requestHead("\r\n".repeat(8) + request).target).toBe("/");
    expect(readRequest("\r\n".repeat(9) + request).error).toBe("HTTP_METHOD 400");
    expect(readRequest(`POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n${request}`).messages.length).toBe(2);
  });

  test.each(["", "a", "a:", "a:80", "[::1]", "[::1]:80", "a_b.test", "x%41.test", "1.2.3.4:65535"])(
    "takes Host %j",
    (host) => {
      expect(get(`Host: ${host}\r\n`).host).toBe(host);
      expect(get(`hOST:${host} \t\r\n`).host).toBe(host);
    },
  );
});

describe("the connection", () => {
  test.each([
    ["1.1", "", true],
    ["1.1", "Connection: close\r\n", false],
    ["1.1", "Connection: CLOSE \r\n", false],
    ["1.1", "Connection: keep-alive, close\r\n", false],
    ["1.1", "Connection: keep-alive\r\nConnection: x,close\r\n", false],
    ["1.1", "Connection: closed\r\n", true],
    ["1.0", "", false],
    ["1.0", "Connection: Keep-Alive\r\n", true],
    ["1.0", "Connection: foo , keep-alive\r\n", true],
    ["1.0", "Connection: keep-alive, close\r\n", false],
    ["1.0", "Proxy-Connection: keep-alive\r\n", false],
  ])("B12 B13 of HTTP/%s with %j persists: %s", (version, fields, keepAlive) => {
    expect(get(fields, version).keepAlive).toBe(keepAlive);
  });

  const KEPT = "Host: a\r\nAccept: */*\r\n";
  test.each([
    ["Connection: keep-alive\r\n"],
    ["Connection: close\r\nKeep-Alive: timeout=5\r\n"],
    ["proxy-connection: keep-alive\r\n"],
    ["Proxy-Authorization: Basic eA==\r\n"],
    ["TE: gzip\r\n"],
    ["TE: trailers, gzip\r\n"],
    ["Connection: upgrade\r\nUpgrade: websocket\r\n"],
    ["Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n"],
    ["X-Before: 1\r\nConnection: x-before, X-AFTER, not-there, ,\r\nx-after: 2\r\nX-After: 3\r\n"],
  ])("B12 drops %j wherever it stands", (lines) => {
    for (const fields of [lines + KEPT, KEPT + lines, lines + KEPT + lines]) {
      const head = get(fields.replace("Host: a\r\n", "").replace("Accept", "Host: a\r\nAccept"));
      let kept = head.fields;
      for (let i = head.hops.length - 2; i >= 0; i -= 2) {
        kept = kept.slice(0, head.hops[i]) + kept.slice(head.hops[i + 1]);
      }
      expect(kept).toBe(KEPT);
    }
  });

  test.each([
    ["TE: trailers\r\n"],
    ["te:Trailers\r\n"],
    ["Proxy-Authenticate: Basic\r\n"],
    ["Trailer: x\r\n"],
    ["Content-Length: 0\r\n"],
  ])("B12 keeps %j", (line) => {
    expect(get(`Host: a\r\n${line}`).hops).toEqual([]);
  });

  test("B12 does not drop what makes the message because Connection names it", () => {
    const head = requestHead(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: host, Content-Length, TE\r\nTE: trailers\r\n\r\nok",
    );
    expect(head.hops.length).toBe(2);
    expect(head.fields.slice(head.hops[0], head.hops[1])).toBe("Connection: host, Content-Length, TE\r\n");
  });

  test.each([
    ["1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "websocket"],
    ["1.1", "Upgrade: a/1\r\nUpgrade: b\r\nConnection: keep-alive, upgrade\r\n", "a/1, b"],
    ["1.1", "Upgrade: websocket\r\n", undefined],
    ["1.1", "Connection: upgrade\r\n", undefined],
    ["1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", undefined],
  ])("B65 HTTP/%s with %j asks for %s", (version, fields, upgrade) => {
    expect(get(fields, version).upgrade).toBe(upgrade);
  });

  test.each([
    ["1.1", "Expect: 100-continue\r\n", true],
    ["1.1", "expect:100-Continue \r\n", true],
    ["1.1", "Expect: 100-continued\r\n", false],
    ["1.0", "Expect: 100-continue\r\n", false],
  ])("B10 HTTP/%s with %j waits for a 100: %s", (version, fields, expected) => {
    expect(get(fields, version).expectContinue).toBe(expected);
  });
});

test("B9 pipelined requests come out one after the other", () => {
  const { messages, error, rest } = readRequest(
    "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none" +
      "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n" +
      "POST /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n" +
      "GET /4 HTTP/1.1\r\n",
  );
  expect(error).toBe(undefined);
  expect(
    messages.map((
      { head, body },
    ) => [head.kind === "request" && head.target, head.kind === "request" && head.host, body]),
  ).toEqual([
    ["/1", "a", "one"],
    ["/2", "b", ""],
    ["/3", "c", "three"],
  ]);
  expect(rest).toBe("GET /4 HTTP/1.1\r\n");
});

describe("limits", () => {
  const filled = (size: number) => {
    const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return `${start}${"x".repeat(size - start.length - 4)}\r\n\r\n`;
  };

  test("B22 60 KB of headers pass, and more than the limit is a 431", () => {
    expect(requestHead(filled(61440)).fields.length).toBe(61440 - 18);
    expect(requestHead(filled(65536)).host).toBe("a");
    expect(readRequest(filled(65537)).error).toBe("HTTP_HEADERS_TOO_LARGE 431");
    expect(readRequest(filled(100000).slice(0, 70000)).error).toBe("HTTP_HEADERS_TOO_LARGE 431");
    expect(requestHead(filled(200), { headBytes: 200 }).host).toBe("a");
    expect(readRequest(filled(201), { headBytes: 200 }).error).toBe("HTTP_HEADERS_TOO_LARGE 431");
  });

  test("B22 a request line over the limit is a 414", () => {
    expect(readRequest(`GET /${"x".repeat(300)} HTTP/1.1\r\n\r\n`, { headBytes: 200 }).error).toBe("HTTP_TARGET 414");
  });

  test("what is wrong beyond the limit is too large, not wrong", () => {
    expect(readRequest(`GET / HTTP/1.1\r\nX: ${"x".repeat(300)}\n\r\n`, { headBytes: 200 }).error).toBe(
      "HTTP_HEADERS_TOO_LARGE 431",
    );
  });
});
