import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { Http1Parser } from "../../../src/wire/http1/parser.ts";
import { chunkHead, joinBytes, lastChunk } from "../../../src/wire/http1/serializer.ts";
import { onlyMessage, pieces, randomFrom, readRequest, readResponse } from "./support.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n\r\n";
const chunked = (body: string) => onlyMessage(readRequest(CHUNKED + body));

describe("a body of known length", () => {
  test.each(["0", "5", "005", "5 ", "\t5\t"])(
    "takes Content-Length %j: white space around a value is no part of it (RFC 9112 5)",
    (length) => {
      const body = "x".repeat(Number(length));
      const message = onlyMessage(readRequest(`POST / HTTP/1.1\r\nX: 1\r\nContent-Length:${length}\r\n\r\n${body}`));
      expect(message.head).toMatchObject({
        framing: { kind: "length", length: Number(length) },
        lengthAt: 6,
        codingAt: -1,
      });
      expect([message.body, message.chunks]).toEqual([body, []]);
    },
  );

  test("takes the largest length there is", () => {
    const { messages, error } = readRequest("POST / HTTP/1.1\r\nContent-Length: 9007199254740991\r\n\r\nx");
    expect([error, messages[0]?.head.framing, messages[0]?.trailers]).toEqual([undefined, {
      kind: "length",
      length: Number.MAX_SAFE_INTEGER,
    }, undefined]);
  });

  test("comes at once and without a copy", () => {
    const parser = new Http1Parser("request");
    parser.push(Buffer.from("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n"));
    expect(parser.next()?.type).toBe("head");
    expect(parser.next()).toBe(undefined);
    const piece = new Uint8Array([1, 2, 3]);
    parser.push(piece);
    const event = parser.next();
    expect(event?.type === "data" && [event.data.buffer === piece.buffer, [...event.data]]).toEqual([true, [1, 2, 3]]);
    expect(parser.next()).toBe(undefined);
  });
});

describe("a chunked body", () => {
  test("is one head, its chunks, one end", () => {
    const message = chunked("5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n");
    expect(message.head).toMatchObject({ framing: { kind: "chunked" }, codingAt: 9, lengthAt: -1 });
    expect(message).toMatchObject({ body: "hello 0123456789", chunks: [[5, 5], [1, 1], [10, 10]], trailers: "" });
  });

  test("B23 may be empty", () => {
    expect(chunked("0\r\n\r\n")).toMatchObject({ body: "", chunks: [], trailers: "" });
  });

  test.each(["5", "05", "0000000000000005", "5;a", "5;a=b", '5 ; a = "b;c" ;d', "5\t;", "5;caf\xe9"])(
    "B21 ignores extensions: %j",
    (line) => {
      expect(chunked(`${line}\r\nhello\r\n00;last\r\n\r\n`)).toMatchObject({ body: "hello", chunks: [[5, 5]] });
    },
  );

  test("may hold anything that looks like framing", () => {
    const data = "\r\n0\r\n\r\n";
    expect(chunked(`7\r\n${data}\r\n0\r\n\r\n`).body).toBe(data);
  });

  test("B5 has trailers, raw", () => {
    const trailers = "X-Sum: 1\r\nx-sum:2\r\nServer-Timing: a;dur=1 \r\n";
    expect(chunked(`1\r\nx\r\n0\r\n${trailers}\r\n`).trailers).toBe(trailers);
    const twice = readRequest(`${CHUNKED}0\r\n${trailers}\r\n${CHUNKED}0\r\nY: 3\r\n\r\n${CHUNKED}0\r\n\r\n`);
    expect(twice.messages.map((message) => message.trailers)).toEqual([trailers, "Y: 3\r\n", ""]);
  });

  test("keeps its chunk boundaries through a forwarder that never waits for a whole chunk", () => {
    const random = randomFrom(7);
    for (let round = 0; round < 30; round++) {
      const parts: (string | Uint8Array)[] = [];
      for (let i = 0; i < 1 + random() * 8; i++) {
        const data = Buffer.alloc(1 + Math.floor(random() ** 4 * 5000), i + 65);
        parts.push(chunkHead(data.length), data, "\r\n");
      }
      parts.push(lastChunk(round % 2 ? "X: 1\r\n" : ""));
      const sent = joinBytes(parts);
      const parser = new Http1Parser("request");
      parser.push(Buffer.from(CHUNKED));
      parser.next();
      const forwarded: (string | Uint8Array)[] = [];
      for (const piece of pieces(sent, () => 1 + Math.floor(random() * 700))) {
        parser.push(piece);
        for (let event = parser.next(); event !== undefined; event = parser.next()) {
          if (event.type === "data") {
            if (event.chunk > 0) forwarded.push(chunkHead(event.chunk));
            forwarded.push(event.data);
            if (event.final) forwarded.push("\r\n");
          } else if (event.type === "end") {
            forwarded.push(lastChunk(event.trailers));
          }
        }
      }
      expect(joinBytes(forwarded).equals(sent)).toBe(true);
    }
  });
});

describe("a body that is cut short", () => {
  test.each([
    ["in the start line", "HTTP/1."],
    ["in the head", "HTTP/1.1 200 OK\r\nX: 1\r\n"],
    ["before a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["in a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"],
    ["before a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["in a chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5"],
    ["in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234"],
    ["after a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"],
    ["in the trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n"],
    ["before the last empty line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"],
  ])("B18 %s is truncated", (_, input) => {
    const reading = readResponse(input, { closes: true });
    expect([reading.error, reading.messages[0]?.trailers]).toEqual(["HTTP_TRUNCATED 400", undefined]);
  });
});
