import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { Utf8Validator } from "../../../src/wire/websocket/utf8.ts";
import { randomFrom } from "../http1/support.ts";

/** How many bytes are taken before it says no, or "incomplete", or "ok". */
function check(bytes: Uint8Array): number | string {
  const validator = new Utf8Validator();
  for (const [at, byte] of bytes.entries()) if (!validator.push(Uint8Array.of(byte))) return at;
  return validator.complete ? "ok" : "incomplete";
}

test.each<[string, number | string]>([
  ["", "ok"],
  ["48 65 6c 6c 6f", "ok"],
  ["ce ba e1 bd b9 cf 83 ce bc ce b5", "ok"],
  ["c2 80", "ok"],
  ["e0 a0 80", "ok"],
  ["ed 9f bf", "ok"],
  ["ee 80 80", "ok"],
  ["ef bf bf", "ok"],
  ["f0 90 80 80", "ok"],
  ["f4 8f bf bf", "ok"],
  ["ce", "incomplete"],
  ["f0 90 80", "incomplete"],
  ["80", 0],
  ["c0 80", 0],
  ["c1 bf", 0],
  ["e0 9f bf", 1],
  ["ed a0 80", 1],
  ["f0 8f bf bf", 1],
  ["f4 90 80 80", 1],
  ["f5 80 80 80", 0],
  ["ff", 0],
  ["c2 41", 1],
  ["e2 82 41", 2],
  // Autobahn 6.4.1: right up to a surrogate.
  ["ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64", 12],
])("%s", (hex, expected) => expect(check(Buffer.from(hex.replaceAll(" ", ""), "hex"))).toBe(expected));

test("says what TextDecoder says, however the bytes are split", () => {
  const random = randomFrom(3);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parts = ["a", "\u00e9", "\u20ac", "\ud83d\ude00", "\u07ff", "\uffff"];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: 1 + random() * 6 }, () => parts[Math.floor(random() * parts.length)]).join("");
    const bytes = Buffer.from(text);
    if (random() < 0.7) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    let valid = true;
    try {
      decoder.decode(bytes);
    } catch {
      valid = false;
    }
    const validator = new Utf8Validator();
    const at = Math.floor(random() * bytes.length);
    const said = validator.push(bytes.subarray(0, at)) && validator.push(bytes.subarray(at)) && validator.complete;
    if (said !== valid) expect([bytes.toString("hex"), said]).toEqual([bytes.toString("hex"), valid]);
  }
});
