import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { BINARY, PING, TEXT } from "../../../src/wire/websocket/frame.ts";
import { FrameWriter } from "../../../src/wire/websocket/frame_writer.ts";
import { readFrames, show } from "./support.ts";

const PLAIN = { opcode: TEXT, compressed: false } as const;

test("the unmasked examples of RFC 6455 5.7", () => {
  const writer = new FrameWriter("client");
  expect(writer.frames(PLAIN, Buffer.from("Hello")).toString("hex")).toBe("810548656c6c6f");
  expect(writer.frames(PLAIN, Buffer.from("Hello"), [3, 2]).toString("hex")).toBe("010348656c80026c6f");
  expect(writer.control(PING, Buffer.from("Hello")).toString("hex")).toBe("890548656c6c6f");
  expect(writer.frames({ opcode: BINARY, compressed: false }, Buffer.alloc(256)).toString("hex", 0, 4)).toBe(
    "827e0100",
  );
  expect(writer.frames({ opcode: BINARY, compressed: false }, Buffer.alloc(65536)).toString("hex", 0, 10)).toBe(
    "827f0000000000010000",
  );
});

test.each(["client", "server"] as const)("every length can be read again by a %s", (to) => {
  const writer = new FrameWriter(to);
  for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536, 65537]) {
    const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 31) & 255));
    const [seen, ...more] = readFrames(writer.frames(PLAIN, payload));
    expect(more).toEqual([]);
    expect({ ...seen, payload: seen!.payload.equals(payload) }).toEqual({
      fin: true,
      rsv: 0,
      opcode: 1,
      masked: to === "server",
      payload: true,
    });
  }
});

test("a message is divided as it was, and may go on", () => {
  const writer = new FrameWriter("server");
  const payload = Buffer.from("abcdef");
  const seen = (...args: Parameters<FrameWriter["frames"]>) => readFrames(writer.frames(...args)).map(show);
  expect(seen({ opcode: TEXT, compressed: true }, payload, [0, 2, 0, 4])).toEqual([
    'text*+ ""',
    'more+ "ab"',
    'more+ ""',
    'more "cdef"',
  ]);
  expect(seen(PLAIN, payload, [3, 3], "continued")).toEqual(['text+ "abc"', 'more+ "def"']);
});

test.each(["client", "server"] as const)("a frame to the %s may be written in pieces", (to) => {
  const writer = new FrameWriter(to);
  const payload = Buffer.from("The quick brown fox");
  const parts = [writer.begin({ fin: false, compressed: true, opcode: TEXT, length: payload.length })];
  for (const end of [1, 3, 4, 12, 19]) {
    expect(writer.inFrame).toBe(true);
    parts.push(
      Buffer.from(writer.payload(payload.subarray(parts.slice(1).reduce((sum, it) => sum + it.length, 0), end))),
    );
  }
  expect(writer.inFrame).toBe(false);
  expect(readFrames(Buffer.concat(parts)).map(show)).toEqual(['text*+ "The quick brown fox"']);
});

test("every frame has a key of its own", () => {
  const writer = new FrameWriter("server");
  const keys = new Set<string>();
  // More than the pool of keys holds.
  for (let i = 0; i < 3000; i++) keys.add(writer.frames(PLAIN, Buffer.alloc(0)).toString("hex", 2, 6));
  expect(keys.size).toBeGreaterThan(2990);
});
