/** B76-B78: SOCKS 4, 4a, 5 without sockets: what is answered to which bytes, however they are split. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { SocksRequest } from "../../../src/wire/inbound/socks/destination.ts";
import {
  SocksError,
  SocksHandshake,
  type SocksHandshakeOptions,
  socksRefusalFor,
} from "../../../src/wire/inbound/socks/mod.ts";

interface Outcome {
  written: string;
  request?: SocksRequest;
  rest?: string;
  code?: string;
  message?: string;
  reply?: string;
}

/** Feeds a handshake in pieces, and says what came of it. */
function feed(pieces: Uint8Array[], options?: SocksHandshakeOptions): Outcome {
  const handshake = new SocksHandshake(options);
  const written: Uint8Array[] = [];
  const hex = () => Buffer.concat(written).toString("hex");
  let request: SocksRequest | undefined;
  for (const piece of pieces) {
    handshake.push(piece);
    try {
      for (let step = handshake.next(); step !== undefined; step = handshake.next()) {
        if (step.type === "write") written.push(step.bytes);
        else request = step.value;
      }
    } catch (error) {
      if (!(error instanceof SocksError)) throw error;
      expect(() => handshake.next()).toThrow(error);
      return { written: hex(), code: error.code, message: error.message, reply: error.reply.toString("hex") };
    }
  }
  return request === undefined
    ? { written: hex() }
    : { written: hex(), request, rest: handshake.rest().toString("latin1") };
}

/** In one piece, in two pieces at every place, and byte by byte: always the same. */
function feedEveryWay(bytes: Uint8Array, options?: SocksHandshakeOptions): Outcome {
  const whole = feed([bytes], options);
  for (let at = 1; at < bytes.length; at++) {
    expect(feed([bytes.subarray(0, at), bytes.subarray(at)], options)).toEqual(whole);
  }
  expect(feed(Array.from(bytes, (it) => Uint8Array.of(it)), options)).toEqual(whole);
  return whole;
}

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];
const named = (name: string, port = 443): number[] => [5, 1, 0, 3, name.length, ...ascii(name), port >> 8, port & 255];
const password = (name: string, word: string): number[] => {
  const [a, b] = [Buffer.from(name), Buffer.from(word)];
  return [1, a.length, ...a, b.length, ...b];
};
const OK4 = "005a000000000000";
const NO4 = "005b000000000000";
const reply5 = (code: number): string => `050${code}0001000000000000`;

describe("SOCKS 4 and 4a", () => {
  test.each<[string, number[], SocksRequest]>([
    ["an address", [4, 1, 0, 80, 127, 0, 0, 1, 0], { hostname: "127.0.0.1", port: 80 }],
    ["a user", [4, 1, 1, 187, 10, 0, 0, 255, ...ascii("ann"), 0], {
      hostname: "10.0.0.255",
      port: 443,
      username: "ann",
    }],
    ["4a: a name", [4, 1, 0xff, 0xff, 0, 0, 0, 1, 0, ...ascii("Shop.Test"), 0], { hostname: "shop.test", port: 65535 }],
    ["4a: a user and a name", [4, 1, 0, 80, 0, 0, 0, 255, ...ascii("ann"), 0, ...ascii("a.test"), 0], {
      hostname: "a.test",
      port: 80,
      username: "ann",
    }],
    ["4a: an address of IPv6", [4, 1, 0, 80, 0, 0, 0, 1, 0, ...ascii("::1"), 0], { hostname: "[::1]", port: 80 }],
    ["0.0.0.0 is an address, not 4a", [4, 1, 0, 80, 0, 0, 0, 0, 0], { hostname: "0.0.0.0", port: 80 }],
  ])("%s", (_, bytes, request) => {
    expect(feedEveryWay(Uint8Array.from(bytes))).toEqual({ written: "", request, rest: "" });
    expect(feedEveryWay(Uint8Array.from([...bytes, ...ascii("early\0")])).rest).toBe("early\0");
  });

  test.each<[string, number[], string, RegExp]>([
    ["BIND", [4, 2, 0, 80, 1, 2, 3, 4, 0], "SOCKS_COMMAND", /command 2 of SOCKS 4/],
    ["port 0", [4, 1, 0, 0, 1, 2, 3, 4, 0], "SOCKS_ADDRESS", /port 0/],
    ["an empty name", [4, 1, 0, 80, 0, 0, 0, 1, 0, 0], "SOCKS_ADDRESS", /host name/],
    ["a name with a space", [4, 1, 0, 80, 0, 0, 0, 1, 0, ...ascii("a b"), 0], "SOCKS_ADDRESS", /host name/],
  ])("refused: %s", (_, bytes, code, message) => {
    const outcome = feedEveryWay(Uint8Array.from(bytes));
    expect(outcome).toMatchObject({ written: "", code, reply: NO4 });
    expect(outcome.message).toMatch(message);
  });

  test.each([
    ["user", [4, 1, 0, 80, 1, 2, 3, 4]],
    ["host name", [4, 1, 0, 80, 0, 0, 0, 1, 0]],
  ])("a %s without an end is not kept for ever", (what, start) => {
    const outcome = feed([Uint8Array.from(start), new Uint8Array(255).fill(97), Uint8Array.of(97)]);
    expect(outcome).toMatchObject({ code: "SOCKS_MALFORMED", reply: NO4 });
    expect(outcome.message).toContain(what);
  });

  test("B77: refused where a password is asked for", () => {
    const auth = { username: "ann", password: "secret" };
    const outcome = feedEveryWay(Uint8Array.from([4, 1, 0, 80, 1, 2, 3, 4, ...ascii("ann"), 0]), { auth });
    expect(outcome).toMatchObject({ code: "SOCKS_AUTH", reply: NO4 });
    expect(outcome.message).toContain("socks5h://");
  });
});

