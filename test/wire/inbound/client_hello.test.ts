import { Buffer } from "node:buffer";
import { connect as connectPlain, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { acceptTls, openCa } from "../../../src/wire/ca/mod.ts";
import type { ClientHelloFields } from "../../../src/flow/client_hello.ts";
import { readClientHello } from "../../../src/wire/inbound/client_hello.ts";
import { peekClientHello } from "../../../src/wire/inbound/peek_client_hello.ts";
import { codeOf, nextText, withListener } from "../ca/helpers.ts";

const u8 = (value: number): Buffer => Buffer.of(value);
const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
const vector8 = (...parts: Uint8Array[]): Buffer => Buffer.concat([u8(Buffer.concat(parts).length), ...parts]);
const vector16 = (...parts: Uint8Array[]): Buffer => Buffer.concat([u16(Buffer.concat(parts).length), ...parts]);
const extension = (type: number, ...parts: Uint8Array[]): Buffer => Buffer.concat([u16(type), vector16(...parts)]);
const sni = (name: string): Buffer => extension(0, vector16(u8(0), vector16(Buffer.from(name, "latin1"))));

/** A handshake message with the given extensions (or with none at all). */
function message(extensions?: Uint8Array[], extra: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 1),
    vector8(Buffer.alloc(32, 2)),
    vector16(u16(0x1a1a, 0x1301, 0xc02b)),
    vector8(u8(0)),
    ...(extensions === undefined ? [] : [vector16(...extensions)]),
    extra,
  ]);
  return Buffer.concat([u8(1), u8(0), u16(body.length), body]);
}

/** Puts a message into records of `size` bytes. */
function records(bytes: Uint8Array, size = 16_384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push(Buffer.concat([u8(22), u16(0x0301), vector16(bytes.subarray(at, at + size))]));
  }
  return Buffer.concat(parts);
}

function read(bytes: Uint8Array): ClientHelloFields {
  const result = readClientHello(bytes);
  if (result.state !== "done") throw new Error(JSON.stringify(result));
  return result.hello;
}

const everything = message([
  extension(0x2a2a),
  sni("Shop.Example.TEST"),
  extension(16, vector16(vector8(Buffer.from("h2")), vector8(Buffer.from("http/1.1")))),
  extension(10, vector16(u16(0x11ec, 29, 23))),
  extension(11, vector8(u8(0))),
  extension(13, vector16(u16(0x0403, 0x0804))),
  extension(43, vector8(u16(0x0304, 0x0303))),
]);

