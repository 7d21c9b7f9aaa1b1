import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import zlib from "node:zlib";
import { deflate, Inflater } from "../../../src/wire/websocket/deflate.ts";
import { WebSocketError } from "../../../src/wire/websocket/websocket_error.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const FULL = { windowBits: 15, takeover: true };

test("the examples of RFC 7692 7.2.3", () => {
  const inflate = (text: string) => new Inflater(FULL, 1000).inflate(hex(text)).toString();
  expect(inflate("f2 48 cd c9 c9 07 00")).toBe("Hello");
  // A block with no compression, and one with BFINAL set.
  expect(inflate("00 05 00 fa ff 48 65 6c 6c 6f 00")).toBe("Hello");
  expect(inflate("f3 48 cd c9 c9 07 00 00")).toBe("Hello");
  // Two blocks, and an empty message.
  expect(inflate("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")).toBe("Hello");
  expect(inflate("00")).toBe("");
});

test("a message may refer to the one before it only where contexts are taken over", () => {
  const shared = new Inflater(FULL, 1000);
  expect(shared.inflate(hex("f2 48 cd c9 c9 07 00")).toString()).toBe("Hello");
  expect(shared.inflate(hex("f2 00 11 00 00")).toString()).toBe("Hello");
  const alone = new Inflater({ windowBits: 15, takeover: false }, 1000);
  expect(alone.inflate(hex("f2 48 cd c9 c9 07 00")).toString()).toBe("Hello");
  expect(() => alone.inflate(hex("f2 00 11 00 00"))).toThrow(WebSocketError);
});

test.each([9, 10, 12, 15])(
  "follows a stream of zlib with %i bits of window through many messages",
  async (windowBits) => {
    const stream = zlib.createDeflateRaw({ windowBits });
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    const inflater = new Inflater({ windowBits, takeover: true }, 1_000_000);
    for (let i = 0; i < 60; i++) {
      const size = [0, 1, 30, 700, 5000, 40_000, 100_000][i % 7]!;
      const message = Buffer.from(
        Array.from({ length: size }, (_, k) => "the quick brown fox".charCodeAt((k * k + i) % 19)),
      );
      stream.write(message);
      await new Promise<void>((resolve) => stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
      const sent = Buffer.concat(parts.splice(0));
      // zlib may have nothing to flush: then a message is one empty block (RFC 7692 7.2.3.6).
      const payload = sent.length === 0 ? hex("00") : sent.subarray(0, -4);
      expect(inflater.inflate(payload).equals(message)).toBe(true);
    }
    stream.close();
  },
);

test("what is deflated can be inflated, and stands for itself", () => {
  for (const windowBits of [9, 11, 15]) {
    for (const size of [0, 1, 1000, 100_000]) {
      const data = Buffer.alloc(size, "abcdefghij");
      expect(new Inflater(FULL, 1e6).inflate(deflate(data, windowBits)).equals(data)).toBe(true);
    }
  }
  expect(deflate(Buffer.alloc(0), 15).toString("hex")).toBe("00");
});

test.each<[string, Buffer, string]>([
  ["a bomb", deflate(Buffer.alloc(1 << 24), 15), "WS_TOO_LARGE"],
  ["one byte too many", deflate(Buffer.alloc(1001), 15), "WS_TOO_LARGE"],
  ["what is not deflated", hex("ff ff ff ff"), "WS_DEFLATE"],
])("%s is refused", (_, payload, code) => {
  try {
    new Inflater(FULL, 1000).inflate(payload);
  } catch (error) {
    expect(error).toMatchObject({ code });
    return;
  }
  throw new Error("it was not");
});
