/** B82: what is said to a proxy and understood of it, without sockets, however the bytes are split. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { HttpConnectHandshake } from "../../../src/wire/outbound/proxy/http_connect.ts";
import { ProxyRefusal } from "../../../src/wire/outbound/proxy/proxy_refusal.ts";
import type { Handshake } from "../../../src/wire/outbound/proxy/run_handshake.ts";
import { Socks4Handshake } from "../../../src/wire/outbound/proxy/socks4_client.ts";
import { Socks5Handshake } from "../../../src/wire/outbound/proxy/socks5_client.ts";

interface Outcome {
  written: string[];
  done: boolean;
  rest?: string;
  code?: string;
  message?: string;
}

function feed(handshake: Handshake<unknown>, pieces: Uint8Array[]): Outcome {
  const written: string[] = [];
  let done = false;
  try {
    for (const piece of [undefined, ...pieces]) {
      if (piece !== undefined) handshake.push(piece);
      for (
        let step = done ? undefined : handshake.next();
        step !== undefined && !done;
        step = done ? undefined : handshake.next()
      ) {
        if (step.type === "write") written.push(Buffer.from(step.bytes).toString("hex"));
        else done = true;
      }
    }
  } catch (error) {
    if (!(error instanceof ProxyRefusal)) throw error;
    return { written, done, code: error.code, message: error.message };
  }
  return { written, done, rest: Buffer.from(handshake.rest()).toString("latin1") };
}

function feedEveryWay(make: () => Handshake<unknown>, bytes: Uint8Array): Outcome {
  const whole = feed(make(), [bytes]);
  for (let at = 1; at < bytes.length; at++) {
    expect(feed(make(), [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  }
  expect(feed(make(), Array.from(bytes, (it) => Uint8Array.of(it)))).toEqual(whole);
  return whole;
}

const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const target = { hostname: "a.test", port: 443 };

describe("HTTP CONNECT", () => {
  const connect = (authorization?: string) => () => new HttpConnectHandshake(target, authorization);

  test("the request", () => {
    const request = (hostname: string, authorization?: string) => {
      const step = new HttpConnectHandshake({ hostname, port: 443 }, authorization).next();
      return step?.type === "write" ? Buffer.from(step.bytes).toString("latin1") : "";
    };
    expect(request("a.test")).toBe("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    expect(request("::1")).toBe("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
    expect(request("[::1]", "Basic eA==")).toBe(
      "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic eA==\r\n\r\n",
    );
  });

  test.each([
    ["200", "HTTP/1.1 200 Connection established\r\n\r\n"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n"],
    ["any 2xx", "HTTP/1.1 299 Fine\r\nX: y\r\n\r\n"],
    [
      "interim responses before it",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
    // RFC 9110 section 9.3.6: a client must ignore these in a 2xx answer to CONNECT.
    ["a Content-Length that means nothing", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["a Transfer-Encoding that means nothing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"],
  ])("opened: %s", (_, answer) => {
    expect(feedEveryWay(connect(), Buffer.from(answer))).toMatchObject({ done: true, rest: "" });
    expect(feed(connect()(), [Buffer.from(`${answer}220 mail`)])).toMatchObject({ done: true, rest: "220 mail" });
  });

  test.each<[string, string, string, RegExp]>([
    [
      "403",
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
      "NEXT_PROXY_REFUSED",
      /^answered 403 Forbidden, which/,
    ],
    ["502 without a reason", "HTTP/1.1 502 \r\n\r\n", "NEXT_PROXY_REFUSED", /^answered 502, /],
    ["a redirect", "HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n", "NEXT_PROXY_REFUSED", /302 Found/],
    ["101", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "NEXT_PROXY_REFUSED", /101/],
    [
      "407",
      "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
      "NEXT_PROXY_AUTH",
      /put them into its URL/,
    ],
    [
      "407 to a password",
      "HTTP/1.1 407 Who\r\nProxy-Authenticate: basic\r\n\r\n",
      "NEXT_PROXY_AUTH",
      /not accept/,
    ],
    ["407 without a challenge", "HTTP/1.1 407 Who\r\n\r\n", "NEXT_PROXY_AUTH", /put them into its URL/],
    [
      "407 with others",
      "HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n",
      "NEXT_PROXY_AUTH",
      /Negotiate or NTLM, but/,
    ],
    [
      "not HTTP",
      "220 mail.test ESMTP\r\n\r\n",
      "NEXT_PROXY_ANSWER",
      /does not answer in HTTP: its first byte is 0x32$/,
    ],
    ["HTTP/2", "HTTP/2 200\r\n\r\n", "NEXT_PROXY_ANSWER", /does not answer in HTTP/],
    ["a malformed field", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "NEXT_PROXY_ANSWER", /HTTP/],
    ["TLS", "\x15\x03\x01\x00\x02\x02\x46", "NEXT_PROXY_ANSWER", /sounds like TLS: use https:/],
    ["SOCKS", "\x05\xff\r\n\r\n", "NEXT_PROXY_ANSWER", /sounds like SOCKS/],
    ["a head without an end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(12_000)}`, "NEXT_PROXY_ANSWER", /HTTP/],
  ])("refused: %s", (name, answer, code, message) => {
    const bytes = Buffer.from(answer, "latin1");
    const make = connect(name.includes("to a password") ? "Basic eDp5" : undefined);
    const outcome = name.endsWith("without an end") ? feed(make(), [bytes]) : feedEveryWay(make, bytes);
    expect(outcome).toMatchObject({ done: false, code });
    expect(outcome.message).toMatch(message);
    expect(outcome.message).not.toContain("eDp5");
  });
});

describe("SOCKS 5", () => {
  const credentials = { username: "ann", password: "pä" };
  const ask = "05010003" + "06" + hex("a.test") + "01bb";
  const socks = (given?: typeof credentials) => () => new Socks5Handshake(target, given);

  test.each([
    ["without authentication", undefined, "0500", ["050100", ask]],
    ["with a password that is not asked for", credentials, "0500", ["05020002", ask]],
    ["with a password", credentials, "0502" + "0100", ["05020002", "0103616e6e0370c3a4", ask]],
    ["with a password, and a wrong version", credentials, "0502" + "0500", ["05020002", "0103616e6e0370c3a4", ask]],
  ])("%s", (_, given, start, written) => {
    for (const bound of ["01" + "00000000", "04" + "0".repeat(32), "03" + "06" + hex("b.test"), "03" + "00"]) {
      const answer = Buffer.from(`${start}050000${bound}1234${hex("220")}`, "hex");
      // With the answers at hand before they were asked for, the writes come all the same.
      expect(feedEveryWay(socks(given), answer)).toEqual({ written, done: true, rest: "220" });
    }
  });

  test.each([
    ["10.0.0.255", "01" + "0a0000ff"],
    ["::1", "04" + "0".repeat(31) + "1"],
    ["[2001:db8::ff]", "04" + "20010db8" + "0".repeat(22) + "ff"],
    ["::ffff:1.2.3.4", "04" + "0".repeat(20) + "ffff01020304"],
    ["my_host", "03" + "07" + hex("my_host")],
  ])("asks for %s", (hostname, address) => {
    const handshake = new Socks5Handshake({ hostname, port: 80 });
    expect(feed(handshake, [Buffer.from("0500", "hex")]).written[1]).toBe(`050100${address}0050`);
  });

  test.each<[string, string, string, RegExp]>([
    ["no method, no password", "05ff", "NEXT_PROXY_AUTH", /put a name and a password into its URL/],
    ["no method, with a password", "05ff", "NEXT_PROXY_AUTH", /no other way/],
    ["a method that was not offered", "0502", "NEXT_PROXY_ANSWER", /method 2/],
    ["a wrong password", "05020101", "NEXT_PROXY_AUTH", /not accept the name and password/],
    ["HTTP", hex("HTTP/1.1 400 Bad"), "NEXT_PROXY_ANSWER", /0x48. It sounds like HTTP: use http:/],
    ["SOCKS 4", "005b000000000000", "NEXT_PROXY_ANSWER", /0x00/],
    ["HTTP for an answer", "0500" + hex("HTTP"), "NEXT_PROXY_ANSWER", /sounds like HTTP/],
    ["an address of no type", "0500" + "0500000200000000", "NEXT_PROXY_ANSWER", /type 2/],
    ["reply 1", "0500" + "05010001000000000000", "NEXT_PROXY_REFUSED", /general failure \(reply 1\)/],
    ["reply 2", "0500" + "05020001000000000000", "NEXT_PROXY_REFUSED", /rules/],
    ["reply 4", "0500" + "05040001000000000000", "UPSTREAM_UNREACHABLE", /host/],
    ["reply 5", "0500" + "05050001000000000000", "UPSTREAM_REFUSED", /refused/],
    ["reply 99", "0500" + "05630001000000000000", "NEXT_PROXY_REFUSED", /unknown reason \(reply 99\)/],
  ])("refused: %s", (name, answer, code, message) => {
    const given = /with a password|wrong password/.test(name) ? credentials : undefined;
    const outcome = feedEveryWay(socks(given), Buffer.from(answer, "hex"));
    expect(outcome).toMatchObject({ done: false, code });
    expect(outcome.message).toMatch(message);
    expect(outcome.message).not.toContain("pä");
  });

  test("a name that is too long", () => {
    const handshake = new Socks5Handshake({ hostname: "a".repeat(256), port: 80 });
    expect(feed(handshake, [Buffer.from("0500", "hex")]).message).toMatch(/255 bytes/);
  });
});

describe("SOCKS 4 and 4a", () => {
  test.each([
    ["10.0.0.1", "", "040101bb" + "0a000001" + "00"],
    ["10.0.0.1", "ann", "040101bb" + "0a000001" + hex("ann") + "00"],
    ["a.test", "", "040101bb" + "00000001" + "00" + hex("a.test") + "00"],
    ["a.test", "ann", "040101bb" + "00000001" + hex("ann") + "00" + hex("a.test") + "00"],
  ])("asks for %s as %j", (hostname, username, written) => {
    for (const version of ["00", "04"]) {
      const answer = Buffer.from(`${version}5a123401020304${hex("220")}`, "hex");
      const outcome = feedEveryWay(() => new Socks4Handshake({ hostname, port: 443 }, username), answer);
      expect(outcome).toEqual({ written: [written], done: true, rest: "220" });
    }
  });

  test.each([
    ["rejected", "005b000000000000", "NEXT_PROXY_REFUSED", /rejected or failed \(reply 91\)/],
    ["no identd", "005c000000000000", "NEXT_PROXY_AUTH", /identd/],
    ["another identd", "005d000000000000", "NEXT_PROXY_AUTH", /identd/],
    ["something else", "0001000000000000", "NEXT_PROXY_REFUSED", /reply 1/],
    ["HTTP", hex("HTTP/1.1"), "NEXT_PROXY_ANSWER", /sounds like HTTP/],
    ["SOCKS 5", "05ff", "NEXT_PROXY_ANSWER", /sounds like SOCKS/],
  ])("refused: %s", (_, answer, code, message) => {
    const outcome = feedEveryWay(() => new Socks4Handshake(target), Buffer.from(answer, "hex"));
    expect(outcome).toMatchObject({ done: false, code });
    expect(outcome.message).toMatch(message);
  });

  test("IPv6 is not possible", () => {
    expect(feed(new Socks4Handshake({ hostname: "[::1]", port: 80 }), []).message).toMatch(/IPv6: use socks5/);
  });
});
