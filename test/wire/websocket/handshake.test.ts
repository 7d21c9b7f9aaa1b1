import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { FlowHeaders } from "../../../src/flow/headers.ts";
import { negotiate, parseExtensions, supportedOffer } from "../../../src/wire/websocket/extensions.ts";
import {
  acceptFor,
  asksForWebSocket,
  checkNegotiation,
  checkSwitch,
  newKey,
  subprotocols,
  upgradeFields,
} from "../../../src/wire/websocket/handshake.ts";
import { HandshakeError } from "../../../src/wire/websocket/websocket_error.ts";
import { requestHead } from "../http1/support.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const FULL = { windowBits: 15, takeover: true };

test("the key of RFC 6455 1.3 has its answer, and a new one is 16 bytes", () => {
  expect(acceptFor(KEY)).toBe(ACCEPT);
  expect(Buffer.from(newKey(), "base64").length).toBe(16);
});

test.each([
  ["GET", "websocket", true],
  ["GET", "WebSocket", true],
  ["GET", "h2c, websocket", true],
  ["POST", "websocket", false],
  ["GET", "websockets", false],
  ["GET", undefined, false],
])("%s with Upgrade %s asks for one: %s", (method, upgrade, asks) => {
  expect(asksForWebSocket(method, upgrade)).toBe(asks);
});

describe("a 101", () => {
  const request = FlowHeaders.from({
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Protocol": ["chat, superchat", "more"],
    "Sec-WebSocket-Extensions": "permessage-deflate",
  });
  const right = { Upgrade: "websocket", Connection: "keep-alive, Upgrade", "Sec-WebSocket-Accept": ACCEPT };
  const check = (fields: Record<string, string | undefined>) => checkSwitch(request, FlowHeaders.from(fields));

  test("is accepted", () => {
    expect(check(right)).toBe(undefined);
    expect(check({ ...right, "Sec-WebSocket-Protocol": "superchat" })).toBe(undefined);
    expect(check({ ...right, "Sec-WebSocket-Extensions": "permessage-deflate" })).toEqual({
      client: FULL,
      server: FULL,
    });
  });

  test.each<[string, Record<string, string | undefined>]>([
    ["another Accept", { "Sec-WebSocket-Accept": ACCEPT.toLowerCase() }],
    ["no Accept", { "Sec-WebSocket-Accept": undefined }],
    ["another Upgrade", { Upgrade: "h2c" }],
    ["no Upgrade in Connection", { Connection: "keep-alive" }],
    ["a subprotocol that was not offered", { "Sec-WebSocket-Protocol": "Chat" }],
    ["two subprotocols", { "Sec-WebSocket-Protocol": "chat, superchat" }],
    ["an extension that was not offered", { "Sec-WebSocket-Extensions": "x-other" }],
  ])("with %s is refused", (_, fields) => {
    expect(() => check({ ...right, ...fields })).toThrow(HandshakeError);
  });

  test("of an extended CONNECT has neither Upgrade nor Accept", () => {
    expect(checkNegotiation(request, FlowHeaders.from({ "sec-websocket-protocol": "more" }))).toBe(undefined);
  });

  test("subprotocols are listed in order", () => {
    expect(subprotocols(request)).toEqual(["chat", "superchat", "more"]);
  });
});

test.each<[string, unknown]>([
  ["", []],
  ["a", [{ name: "a", params: [] }]],
  ['a; b; c=1, d;e = "2"', [
    { name: "a", params: [["b", true], ["c", "1"]] },
    { name: "d", params: [["e", "2"]] },
  ]],
  [", a ,, b ,", [{ name: "a", params: [] }, { name: "b", params: [] }]],
  ["a;", undefined],
  ["a b", undefined],
  ["a=1", undefined],
  ["a; b=", undefined],
  ['a; b="x y"', undefined],
  ['a; b="x,y"', undefined],
  ['a; b="x', undefined],
  ['a; b=""', undefined],
])("the extensions %j", (value, expected) => expect(parseExtensions([value])).toEqual(expected));

test.each([
  ["permessage-deflate", "permessage-deflate"],
  ["permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"],
  ["x-webkit-deflate-frame", undefined],
  [
    "x-a, permessage-deflate;server_max_window_bits=10, permessage-deflate",
    "permessage-deflate;server_max_window_bits=10, permessage-deflate",
  ],
  ["", undefined],
  ["permessage-deflate; =", undefined],
])("the offer %j is passed on as %j", (value, expected) => expect(supportedOffer([value])).toBe(expected));

describe("permessage-deflate", () => {
  const offer = ["permessage-deflate; client_max_window_bits"];
  test.each([
    ["permessage-deflate", FULL, FULL],
    ["permessage-deflate; client_no_context_takeover", { ...FULL, takeover: false }, FULL],
    ["permessage-deflate; server_no_context_takeover", FULL, { ...FULL, takeover: false }],
    ['permessage-deflate; server_max_window_bits=8; client_max_window_bits="12"', { windowBits: 12, takeover: true }, {
      windowBits: 8,
      takeover: true,
    }],
  ])("%s", (answer, client, server) => expect(negotiate(offer, [answer])).toEqual({ client, server }));

  test.each([
    "permessage-deflate, permessage-deflate",
    "permessage-deflate; unknown",
    "permessage-deflate; client_no_context_takeover=1",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=08",
    "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
    "permessage-deflate;",
    "x-webkit-deflate-frame",
  ])("is refused: %s", (answer) => expect(() => negotiate(offer, [answer])).toThrow(HandshakeError));

  test("is refused when it was not offered", () => {
    expect(() => negotiate([], ["permessage-deflate"])).toThrow(HandshakeError);
    expect(negotiate(offer, [])).toBe(undefined);
  });
});

test("Connection and Upgrade stay where they stood; what else concerns one connection goes", () => {
  const pass = (...lines: string[]) =>
    upgradeFields(requestHead(`GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)).trimEnd().split("\r\n");
  expect(pass("Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")).toEqual([
    "Host: a",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
  ]);
  expect(
    pass(
      "X-Hop: 1",
      "Host: a",
      "Proxy-Authorization: Basic eA==",
      "upgrade: WebSocket",
      "connection: keep-alive, X-Hop, upgrade",
      "Keep-Alive: 5",
      "Sec-WebSocket-Key: k",
      "Connection: x-two",
      "X-Two: 2",
    ),
  ).toEqual(["Host: a", "upgrade: WebSocket", "connection: Upgrade", "Sec-WebSocket-Key: k"]);
});
