// Tokens in formats in which lengths stand in front of texts: these may be letters, and must stay true.
import { Buffer } from "node:buffer";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { flowOf } from "../tapes.ts";
import { bodySigner } from "../../../src/tape/match/body_signature.ts";
import { createRedactor } from "../../../src/tape/redact/redactor.ts";
import { grpcText, messagesOf, moveToMessages } from "../../../src/tape/streams/grpc.ts";
import { changeProtobuf, protobufText } from "../../../src/tape/streams/protobuf.ts";

const redactor = createRedactor();
const token = (length: number) => `ghp_${"a1B2c3D4e5F6".repeat(12).slice(0, length - 4)}`;
const text = (tag: number, value: Uint8Array | string) =>
  Buffer.concat([Buffer.of(tag * 8 + 2, Buffer.byteLength(value)), Buffer.from(value)]);
const grpc = (message: Uint8Array) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};
const lengths = Array.from({ length: 80 }, (_, i) => 40 + i);

describe("a token is overwritten whatever its length, and nothing beside it", () => {
  // Field 8 begins with the letter B.
  const message = (length: number) => Buffer.concat([text(1, token(length)), text(8, "next")]);

  test.each([
    ["application/grpc", (it: Buffer) => grpc(it)],
    ["application/x-protobuf", (it: Buffer) => it],
    ["application/connect+proto", (it: Buffer) => it],
  ])("%s", (type, wrap) => {
    for (const length of lengths) {
      const clean = redactor.body(wrap(message(length)), type);
      expect(Buffer.from(clean)).toEqual(wrap(Buffer.concat([text(1, "*".repeat(length)), text(8, "next")])));
    }
  });

  test("a format that is not known, with a byte for the length", () => {
    for (const length of lengths) {
      const body = Buffer.concat([Buffer.of(0, 1, length), Buffer.from(token(length)), Buffer.of(0)]);
      const clean = Buffer.from(redactor.body(body, "application/octet-stream")).toString("latin1");
      expect(clean).toBe(`\0\x01${String.fromCharCode(length)}${"*".repeat(length)}\0`);
    }
  });
});

describe.each([["gzip", gzipSync], ["deflate", deflateSync]])("gRPC messages with %s", (_, compress) => {
  const packed = (message: Uint8Array) => {
    const body = grpc(compress(message));
    body[0] = 1;
    return body;
  };
  const plain = text(1, "shoes ".repeat(10));
  const secret = text(1, token(60));
  const sign = (body: Uint8Array) =>
    bodySigner(undefined, redactor)(
      flowOf({ method: "POST", body, headers: { "content-type": "application/grpc" } }).request,
    );

  test("a token in one is overwritten, and that one is not compressed any more", () => {
    const body = Buffer.concat([packed(plain), packed(secret), packed(plain)]);
    const clean = redactor.body(body, "application/grpc");
    expect(Buffer.from(clean)).toEqual(Buffer.concat([packed(plain), grpc(text(1, "*".repeat(60))), packed(plain)]));
    expect(redactor.body(packed(plain), "application/grpc")).toEqual(packed(plain));
    // Each chunk still ends where its message does.
    const ends = (bytes: Uint8Array) => {
      let end = 0;
      return messagesOf(bytes).map(({ length }) => end += length);
    };
    expect(moveToMessages(body, clean, ends(body))).toEqual(ends(clean));
    const [one, two] = ends(body) as [number, number];
    expect(moveToMessages(body, clean, [3, one + 3, two])).toEqual([3, one + 3, ends(clean)[1]]);
  });

  test("are compared without it", () => {
    expect(sign(packed(plain))).toBe(sign(grpc(plain)));
    expect(sign(packed(plain))).not.toBe(sign(packed(text(1, "hats"))));
    expect(sign(packed(secret))).toBe(sign(packed(text(1, token(70)))));
  });

  test("what cannot be inflated, or is far too large, stays as it is", () => {
    const broken = packed(secret);
    broken.fill(7, 12);
    const bomb = packed(Buffer.alloc(17 * 1024 * 1024));
    for (const body of [broken, bomb]) expect(redactor.body(body, "application/grpc")).toEqual(body);
    // And what stands beside it is looked at.
    const clean = redactor.body(Buffer.concat([broken, packed(secret)]), "application/grpc");
    expect(Buffer.from(clean)).toEqual(Buffer.concat([broken, grpc(text(1, "*".repeat(60)))]));
  });
});

describe("protobuf", () => {
  const nested = text(1, Buffer.concat([text(1, "a".repeat(100)), text(2, "red")]));

  test("texts of other lengths: all lengths around them are those of the new ones", () => {
    for (const length of [0, 1, 127, 128, 300, 20_000]) {
      const changed = changeProtobuf(nested, (it) => it.startsWith("a") ? "g".repeat(length) : it);
      expect(protobufText(changed)).toBe(protobufText(nested)!.replace("a".repeat(100), "g".repeat(length)));
    }
    expect(changeProtobuf(nested, (it) => it)).toBe(nested);
  });

  test("what is none is left alone", () => {
    for (
      const bytes of [Buffer.from("hello"), Buffer.of(0), Buffer.of(0x0a, 5, 1), Buffer.of(0x0b), Buffer.alloc(50, 255)]
    ) {
      expect(protobufText(bytes)).toBeUndefined();
      expect(changeProtobuf(bytes, () => "x")).toBe(bytes);
    }
    // Very deep, and random.
    let deep: Buffer = text(1, "x");
    for (let i = 0; i < 60; i++) deep = text(1, deep.subarray(0, 120));
    protobufText(deep);
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(Array.from({ length: i % 40 }, (_, n) => (i * 7919 + n * 104729 + n * n * 31) % 256));
      const same = changeProtobuf(bytes, (it) => it);
      expect(same).toBe(bytes);
    }
  });

  test("compressed messages, and half ones, are no text", () => {
    const whole = grpc(nested);
    expect(grpcText(whole)).toBeDefined();
    expect(grpcText(whole.subarray(0, -1))).toBeUndefined();
    expect(grpcText(Buffer.concat([Buffer.of(1), whole.subarray(1)]))).toBeUndefined();
  });
});