describe("readClientHello", () => {
  const expected = {
    recordVersion: 0x0301,
    version: 0x0303,
    serverName: "shop.example.test",
    alpn: ["h2", "http/1.1"],
    cipherSuites: [0x1a1a, 0x1301, 0xc02b],
    extensions: [0x2a2a, 0, 16, 10, 11, 13, 43],
    supportedVersions: [0x0304, 0x0303],
    supportedGroups: [0x11ec, 29, 23],
    pointFormats: [0],
    signatureAlgorithms: [0x0403, 0x0804],
  };

  test.each([16_384, 100, 7, 1])("in records of %i bytes", (size) => {
    expect(read(records(everything, size))).toEqual(expected);
  });

  test.each([16_384, 50, 1])("every truncation is partial: records of %i bytes", (size) => {
    const whole = records(everything, size);
    for (let length = 0; length < whole.length; length++) {
      expect(readClientHello(whole.subarray(0, length)).state).toBe("partial");
    }
    expect(readClientHello(Buffer.concat([whole, Buffer.from("anything")])).state).toBe("done");
  });

  test("a client that sends no extensions", () => {
    expect(read(records(message()))).toEqual({
      recordVersion: 0x0301,
      version: 0x0303,
      alpn: [],
      cipherSuites: [0x1a1a, 0x1301, 0xc02b],
      extensions: [],
      supportedVersions: [],
      supportedGroups: [],
      pointFormats: [],
      signatureAlgorithms: [],
    });
  });

  test.each([
    ["shop.test", "shop.test"],
    ["shop.test.", "shop.test"],
    ["my_service", "my_service"],
    ["xn--bcher-kva.test", "xn--bcher-kva.test"],
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["", undefined],
    ["a b.test", undefined],
    ["a\0.test", undefined],
    ["a..test", undefined],
    ["*.test", undefined],
    [`${"a.".repeat(126)}t`, `${"a.".repeat(126)}t`],
    [`${"a.".repeat(126)}te`, undefined],
    ["caf\u00e9.test", undefined],
  ])("the server name %j is %j", (name, host) => {
    expect(read(records(message([sni(name)]))).serverName).toBe(host);
  });

  const short = (type: number, content: Uint8Array): Buffer => records(message([extension(type, content)]));
  test.each<[string, Buffer, RegExp]>([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n"), /record of type 71/],
    ["one byte of HTTP", Buffer.from("G"), /record of type 71/],
    ["an SSL 2 hello", Buffer.from("802b0100020012", "hex"), /record of type 128/],
    ["an alert", Buffer.from("15030100020100", "hex"), /record of type 21/],
    ["another protocol with 22 in front", Buffer.from("1605", "hex"), /version 5/],
    ["an empty record", Buffer.from("1603010000", "hex"), /record of 0 bytes/],
    ["a long record", Buffer.from("1603014001", "hex"), /record of 16385 bytes/],
    ["a ServerHello", records(Buffer.from("02", "hex")), /message of type 2/],
    ["a ServerHello, one byte a record", records(Buffer.from("02000001", "hex"), 1), /message of type 2/],
    ["a hello over 64 KiB", records(Buffer.from("01010001", "hex")), /65537 bytes/],
    ["an alert within the hello", Buffer.concat([records(everything.subarray(0, 50)), u8(21)]), /record of type 21/],
    ["an empty hello", records(Buffer.from("01000000", "hex")), /beyond the end/],
    ["bytes after the extensions", records(message([], u8(1))), /after the last/],
    ["an extension twice", records(message([sni("a.test"), sni("b.test")])), /extension 0 twice/],
    ["a name longer than its list", short(0, Buffer.from("0005000fff6161", "hex")), /beyond the end/],
    ["an empty SNI extension", short(0, Buffer.alloc(0)), /beyond the end/],
    ["ALPN cut short", short(16, Buffer.from("0003056832", "hex")), /beyond the end/],
    ["an odd number of bytes in the groups", short(10, Buffer.from("0003001d00", "hex")), /beyond the end/],
  ])("%s is invalid", (_, bytes, reason) => {
    const result = readClientHello(bytes);
    expect(result.state === "invalid" ? result.reason : result.state).toMatch(reason);
  });

  test("no mutation makes it throw", () => {
    const whole = records(everything);
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const mutated = Buffer.from(whole);
        mutated[at] = value;
        expect(["partial", "done", "invalid"]).toContain(readClientHello(mutated).state);
      }
    }
  });
});

