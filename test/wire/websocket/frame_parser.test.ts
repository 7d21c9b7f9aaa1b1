import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { Side } from "../../../src/flow/websocket.ts";
import { FrameParser, type FrameParserOptions } from "../../../src/wire/websocket/frame_parser.ts";
import { every, frame, frames, type FrameSpec, parse } from "./support.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const A256 = "ab".repeat(128);
const A64K = "abcdefgh".repeat(8192);

/** Reads the bytes whole and byte by byte, long ones in pieces. */
function read(from: Side, bytes: Uint8Array, options?: FrameParserOptions): string[] {
  const whole = parse(from, [bytes], options);
  expect(parse(from, every(bytes.length < 2000 ? 1 : 999)(bytes), options)).toEqual(whole);
  return whole;
}

describe("the examples of RFC 6455 5.7", () => {
  test.each<[string, Side, Buffer, string[]]>([
    ["an unmasked text", "server", hex("81 05 48 65 6c 6c 6f"), ['text "Hello"']],
    ["a masked text", "client", hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), ['text "Hello"']],
    ["a text in two frames", "server", hex("01 03 48 65 6c 80 02 6c 6f"), ['text+ "Hel"', 'more "lo"']],
    ["a ping", "server", hex("89 05 48 65 6c 6c 6f"), ['ping "Hello"']],
    ["its masked pong", "client", hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), ['pong "Hello"']],
    ["256 bytes", "server", Buffer.concat([hex("82 7e 01 00"), Buffer.from(A256)]), ["binary (256)"]],
    ["64 KiB", "server", Buffer.concat([hex("82 7f 00 00 00 00 00 01 00 00"), Buffer.from(A64K)]), ["binary (65536)"]],
  ])("%s", (_, from, bytes, expected) => expect(read(from, bytes)).toEqual(expected));
});

test.each<[number]>([[0], [1], [2], [3], [4], [5], [6], [7], [8], [125], [126], [127], [65535], [65536]])(
  "the masked payload of %i bytes is clear, whatever its pieces",
  (length) => {
    const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 7) & 255));
    const bytes = frame("client", { opcode: "binary", payload });
    for (const size of [bytes.length, 1, 3, 1000]) {
      const parser = new FrameParser("client");
      const got: Buffer[] = [];
      for (const piece of every(size)(bytes)) {
        parser.push(piece);
        for (let event = parser.next(); event; event = parser.next()) if (event.type === "data") got.push(event.data);
      }
      expect(Buffer.concat(got).equals(payload)).toBe(true);
    }
  },
);

