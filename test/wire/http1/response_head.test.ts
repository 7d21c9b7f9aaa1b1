import { describe, expect, test } from "vitest";
import { onlyMessage, readResponse, responseHead } from "./support.ts";

describe("the head of a response", () => {
  test("B4 is given raw", () => {
    const fields =
      "Set-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n";
    expect(responseHead(`HTTP/1.1 404 Not \xe9 Found\r\n${fields}\r\nno`)).toEqual({
      kind: "response",
      version: "1.1",
      status: 404,
      reason: "Not \xe9 Found",
      fields,
      framing: { kind: "length", length: 2 },
      keepAlive: true,
      hops: [53, 77, 77, 100],
      lengthAt: 34,
      codingAt: -1,
      upgrade: undefined,
    });
  });

  test.each([
    ["HTTP/1.1 200 OK", 200, "OK"],
    ["HTTP/1.1 200 ", 200, ""],
    ["HTTP/1.1 200", 200, ""],
    ["HTTP/1.1 200  two  spaces ", 200, " two  spaces "],
    ["HTTP/1.0 999 Odd", 999, "Odd"],
    ["HTTP/1.2 200 OK", 200, "OK"],
  ])("takes %j", (line, status, reason) => {
    expect(responseHead(`${line}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({ status, reason });
  });

  test("may have no fields at all", () => {
    expect(responseHead("HTTP/1.1 204 No Content\r\n\r\n")).toMatchObject({
      fields: "",
      framing: { kind: "none" },
      keepAlive: true,
    });
  });

  test("a Host or Proxy-Authenticate of a response means nothing to the codec", () => {
    expect(responseHead("HTTP/1.1 204 x\r\nHost: a b\r\nHost: c\r\nProxy-Authenticate: Basic\r\n\r\n").hops).toEqual(
      [],
    );
  });
});

describe("the body of a response", () => {
  const NEXT = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const bodies = (input: string, asks?: string[]) =>
    readResponse(input, asks && { asks }).messages.map(({ body }) => body);

  test.each([
    ["204", "Content-Length: 5"],
    ["204", "Transfer-Encoding: chunked"],
    ["304", "Content-Length: 5"],
    ["304", "Transfer-Encoding: chunked"],
    ["304", "X: no framing at all"],
    ["100", "Content-Length: 5"],
    ["103", "Link: </a>; rel=preload"],
  ])("B7 B11 is none with %s, whatever the headers say: %s", (status, field) => {
    expect(bodies(`HTTP/1.1 ${status} X\r\n${field}\r\n\r\n${NEXT}`)).toEqual(["", "ok"]);
  });

  test("B6 is none for HEAD, whatever the headers say", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect(bodies(head + NEXT, ["HEAD", "GET"])).toEqual(["", "ok"]);
    expect(responseHead("HTTP/1.1 200 OK\r\n\r\n", { asks: ["HEAD"] }).keepAlive).toBe(true);
    expect(responseHead(head, { asks: ["HEAD"] })).toMatchObject({ framing: { kind: "none" }, lengthAt: 0 });
  });

  test("B10 B11 interim responses leave the request unanswered", () => {
    const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    const { messages, rest } = readResponse(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${NEXT}`, {
      asks: ["HEAD", "GET"],
    });
    expect(messages.map(({ head, body }) => [head.kind === "response" && head.status, body])).toEqual([
      [100, ""],
      [103, ""],
      [200, ""],
      [200, "ok"],
    ]);
    expect(rest).toBe("");
  });

  test("B8 B13 ends with the connection when nothing else says so", () => {
    for (const version of ["1.0", "1.1"]) {
      const input = `HTTP/${version} 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`;
      const message = onlyMessage(readResponse(input, { closes: true }));
      expect(message.body).toBe("HTTP/1.1 200 OK\r\n\r\n");
      expect(message.head).toMatchObject({ framing: { kind: "close" }, keepAlive: false });
    }
    expect(onlyMessage(readResponse("HTTP/1.1 200 OK\r\n\r\n", { closes: true })).body).toBe("");
  });

  test("B13 HTTP/1.0 with a length may keep the connection", () => {
    expect(responseHead("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").keepAlive).toBe(true);
    expect(responseHead("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keepAlive).toBe(false);
  });

  test("B37 is none for a 2xx to CONNECT, and HTTP is over", () => {
    const { messages, rest } = readResponse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03\x01", {
      asks: ["CONNECT"],
      closes: true,
    });
    expect(messages.map(({ body, trailers }) => [body, trailers])).toEqual([["", ""]]);
    expect(rest).toBe("\x16\x03\x01");
  });

  test("B82 is there for a refused CONNECT, and HTTP goes on", () => {
    const refused = "HTTP/1.1 407 Auth\r\nContent-Length: 4\r\n\r\nauth";
    expect(bodies(refused + NEXT, ["CONNECT", "GET"])).toEqual(["auth", "ok"]);
  });

  test("B65 is none for 101, and HTTP is over", () => {
    const { messages, rest } = readResponse(
      "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00",
      { asks: ["GET"], closes: true },
    );
    expect(messages.map(({ head, trailers }) => [head.upgrade, trailers])).toEqual([["websocket", ""]]);
    expect(rest).toBe("\x81\x00");
  });
});
