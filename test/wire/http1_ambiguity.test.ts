/**
 * Messages that two parsers could read differently: refused on either side of a running proxy, and never passed on.
 */
import { describe, expect, test } from "vitest";
import { startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { exchange, latin1, PATIENTLY, readResponse, requestTo } from "./http1_client.ts";

type Case = [name: string, message: string, code: string, status?: number];

/** What is wrong with the fields or the body of any message; `head` is what comes before. */
function broken(): Case[] {
  return [
    [
      "B25 Content-Length with Transfer-Encoding",
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP_LENGTH_AND_CHUNKED",
    ],
    [
      "B25 Transfer-Encoding with Content-Length behind it",
      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      "HTTP_LENGTH_AND_CHUNKED",
    ],
    ["B26 two different Content-Lengths", "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "HTTP_CONTENT_LENGTH"],
    [
      "B26 the same Content-Length twice, which a recipient may refuse",
      "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      "HTTP_CONTENT_LENGTH",
    ],
    ["B26 a list as Content-Length", "Content-Length: 3, 3\r\n\r\nabc", "HTTP_CONTENT_LENGTH"],
    ["B27 a Content-Length with a sign", "Content-Length: +5\r\n\r\nabcde", "HTTP_CONTENT_LENGTH"],
    ["B27 a negative Content-Length", "Content-Length: -5\r\n\r\nabcde", "HTTP_CONTENT_LENGTH"],
    ["B27 a hexadecimal Content-Length", "Content-Length: 0x5\r\n\r\nabcde", "HTTP_CONTENT_LENGTH"],
    ["B27 a Content-Length of two numbers", "Content-Length: 5 5\r\n\r\nabcde", "HTTP_CONTENT_LENGTH"],
    ["B27 an empty Content-Length", "Content-Length:\r\n\r\n", "HTTP_CONTENT_LENGTH"],
    ["B27 a Content-Length of 2^64", "Content-Length: 18446744073709551616\r\n\r\n", "HTTP_CONTENT_LENGTH"],
    ["B28 Transfer-Encoding: xchunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "HTTP_TRANSFER_ENCODING"],
    [
      "B28 Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    [
      "B28 Transfer-Encoding twice",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    [
      "B28 Transfer-Encoding: chunked, identity",
      "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    [
      "B28 Transfer-Encoding: chunked with a parameter",
      "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    ["B29 white space before the colon", "X-A : 1\r\n\r\n", "HTTP_HEADER_NAME"],
    [
      "B29 white space before the colon of Transfer-Encoding",
      "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      "HTTP_HEADER_NAME",
    ],
    ["B30 a folded line", "X-A: 1\r\n folded\r\n\r\n", "HTTP_OBS_FOLD"],
    ["B30 a folded line with a tab", "X-A: 1\r\n\tContent-Length: 5\r\n\r\n", "HTTP_OBS_FOLD"],
    ["B31 a field line that ends with LF alone", "X-A: 1\nX-B: 2\r\n\r\n", "HTTP_BARE_LF"],
    ["B31 a head that ends with LF alone", "X-A: 1\r\n\n", "HTTP_BARE_LF"],
    ["B31 a CR alone in a value", "X-A: 1\rX-B: 2\r\n\r\n", "HTTP_HEADER_VALUE"],
    ["B31 a CR too many before the end of a line", "X-A: 1\r\r\n\r\n", "HTTP_HEADER_VALUE"],
    ["B33 NUL in a name", "X\0A: 1\r\n\r\n", "HTTP_HEADER_NAME"],
    ["B33 NUL in a value", "X-A: \0\r\n\r\n", "HTTP_HEADER_VALUE"],
    ["B33 another control in a value", "X-A: \x01\r\n\r\n", "HTTP_HEADER_VALUE"],
    ["B33 an empty name", ": 1\r\n\r\n", "HTTP_HEADER_NAME"],
    ["B33 a field without a colon", "X-A\r\n\r\n", "HTTP_HEADER_NAME"],
  ];
}

/** Bodies that break off the rails after a good head. */
const BAD_CHUNKS: Case[] = [
  ["B32 a chunk size that is no number", "zz\r\nabc\r\n0\r\n\r\n", "HTTP_CHUNK_SIZE"],
  ["B32 a chunk size with a sign", "+3\r\nabc\r\n0\r\n\r\n", "HTTP_CHUNK_SIZE"],
  ["B32 a chunk size with 0x", "0x3\r\nabc\r\n0\r\n\r\n", "HTTP_CHUNK_SIZE"],
  ["B32 a chunk size of 2^64 + 3", "10000000000000003\r\nabc\r\n0\r\n\r\n", "HTTP_CHUNK_SIZE"],
  ["B32 an empty chunk size", "\r\nabc\r\n0\r\n\r\n", "HTTP_CHUNK_SIZE"],
  ["B32 a chunk line that ends with LF alone", "3\nabc\r\n0\r\n\r\n", "HTTP_BARE_LF"],
  ["B32 no CRLF after a chunk", "3\r\nabcX0\r\n\r\n", "HTTP_CHUNK"],
  ["B32 a chunk that ends with LF alone", "3\r\nabc\n0\r\n\r\n", "HTTP_CHUNK"],
  ["B32 a trailer that frames", "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n", "HTTP_TRAILERS"],
];

describe("from the client", () => {
  const HOST = "Host: a.test";
  const heads: Case[] = [
    ...broken().map((
      [name, rest, code, status],
    ): Case => [name, `POST /p HTTP/1.1\r\n${HOST}\r\n${rest}`, code, status]),
    [
      "B28 Transfer-Encoding: gzip, chunked",
      `POST /p HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      "HTTP_TRANSFER_ENCODING",
      501,
    ],
    [
      "B28 Transfer-Encoding: identity",
      `POST /p HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: identity\r\n\r\n`,
      "HTTP_TRANSFER_ENCODING",
    ],
    [
      "B28 Transfer-Encoding in HTTP/1.0",
      `POST /p HTTP/1.0\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "HTTP_TRANSFER_ENCODING",
    ],
    ["B31 a request line that ends with LF alone", `GET /p HTTP/1.1\n${HOST}\r\n\r\n`, "HTTP_BARE_LF"],
    ["B31 a request line that ends with CR alone", `GET /p HTTP/1.1\r${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B30 a folded line where no field is before it", `GET /p HTTP/1.1\r\n ${HOST}\r\n\r\n`, "HTTP_OBS_FOLD"],
    ["B34 a method that is no token", `GE(T /p HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_METHOD"],
    ["B34 a version of two digits", `GET /p HTTP/1.10\r\n${HOST}\r\n\r\n`, "HTTP_VERSION"],
    ["B34 a version in lower case", `GET /p http/1.1\r\n${HOST}\r\n\r\n`, "HTTP_VERSION"],
    ["B34 HTTP/2.0", `GET /p HTTP/2.0\r\n${HOST}\r\n\r\n`, "HTTP_VERSION", 505],
    ["B34 no version", `GET /p\r\n${HOST}\r\n\r\n`, "HTTP_START_LINE"],
    ["B34 two spaces in the request line", `GET  /p HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target with a space", `GET /p q HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target with a fragment", `GET /p#q HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target that is no path", `GET p HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target of another scheme", `GET ftp://a.test/ HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target with user information", `GET http://u@a.test/ HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target with port 0", `GET http://a.test:0/ HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 a target with a port that is none", `GET http://a.test:65536/ HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B34 * with another method than OPTIONS", `GET * HTTP/1.1\r\n${HOST}\r\n\r\n`, "HTTP_TARGET"],
    ["B3 no Host in origin form", `GET /p HTTP/1.1\r\n\r\n`, "HTTP_HOST"],
    ["B3 two Host fields", `GET /p HTTP/1.1\r\n${HOST}\r\n${HOST}\r\n\r\n`, "HTTP_HOST"],
    ["B3 a Host that is no host", `GET /p HTTP/1.1\r\nHost: a b\r\n\r\n`, "HTTP_HOST"],
    ["B3 an empty Host in origin form", `GET /p HTTP/1.1\r\nHost:\r\n\r\n`, "HTTP_HOST"],
    ["B3 neither Host nor absolute form in HTTP/1.0", `GET /p HTTP/1.0\r\n\r\n`, "HTTP_HOST"],
  ];

  for (const [name, message, code, status = 400] of heads) {
    test(`${name}: ${status}, and nothing is passed on`, async () => {
      await using origin = await startRawServer((connection) => connection.closed);
      const errors: unknown[] = [];
      await using proxy = await startProxy({
        upstream: { hosts: { "a.test": `127.0.0.1:${origin.port}` } },
        addons: [{ error: (flow) => errors.push(flow.error?.code) }],
      });
      await using client = await connectRaw(proxy.port);

      // What follows a message whose end is unknown must not be taken for a request.
      await client.write(message + "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
      const response = await readResponse(client);
      const rest = await client.readAll();

      expect(response.status).toBe(status);
      expect(response.header("connection")).toBe("close");
      expect(response.header("x-flowtape-error")).toBe(code);
      expect(latin1(rest)).toBe("");
      expect(errors).toEqual([code]);
      expect(proxy.flows.length).toBe(1);
      expect(proxy.flows.first()).toMatchObject({ done: true, error: { code, status } });
      expect(origin.connections).toBe(0);
    });
  }

  for (const [name, body, code] of BAD_CHUNKS) {
    for (const hook of ["without a hook", "with a hook that waits for the body"]) {
      test(`${name}: 400, and no request reaches the server: ${hook}`, async () => {
        await using origin = await startRawServer((connection) => connection.closed);
        const errors: unknown[] = [];
        const error = (flow: { error?: { code: string } }) => void errors.push(flow.error?.code);
        let seen = 0;
        await using proxy = await startProxy({
          addons: [hook === "without a hook" ? { error } : { error, request: () => void seen++ }],
        });
        await using client = await connectRaw(proxy.port);

        const request = requestTo(`http://127.0.0.1:${origin.port}/p`, {
          method: "POST",
          fields: ["Transfer-Encoding: chunked"],
        });
        await client.write(request + body + "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
        const response = await readResponse(client);
        const rest = await client.readAll();

        expect(response.status).toBe(400);
        expect(response.header("connection")).toBe("close");
        expect(latin1(rest)).toBe("");
        expect(errors).toEqual([code]);
        expect(proxy.flows.length).toBe(1);
        expect(proxy.flows.first()).toMatchObject({
          request: { method: "POST", path: "/p" },
          error: { code, status: 400 },
        });
        expect(seen).toBe(0);
        expect(latin1(origin.received)).toBe("");
      });
    }
  }

  test("B32 a bad chunk that comes when the head has gone out already: the server sees an abort, never an end", async () => {
    await using origin = await startRawServer((connection) => connection.closed);
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(
      requestTo(`http://127.0.0.1:${origin.port}/p`, { method: "POST", fields: ["Transfer-Encoding: chunked"] }) +
        "3\r\nabc\r\n",
    );
    await expect.poll(() => latin1(origin.received), PATIENTLY).toMatch(/\r\n\r\n3\r\nabc\r\n$/);
    await client.write("zz\r\n");
    const response = await readResponse(client);

    expect(response.status).toBe(400);
    expect(latin1(origin.received)).toMatch(/\r\n\r\n3\r\nabc\r\n$/);
    expect(proxy.flows.first()!.error!.code).toBe("HTTP_CHUNK_SIZE");
  });

  test('spaces around a Content-Length are no part of it (RFC 9110 section 5.5), so that B27 "5 " passes', async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readUntil("abcde");
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    await using proxy = await startProxy();

    const request =
      `POST http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nContent-Length: 5 \r\n\r\nabcde`;
    expect((await exchange(proxy.port, request)).status).toBe(200);
  });

  for (
    const [when, before] of [["first", ""], ["behind another request", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n"]]
  ) {
    test(`B34 no method, ${when}: nothing is passed on, and the connection ends`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await connection.closed;
      });
      await using proxy = await startProxy({ upstream: { hosts: { "a.test": `127.0.0.1:${origin.port}` } } });
      await using client = await connectRaw(proxy.port);

      await client.write(`${before} /p HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const answer = latin1(await client.readAll());

      // What begins like this, and leads nowhere, is not taken for HTTP.
      expect(answer.match(/HTTP\/1\.1 \d+/g) ?? []).toEqual(before === "" ? [] : ["HTTP/1.1 200", "HTTP/1.1 400"]);
      expect(latin1(origin.received)).toBe(before);
    });
  }

  test("a good request before a bad one on the same connection is answered first", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/good`) + "GET /bad HTTP/1.1\r\nHost : a\r\n\r\n");

    expect((await readResponse(client)).text).toBe("ok");
    expect((await readResponse(client)).status).toBe(400);
    expect(latin1(await client.readAll())).toBe("");
    expect(latin1(origin.received)).toMatch(/^GET \/good HTTP\/1\.1\r\n[^\n]+\n\r\n$/);
    expect(proxy.flows.length).toBe(2);
  });
});

describe("from the server", () => {
  const heads: Case[] = [
    ...broken().map(([name, rest, code]): Case => [name, `HTTP/1.1 200 OK\r\n${rest}`, code]),
    [
      "B28 Transfer-Encoding: gzip, chunked",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    [
      "B28 Transfer-Encoding in HTTP/1.0",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP_TRANSFER_ENCODING",
    ],
    ["B31 a status line that ends with LF alone", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "HTTP_BARE_LF"],
    ["B34 another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP_START_LINE"],
    ["B34 a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "HTTP_START_LINE"],
    ["B34 HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "HTTP_VERSION"],
    ["B34 a status below 100", "HTTP/1.1 099 No\r\n\r\n", "HTTP_START_LINE"],
    [
      "101 without having been asked (RFC 9110 section 15.2.2)",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      "HTTP_START_LINE",
    ],
  ];

  for (const [name, message, code] of heads) {
    test(`B35 ${name}: 502`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        await connection.write(message);
        await connection.closed;
      });
      const errors: unknown[] = [];
      await using proxy = await startProxy({ addons: [{ error: (flow) => errors.push(flow.error?.code) }] });
      await using client = await connectRaw(proxy.port);

      const responses = [];
      for (let i = 0; i < 2; i++) {
        await client.write(requestTo(`http://127.0.0.1:${origin.port}/p`));
        responses.push(await readResponse(client));
      }

      // The client is not to blame: its connection goes on. The server's is not used again.
      expect(responses.map((it) => it.status)).toEqual([502, 502]);
      expect(responses[0]!.header("x-flowtape-error")).toBe(code);
      expect(responses[0]!.text).toContain(`127.0.0.1:${origin.port}`);
      expect(errors).toEqual([code, code]);
      expect(proxy.flows.first()).toMatchObject({ done: true, error: { code, status: 502 } });
      expect(origin.connections).toBe(2);
    });
  }

  for (const [name, body, code] of BAD_CHUNKS) {
    test(`B35 ${name}: a 502 while the body is held, else an abort`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        await connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
        await connection.closed;
      });
      let hold = true;
      await using proxy = await startProxy({ addons: [{ needs: () => hold, response: () => {} }] });

      const held = await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/p`));
      hold = false;
      await expect(exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/p`))).rejects.toThrow(
        "ended before",
      );

      expect(held.status).toBe(502);
      expect(held.header("x-flowtape-error")).toBe(code);
      expect(Array.from(proxy.flows, (flow) => flow.error!.code)).toEqual([code, code]);
    });
  }
});
