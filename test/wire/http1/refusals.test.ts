import { describe, expect, test } from "vitest";
import { readRequest, readResponse } from "./support.ts";

const CRLF = "\r\n";

/** A request with these fields and body. */
const post = (fields: string, body = "", version = "1.1") =>
  `POST / HTTP/${version}\r\nHost: a\r\n${fields}\r\n${body}`;

describe("request lines that are refused", () => {
  test.each([
    ["B34 an empty method", " / HTTP/1.1", "HTTP_METHOD 400"],
    ["B34 a method that is no token", "G(T / HTTP/1.1", "HTTP_METHOD 400"],
    ["B34 a control in the method", "G\x00T / HTTP/1.1", "HTTP_METHOD 400"],
    ["B34 a tab for a space", "GET\t/\tHTTP/1.1", "HTTP_METHOD 400"],
    ["B34 a TLS record", "\x16\x03\x01\x02\x00\x01\x00", "HTTP_METHOD 400"],
    ["B34 two spaces", "GET  / HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a space in the target", "GET /a b HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a tab in the target", "GET /a\tb HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 NUL in the target", "GET /a\x00b HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 DEL in the target", "GET /a\x7fb HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a fragment", "GET /a#b HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a bare CR in the target", "GET /a\rb HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a relative path", "GET a HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a URL without a host", "GET http:///a HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 an asterisk for GET", "GET * HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 an authority for GET", "GET a:80 HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a path for CONNECT", "CONNECT /a HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 a URL for CONNECT", "CONNECT http://a:80/ HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 CONNECT without a port", "CONNECT a HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 CONNECT with an empty port", "CONNECT a: HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 CONNECT with port 0", "CONNECT a:0 HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 CONNECT with port 65536", "CONNECT a:65536 HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 CONNECT with user information", "CONNECT u@a:80 HTTP/1.1", "HTTP_TARGET 400"],
    ["B34 no version (HTTP/0.9)", "GET /", "HTTP_START_LINE 400"],
    ["B34 one word", "GET", "HTTP_START_LINE 400"],
    ["B34 HTTP/2.0", "GET / HTTP/2.0", "HTTP_VERSION 505"],
    ["B34 HTTP/0.9", "GET / HTTP/0.9", "HTTP_VERSION 505"],
    ["B34 the HTTP/2 preface", "PRI * HTTP/2.0", "HTTP_VERSION 505"],
    ["B34 two digits", "GET / HTTP/1.10", "HTTP_VERSION 400"],
    ["B34 no minor version", "GET / HTTP/1", "HTTP_VERSION 400"],
    ["B34 lower case", "GET / http/1.1", "HTTP_VERSION 400"],
    ["B34 another protocol", "GET / ICE/1.0", "HTTP_VERSION 400"],
    ["B34 a trailing space", "GET / HTTP/1.1 ", "HTTP_TARGET 400"],
    ["B31 a bare CR at the end", "GET / HTTP/1.1\r", "HTTP_VERSION 400"],
  ])("%s", (_, line, error) => {
    expect(readRequest(`${line}\r\nHost: a\r\n\r\n`)).toEqual({ messages: [], error, rest: "" });
  });

  test("B31 a bare LF, before the head is complete", () => {
    expect(readRequest("GET / HTTP/1.1\n").error).toBe("HTTP_BARE_LF 400");
    expect(readRequest("\nGET / HTTP/1.1\r\n").error).toBe("HTTP_BARE_LF 400");
  });
});