describe("SOCKS 5", () => {
  const open = [5, 1, 0];
  test.each<[string, number[], SocksRequest]>([
    ["IPv4", [5, 1, 0, 1, 192, 168, 0, 1, 0, 80], { hostname: "192.168.0.1", port: 80 }],
    ["a name", named("Shop.Test"), { hostname: "shop.test", port: 443 }],
    ["a name with _", named("my_service.internal", 8080), { hostname: "my_service.internal", port: 8080 }],
    ["a name of 255 bytes", named("a".repeat(255)), { hostname: "a".repeat(255), port: 443 }],
    ["IPv4 as a name", named("127.0.0.1"), { hostname: "127.0.0.1", port: 443 }],
    ["IPv6 as a name", named("2001:DB8:0:0::1"), { hostname: "[2001:db8::1]", port: 443 }],
    ["IPv6 as a name in brackets", named("[::1]"), { hostname: "[::1]", port: 443 }],
    ["IPv6", [5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1, 1, 187], {
      hostname: "[2001:db8::1]",
      port: 443,
    }],
    ["IPv4 in IPv6", [5, 1, 0, 4, ...new Array(10).fill(0), 255, 255, 127, 0, 0, 1, 0, 80], {
      hostname: "[::ffff:7f00:1]",
      port: 80,
    }],
  ])("%s", (_, bytes, request) => {
    const outcome = feedEveryWay(Uint8Array.from([...open, ...bytes, ...ascii("\x16early")]));
    expect(outcome).toEqual({ written: "0500", request, rest: "\x16early" });
  });

  test.each<[string, number[], string, string, string, RegExp]>([
    ["no method", [5, 0], "", "SOCKS_METHOD", "05ff", /methods none/],
    ["GSSAPI alone", [5, 1, 1], "", "SOCKS_METHOD", "05ff", /methods 1:/],
    ["BIND", [...open, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80], "0500", "SOCKS_COMMAND", reply5(7), /asked for BIND/],
    ["UDP", [...open, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0], "0500", "SOCKS_COMMAND", reply5(7), /asked for UDP ASSOCIATE/],
    ["another command", [...open, 5, 9, 0, 1, 1, 2, 3, 4, 0, 80], "0500", "SOCKS_COMMAND", reply5(7), /command 9/],
    ["an unknown address", [...open, 5, 1, 0, 2, 0], "0500", "SOCKS_ADDRESS", reply5(8), /type 2/],
    ["an empty name", [...open, ...named("")], "0500", "SOCKS_ADDRESS", reply5(1), /host name/],
    ["a URL as a name", [...open, ...named("http://a.test/")], "0500", "SOCKS_ADDRESS", reply5(1), /host name/],
    ["a port in a name", [...open, ...named("a.test:80")], "0500", "SOCKS_ADDRESS", reply5(1), /host name/],
    ["a line break in a name", [...open, ...named("a\r\nb")], "0500", "SOCKS_ADDRESS", reply5(1), /host name/],
    ["a name that is not ASCII", [...open, ...named("caf\xe9")], "0500", "SOCKS_ADDRESS", reply5(1), /host name/],
    ["port 0", [...open, ...named("a.test", 0)], "0500", "SOCKS_ADDRESS", reply5(1), /port 0/],
    ["another version", [...open, 4, 1, 0, 80], "0500", "SOCKS_MALFORMED", reply5(1), /with 4 instead/],
    ["SOCKS 6", [6, 1, 0], "", "SOCKS_VERSION", "", /SOCKS 6/],
  ])("refused: %s", (_, bytes, written, code, reply, message) => {
    const outcome = feedEveryWay(Uint8Array.from(bytes));
    expect(outcome).toMatchObject({ written, code, reply });
    expect(outcome.message).toMatch(message);
  });
});