describe("peekClientHello", () => {
  const soon = { timeoutMs: 10_000 };

  test("a hello of single bytes, and everything is put back", async () => {
    const stream = new PassThrough();
    const peeked = peekClientHello(stream, soon);
    const whole = records(everything, 20);
    for (const byte of whole) {
      stream.write(u8(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.write("more");
    expect((await peeked).serverName).toBe("shop.example.test");
    stream.end();
    const rest: Buffer[] = [];
    for await (const chunk of stream) rest.push(chunk as Buffer);
    expect(Buffer.concat(rest).toString("latin1")).toBe(`${whole.toString("latin1")}more`);
  });

  test("what had been unshifted before", async () => {
    const stream = new PassThrough();
    const whole = records(everything);
    stream.unshift(whole);
    expect((await peekClientHello(stream, soon)).alpn).toEqual(["h2", "http/1.1"]);
    expect((stream.read() as Buffer).equals(whole)).toBe(true);
  });

  test("NOT_TLS, with the bytes put back and the stream alive", async () => {
    const stream = new PassThrough();
    stream.write("SSH-2.0-OpenSSH\r\n");
    expect(await codeOf(peekClientHello(stream, soon))).toBe("NOT_TLS");
    expect(stream.destroyed).toBe(false);
    expect(String(stream.read())).toBe("SSH-2.0-OpenSSH\r\n");
  });

  test("TLS_HELLO_TIMEOUT, likewise", async () => {
    const stream = new PassThrough();
    stream.write(records(everything).subarray(0, 10));
    expect(await codeOf(peekClientHello(stream, { timeoutMs: 20 }))).toBe("TLS_HELLO_TIMEOUT");
    expect((stream.read() as Buffer).length).toBe(10);
  });

  test.each(["end", "destroy", "error"])("TLS_CLIENT_CLOSED: %s", async (how) => {
    for (const before of ["nothing", "something"]) {
      const stream = new PassThrough();
      if (before === "something") stream.write(records(everything).subarray(0, 10));
      const peeked = codeOf(peekClientHello(stream, soon));
      if (how === "end") stream.end();
      else stream.destroy(how === "error" ? new Error("broken") : undefined);
      expect(await peeked).toBe("TLS_CLIENT_CLOSED");
      expect(await codeOf(peekClientHello(stream, soon))).toBe("TLS_CLIENT_CLOSED");
    }
  });
});

describe("peek, then accept: real clients", () => {
  /** Serves TLS for whatever name is asked for, and says hello with it. */
  async function withInterceptor(use: (port: number, trust: string) => Promise<void>): Promise<void> {
    const ca = await openCa();
    const serve = async (raw: Socket): Promise<void> => {
      const hello = await peekClientHello(raw, { timeoutMs: 10_000 });
      const socket = await acceptTls(ca, raw, hello.serverName ?? "127.0.0.1");
      socket.write(`${hello.serverName ?? "no name"} ${hello.alpn.join()}`);
    };
    await withListener((raw) => void serve(raw).catch(() => raw.destroy()), (port) => use(port, ca.cert), {
      allowHalfOpen: true,
    });
  }

  const greeting = async (client: TLSSocket): Promise<string> => {
    const failed = new Promise<string>((resolve) => client.on("error", (error) => resolve(error.message)));
    const text = await Promise.race([nextText(client), failed]);
    client.destroy();
    return text;
  };

  test("names, and none", () =>
    withInterceptor(async (port, ca) => {
      const options = { host: "127.0.0.1", port, ca };
      const named = connectTls({ ...options, servername: "a.b.example.test", ALPNProtocols: ["http/1.1"] });
      expect(await greeting(named)).toBe("a.b.example.test http/1.1");
      expect(await greeting(connectTls(options))).toBe("no name ");
    }));

  test.each([["single bytes", 1, 16_384], ["small records", 1000, 50]])(
    "B41 a hello in %s",
    (_, write, record) =>
      withInterceptor(async (port, ca) => {
        // A relay that cuts the client's hello up; what follows goes through as it is.
        await withListener(async (near) => {
          const far = connectPlain({ host: "127.0.0.1", port }).setNoDelay(true);
          far.on("error", () => near.destroy()).pipe(near);
          const hello = await new Promise<Buffer>((resolve) => near.once("data", resolve));
          near.pause();
          const cut = records(hello.subarray(5), record);
          for (let at = 0; at < cut.length; at += write) {
            await new Promise<void>((resolve) => far.write(cut.subarray(at, at + write), () => setImmediate(resolve)));
          }
          near.pipe(far);
        }, async (relay) => {
          const client = connectTls({ host: "127.0.0.1", port: relay, ca, servername: "cut.test" });
          expect(await greeting(client)).toBe("cut.test ");
        });
      }),
  );

  test("B50 two hundred names, twenty at a time", () =>
    withInterceptor(async (port, ca) => {
      const names = Array.from({ length: 200 }, (_, index) => `host-${index}.example.test`);
      const queue = names.values();
      const seen: string[] = [];
      await Promise.all(Array.from({ length: 20 }, async () => {
        for (const servername of queue) {
          const client = connectTls({ host: "127.0.0.1", port, ca, servername });
          seen.push((await greeting(client)).trim());
        }
      }));
      expect(seen.sort()).toEqual(names.sort());
    }));
});
