// Handshakes that are nearly right, of clients and of next proxies, without sockets.
import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { SocksError, SocksHandshake } from "../../../src/wire/inbound/socks/mod.ts";
import { HttpConnectHandshake } from "../../../src/wire/outbound/proxy/http_connect.ts";
import { ProxyRefusal } from "../../../src/wire/outbound/proxy/proxy_refusal.ts";
import type { Handshake } from "../../../src/wire/outbound/proxy/run_handshake.ts";
import { Socks4Handshake } from "../../../src/wire/outbound/proxy/socks4_client.ts";
import { Socks5Handshake } from "../../../src/wire/outbound/proxy/socks5_client.ts";
import { mutateBytes } from "../../support/mutate_bytes.ts";
import { pieces, randomFrom } from "../http1/support.ts";

const ROUNDS = 3000;
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const latin1 = (text: string) => Buffer.from(text, "latin1");

/** What comes of a handshake: its steps, and how it ended. Other errors than refusals are thrown. */
function outcome(handshake: Handshake<unknown>, parts: Uint8Array[]): string {
  const said: string[] = [];
  try {
    const advance = () => {
      for (let step = handshake.next(); step !== undefined; step = handshake.next()) {
        if (step.type === "done") return true;
        said.push(Buffer.from(step.bytes).toString("hex"));
      }
      return false;
    };
    let over = advance();
    for (const part of parts) {
      if (over) break;
      handshake.push(part);
      over = advance();
    }
    said.push(over ? "done" : "more");
  } catch (error) {
    if (!(error instanceof SocksError) && !(error instanceof ProxyRefusal)) throw error;
    said.push(error.message);
  }
  return said.join(" ");
}

const credentials = { username: "u", password: "p" };
const target = { hostname: "shop.test", port: 80 };

const SIDES: [string, () => Handshake<unknown>, Buffer[]][] = [
  ["a client", () => new SocksHandshake(), [
    hex("050100 050100010a000001 0050 474554"),
    hex("050100 050100030873686f702e746573740050"),
    hex("050100 050100040000000000000000000000000000000 10050"),
    hex("0401 0050 00000001 61 00 73686f702e7465737400 47"),
    hex("0401 0050 7f000001 6100"),
  ]],
  ["a client with a password", () => new SocksHandshake({ auth: credentials }), [
    hex("05020002 0101750170 050100030873686f702e746573740050"),
    hex("0401 0050 7f000001 7500"),
  ]],
  ["a proxy of SOCKS 5", () => new Socks5Handshake(target), [hex("0500 05000001 01020304 ffff"), hex("05ff")]],
  ["a proxy of SOCKS 5 with a password", () => new Socks5Handshake(target, credentials), [
    hex("0502 0100 05000003 03616263 ffff"),
    hex("0502 0101"),
  ]],
  ["a proxy of SOCKS 4", () => new Socks4Handshake(target), [hex("005a ffff 00000000"), hex("005b 0000 00000000")]],
  ["a proxy of HTTP", () => new HttpConnectHandshake(target, undefined), [
    latin1("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nrest"),
    latin1("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nabc"),
  ]],
];

test.each(SIDES)(
  "B76 mutated bytes of %s: a tunnel or a refusal, the same however they are split",
  (_, make, seeds) => {
    const random = randomFrom(41);
    const kinds = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = mutateBytes(seeds[round % seeds.length]!, random);
      const whole = outcome(make(), [bytes]);
      const split = outcome(make(), pieces(bytes, () => 1 + Math.floor(random() * 4)));
      if (split !== whole) expect([split, bytes.toString("hex")]).toEqual([whole, ""]);
      kinds.add(whole);
    }
    expect(kinds.size).toBeGreaterThan(3);
  },
);
