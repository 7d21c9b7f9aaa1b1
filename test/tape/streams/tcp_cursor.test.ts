import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { ByteCursor, partsOf } from "../../../src/tape/streams/tcp_cursor.ts";

const cursor = (...said: string[]) =>
  new ByteCursor(partsOf(said.map((text) => ({ from: "client", text: false, data: Buffer.from(text) }))));

/** What a cursor says to pieces, and how far it got. */
function hear(it: ByteCursor, ...pieces: string[]): [heard: boolean[], at: number, done: boolean] {
  return [pieces.map((piece) => it.hear(Buffer.from(piece))), it.heard, it.done];
}

describe("bytes are compared as they come", () => {
  test.each([
    ["in one piece", ["abcdef"], [[true], 6, true]],
    ["byte for byte", [..."abcdef"], [[true, true, true, true, true, true], 6, true]],
    ["across what was cut in the recording", ["ab", "cde"], [[true, true], 5, false]],
    ["another byte", ["ab", "xd"], [[true, false], 2, false]],
    ["more than there was", ["abcdef", "g"], [[true, false], 6, true]],
  ])("%s", (_, pieces, expected) => {
    expect(hear(cursor("abc", "def"), ...pieces)).toEqual(expected);
  });
});

describe("in the place of a secret may be any", () => {
  test("up to what follows it, however it is cut", () => {
    for (const pieces of [["PASS hunter22\r\nQUIT\r\n"], [..."PASS hunter22\r\nQUIT\r\n"]]) {
      const it = cursor("PASS [redacted]\r\nQUIT\r\n");
      expect(pieces.every((piece) => it.hear(Buffer.from(piece)))).toBe(true);
      expect(it.done).toBe(true);
    }
  });

  test("with its length in front, also when it looks like what follows", () => {
    const it = cursor("AUTH\r\n$10\r\n[redacted]\r\n*1\r\n");
    expect(hear(it, "AUTH\r\n$4", "\r\na\r", "\nb\r\n", "*1\r\n")).toEqual([[true, true, true, true], 27, true]);
  });

  test("with a number in its name", () => {
    expect(hear(cursor("key=[redacted:token-1]&x=1\n"), "key=abc&x=1\n")).toEqual([[true], 27, true]);
  });

  test("at the very end it is what comes at once", () => {
    expect(hear(cursor("PASS [redacted]"), "PASS hunter22")).toEqual([[true], 15, true]);
  });

  test("no length where one should be", () => {
    expect(hear(cursor("AUTH\r\n$10\r\n[redacted]\r\n"), "AUTH\r\n", "not a length at all")[0]).toEqual([true, false]);
  });

  test("a client that never ends it is given up", () => {
    const it = cursor("PASS [redacted]\r\n");
    expect(it.hear(Buffer.from("PASS "))).toBe(true);
    expect(it.hear(Buffer.alloc(60_000, "x"))).toBe(true);
    expect(it.hear(Buffer.alloc(60_000, "x"))).toBe(false);
  });
});