/** Field lines that are refused in requests, in responses, and in trailers. */
const BAD_LINES: [string, string, string][] = [
  ["B29 a space before the colon", "X : 1\r\n", "HTTP_HEADER_NAME 400"],
  ["B29 a tab before the colon", "Content-Length\t: 1\r\n", "HTTP_HEADER_NAME 400"],
  ["B30 a folded line", "X: 1\r\n 2\r\n", "HTTP_OBS_FOLD 400"],
  ["B30 a line folded with a tab", "X: 1\r\n\t2\r\n", "HTTP_OBS_FOLD 400"],
  ["B30 a folded empty line", "X: 1\r\n \r\n", "HTTP_OBS_FOLD 400"],
  ["B30 white space before the first field", " X: 1\r\n", "HTTP_OBS_FOLD 400"],
  ["B31 a bare LF", "X: 1\nY: 2\r\n", "HTTP_BARE_LF 400"],
  ["B31 a bare LF for the empty line", "X: 1\r\n\n", "HTTP_BARE_LF 400"],
  ["B31 a bare CR in a value", "X: 1\rY: 2\r\n", "HTTP_HEADER_VALUE 400"],
  ["B31 two CRs", "X: 1\r\r\n", "HTTP_HEADER_VALUE 400"],
  ["B31 a bare CR in a name", "X\rY: 2\r\n", "HTTP_HEADER_VALUE 400"],
  ["B31 a bare CR for the empty line", "X: 1\r\n\rY: 2\r\n", "HTTP_HEADER_VALUE 400"],
  ["B33 NUL in a name", "X\x00: 1\r\n", "HTTP_HEADER_NAME 400"],
  ["B33 NUL in a value", "X: 1\x002\r\n", "HTTP_HEADER_VALUE 400"],
  ["B33 a control in a value", "X: 1\x0b2\r\n", "HTTP_HEADER_VALUE 400"],
  ["B33 DEL in a value", "X: 1\x7f2\r\n", "HTTP_HEADER_VALUE 400"],
  ["an empty name", ": 1\r\n", "HTTP_HEADER_NAME 400"],
  ["no colon", "X\r\n", "HTTP_HEADER_NAME 400"],
  ["a name that is no token", "X(Y): 1\r\n", "HTTP_HEADER_NAME 400"],
  ["a name beyond ASCII", "X\xe9: 1\r\n", "HTTP_HEADER_NAME 400"],
];

describe("field lines that are refused", () => {
  test.each(BAD_LINES)("%s", (_, lines, error) => {
    expect(readRequest(`GET / HTTP/1.1\r\n${lines}\r\n`)).toEqual({ messages: [], error, rest: "" });
    expect(readResponse(`HTTP/1.1 200 OK\r\n${lines}\r\n`)).toEqual({ messages: [], error, rest: "" });
    const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    const trailers = readResponse(`${chunked}${lines}\r\n`);
    expect([trailers.error, trailers.messages[0]?.trailers]).toEqual([error, undefined]);
  });

  test.each([
    ["a", "a"],
    ["a", "b"],
    ["", ""],
  ])("two Host lines, %j and %j", (one, two) => {
    expect(readRequest(`GET / HTTP/1.1\r\nHost: ${one}\r\nhost:${two}\r\n\r\n`).error).toBe("HTTP_HOST 400");
  });

  test.each([
    "a b",
    "a,b c",
    "u@a",
    "a/b",
    "a?b",
    "a#b",
    "http://a",
    "a:b",
    "a:80:81",
    "[::1",
    "::1",
    "a\\b",
    "caf\xe9",
    "a:+80",
  ])("Host %j", (host) => {
    expect(readRequest(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).error).toBe("HTTP_HOST 400");
  });
});