describe("B77: SOCKS 5 with a name and password", () => {
  const auth = { username: "ann", password: "pässword" };
  const request = { hostname: "a.test", port: 443, username: "ann" };

  test("the right ones", () => {
    const bytes = Uint8Array.from([5, 2, 0, 2, ...password("ann", "pässword"), ...named("a.test")]);
    expect(feedEveryWay(bytes, { auth })).toEqual({ written: "05020100", request, rest: "" });
  });

  test.each([
    ["a wrong password", "ann", "passwort"],
    ["a wrong name", "bob", "pässword"],
    ["the beginning of the password", "ann", "p"],
    ["none", "", ""],
  ])("%s", (_, name, word) => {
    const outcome = feedEveryWay(Uint8Array.from([5, 1, 2, ...password(name, word), ...named("a.test")]), { auth });
    expect(outcome).toMatchObject({ written: "0502", code: "SOCKS_AUTH", reply: "0101" });
    expect(outcome.message).not.toContain("pässword");
    if (word !== "") expect(outcome.message).not.toContain(` ${word} `);
  });

  test("a client that offers none", () => {
    const outcome = feedEveryWay(Uint8Array.of(5, 2, 0, 1), { auth });
    expect(outcome).toMatchObject({ written: "", code: "SOCKS_AUTH", reply: "05ff" });
    expect(outcome.message).toContain("0, 1");
  });

  test("another version of it", () => {
    const outcome = feedEveryWay(Uint8Array.of(5, 1, 2, 5, 3), { auth });
    expect(outcome).toMatchObject({ written: "0502", code: "SOCKS_MALFORMED", reply: "0101" });
  });

  test("where none is asked for, any will do, and the name is told", () => {
    const bytes = Uint8Array.from([5, 1, 2, ...password("ann", ""), ...named("a.test")]);
    expect(feedEveryWay(bytes)).toEqual({ written: "05020100", request, rest: "" });
  });

  test("where none is asked for and none is possible, none is used", () => {
    expect(feedEveryWay(Uint8Array.from([5, 3, 2, 1, 0, ...named("a.test")])).written).toBe("0500");
  });
});

test("replies to a request", () => {
  const four = new SocksHandshake();
  four.push(Uint8Array.of(4));
  four.next();
  expect(four.granted().toString("hex")).toBe(OK4);
  expect(four.refused("connectionRefused").toString("hex")).toBe(NO4);
  const five = new SocksHandshake();
  five.push(Uint8Array.of(5));
  five.next();
  expect(five.granted().toString("hex")).toBe(reply5(0));
  expect(five.refused("general").toString("hex")).toBe(reply5(1));
  expect(five.refused(socksRefusalFor("UPSTREAM_REFUSED")).toString("hex")).toBe(reply5(5));
  expect(five.refused(socksRefusalFor("DROPPED")).toString("hex")).toBe(reply5(2));
  expect(five.refused(socksRefusalFor("MY_OWN_CODE")).toString("hex")).toBe(reply5(1));
});

test("no bytes make it throw anything else than a SocksError", () => {
  let seed = 1;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  const good = Uint8Array.from([5, 2, 0, 2, ...password("ann", "b"), ...named("a.test")]);
  for (let round = 0; round < 3000; round++) {
    const bytes = Uint8Array.from(good);
    for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    feed([bytes.subarray(0, random(bytes.length + 1))]);
  }
});
