// HPACK without I/O: the examples of RFC 7541, what it refuses, and everything that nghttp2 writes.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { FieldDecoder } from "../../../src/wire/http2/hpack/decoder.ts";
import { encodeFields } from "../../../src/wire/http2/hpack/encoder.ts";
import { decodeHuffman } from "../../../src/wire/http2/hpack/huffman.ts";
import { Http2Error } from "../../../src/wire/http2/http2_error.ts";
import { STATIC_TABLE } from "../../../src/wire/http2/hpack/static_table.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("the examples of RFC 7541 appendix C", () => {
  const requests = [
    [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"],
    [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com", "cache-control", "no-cache"],
    [
      ":method",
      "GET",
      ":scheme",
      "https",
      ":path",
      "/index.html",
      ":authority",
      "www.example.com",
      "custom-key",
      "custom-value",
    ],
  ];
  test.each([
    ["C.3 without Huffman", [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ]],
    ["C.4 with Huffman", [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]],
  ])("%s", (_, sections) => {
    const decoder = new FieldDecoder(10_000);
    expect(sections.map((it) => decoder.decode(hex(it)))).toEqual(requests);
  });

  test("C.6.1: a response with Huffman codes", () => {
    const section =
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
    expect(new FieldDecoder(10_000).decode(hex(section))).toEqual(
      [":status", "302", "cache-control", "private", "date", "Mon, 21 Oct 2013 20:13:21 GMT"].concat(
        ["location", "https://www.example.com"],
      ),
    );
  });
});

test("the static table has 61 entries", () => {
  expect(STATIC_TABLE.length).toBe(61);
  expect([STATIC_TABLE[0], STATIC_TABLE[15], STATIC_TABLE[60]]).toEqual(
    [[":authority", ""], ["accept-encoding", "gzip, deflate"], ["www-authenticate", ""]],
  );
});

describe("what is written", () => {
  test("can be read again, whatever it is", () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const raw = [
      ":method",
      "GET",
      ":path",
      "/",
      ":status",
      "404",
      "x-all",
      all,
      "x-long",
      "y".repeat(40_000),
      "x-empty",
      "",
    ];
    expect(new FieldDecoder(100_000).decode(encodeFields(raw, true))).toEqual(raw);
  });

  test("is never to be indexed, and says first that it needs no table", () => {
    const [first, ...rest] = encodeFields(["authorization", "secret", ":method", "GET"], true);
    expect(first).toBe(0x20);
    expect(rest[0]! & 0xf0).toBe(0x10);
    expect(rest.at(-1)).toBe(0x82);
  });
});

describe("the dynamic table", () => {
  const literal = (name: string, value: string) =>
    Buffer.concat([
      Buffer.from([0x40, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);

  test("gives up its oldest entries", () => {
    const decoder = new FieldDecoder(1_000_000);
    const value = "v".repeat(100);
    for (let i = 0; i < 40; i++) decoder.decode(literal(`n${String(i).padStart(2, "0")}`, value));
    // An entry takes 3 + 100 + 32 bytes: 30 fit into 4096.
    expect(decoder.decode(Buffer.from([0x80 | 62]))).toEqual(["n39", value]);
    expect(decoder.decode(Buffer.from([0x80 | 91]))).toEqual(["n10", value]);
    expect(() => decoder.decode(Buffer.from([0x80 | 92]))).toThrow(Http2Error);
  });

  test("is emptied by an update to 0, and by an entry that is too large for it", () => {
    const decoder = new FieldDecoder(1_000_000);
    decoder.decode(literal("a", "1"));
    decoder.decode(Buffer.concat([Buffer.from([0x20]), literal("b", "2")]));
    expect(() => decoder.decode(Buffer.from([0xbe]))).toThrow("no table has an entry 62");
  });
});

describe("what cannot be read", () => {
  test.each([
    ["an index of 0", "80"],
    ["an index beyond the tables", "be"],
    ["an update that is too large", "3fe2 1f"],
    ["an update behind a field", "8220"],
    ["a field that ends early", "4003 61"],
    ["an integer without end", "ffff ffff ffff ffff ffff ffff"],
    ["an integer that is too large", "ffff ffff ff7f"],
    ["Huffman: padding of more than seven bits", "4081 ff00"],
    ["Huffman: padding with zeros", "4081 0000"],
    ["Huffman: the end symbol", "4084 ffff ffff 00"],
  ])("%s", (_, section) => {
    expect(() => new FieldDecoder(10_000).decode(hex(section))).toThrow(
      expect.objectContaining({ code: "COMPRESSION_ERROR", stream: 0 }),
    );
  });

  test("a section over the limit is none, and the next one can be read", () => {
    const decoder = new FieldDecoder(200);
    // One byte stands for a field of many: 100 times.
    const bomb = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from("a"),
      Buffer.from([50]),
      Buffer.alloc(50, "v"),
      Buffer.alloc(100, 0xbe),
    ]);
    expect(decoder.decode(bomb)).toBeUndefined();
    expect(decoder.decode(Buffer.from([0xbe]))).toEqual(["a", "v".repeat(50)]);
  });
});

test("Huffman: every octet", () => {
  // The codes of appendix B, as the canonical code of its lengths has them; a few of each length.
  const codes: [number, string][] = [
    [0, "1111111111000"],
    [1, "11111111111111111011000"],
    [10, "111111111111111111111111111100"],
    [32, "010100"],
    [48, "00000"],
    [92, "1111111111111110000"],
    [97, "00011"],
    [127, "1111111111111111111111111100"],
    [128, "11111111111111100110"],
    [199, "1111111111111111111101100"],
    [203, "111111111111111111111011110"],
    [249, "1111111111111111111111111110"],
    [255, "11111111111111111111101110"],
  ];
  for (const [octet, bits] of codes) {
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
    const bytes = Uint8Array.from(padded.match(/.{8}/g)!, (it) => parseInt(it, 2));
    expect(decodeHuffman(bytes, 0, bytes.length)).toBe(String.fromCharCode(octet));
  }
});
