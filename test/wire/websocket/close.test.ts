import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { closePayload, readClose } from "../../../src/wire/websocket/close.ts";
import { WebSocketError } from "../../../src/wire/websocket/websocket_error.ts";

function read(payload: Buffer): unknown {
  try {
    return readClose(payload);
  } catch (error) {
    if (error instanceof WebSocketError) return `${error.code} ${error.closeCode}`;
    throw error;
  }
}

const ofCode = (code: number) => Buffer.from([code >> 8, code & 255]);

// The codes of Autobahn 7.7 and 7.9.
test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
  "%i may be sent",
  (code) => expect(read(ofCode(code))).toEqual({ code, reason: "" }),
);
test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])(
  "%i may not",
  (code) => expect(read(ofCode(code))).toBe("WS_CLOSE 1002"),
);

test.each<[string, Buffer, unknown]>([
  ["nothing", Buffer.alloc(0), { code: 1005, reason: "" }],
  ["half a code", Buffer.from([3]), "WS_CLOSE 1002"],
  ["a reason", Buffer.concat([ofCode(1000), Buffer.from("bye \u20ac")]), { code: 1000, reason: "bye \u20ac" }],
  ["a reason that is not UTF-8", Buffer.concat([ofCode(1000), Buffer.from([0xce])]), "WS_UTF8 1007"],
])("a close frame with %s", (_, payload, expected) => expect(read(payload)).toEqual(expected));

test("a payload can be read again", () => {
  expect(read(closePayload(4001, "why not"))).toEqual({ code: 4001, reason: "why not" });
  expect(closePayload(1005, "").length).toBe(0);
});

test("a reason that is too long is cut between two characters", () => {
  const payload = closePayload(1000, `x${"\u20ac".repeat(50)}`);
  expect(payload.length).toBe(2 + 1 + 40 * 3);
  expect(read(payload)).toEqual({ code: 1000, reason: `x${"\u20ac".repeat(40)}` });
  expect(closePayload(1000, "y".repeat(124)).length).toBe(125);
});
