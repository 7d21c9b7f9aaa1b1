import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import * as out from "../../../src/wire/http1/serializer.ts";
import { requestHead } from "./support.ts";

const head = (fields: string, body = "") => requestHead(`POST / HTTP/1.1\r\n${fields}\r\n${body}`);

describe("start lines and chunks", () => {
  test("are what the RFC writes", () => {
    expect(out.requestLine("GET", "/a")).toBe("GET /a HTTP/1.1\r\n");
    expect(out.requestLine("GET", "/a", "1.0")).toBe("GET /a HTTP/1.0\r\n");
    expect(out.statusLine(404, "Not Found")).toBe("HTTP/1.1 404 Not Found\r\n");
    expect(out.statusLine(200, "", "1.0")).toBe("HTTP/1.0 200 \r\n");
    expect(out.fieldLine("X", "1")).toBe("X: 1\r\n");
    expect(out.chunkHead(255)).toBe("ff\r\n");
    expect(out.lastChunk()).toBe("0\r\n\r\n");
    expect(out.lastChunk("X: 1\r\n")).toBe("0\r\nX: 1\r\n\r\n");
  });
});

describe("raw fields", () => {
  test("B12 lose their hop-by-hop lines and nothing else", () => {
    const some = head("Connection: x, close\r\nHost: a\r\nX: 1\r\nKeep-Alive: 5\r\nY:2\r\nTE: gzip\r\n");
    expect(out.withoutHops(some)).toBe("Host: a\r\nY:2\r\n");
    const none = head("Host: a\r\n");
    expect(out.withoutHops(none)).toBe(none.fields);
    expect(out.withoutHops(head("Connection: close\r\n"))).toBe("");
  });

  test("lose their framing as well when a body changes", () => {
    const fields = "Connection: close\r\nHost: a\r\nContent-Length: 2\r\nX: 1\r\nKeep-Alive: 5\r\n";
    expect(out.withoutFraming(head(fields, "ab"))).toBe("Host: a\r\nX: 1\r\n");
    expect(out.withoutFraming(head("Host: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n", "0\r\n\r\n")))
      .toBe("Host: a\r\n");
    expect(out.withoutFraming(head("Host: a\r\nConnection: close\r\n"))).toBe("Host: a\r\n");
  });

  test("lose the names they are asked to lose", () => {
    const fields = "A: 1\r\nb: 2\r\nB:3\r\nC: B: 4\r\n";
    expect(out.stripFields(fields, new Set(["b"]))).toBe("A: 1\r\nC: B: 4\r\n");
    expect(out.stripFields(fields, new Set(["a", "b", "c"]))).toBe("");
    expect(out.stripFields(fields, new Set(["x"]))).toBe(fields);
    expect(out.stripFields("", new Set(["x"]))).toBe("");
  });

  test("get a field in the place of those of that name, or at the end", () => {
    expect(out.setField("A: 1\r\nb: 2\r\nC: 3\r\nB:4\r\n", "B", "5")).toBe("A: 1\r\nB: 5\r\nC: 3\r\n");
    expect(out.setField("A: 1\r\n", "B", "2")).toBe("A: 1\r\nB: 2\r\n");
    expect(out.setField("", "B", "2")).toBe("B: 2\r\n");
  });
});

test("joinBytes makes one buffer of latin1 strings and bytes", () => {
  expect(out.joinBytes([]).length).toBe(0);
  expect([...out.joinBytes(["a\xe9\xff", new Uint8Array([0, 200]), "", Buffer.from("z")])]).toEqual([
    97,
    233,
    255,
    0,
    200,
    122,
  ]);
  expect(out.joinBytes(["x".repeat(10000), Buffer.alloc(10000, "y")]).toString()).toBe(
    "x".repeat(10000) + "y".repeat(10000),
  );
});

describe("checks against splitting", () => {
  test.each([["X-Ok", ""], ["x", "a\tb caf\xe9"], ["!#$%&'*+-.^_`|~1", "~"]])(
    "field %j: %j may be sent",
    (name, value) => {
      expect(() => out.checkField(name, value)).not.toThrow();
    },
  );

  test.each([
    ["", "1", "token"],
    ["X Y", "1", "token"],
    ["X:", "1", "token"],
    ["X\r\nY", "1", "token"],
    ["X\n", "1", "token"],
    ["X\u0130", "1", "token"],
    ["X", "1\r\nY: 2", "cannot be sent"],
    ["X", "1\n", "cannot be sent"],
    ["X", "1\r", "cannot be sent"],
    ["X", "\0", "cannot be sent"],
    ["X", "\x7f", "cannot be sent"],
    ["X", "\u010d\u010a", "cannot be sent"],
  ])("field %j: %j may not", (name, value, why) => {
    expect(() => out.checkField(name, value)).toThrow(why);
  });

  test("start lines are checked as well", () => {
    expect(() => out.checkRequestLine("GET", "/a?b")).not.toThrow();
    expect(() => out.checkRequestLine("GE T", "/")).toThrow("token");
    for (const target of ["", "/a b", "/a\r\n", "/a#b", "/\u0120"]) {
      expect(() => out.checkRequestLine("GET", target)).toThrow("percent-encode");
    }
    expect(() => out.checkStatusLine(200, "OK caf\xe9")).not.toThrow();
    for (const status of [99, 100, 199, 1000, 200.5, NaN]) {
      expect(() => out.checkStatusLine(status, "")).toThrow("integer");
    }
    expect(() => out.checkStatusLine(200, "OK\r\nX: 1")).toThrow("reason");
  });
});
