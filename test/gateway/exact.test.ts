/**
 * `exact()`: exactly that request, wherever it goes. Titles with "WSGIProxy" have the counterparts of the tests of WSGIProxy's exactproxy.
 */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { exact } from "../../src/gateway/mod.ts";
import { testCa } from "../support/certificates.ts";
import { type OriginResponse, startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";

/** A server that answers always the same. */
const answering = (response: OriginResponse) => startOrigin(() => response);

describe("a request", () => {
  test("leaves as it is: method, path, query, fields, body, Host; and without a forwarding field", async () => {
    await using origin = await startOrigin();
    const request = new Request(`${origin.url}/a%20b;c/../d?x=1&x=2`, {
      method: "PUT",
      headers: { "Host": "www.shop.test", "X-A": "1", "Content-Type": "text/plain" },
      body: "hello",
    });
    const response = await exact(request);
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
    const [got] = origin.requests;
    expect([got!.method, got!.target, got!.text()]).toEqual(["PUT", "/d?x=1&x=2", "hello"]);
    expect(got!.header("host")).toBe("www.shop.test");
    expect(got!.header("x-a")).toBe("1");
    expect(got!.headers.map(([name]) => name.toLowerCase()).filter((name) => /forward|via|real-ip/.test(name))).toEqual(
      [],
    );
  });

  test("WSGIProxy test_post: Host and address are independent", async () => {
    await using origin = await answering({ headers: [["Content-Type", "text/html"]], body: "blahblah" });
    const request = new Request("http://example.com/testform?test=result", {
      method: "POST",
      headers: { "host": "differenthost.com" },
      body: "var=value&var2=value2",
    });
    const response = await exact(request, { connect: `127.0.0.1:${origin.port}` });
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(await response.text()).toBe("blahblah");
    const [got] = origin.requests;
    expect([got!.target, got!.header("host"), got!.text()]).toEqual([
      "/testform?test=result",
      "differenthost.com",
      "var=value&var2=value2",
    ]);
  });

  test("over TLS: the certificate is to be one for the host of the URL, wherever it goes", async () => {
    await using origin = await startOrigin(undefined, { tls: testCa().issue(["shop.test"]) });
    const connect = `127.0.0.1:${origin.port}`;
    const ca = testCa().cert;
    expect(await (await exact(new Request("https://shop.test/"), { connect, ca })).text()).toBe("ok");
    const other = await exact(new Request("https://other.test/"), { connect, ca });
    expect([other.status, other.headers.get("x-flowtape-error")]).toEqual([502, "UPSTREAM_UNTRUSTED"]);
    const untrusted = await exact(new Request("https://shop.test/"), { connect });
    expect(untrusted.headers.get("x-flowtape-error")).toBe("UPSTREAM_UNTRUSTED");
    expect((await exact(new Request("https://other.test/"), { connect, verify: false })).status).toBe(200);
  });

  test("with a body that comes bit by bit, and one without", async () => {
    await using origin = await startOrigin();
    const pieces = ["one ", "two ", "three"];
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(Buffer.from(piece));
      },
    });
    await (await exact(new Request(origin.url, { method: "POST", body, duplex: "half" } as RequestInit))).text();
    await (await exact(new Request(origin.url, { method: "POST" }))).text();
    await (await exact(new Request(origin.url, { method: "DELETE" }))).text();
    const [chunked, empty, none] = origin.requests;
    expect([chunked!.header("transfer-encoding"), chunked!.text()]).toEqual(["chunked", "one two three"]);
    expect(empty!.header("content-length")).toBe("0");
    expect(none!.headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))).toBe(false);
  });

  test("whose body is shorter or longer than it says: the server never gets a whole one", async () => {
    await using origin = await startOrigin();
    for (const length of ["3", "30"]) {
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(Buffer.from("12345"));
          controller.close();
        },
      });
      const init = { method: "POST", headers: { "content-length": length }, body, duplex: "half" };
      const response = await exact(new Request(origin.url, init as RequestInit));
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining(length === "3" ? "more than the 3 bytes" : "5 of the 30 bytes"),
      ]);
    }
    expect(origin.requests).toEqual([]);
  });
});

