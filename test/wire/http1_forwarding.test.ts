/**
 * What passes through a running proxy, to the letter: request forms, fields, framing, trailers, versions.
 */
import { describe, expect, test } from "vitest";
import { startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, exchange, latin1, readResponse, requestTo } from "./http1_client.ts";

/** A server that answers the first request with these bytes and closes. */
function answeringOnce(response: string) {
  return startRawServer(async (connection) => {
    await connection.readHead();
    await connection.write(response);
  });
}

describe("requests", () => {
  test("B1 a request in absolute form reaches its server in origin form", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, requestTo(`${origin.url}/a/b?c=d`));

    expect(response.status).toBe(200);
    expect(response.text).toBe("ok");
    expect(origin.requests[0]).toMatchObject({ method: "GET", target: "/a/b?c=d", version: "HTTP/1.1" });
    expect(origin.requests[0]!.headers).toEqual([["Host", `127.0.0.1:${origin.port}`]]);
    expect(proxy.flows.length).toBe(1);
    expect(proxy.flows.first()).toMatchObject({ done: true, source: "upstream", error: undefined });
  });

  test("B1 in absolute form without a path the path is /", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    await exchange(proxy.port, requestTo(origin.url));
    await exchange(proxy.port, requestTo(`${origin.url}?a=b`));

    expect(origin.requests.map((it) => it.target)).toEqual(["/", "/?a=b"]);
  });

  test("B1 the target in absolute form rules over Host (RFC 9112 section 3.2.2)", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    await exchange(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\nX-A: 1\r\nHost: other.test\r\nX-B: 2\r\n\r\n`);

    expect(origin.requests[0]!.headers).toEqual([["X-A", "1"], ["Host", `127.0.0.1:${origin.port}`], ["X-B", "2"]]);
  });

  test("B1 the target rules over Host also when a hook has edited another field", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({
      addons: [{ requestHeaders: (flow) => flow.request.headers.set("x-c", "3") }],
    });

    await exchange(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\nHost: other.test\r\n\r\n`);

    expect(origin.requests[0]!.headers).toEqual([["Host", `127.0.0.1:${origin.port}`], ["x-c", "3"]]);
  });

  test("B2 a request in origin form goes where its Host field says", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, `GET /path HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);

    expect(response.status).toBe(200);
    expect(origin.requests[0]!.target).toBe("/path");
    expect(proxy.flows.filter(`GET ${origin.url}/path`).length).toBe(1);
  });

  test("B3 a request of HTTP/1.1 without Host is refused with 400", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\n\r\n`);

    expect(response.status).toBe(400);
    expect(response.header("connection")).toBe("close");
    expect(origin.connections).toBe(0);
    expect(proxy.flows.first()!.error).toMatchObject({ code: "HTTP_HOST", status: 400 });
  });

  test("OPTIONS * reaches its server as it is", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    await exchange(proxy.port, `OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
    await exchange(proxy.port, requestTo(origin.url, { method: "OPTIONS" }));

    expect(origin.requests.map((it) => it.target)).toEqual(["*", "*"]);
  });

  test("B13 a request of HTTP/1.0 without Host gets one, and its connection is closed", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(`GET ${origin.url}/old HTTP/1.0\r\n\r\n`);
    const response = latin1(await client.readAll());

    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(response).toMatch(/\r\n\r\nok$/);
    expect(origin.requests[0]!.header("host")).toBe(`127.0.0.1:${origin.port}`);
    expect(origin.requests[0]!.version).toBe("HTTP/1.1");
  });

  test("B13 an HTTP/1.0 client that asks for keep-alive gets it", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (const path of ["/1", "/2"]) {
      await client.write(`GET ${origin.url}${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      const response = await readResponse(client);
      expect(response.header("connection")).toBe("keep-alive");
      expect(response.text).toBe("ok");
    }
  });

  test("B13 an HTTP/1.0 client gets a chunked body without chunks", async () => {
    await using origin = await startOrigin(() => ({ body: parts("one", "two") }));
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(`GET ${origin.url}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
    const response = latin1(await client.readAll());

    expect(response).not.toMatch(/transfer-encoding/i);
    expect(response).toMatch(/\r\nConnection: close\r\n/);
    expect(response).toMatch(/\r\n\r\nonetwo$/);
  });

  test("a method that nobody knows passes", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    await exchange(proxy.port, requestTo(origin.url, { method: "BREW", body: "tea" }));

    expect(origin.requests[0]).toMatchObject({ method: "BREW" });
    expect(origin.requests[0]!.text()).toBe("tea");
  });

  test("empty lines before a request line are ignored (RFC 9112 section 2.2)", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, `\r\n\r\n${requestTo(origin.url)}`);

    expect(response.status).toBe(200);
  });
});

describe("fields", () => {
  test("B4 order, case and duplicates of request fields are kept", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const fields = ["X-b: 1", "x-A: 2", "Cookie: a=1", "X-b: 3", "cookie: b=2", "X-Empty:", "X-Wide:   spaced out \t"];

    await exchange(proxy.port, requestTo(origin.url, { fields }));

    expect(origin.requests[0]!.headers.slice(1)).toEqual([
      ["X-b", "1"],
      ["x-A", "2"],
      ["Cookie", "a=1"],
      ["X-b", "3"],
      ["cookie", "b=2"],
      ["X-Empty", ""],
      ["X-Wide", "spaced out"],
    ]);
  });

  test("B4 an untouched head passes byte for byte", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write(
        "HTTP/1.1 200 Fine By Me\r\nSERVER:  x\r\nset-cookie:a=1\r\nSet-Cookie: b\xe9\r\nContent-Length: 0\r\n\r\n",
      );
    });
    await using proxy = await startProxy();
    const fields = "Host:127.0.0.1:" + origin.port + "\r\nACCEPT:   */*\r\nx-\xe9: no\r\n".replace("x-\xe9", "x-e") +
      "X-Latin: \xe9\r\n\r\n";

    const response = await exchange(proxy.port, `GET http://127.0.0.1:${origin.port}/%41?%20 HTTP/1.1\r\n${fields}`);

    expect(latin1(origin.received)).toBe(`GET /%41?%20 HTTP/1.1\r\n${fields}`);
    expect(response.head).toBe(
      "HTTP/1.1 200 Fine By Me\r\nSERVER:  x\r\nset-cookie:a=1\r\nSet-Cookie: b\xe9\r\nContent-Length: 0\r\n\r\n",
    );
  });

  test("B4 the reason phrase passes, also an empty one", async () => {
    await using origin = await answering("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`));

    expect(response.head).toMatch(/^HTTP\/1\.1 299 \r\n/);
  });

  test("B12 fields of one connection, and those that Connection names, are not passed on", async () => {
    await using origin = await answering(
      "HTTP/1.1 200 OK\r\nConnection: X-Private, keep-alive\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\nX-Public: 2\r\nContent-Length: 0\r\n\r\n",
    );
    await using proxy = await startProxy();

    const response = await exchange(
      proxy.port,
      requestTo(`http://127.0.0.1:${origin.port}/`, {
        fields: [
          "Connection: keep-alive, X-Mine",
          "X-Mine: 1",
          "Proxy-Connection: keep-alive",
          "Proxy-Authorization: Basic eA==",
          "Keep-Alive: 5",
          "TE: trailers, deflate",
          "Upgrade: h2c",
          "X-Yours: 2",
        ],
      }),
    );

    expect(latin1(origin.received)).toBe(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nX-Yours: 2\r\n\r\n`);
    expect(response.headers).toEqual([["X-Public", "2"], ["Content-Length", "0"]]);
  });

  test("B12 the same fields go when the others were edited", async () => {
    await using origin = await answering(
      "HTTP/1.1 200 OK\r\nConnection: X-Private\r\nX-Private: 1\r\nX-Public: 2\r\nContent-Length: 0\r\n\r\n",
    );
    await using proxy = await startProxy({
      addons: [{
        requestHeaders: (flow) => flow.request.headers.set("x-edited", "1"),
        responseHeaders: (flow) => flow.response!.headers.set("x-edited", "2"),
      }],
    });

    const response = await exchange(
      proxy.port,
      requestTo(`http://127.0.0.1:${origin.port}/`, {
        fields: ["Connection: X-Mine", "X-Mine: 1", "Proxy-Authorization: Basic eA==", "TE: deflate", "Upgrade: h2c"],
      }),
    );

    expect(latin1(origin.received)).toBe(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nx-edited: 1\r\n\r\n`);
    expect(response.headers).toEqual([["X-Public", "2"], ["Content-Length", "0"], ["x-edited", "2"]]);
  });

  test("B12 a client that asks for close is told so, and closed", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(origin.url, { fields: ["Connection: close"] }));
    const all = latin1(await client.readAll());

    expect(all).toMatch(/\r\nConnection: close\r\n/);
    expect(origin.requests[0]!.header("connection")).toBe(undefined);
  });

  test("B12 the server's close does not close the client's connection", async () => {
    await using origin = await startOrigin(() => ({ headers: [["Connection", "close"]], body: "ok" }));
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(origin.url));
      const response = await readResponse(client);
      expect(response.header("connection")).toBe(undefined);
      expect(response.text).toBe("ok");
    }
    expect(origin.connections).toBe(2);
  });

  test("B22 60 KB of fields pass both ways", async () => {
    const long = "v".repeat(60_000);
    await using origin = await startOrigin((request) => ({ headers: [["X-Long", request.header("x-long")!]] }));
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, requestTo(origin.url, { fields: [`X-Long: ${long}`] }));

    expect(response.header("x-long")).toBe(long);
  });

  test("B22 a request head over the limit is refused with 431", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ limits: { headBytes: 1000 } });

    const response = await exchange(proxy.port, requestTo(origin.url, { fields: [`X-Long: ${"v".repeat(1000)}`] }));

    expect(response.status).toBe(431);
    expect(origin.connections).toBe(0);
    expect(proxy.flows.first()!.error).toMatchObject({ code: "HTTP_HEADERS_TOO_LARGE", status: 431 });
  });

  test("B22 a request head over 64 KB is refused with 431 where nobody has set a limit", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    const fields = Array.from({ length: 70 }, (_, i) => `X-${i}: ${"v".repeat(1000)}`);
    const response = await exchange(proxy.port, requestTo(origin.url, { fields }));

    expect(response.status).toBe(431);
    expect(origin.connections).toBe(0);
  });

  test("B22 a response head over the limit is a 502", async () => {
    await using origin = await startOrigin(() => ({ headers: [["X-Long", "v".repeat(1000)]] }));
    await using proxy = await startProxy({ limits: { headBytes: 1000 } });

    const response = await exchange(proxy.port, requestTo(origin.url));

    expect(response.status).toBe(502);
    expect(proxy.flows.first()!.error!.code).toBe("HTTP_HEADERS_TOO_LARGE");
  });
});

describe("bodies", () => {
  for (const hooks of ["without hooks", "with a response hook"]) {
    const addons = hooks === "without hooks" ? [] : [{ response: () => {} }];

    test(`B6 the Content-Length of an answer to HEAD passes, and the connection goes on: ${hooks}`, async () => {
      await using origin = await answering("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { method: "HEAD" }));
        const response = await readResponse(client, "HEAD");
        expect(response.header("content-length")).toBe("5000");
      }
      expect(origin.connections).toBe(1);
    });

    test(`B7 a 204 that announces a body has none, nor its length: ${hooks}`, async () => {
      await using origin = await answering("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n");
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
        const response = await readResponse(client);
        expect(response.head).toBe("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n");
      }
    });

    test(`B7 a 304 keeps the length of what it stands for, and has no body: ${hooks}`, async () => {
      await using origin = await answering("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n");
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
        const response = await readResponse(client);
        expect(response.head).toBe("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n");
      }
    });

    for (const [status, kept] of [["204 No Content", ""], ["304 Not Modified", "Transfer-Encoding: chunked\r\n"]]) {
      test(`B7 a ${status} that announces chunks has none: ${hooks}`, async () => {
        await using origin = await answering(`HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n`);
        await using proxy = await startProxy({ addons });
        await using client = await connectRaw(proxy.port);

        for (let i = 0; i < 2; i++) {
          await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
          expect((await readResponse(client)).head).toBe(`HTTP/1.1 ${status}\r\n${kept}X-A: 1\r\n\r\n`);
        }
        expect(origin.connections).toBe(1);
      });
    }

    test(`B8 a response that ends with its connection passes whole: ${hooks}`, async () => {
      await using origin = await answeringOnce("HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nuntil the end");
      await using proxy = await startProxy({ addons });

      const response = await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`));

      expect(response.head).toBe("HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close\r\n\r\n");
      expect(response.text).toBe("until the end");
      const flow = proxy.flows.first()!;
      expect(flow.error).toBe(undefined);
      expect(flow.type === "http" && flow.response!.text()).toBe("until the end");
    });

    test(`B13 a response of HTTP/1.0 passes, and its connection is not reused: ${hooks}`, async () => {
      await using origin = await answeringOnce("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold");
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
        expect((await readResponse(client)).text).toBe("old");
      }
      expect(origin.connections).toBe(2);
    });

    test(`B13 a response of HTTP/1.0 without a length passes whole: ${hooks}`, async () => {
      await using origin = await answeringOnce("HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nuntil the end");
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);

      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
      const response = await readResponse(client);

      expect(response).toMatchObject({ status: 200, text: "until the end" });
      expect(response.header("connection")).toBe("close");
      expect(proxy.flows.first()!.error).toBe(undefined);
    });

    test(`B5 trailers of a response pass: ${hooks}`, async () => {
      await using origin = await startOrigin(() => ({
        body: parts("a", "bc"),
        trailers: [["X-Sum", "7"], ["x-Sum", "8"]],
      }));
      await using proxy = await startProxy({ addons });

      const response = await exchange(proxy.port, requestTo(origin.url, { fields: ["TE: trailers"] }));

      expect(response.text).toBe("abc");
      expect(response.trailers).toBe("X-Sum: 7\r\nx-Sum: 8\r\n");
      const flow = await proxy.waitFor({ host: "127.0.0.1" });
      expect((flow.first() as { response?: { trailers?: { raw: unknown } } }).response!.trailers!.raw).toEqual([[
        "X-Sum",
        "7",
      ], ["x-Sum", "8"]]);
      expect(origin.requests[0]!.header("te")).toBe("trailers");
    });

    test(`B5 trailers of a request pass: ${hooks}`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readUntil("X-Sum: 7\r\n\r\n");
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
      await using proxy = await startProxy({
        addons: addons.length === 0 ? [] : [{ request: () => {}, response: () => {} }],
      });

      const response = await exchange(
        proxy.port,
        requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
          "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
      );

      expect(response.status).toBe(200);
      const flow = proxy.flows.first() as { request?: { trailers?: { raw: unknown } } };
      expect(flow.request!.trailers!.raw).toEqual([["X-Sum", "7"]]);
    });

    test(`B21 chunks keep their boundaries both ways, and lose their extensions: ${hooks}`, async () => {
      const chunks = ["1\r\na\r\n", "00A\r\n0123456789\r\n", '2;ext="1"\r\nbc\r\n', "0\r\n\r\n"];
      const plain = "1\r\na\r\na\r\n0123456789\r\n2\r\nbc\r\n0\r\n\r\n";
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        await connection.readUntil("0\r\n\r\n");
        await connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}`);
      });
      await using proxy = await startProxy({
        addons: addons.length === 0 ? [] : [{ request: () => {}, response: () => {} }],
      });

      const response = await exchange(
        proxy.port,
        requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
          chunks.join(""),
      );

      expect(response.chunks).toEqual([1, 10, 2]);
      expect(latin1(origin.received).split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(plain);
    });

    test(`B23 an empty chunked body stays one: ${hooks}`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readUntil("0\r\n\r\n");
        await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
      });
      await using proxy = await startProxy({
        addons: addons.length === 0 ? [] : [{ request: () => {}, response: () => {} }],
      });

      const response = await exchange(
        proxy.port,
        requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
          "0\r\n\r\n",
      );

      expect(response.header("transfer-encoding")).toBe("chunked");
      expect(response.chunks).toEqual([]);
      expect(latin1(origin.received)).toMatch(/\r\n\r\n0\r\n\r\n$/);
    });
  }

  test("B21 chunk extensions are ignored", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    await exchange(
      proxy.port,
      requestTo(origin.url, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
        '3;a;b=c;d="e f"\r\nabc\r\n0;last\r\n\r\n',
    );

    expect(origin.requests[0]!.text()).toBe("abc");
  });

  test("a body in single bytes, head included, arrives", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    client.socket.setNoDelay(true);

    await trickle(client, requestTo(`${origin.url}/slow`, { method: "PUT", body: "slowly" }));

    expect((await readResponse(client)).status).toBe(200);
    expect(origin.requests[0]).toMatchObject({ method: "PUT", target: "/slow" });
    expect(origin.requests[0]!.text()).toBe("slowly");
  });
});

async function* parts(...pieces: string[]): AsyncIterable<string> {
  yield* pieces;
}

async function trickle(connection: RawConnection, text: string): Promise<void> {
  for (const character of text) {
    await connection.write(character);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
