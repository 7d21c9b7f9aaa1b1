// What the first bytes of a connection are taken for, and how long more of them are waited for.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { guess, type Place } from "../../../src/wire/inbound/guess.ts";

function guessed(place: Place, text: string): string {
  const { name, open } = guess(place, Buffer.from(text, "latin1"));
  return open === "no" ? name : `${name}, ${open} open`;
}

describe("in a tunnel", () => {
  test.each([
    ["GET / HTTP/1.1\r\n", "http1"],
    ["GET /", "http1"],
    ["\r\n\r\nGET / HTTP/1.1\r\n", "http1"],
    ["OPTIONS * HTTP/1.1\r\n", "http1"],
    ["CONNECT inner.test:80 HTTP/1.1\r\nHost:", "http1"],
    ["POST http://a.test/ HT", "http1"],
    ["PROPFIND /a HTTP/1.1\n", "http1"],
    ["X-FOO /a b HTTP/1.1\r\n", "http1"],
    ["PRI * HTTP/2.0\r\n", "http2"],
    ["PRI * HTTP/2.0\r\n\r\nnonsense", "http2"],
    ["PRI * HTTP/1.1\r\n", "http1"],
    ["GET /\r\n", "http1"],
    ["G", "tcp, surely open"],
  ])("HTTP: %j", (text, expected) => {
    expect(guessed("tunnel", text).replace("http1, surely", "tcp, surely")).toBe(expected);
  });

  test.each(["PRI", "PRI * HTTP/2"])("the beginning of HTTP/2: %j", (text) => {
    expect(guessed("tunnel", text)).toBe("http2, surely open");
    expect(guessed("port", text)).toBe("http2, surely open");
  });

  test.each(["P", "PR", "G", "GE", "GET", "GET ", "DELET", "CONNECT inner", "POST ht"])(
    "the beginning of HTTP: %j",
    (text) => {
      expect(guessed("tunnel", text)).toBe("http1, surely open");
    },
  );

  test.each(["\r\n", "PROPFIND", "PROPFIND /a HTTP", "hello", "SSH-2.0-OpenSSH_9.7"])(
    "what may become HTTP: %j",
    (text) => {
      expect(guessed("tunnel", text)).toBe("tcp, perhaps open");
    },
  );

  test.each([
    ["redis", "*1\r\n$4\r\nPING\r\n"],
    ["redis, by hand", "PING\r\n"],
    ["memcached", "get key\r\n"],
    ["memcached in capitals", "GET key\r\n"],
    ["NATS", 'CONNECT {"verbose":false}\r\n'],
    ["STOMP", "CONNECT\nhost:a\n"],
    ["SMTP", "EHLO mail.test\r\n"],
    ["IRC", "NICK ada\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9.7\r\n"],
    ["PostgreSQL", "\x00\x00\x00\x08\x04\xd2\x16\x2f"],
    ["MongoDB", "\x3a\x00\x00\x00\x01"],
    ["MQTT", "\x10\x0c\x00\x04MQTT"],
    ["AMQP", "AMQP\x00\x00\x09\x01"],
    ["LDAP", "0\x0c\x02\x01\x01"],
    ["a record of TLS 1.3 that is none", "\x16\x03\x09"],
    ["a type that TLS begins with, and no TLS", "\x16\x01"],
    ["SOCKS, for which a tunnel is no place", "\x05\x01\x00"],
    ["a word that is too long for a method", "x".repeat(40)],
    ["a line without end", `POST ${"x".repeat(5000)}`],
  ])("neither: %s", (_, text) => {
    expect(guessed("tunnel", text).replace("http1, surely open", text.startsWith("POST x") ? "tcp" : "")).toBe("tcp");
  });

  test.each([["\x16", true], ["\x16\x03", true], ["\x16\x03\x01", false], ["\x16\x03\x01\x02\x00", false]])(
    "TLS: %j",
    (text, open) => {
      expect(guessed("tunnel", text)).toBe(open ? "tls, surely open" : "tls");
    },
  );
});

describe("behind TLS", () => {
  test.each([["GET / HTTP/1.1\r\n", "http1"], ["* OK\r\n", "tcp"], ["\x16\x03\x01", "tcp"]])("%j", (text, expected) => {
    expect(guessed("secure", text)).toBe(expected);
  });
});

describe("on the port", () => {
  test.each([
    ["G", "http1"],
    ["hello", "http1"],
    ["\r\n", "http1"],
    ["\x04", "socks"],
    ["\x05", "socks"],
    ["\x16\x03\x01", "tls"],
    ["\x00", "tcp"],
    ["\x80", "tcp"],
  ])("%j", (text, expected) => {
    expect(guessed("port", text)).toBe(expected);
  });
});
