import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { Http1Parser } from "../../../src/wire/http1/parser.ts";
import { ProtocolError } from "../../../src/wire/http1/protocol_error.ts";
import { feed, pieces } from "./support.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("a parser", () => {
  test("says whether it is idle and how much it holds", () => {
    const parser = new Http1Parser("request");
    expect([parser.idle, parser.buffered, parser.next(), parser.finish()]).toEqual([true, 0, undefined, undefined]);
    parser.push(bytes("GET / HT"));
    expect([parser.next(), parser.idle, parser.buffered]).toEqual([undefined, false, 8]);
    parser.push(bytes("TP/1.1\r\n\r\n"));
    expect(parser.next()?.type).toBe("head");
    expect(parser.idle).toBe(false);
    expect(parser.next()).toEqual({ type: "end", trailers: "" });
    expect([parser.idle, parser.buffered, parser.finish()]).toEqual([true, 0, undefined]);
  });

  test("gives what follows a CONNECT or an upgrade to whoever takes over", () => {
    const parser = new Http1Parser("request");
    parser.push(bytes("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01"));
    expect([parser.next()?.type, parser.next()?.type]).toEqual(["head", "end"]);
    expect(parser.rest().toString("latin1")).toBe("\x16\x03\x01");
    expect([parser.buffered, parser.rest().length]).toEqual([0, 0]);
  });

  test("goes on with HTTP after a CONNECT that was refused", () => {
    const parser = new Http1Parser("request");
    parser.push(bytes("CONNECT a:443 HTTP/1.1\r\n\r\n"));
    expect([parser.next()?.type, parser.next()?.type]).toEqual(["head", "end"]);
    parser.push(bytes("CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"));
    expect(parser.next()?.type).toBe("head");
  });

  test.each(
    [
      ["request", "GET /1 HTTP/1.1\r\nConnection: close\r\n\r\n", "GET /2 HTTP/1.1\r\n\r\n"],
      ["request", "GET /1 HTTP/1.0\r\n\r\n", "GET /2 HTTP/1.0\r\n\r\n"],
      ["response", "HTTP/1.1 204 x\r\nConnection: close\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n"],
    ] as const,
  )("B12 reads nothing after a %s that closes the connection (RFC 9112 9.6)", (kind, first, second) => {
    const reading = feed(kind, [bytes(first + second)], { closes: true });
    expect([reading.messages.length, reading.rest, reading.error]).toEqual([1, second, undefined]);
  });

  test("B11 reads on after an interim response that says close", () => {
    const input = "HTTP/1.1 100 x\r\nConnection: close\r\n\r\nHTTP/1.1 204 x\r\n\r\n";
    expect(feed("response", [bytes(input)]).messages.length).toBe(2);
  });

  test("finishes with the events of what it still holds", () => {
    const parser = new Http1Parser("response");
    parser.push(bytes("HTTP/1.1 200 OK\r\n\r\nabc"));
    expect([parser.finish()?.type, parser.finish()?.type, parser.finish()?.type, parser.finish()]).toEqual([
      "head",
      "data",
      "end",
      undefined,
    ]);
  });

  test("throws the same error again, whatever comes", () => {
    const parser = new Http1Parser("request");
    parser.push(bytes("GET / HTTP/3.0\r\n"));
    const caught = [];
    for (let i = 0; i < 3; i++) {
      try {
        parser.next();
      } catch (error) {
        caught.push(error);
      }
      parser.push(bytes("GET / HTTP/1.1\r\n\r\n"));
    }
    expect(caught.length).toBe(3);
    expect(new Set(caught).size).toBe(1);
    expect(caught[0]).toBeInstanceOf(ProtocolError);
    expect(caught[0]).toMatchObject({ name: "ProtocolError", code: "HTTP_VERSION", status: 505 });
  });

  test("does not hold on to the bytes of a message that was read", () => {
    const parser = new Http1Parser("request");
    for (const piece of pieces(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), () => 5)) parser.push(piece);
    expect([parser.next()?.type, parser.next()?.type, parser.buffered]).toEqual(["head", "end", 0]);
  });

  test("never writes over slices that it has handed out", () => {
    const parser = new Http1Parser("request");
    const seen: Uint8Array[] = [];
    const body = "0123456789".repeat(20);
    const input = bytes(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}GET /next HTTP/1.1\r\n\r\n`);
    for (const piece of pieces(input, () => 7)) {
      parser.push(piece);
      parser.push(Buffer.alloc(0));
      for (let event = parser.next(); event !== undefined; event = parser.next()) {
        if (event.type === "data") seen.push(event.data);
      }
    }
    expect(Buffer.concat(seen).toString()).toBe(body);
  });
});

describe("work is linear in the bytes, however they arrive", () => {
  // Quadratic work on 60 KB in single bytes would be 1.8 billion steps, or seconds; linear work is some milliseconds.
  const long = "x".repeat(60000);
  test.each([
    ["one long field", `GET / HTTP/1.1\r\nX: ${long}\r\n\r\n`],
    ["many fields", `GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(10000)}\r\n`],
    ["a long target", `GET /${long} HTTP/1.1\r\n\r\n`],
    [
      "many small chunks",
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(10000)}0\r\n\r\n`,
    ],
    [
      "long chunk lines",
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${"x".repeat(4000)}\r\nx\r\n`.repeat(4)}0\r\n\r\n`,
    ],
    ["long trailers", `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ${long}\r\n\r\n`],
  ])("%s", (_, input) => {
    const started = performance.now();
    const reading = feed("request", pieces(bytes(input), () => 1));
    expect([reading.error, reading.messages.length, reading.messages[0]?.trailers === undefined]).toEqual([
      undefined,
      1,
      false,
    ]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