describe("refused", () => {
  const refusals: [string, Side, FrameSpec[], string][] = [
    ["an unmasked frame of a client", "client", [{ opcode: "text", masked: false }], "WS_MASK 1002"],
    ["a masked frame of a server", "server", [{ opcode: "text", masked: true }], "WS_MASK 1002"],
    ["an unmasked close of a client", "client", [{ opcode: "close", masked: false }], "WS_MASK 1002"],
    ["RSV1 without compression", "client", [{ opcode: "text", rsv: 4 }], "WS_RESERVED 1002"],
    ["RSV2", "client", [{ opcode: "text", rsv: 2 }], "WS_RESERVED 1002"],
    ["RSV3", "server", [{ opcode: "binary", rsv: 1 }], "WS_RESERVED 1002"],
    ["RSV1 of a ping", "server", [{ opcode: "ping", rsv: 4 }], "WS_RESERVED 1002"],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Side, FrameSpec[], string] => [
      `opcode ${opcode}`,
      "client",
      [{ opcode }],
      "WS_OPCODE 1002",
    ]),
    ["a fragmented ping", "client", [{ opcode: "ping", fin: false }], "WS_CONTROL 1002"],
    ["a fragmented close", "server", [{ opcode: "close", fin: false }], "WS_CONTROL 1002"],
    ["a ping of 126 bytes", "client", [{ opcode: "ping", payload: "x".repeat(126) }], "WS_CONTROL 1002"],
    ["a short close with a long length", "server", [{ opcode: "close", form: 16 }], "WS_CONTROL 1002"],
    ["5 bytes in 16 bits", "client", [{ opcode: "text", payload: "Hello", form: 16 }], "WS_LENGTH 1002"],
    ["125 bytes in 64 bits", "server", [{ opcode: "text", payload: "x".repeat(125), form: 64 }], "WS_LENGTH 1002"],
    ["256 bytes in 64 bits", "server", [{ opcode: "text", payload: A256, form: 64 }], "WS_LENGTH 1002"],
    ["a continuation of nothing", "client", [{ opcode: "more" }], "WS_FRAGMENT 1002"],
    ["a last continuation of nothing", "client", [{ opcode: "more", fin: false }], "WS_FRAGMENT 1002"],
  ];
  test.each(refusals)("%s", (_, from, specs, code) => {
    expect(read(from, frames(from, ...specs))).toEqual([code]);
    // After frames that are right, and whatever follows it.
    const before: FrameSpec[] = [{ opcode: "text", payload: "ok" }, { opcode: "ping" }];
    const bytes = frames(from, ...before, ...specs, { opcode: "text", payload: "never" });
    expect(read(from, bytes)).toEqual(['text "ok"', 'ping ""', code]);
  });

  test("a message within another", () => {
    const bytes = frames("client", { opcode: "text", fin: false }, { opcode: "text" });
    expect(read("client", bytes)).toEqual(['text+ ""', "WS_FRAGMENT 1002"]);
  });

  test("a continuation after the end", () => {
    const bytes = frames("client", { opcode: "text", fin: false }, { opcode: "more" }, { opcode: "more" });
    expect(read("client", bytes)).toEqual(['text+ ""', 'more ""', "WS_FRAGMENT 1002"]);
  });

  test("RSV1 of a continuation, also with compression", () => {
    const bytes = frames("client", { opcode: "text", rsv: 4, fin: false }, { opcode: "more", rsv: 4 });
    expect(read("client", bytes, { deflate: true })).toEqual(['text*+ ""', "WS_RESERVED 1002"]);
  });

  test.each([
    ["the first bit set", "82 7f 80 00 00 00 00 00 00 01", "WS_LENGTH 1002"],
    ["more than 2^53", "82 7f 00 20 00 00 00 00 00 00", "WS_TOO_LARGE 1009"],
    ["all bits set", "82 7f ff ff ff ff ff ff ff ff", "WS_LENGTH 1002"],
  ])("a 64-bit length with %s", (_, bytes, code) => expect(read("server", hex(bytes))).toEqual([code]));

  test("a frame over the limit", () => {
    const bytes = frame("server", { opcode: "binary", payload: "x".repeat(1001) });
    expect(read("server", bytes, { frameBytes: 1000 })).toEqual(["WS_TOO_LARGE 1009"]);
    expect(read("server", bytes, { frameBytes: 1001 })).toEqual(["binary (1001)"]);
  });
});

test("control frames come between the frames of a message", () => {
  const bytes = frames(
    "client",
    { opcode: "text", payload: "a", fin: false },
    { opcode: "ping", payload: "p" },
    { opcode: "more", fin: false },
    { opcode: "pong", payload: "x".repeat(125) },
    { opcode: "more", payload: "b" },
  );
  expect(read("client", bytes)).toEqual(['text+ "a"', 'ping "p"', 'more+ ""', "pong (125)", 'more "b"']);
});

test("nothing is read after a close frame", () => {
  const parser = new FrameParser("server");
  parser.push(frames("server", { opcode: "close", payload: Buffer.from([3, 232]) }, { opcode: 15 }));
  expect(parser.next()?.type).toBe("control");
  parser.push(frame("server", { opcode: 15 }));
  expect([parser.next(), parser.buffered]).toEqual([undefined, 0]);
});

test("RSV1 is told of with compression", () => {
  expect(read("server", frame("server", { opcode: "text", rsv: 4, payload: "x" }), { deflate: true })).toEqual([
    'text* "x"',
  ]);
});

test("what was pushed is not written over", () => {
  const bytes = frame("client", { opcode: "text", payload: "Hello" });
  const before = Buffer.from(bytes);
  parse("client", [bytes]);
  expect(bytes.equals(before)).toBe(true);
});

test("a huge frame is reported as it arrives, without being held", () => {
  const parser = new FrameParser("server");
  parser.push(hex("82 7f 00 00 00 ff ff ff ff ff"));
  expect(parser.next()).toEqual({
    type: "head",
    head: { fin: true, compressed: false, opcode: 2, length: 0xffffffffff },
  });
  for (let i = 0; i < 10; i++) {
    parser.push(Buffer.alloc(1000));
    expect(parser.next()).toEqual({ type: "data", data: Buffer.alloc(1000), final: false });
    expect([parser.next(), parser.buffered]).toEqual([undefined, 0]);
  }
});