describe("framing that is refused", () => {
  const LENGTH = "HTTP_CONTENT_LENGTH 400";
  const CODING = "HTTP_TRANSFER_ENCODING 400";
  const UNKNOWN_CODING = "HTTP_TRANSFER_ENCODING 501";
  const BOTH = "HTTP_LENGTH_AND_CHUNKED 400";

  test.each([
    ["B25 length, then chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BOTH],
    ["B25 chunked, then length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", BOTH],
    ["B26 two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", LENGTH],
    ["B26 the same length twice", "Content-Length: 5\r\nContent-Length: 5\r\n", LENGTH],
    ["B26 a list", "Content-Length: 5, 5\r\n", LENGTH],
    ["B26 a list with an empty element", "Content-Length: 5,\r\n", LENGTH],
    ["B27 a sign", "Content-Length: +5\r\n", LENGTH],
    ["B27 a negative number", "Content-Length: -5\r\n", LENGTH],
    ["B27 hexadecimal", "Content-Length: 0x5\r\n", LENGTH],
    ["B27 digits beyond 9", "Content-Length: a\r\n", LENGTH],
    ["B27 a space inside", "Content-Length: 5 5\r\n", LENGTH],
    ["B27 quotes and a space", 'Content-Length: "5 "\r\n', LENGTH],
    ["B27 a fraction", "Content-Length: 5.0\r\n", LENGTH],
    ["B27 an exponent", "Content-Length: 5e1\r\n", LENGTH],
    ["B27 nothing", "Content-Length:\r\n", LENGTH],
    ["B27 white space", "Content-Length: \t \r\n", LENGTH],
    ["B27 2^53", "Content-Length: 9007199254740992\r\n", LENGTH],
    ["B27 2^64", "Content-Length: 18446744073709551616\r\n", LENGTH],
    ["B27 2^64 + 5", "Content-Length: 18446744073709551621\r\n", LENGTH],
    ["B27 very many digits", `Content-Length: ${"9".repeat(400)}\r\n`, LENGTH],
    ["B28 chunked twice in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CODING],
    ["B28 chunked twice", "Transfer-Encoding: chunked, chunked\r\n", CODING],
    ["B28 chunked not last", "Transfer-Encoding: chunked, identity\r\n", CODING],
    ["B28 identity", "Transfer-Encoding: identity\r\n", CODING],
    ["B28 a coding that looks like chunked", "Transfer-Encoding: xchunked\r\n", CODING],
    ["B28 a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", "HTTP_HEADER_VALUE 400"],
    ["B28 quotes", 'Transfer-Encoding: "chunked"\r\n', CODING],
    ["B28 a parameter", "Transfer-Encoding: chunked;q=1\r\n", CODING],
    ["B28 an empty element", "Transfer-Encoding: , chunked\r\n", CODING],
    ["B28 two words", "Transfer-Encoding: x chunked\r\n", CODING],
    ["B28 nothing", "Transfer-Encoding:\r\n", CODING],
    ["B28 gzip under chunked", "Transfer-Encoding: gzip, chunked\r\n", UNKNOWN_CODING],
    ["B28 gzip in a line before", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", CODING],
  ])("%s", (_, fields, error) => {
    expect(readRequest(post(fields, "5\r\nabcde\r\n0\r\n\r\n")).error).toBe(error);
    // B35: from upstream as well, even where the status says that there is no body.
    expect(readResponse(`HTTP/1.1 200 OK\r\n${fields}\r\n`).error).toBe(error);
    expect(readResponse(`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`).error).toBe(error);
  });

  test("B28 Transfer-Encoding in HTTP/1.0", () => {
    expect(readRequest(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "1.0")).error).toBe(CODING);
    expect(readResponse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").error).toBe(CODING);
  });

  test("a CONNECT with a body", () => {
    const connect = (field: string) => readRequest(`CONNECT a:443 HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`).error;
    expect(connect("Content-Length: 1")).toBe(LENGTH);
    expect(connect("Transfer-Encoding: chunked")).toBe(CODING);
    expect(connect("Content-Length: 0")).toBe(undefined);
  });
});

describe("chunks that are refused", () => {
  const SIZE = "HTTP_CHUNK_SIZE 400";

  test.each([
    ["B32 no size", CRLF, SIZE],
    ["B32 an extension without a size", ";x\r\n", SIZE],
    ["B32 no hexadecimal", "g\r\n", SIZE],
    ["B32 a prefix", "0x5\r\n", SIZE],
    ["B32 a sign", "-5\r\n", SIZE],
    ["B32 a space before", " 5\r\n", SIZE],
    ["B32 a space after", "5 \r\n", SIZE],
    ["B32 a space inside", "5 5\r\n", SIZE],
    ["B32 2^53", "20000000000000\r\n", SIZE],
    ["B32 2^64 + 5", "10000000000000005\r\n", SIZE],
    ["B32 too many zeros", "00000000000000005\r\n", SIZE],
    ["B31 a bare LF", "5\n", "HTTP_BARE_LF 400"],
    ["B31 a bare LF in an extension", "5;x\nabcde\r\n", "HTTP_BARE_LF 400"],
    ["B31 a bare CR", "5\rabcde\r\n", SIZE],
    ["B31 two CRs", "5\r\r\n", SIZE],
    ["B31 a bare CR in an extension", "5;x\ry\r\n", SIZE],
    ["B33 NUL in an extension", "5;x\x00\r\n", SIZE],
    ["B21 an extension over 4 KiB", `5;${"x".repeat(5000)}\r\nabcde\r\n0\r\n\r\n`, SIZE],
    ["B21 an extension without an end", `5;${"x".repeat(5000)}`, SIZE],
    ["B32 data longer than the size", "1\r\nab\r\n", "HTTP_CHUNK 400"],
    ["B32 no CRLF after the data", "1\r\na0\r\n\r\n", "HTTP_CHUNK 400"],
    ["B31 a bare LF after the data", "1\r\na\n0\r\n\r\n", "HTTP_CHUNK 400"],
    ["B31 a bare CR after the data", "1\r\na\r0\r\n\r\n", "HTTP_CHUNK 400"],
  ])("%s", (_, body, error) => {
    const reading = readRequest(post("Transfer-Encoding: chunked\r\n", body));
    expect([reading.error, reading.messages[0]?.trailers]).toEqual([error, undefined]);
  });

  test("B21 more than 16 KiB of extensions in all", () => {
    const chunk = `1;${"x".repeat(1022)}\r\na\r\n`;
    expect(readRequest(post("Transfer-Encoding: chunked\r\n", `${chunk.repeat(16)}0\r\n\r\n`)).error).toBe(undefined);
    expect(readRequest(post("Transfer-Encoding: chunked\r\n", `${chunk.repeat(17)}0\r\n\r\n`)).error).toBe(SIZE);
  });

  test.each([
    ["Content-Length: 5"],
    ["transfer-encoding: chunked"],
    ["Host: b"],
    ["Connection: close"],
    ["Upgrade: websocket"],
    ["Keep-Alive: timeout=1"],
    ["TE: trailers"],
    ["Expect: 100-continue"],
    ["Proxy-Authorization: x"],
  ])("B5 the trailer %s", (line) => {
    const reading = readRequest(post("Transfer-Encoding: chunked\r\n", `0\r\nX: 1\r\n${line}\r\n\r\n`));
    expect([reading.error, reading.messages[0]?.trailers]).toEqual(["HTTP_TRAILERS 400", undefined]);
  });

  test("B5 trailers over the limit", () => {
    const body = `0\r\nX: ${"x".repeat(300)}\r\n\r\n`;
    expect(readRequest(post("Transfer-Encoding: chunked\r\n", body), { headBytes: 200 }).error).toBe(
      "HTTP_HEADERS_TOO_LARGE 431",
    );
  });
});

describe("status lines that are refused", () => {
  test.each([
    ["B35 HTTP/2.0", "HTTP/2.0 200 OK", "HTTP_VERSION 505"],
    ["B35 a malformed version", "HTTP/1.10 200 OK", "HTTP_VERSION 400"],
    ["B35 another protocol", "ICY 200 OK", "HTTP_START_LINE 400"],
    ["B35 no status", "HTTP/1.1", "HTTP_START_LINE 400"],
    ["B35 two digits", "HTTP/1.1 20 OK", "HTTP_START_LINE 400"],
    ["B35 four digits", "HTTP/1.1 2000 OK", "HTTP_START_LINE 400"],
    ["B35 a status under 100", "HTTP/1.1 099 OK", "HTTP_START_LINE 400"],
    ["B35 no number", "HTTP/1.1 OK", "HTTP_START_LINE 400"],
    ["B35 two spaces", "HTTP/1.1  200 OK", "HTTP_START_LINE 400"],
    ["B35 a tab", "HTTP/1.1 200\tOK", "HTTP_START_LINE 400"],
    ["B35 NUL in the reason", "HTTP/1.1 200 O\x00K", "HTTP_START_LINE 400"],
    ["B35 a bare CR in the reason", "HTTP/1.1 200 O\rK", "HTTP_START_LINE 400"],
    ["B35 a bare LF", "HTTP/1.1 200 OK\nX: 1", "HTTP_BARE_LF 400"],
    ["B35 an empty line before it", "\r\nHTTP/1.1 200 OK", "HTTP_START_LINE 400"],
    ["B35 a request", "GET / HTTP/1.1", "HTTP_START_LINE 400"],
  ])("%s", (_, line, error) => {
    expect(readResponse(`${line}\r\n\r\n`)).toEqual({ messages: [], error, rest: "" });
  });
});
