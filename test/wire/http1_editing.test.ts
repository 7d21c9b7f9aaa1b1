/**
 * Requests and responses that hooks have edited, as they are on the wire.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Addon, FlowHeaders, FlowRequest, FlowResponse, type HttpFlow, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { exchange, latin1, readResponse, requestTo } from "./http1_client.ts";

type Edit = (flow: HttpFlow) => unknown;

function addon(hook: "requestHeaders" | "request" | "responseHeaders" | "response", edit: Edit): Addon {
  return { [hook]: (flow: HttpFlow) => void edit(flow) };
}

/** What an edited request looks like to its server: head and body. */
async function requestAfter(
  hook: "requestHeaders" | "request",
  edit: Edit,
  request: (url: string) => string,
): Promise<string> {
  await using origin = await startRawServer(async (connection) => {
    const head = await connection.readHead();
    const length = /content-length: (\d+)/i.exec(head);
    if (length) await connection.readBytes(Number(length[1]));
    else if (/transfer-encoding/i.test(head)) {
      while (!/^0\r\n/.test(await connection.readUntil("\r\n")));
      while (await connection.readUntil("\r\n") !== "\r\n");
    }
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  await using proxy = await startProxy({ addons: [addon(hook, edit)] });
  const response = await exchange(proxy.port, request(`http://127.0.0.1:${origin.port}`));
  expect(response.text).toBe("ok");
  return latin1(origin.received).replaceAll(`127.0.0.1:${origin.port}`, "ORIGIN");
}

describe("requests", () => {
  for (const hook of ["requestHeaders", "request"] as const) {
    test(`${hook} edits method, path and query`, async () => {
      const sent = await requestAfter(hook, ({ request }) => {
        request.method = "DELETE";
        request.path = "/other%20path";
        request.query.set("a", "2");
        request.query.append("b", "ü");
      }, (url) => requestTo(`${url}/path?a=1`));

      expect(sent).toBe("DELETE /other%20path?a=2&b=%C3%BC HTTP/1.1\r\nHost: ORIGIN\r\n\r\n");
    });

    test(`${hook} edits fields: set keeps place and case, append adds, delete removes`, async () => {
      const sent = await requestAfter(hook, ({ request }) => {
        request.headers.set("x-a", "edited");
        request.headers.append("X-c", "3");
        request.headers.delete("X-B");
      }, (url) => requestTo(url, { fields: ["X-A: 1", "x-b: 2", "x-D: 4"] }));

      expect(sent).toBe("GET / HTTP/1.1\r\nHost: ORIGIN\r\nX-A: edited\r\nx-D: 4\r\nX-c: 3\r\n\r\n");
    });

    test(`${hook} gives a GET a body`, async () => {
      const sent = await requestAfter(hook, ({ request }) => void (request.body = "new"), (url) => requestTo(url));

      expect(sent).toBe("GET / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 3\r\n\r\nnew");
    });

    test(`${hook} replaces a body of another length, in its place among the fields`, async () => {
      const sent = await requestAfter(
        hook,
        ({ request }) => void (request.body = "longer than before"),
        (url) => requestTo(url, { method: "POST", body: "x".repeat(10), fields: ["X-A: 1"] }),
      );

      expect(sent).toBe("POST / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 18\r\nX-A: 1\r\n\r\nlonger than before");
    });

    test(`${hook} takes a body away`, async () => {
      const sent = await requestAfter(
        hook,
        ({ request }) => void (request.body = ""),
        (url) => requestTo(url, { method: "POST", body: "gone" }),
      );

      expect(sent).toBe("POST / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 0\r\n\r\n");
    });

    test(`${hook} replaces a chunked body: it gets a length`, async () => {
      const sent = await requestAfter(
        hook,
        ({ request }) => void (request.body = "new"),
        (url) =>
          requestTo(url, { method: "POST", fields: ["Transfer-Encoding: chunked", "X-A: 1"] }) +
          "3\r\nold\r\n0\r\n\r\n",
      );

      expect(sent).toBe("POST / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 3\r\nX-A: 1\r\n\r\nnew");
    });

    test(`${hook} edits fields of a chunked request: the chunks stay`, async () => {
      const sent = await requestAfter(
        hook,
        ({ request }) => request.headers.set("x-a", "1"),
        (url) => requestTo(url, { method: "POST", fields: ["transfer-encoding: chunked"] }) + "3\r\nold\r\n0\r\n\r\n",
      );

      expect(sent).toBe(
        "POST / HTTP/1.1\r\nHost: ORIGIN\r\ntransfer-encoding: chunked\r\nx-a: 1\r\n\r\n3\r\nold\r\n0\r\n\r\n",
      );
    });

    test(`${hook} cannot make the framing lie`, async () => {
      const sent = await requestAfter(hook, ({ request }) => {
        request.headers.set("content-length", "999");
        request.headers.append("Transfer-Encoding", "chunked");
      }, (url) => requestTo(url, { method: "POST", body: "four" }));

      expect(sent).toBe("POST / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 4\r\n\r\nfour");
    });

    test(`${hook} sends the request to another server: Host follows the URL`, async () => {
      await using here = await startOrigin(() => ({ body: "here" }));
      await using there = await startOrigin(() => ({ body: "there" }));
      await using proxy = await startProxy({
        addons: [addon(hook, ({ request }) => void (request.url = `${there.url}/moved?x=1`))],
      });

      const response = await exchange(proxy.port, requestTo(`${here.url}/path`));

      expect(response.text).toBe("there");
      expect(here.connections).toBe(0);
      expect(there.requests[0]!.target).toBe("/moved?x=1");
      expect(there.requests[0]!.header("host")).toBe(`127.0.0.1:${there.port}`);
    });

    test(`${hook} sends the request to another address: Host stays what the client said`, async () => {
      await using there = await startOrigin();
      await using proxy = await startProxy({
        addons: [addon(hook, ({ request }) => {
          request.hostname = "127.0.0.1";
          request.port = there.port;
        })],
      });

      await exchange(proxy.port, requestTo("http://a.invalid/"));
      await exchange(proxy.port, "GET / HTTP/1.1\r\nHost: a.invalid\r\n\r\n");

      expect(there.requests.map((it) => it.header("host"))).toEqual(["a.invalid", "a.invalid"]);
    });

    test(`${hook} edits Host alone: the request goes where it went`, async () => {
      const sent = await requestAfter(
        hook,
        ({ request }) => void (request.host = "edited.test"),
        (url) => requestTo(url),
      );

      expect(sent).toBe("GET / HTTP/1.1\r\nHost: edited.test\r\n\r\n");
    });
  }

  for (const hook of ["requestHeaders", "request"] as const) {
    test(`${hook} puts another request in the place of this one: its body goes too`, async () => {
      const sent = await requestAfter(hook, (flow) => {
        const { hostname, port } = flow.request;
        flow.request = FlowRequest.create({ method: "PUT", url: `http://${hostname}:${port}/new`, body: "mine" });
      }, (url) => requestTo(url, { method: "POST", body: "the client's" }));

      expect(sent).toBe("PUT /new HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 4\r\n\r\nmine");
    });
  }

  test("fields that Connection names do not leave, but Host does", async () => {
    const sent = await requestAfter(
      "requestHeaders",
      ({ request }) => request.headers.set("X-A", "1"),
      (url) => requestTo(url, { fields: ["Connection: X-Hop, Host", "X-Hop: 1"] }),
    );

    expect(sent).toBe("GET / HTTP/1.1\r\nHost: ORIGIN\r\nX-A: 1\r\n\r\n");
  });

  test.each<[string, Edit]>([
    ["hostname", ({ request }) => request.hostname = "a.test\r\nX-Injected: 1"],
    ["hostname", ({ request }) => request.hostname = "a.test:80"],
    ["port", ({ request }) => request.port = 65536],
    ["path", ({ request }) => request.path = "no-slash"],
  ])("a %s that is none is refused where it is set", (_, edit) => {
    const request = FlowRequest.create({ url: "http://a.test/path" });

    expect(() => edit({ request } as HttpFlow)).toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
    expect(request.url).toBe("http://a.test/path");
  });

  test("request edits a gzipped body as it reads: the coding goes", async () => {
    const packed = latin1(gzipSync("gzipped text"));
    const sent = await requestAfter(
      "request",
      ({ request }) => void (request.body = request.text().toUpperCase()),
      (url) => requestTo(url, { method: "POST", body: packed, fields: ["Content-Encoding: gzip"] }),
    );

    expect(sent).toBe("POST / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 12\r\n\r\nGZIPPED TEXT");
  });

  test("request edits trailers", async () => {
    const sent = await requestAfter(
      "request",
      ({ request }) => request.trailers!.set("x-sum", "8"),
      (url) =>
        requestTo(url, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
        "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
    );

    expect(sent).toBe(
      "POST / HTTP/1.1\r\nHost: ORIGIN\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 8\r\n\r\n",
    );
  });

  test("request edits the body of a request with trailers: they stay", async () => {
    const sent = await requestAfter(
      "request",
      ({ request }) => void (request.body = "new"),
      (url) =>
        requestTo(url, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
        "2\r\nol\r\n1\r\nd\r\n0\r\nX-Sum: 7\r\n\r\n",
    );

    expect(sent).toBe(
      "POST / HTTP/1.1\r\nHost: ORIGIN\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnew\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
  });
});

/** What an edited response looks like to its client. */
async function responseAfter(hook: "responseHeaders" | "response", edit: Edit, response: string, method = "GET") {
  await using origin = await startRawServer(async (connection) => {
    await connection.readHead();
    await connection.write(response);
  });
  await using proxy = await startProxy({ addons: [addon(hook, edit)] });
  await using client = await connectRaw(proxy.port);
  await client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { method }));
  const first = await readResponse(client, method);
  // Whatever was edited, what follows must be in step. An answer until the end of the connection has no successor.
  const kept = first.header("connection") !== "close";
  if (kept) {
    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { method }));
    expect((await readResponse(client, method)).head).toBe(first.head);
  }
  const flow = proxy.flows.first() as HttpFlow;
  return { ...first, flow };
}

describe("responses", () => {
  for (const hook of ["responseHeaders", "response"] as const) {
    test(`${hook} edits status, reason and fields`, async () => {
      const { head, text, flow } = await responseAfter(hook, ({ response }) => {
        response!.status = 418;
        response!.reason = "Short And Stout";
        response!.headers.set("x-a", "edited");
        response!.headers.append("Set-Cookie", "c=3");
        response!.headers.delete("x-b");
      }, "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-length: 2\r\nX-B: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\nok");

      expect(head).toBe(
        "HTTP/1.1 418 Short And Stout\r\nX-A: edited\r\nContent-length: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nSet-Cookie: c=3\r\n\r\n",
      );
      expect(text).toBe("ok");
      expect(flow.source).toBe("upstream");
    });

    test(`${hook} replaces the body: the length follows, the answer is still the server's`, async () => {
      const { head, text, flow } = await responseAfter(
        hook,
        ({ response }) => void (response!.body = "a new body"),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok",
      );

      expect(head).toBe("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-A: 1\r\n\r\n");
      expect(text).toBe("a new body");
      expect(flow).toMatchObject({ source: "upstream", error: undefined });
      expect(flow.response!.text()).toBe("a new body");
    });

    test(`${hook} replaces a chunked body: it gets a length`, async () => {
      const { head, text } = await responseAfter(
        hook,
        ({ response }) => void (response!.body = "new"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n",
      );

      expect(head).toBe("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
      expect(text).toBe("new");
    });

    test(`${hook} replaces a body that ends with its connection: it gets a length, the client's connection goes on`, async () => {
      const { head, text } = await responseAfter(
        hook,
        ({ response }) => void (response!.body = "new"),
        "HTTP/1.1 200 OK\r\n\r\nold",
      );

      expect(head).toBe("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
      expect(text).toBe("new");
    });

    test(`${hook} edits fields of a chunked response: the chunks stay`, async () => {
      const { head, chunks } = await responseAfter(
        hook,
        ({ response }) => response!.headers.set("x-a", "1"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n1\r\n!\r\n0\r\n\r\n",
      );

      expect(head).toBe("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-a: 1\r\n\r\n");
      expect(chunks).toEqual([3, 1]);
    });

    test(`${hook} cannot make the framing lie`, async () => {
      const { head, text } = await responseAfter(hook, ({ response }) => {
        response!.headers.set("content-length", "1");
        response!.headers.append("Transfer-Encoding", "chunked");
      }, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour");

      expect(head).toBe("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
      expect(text).toBe("four");
    });

    test(`${hook} turns an answer into a 204: no body, no length`, async () => {
      const { head } = await responseAfter(
        hook,
        ({ response }) => void (response!.status = 204),
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: 1\r\n\r\nfour",
      );

      expect(head).toBe("HTTP/1.1 204 OK\r\nX-A: 1\r\n\r\n");
    });

    test(`${hook} turns a 204 into a 200: an empty body`, async () => {
      const { head, text } = await responseAfter(
        hook,
        ({ response }) => void (response!.status = 200),
        "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
      );

      expect(head).toBe("HTTP/1.1 200 No Content\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n");
      expect(text).toBe("");
    });

    test(`${hook} gives an answer to HEAD a body: it is not sent`, async () => {
      const { head } = await responseAfter(
        hook,
        ({ response }) => void (response!.body = "not for HEAD"),
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n",
        "HEAD",
      );

      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head).not.toMatch(/transfer-encoding/i);
    });

    test(`${hook} replaces the response as a whole`, async () => {
      const { head, text, flow } = await responseAfter(
        hook,
        (flow) =>
          void (flow.response = FlowResponse.create({
            status: 203,
            reason: "Mine",
            headers: { "X-New": "1" },
            body: "mine",
          })),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok",
      );

      expect(head).toBe("HTTP/1.1 203 Mine\r\nX-New: 1\r\nContent-Length: 4\r\n\r\n");
      expect(text).toBe("mine");
      expect(flow.source).toBe("addon");
    });

    test(`${hook} replaces the response by a stream`, async () => {
      const { text, chunks } = await responseAfter(
        hook,
        (flow) => void (flow.response = FlowResponse.create({ body: streamOf("one", "two") })),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      );

      expect(text).toBe("onetwo");
      expect(chunks).toEqual(hook === "response" ? [3, 3] : [3, 3]);
    });
  }

  test("response edits a gzipped, chunked body as it reads", async () => {
    const packed = gzipSync("gzipped text");
    const wire = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n${
      packed.length.toString(16)
    }\r\n${latin1(packed)}\r\n0\r\n\r\n`;
    const { head, text } = await responseAfter(
      "response",
      ({ response }) => void (response!.body = response!.text().toUpperCase()),
      wire,
    );

    expect(head).toBe("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
    expect(text).toBe("GZIPPED TEXT");
  });

  test("response reads a gzipped body and leaves it alone: it passes as it was", async () => {
    const packed = gzipSync("gzipped text");
    let read = "";
    const { head, text } = await responseAfter(
      "response",
      ({ response }) => void (read = response!.text()),
      `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n${latin1(packed)}`,
    );

    expect(read).toBe("gzipped text");
    expect(head).toContain("Content-Encoding: gzip\r\n");
    expect(gunzipSync(new Uint8Array([...text].map((it) => it.charCodeAt(0)))).toString()).toBe("gzipped text");
  });

  test("response edits trailers", async () => {
    const { text, trailers } = await responseAfter(
      "response",
      ({ response }) => response!.trailers!.set("x-sum", "8"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\nX-Sum: 7\r\n\r\n",
    );

    expect(text).toBe("old");
    expect(trailers).toBe("X-Sum: 8\r\n");
  });

  test("response edits the body of a response with trailers: they stay", async () => {
    const { text, trailers } = await responseAfter(
      "response",
      ({ response }) => void (response!.body = "new"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\nX-Sum: 7\r\n\r\n",
    );

    expect(text).toBe("new");
    expect(trailers).toBe("X-Sum: 7\r\n");
  });

  test("a response made by an addon may have trailers", async () => {
    await using proxy = await startProxy({
      addons: [addon("requestHeaders", (flow) => {
        flow.response = FlowResponse.create({ body: "new" });
        flow.response.trailers = FlowHeaders.from({ "X-Sum": "7" });
      })],
    });

    const response = await exchange(proxy.port, requestTo("http://a.invalid/"));

    expect(response.text).toBe("new");
    expect(response.trailers).toBe("X-Sum: 7\r\n");
  });

  for (
    const [what, init, expected] of [
      ["to HEAD", { body: "not sent" }, /^HTTP\/1\.1 200 OK\r\n/],
      ["of 204", { status: 204, body: "not sent" }, /^HTTP\/1\.1 204 No Content\r\n\r\n$/],
      ["of 304", { status: 304, body: "not sent" }, /^HTTP\/1\.1 304 Not Modified\r\n/],
    ] as const
  ) {
    test(`an addon's answer ${what} has no body, whatever it holds`, async () => {
      await using proxy = await startProxy({
        addons: [addon("requestHeaders", (flow) => void (flow.response = FlowResponse.create(init)))],
      });
      await using client = await connectRaw(proxy.port);
      const method = what === "to HEAD" ? "HEAD" : "GET";

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo("http://a.invalid/", { method }));
        expect((await readResponse(client, method)).head).toMatch(expected);
      }
    });

    test(`an addon's streamed answer ${what} has no body, and its stream is let go`, async () => {
      let cancelled = 0;
      const body = () =>
        new ReadableStream<Uint8Array>({
          pull: (it) => it.enqueue(new Uint8Array(1000)),
          cancel: () => void cancelled++,
        });
      await using proxy = await startProxy({
        addons: [
          addon("requestHeaders", (flow) => void (flow.response = FlowResponse.create({ ...init, body: body() }))),
        ],
      });
      await using client = await connectRaw(proxy.port);
      const method = what === "to HEAD" ? "HEAD" : "GET";

      for (let i = 0; i < 2; i++) {
        await client.write(requestTo("http://a.invalid/", { method }));
        expect((await readResponse(client, method)).head).toMatch(expected);
      }
      expect(cancelled).toBe(2);
    });
  }
});

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
}