describe("the answer", () => {
  test("WSGIProxy test_simple_request_200", async () => {
    await using origin = await answering({ headers: [["Content-Type", "text/html"]], body: "some stuff" });
    const response = await exact(new Request(`${origin.url}/testform`));
    expect([response.status, response.statusText]).toEqual([200, "OK"]);
    expect([response.headers.get("content-type"), await response.text()]).toEqual(["text/html", "some stuff"]);
  });

  test("WSGIProxy test_simple_request_302: no redirect is followed, and every cookie is there", async () => {
    const headers: [string, string][] = [["Location", "/there"], ["Set-Cookie", "foo=bar"], ["Set-Cookie", "a=b, c"]];
    await using origin = await answering({ status: 302, reason: "Found", headers, body: "some content" });
    const response = await exact(new Request(`${origin.url}/testform`));
    expect([response.status, response.headers.get("location")]).toEqual([302, "/there"]);
    expect(response.headers.getSetCookie()).toEqual(["foo=bar", "a=b, c"]);
    expect(await response.text()).toBe("some content");
    expect(origin.requests.length).toBe(1);
  });

  test("WSGIProxy test_simple_request_799: a status that the platform does not know", async () => {
    await using origin = await answering({
      status: 799,
      reason: "Silly Response",
      headers: [["X-Foobar", "blaz"]],
      body: "blahblah",
    });
    const response = await exact(new Request(origin.url));
    expect([response.status, response.statusText, response.headers.get("x-foobar")]).toEqual([
      799,
      "Silly Response",
      "blaz",
    ]);
    expect(await response.text()).toBe("blahblah");
  });

  test("is not decoded", async () => {
    const zipped = gzipSync("hello");
    await using origin = await answering({ headers: [["Content-Encoding", "gzip"]], body: zipped });
    const response = await exact(new Request(origin.url));
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(Buffer.from(await response.arrayBuffer()).equals(zipped)).toBe(true);
  });

  test.each([["HEAD", 200], ["GET", 204], ["GET", 304]])("to %s with %d has no body", async (method, status) => {
    await using origin = await answering({ status, headers: [["Content-Length", "5"]], body: "" });
    const response = await exact(new Request(origin.url, { method }));
    expect([response.status, response.body === null || await response.text() === ""]).toEqual([status, true]);
  });

  test("comes as it is read: what nobody reads waits at the server", async () => {
    let sent = 0;
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\n\r\n");
      for (let i = 0; i < 1000; i++) {
        await connection.write(new Uint8Array(65536));
        sent += 65536;
      }
    });
    const response = await exact(new Request(`http://127.0.0.1:${server.port}/`));
    const reader = response.body!.getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sent).toBeLessThan(40_000_000);
    await reader.cancel();
    await expect.poll(() => server.connections).toBe(1);
  });
});

describe("no answer", () => {
  test("WSGIProxy test_exception_HTTPBadGateway: nobody listens, or there is no such name", async () => {
    const refused = await exact(new Request("http://127.0.0.1:9/"));
    expect([refused.status, refused.headers.get("x-flowtape-error")]).toEqual([502, "UPSTREAM_REFUSED"]);
    expect(await refused.text()).toContain("127.0.0.1:9");
    const unknown = await exact(new Request("http://nowhere.invalid/"));
    expect([unknown.status, unknown.headers.get("x-flowtape-error")]).toEqual([502, "UPSTREAM_UNRESOLVED"]);
  });

  test("in time: 504", async () => {
    await using server = await startRawServer(async (connection) => void await connection.readAll());
    const response = await exact(new Request(`http://127.0.0.1:${server.port}/`), { timeout: 100 });
    expect([response.status, response.headers.get("x-flowtape-error")]).toEqual([504, "UPSTREAM_HEAD_TIMEOUT"]);
    expect(await response.text()).toContain("within 100 ms");
  });

  test("that is HTTP, or that is whole: 502, or a body that breaks off", async () => {
    await using garbage = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("220 smtp.test ready\r\n");
    });
    expect((await exact(new Request(`http://127.0.0.1:${garbage.port}/`))).status).toBe(502);
    await using half = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    });
    const response = await exact(new Request(`http://127.0.0.1:${half.port}/`));
    await expect(response.text()).rejects.toThrow();
  });

  test("is waited for any more when the request is given up: the connection is cut", async () => {
    const ended = Promise.withResolvers<void>();
    await using server = await startRawServer(async (connection) => {
      await connection.readAll();
      ended.resolve();
    });
    const abort = new AbortController();
    const asked = exact(new Request(`http://127.0.0.1:${server.port}/`, { signal: abort.signal }));
    await expect.poll(() => server.received.length).toBeGreaterThan(0);
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow();
    await ended.promise;
  });
});

test("a hundred at once", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => await (await exact(new Request(`${origin.url}/${i}`))).text()),
  );
  expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => `/${i}`));
});

test.each([
  [{ conect: "a:1" }, /option conect is not known.*connect/],
  [{ connect: "" }, /option connect is ""/],
  [{ connect: "a b" }, /a b/],
  [{ timeout: 0 }, /option timeout is 0/],
  [{ verify: "no" }, /option verify/],
])("option %j is refused", async (options, message) => {
  await expect(exact(new Request("http://a.test/"), options as object)).rejects.toThrow(message);
});
