/** B76-B78: SOCKS on real sockets, with clients that trickle, hurry, stall and hang up, and with curl. */
import { Buffer } from "node:buffer";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { acceptSocks, isSocksStart } from "../../../src/wire/inbound/socks/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { run } from "../../support/run.ts";
import { hasCommand } from "../../support/runtime.ts";
import { codeOf } from "../ca/helpers.ts";
import { startRelay } from "./relay.ts";

const echo = (connection: RawConnection) => {
  connection.socket.pipe(connection.socket);
  return connection.closed;
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const portBytes = (port: number): number[] => [port >> 8, port & 255];

/** Lets every byte travel alone. */
async function trickle(connection: RawConnection, bytes: Iterable<number>): Promise<void> {
  connection.socket.setNoDelay(true);
  for (const byte of bytes) {
    await connection.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe("acceptSocks", () => {
  test("B78: a handshake that comes byte by byte", async () => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay({ auth: { username: "ann", password: "secret" } });
    await using client = await connectRaw(relay.port);
    await trickle(client, Buffer.from("050202000103616e6e06736563726574", "hex"));
    expect(hex(await client.readBytes(4))).toBe("05020100");
    await trickle(client, [5, 1, 0, 3, 6, ...Buffer.from("a.test"), ...portBytes(server.port)]);
    expect(hex(await client.readBytes(10))).toBe("05000001000000000000");
    await trickle(client, Buffer.from("hello"));
    expect(Buffer.from(await client.readBytes(5)).toString()).toBe("hello");
    expect(relay.asked).toEqual([{ version: 5, hostname: "a.test", port: server.port, username: "ann" }]);
  });

  test("B78: all at once, with what the client says in the tunnel", async () => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay();
    await using client = await connectRaw(relay.port);
    await client.write(
      Uint8Array.from([5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, ...portBytes(server.port), ...Buffer.from("hello")]),
    );
    expect(hex(await client.readBytes(12))).toBe("050005000001000000000000");
    expect(Buffer.from(await client.readBytes(5)).toString()).toBe("hello");
  });

  test("B78: SOCKS 4, byte by byte, with early data", async () => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay();
    await using client = await connectRaw(relay.port);
    await trickle(client, [4, 1, ...portBytes(server.port), 0, 0, 0, 1, 97, 0, ...Buffer.from("b.test\0hello")]);
    expect(hex(await client.readBytes(8))).toBe("005a000000000000");
    expect(Buffer.from(await client.readBytes(5)).toString()).toBe("hello");
    expect(relay.asked).toEqual([{ version: 4, hostname: "b.test", port: server.port, username: "a" }]);
  });

  test("bytes that were put back are read", async () => {
    const socket = new PassThrough();
    socket.unshift(Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0, 65]));
    const tunnel = await acceptSocks(socket, { timeoutMs: 10_000 });
    expect(tunnel).toMatchObject({ version: 4, hostname: "127.0.0.1", port: 80 });
    expect((socket.read() as Buffer).toString()).toBe("A");
    for (const event of ["readable", "end", "close"]) expect([event, socket.listenerCount(event)]).toEqual([event, 0]);
  });

  test("refused by the destination: the client reads why, and the connection ends", async () => {
    await using relay = await startRelay({ answer: (tunnel) => tunnel.refused("hostUnreachable") });
    await using client = await connectRaw(relay.port);
    // More than the server reads before it closes: a reset would take the reply along.
    await client.write(Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80]), Buffer.alloc(50_000)]));
    expect(hex(await client.readAll())).toBe("050005040001000000000000");
  });

  test.each([
    ["BIND", "050100" + "05020001010203040050", "0500" + "05070001000000000000", "SOCKS_COMMAND"],
    ["GSSAPI alone", "050101", "05ff", "SOCKS_METHOD"],
    ["SOCKS 4 with BIND", "040200507f00000100", "005b000000000000", "SOCKS_COMMAND"],
    ["HTTP", hex(Buffer.from("GET / HTTP/1.1\r\n\r\n")), "", "SOCKS_VERSION"],
  ])("refused: %s", async (_, sent, answer, code) => {
    await using relay = await startRelay();
    await using client = await connectRaw(relay.port);
    await client.write(Buffer.from(sent, "hex"));
    // Without a word of its own the connection is cut: that may be a reset.
    if (answer === "") await client.closed;
    else expect(hex(await client.readAll())).toBe(answer);
    await expect.poll(() => relay.errors.length).toBe(1);
    expect(relay.errors[0]?.code).toBe(code);
  });

  test("a client that stays after it was refused is cut off", async () => {
    await using relay = await startRelay();
    await using client = await connectRaw(relay.port);
    const alive = setInterval(() => client.socket.write("x"), 20);
    client.socket.write(Buffer.from("050101", "hex"));
    expect(hex(await client.readBytes(2))).toBe("05ff");
    await client.closed;
    clearInterval(alive);
  });

  test("a client that stalls", async () => {
    await using relay = await startRelay({ timeoutMs: 50 });
    await using client = await connectRaw(relay.port);
    await client.write(Uint8Array.of(5));
    await client.closed;
    await expect.poll(() => relay.errors.length).toBe(1);
    expect(relay.errors[0]?.code).toBe("SOCKS_TIMEOUT");
    expect(relay.errors[0]?.message).toContain("50 ms");
  });

  test.each(["end", "reset"] as const)("a client that hangs up: %s", async (how) => {
    await using relay = await startRelay();
    await using client = await connectRaw(relay.port);
    await client.write(Uint8Array.of(5, 2));
    client[how]();
    await expect.poll(() => relay.errors.length).toBe(1);
    expect(relay.errors[0]?.code).toBe("SOCKS_CLIENT_CLOSED");
  });

  test("a socket that is gone already", async () => {
    const socket = new PassThrough();
    socket.destroy();
    expect(await codeOf(acceptSocks(socket, { timeoutMs: 10_000 }))).toBe("SOCKS_CLIENT_CLOSED");
  });

  test("what SOCKS begins with", () => {
    expect([0x16, 0x47, 4, 5, 0x0d].map(isSocksStart)).toEqual([false, false, true, true, false]);
  });
});

describe.skipIf(!hasCommand("curl"))("curl", () => {
  const page = async (connection: RawConnection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  };
  const curl = (...args: string[]) =>
    run("curl", ["-sS", "--max-time", "8", "--noproxy", "", ...args], {
      env: {
        ALL_PROXY: undefined,
        all_proxy: undefined,
        http_proxy: undefined,
        NO_PROXY: undefined,
        no_proxy: undefined,
      },
    });

  test.each([
    ["--socks4", "localhost", { version: 4, hostname: "127.0.0.1" }],
    ["--socks4a", "shop.test", { version: 4, hostname: "shop.test" }],
    ["--socks5-hostname", "shop.test", { version: 5, hostname: "shop.test" }],
    ["--socks5", "127.0.0.1", { version: 5, hostname: "127.0.0.1" }],
    ["--socks5", "[::1]", { version: 5, hostname: "[::1]" }],
    ["--socks5-hostname", "[::1]", { version: 5, hostname: "[::1]" }],
  ])("B76: %s to %s", async (option, host, asked) => {
    await using server = await startRawServer(page);
    await using relay = await startRelay();
    const { stdout, stderr } = await curl(option, `127.0.0.1:${relay.port}`, `http://${host}:${server.port}/`);
    expect([stdout, stderr]).toEqual(["hello", ""]);
    expect(relay.asked).toEqual([{ ...asked, port: server.port }]);
  });

  test("B77: the right password and a wrong one", async () => {
    await using server = await startRawServer(page);
    await using relay = await startRelay({ auth: { username: "ann", password: "p@ss word" } });
    const url = `http://a.test:${server.port}/`;
    const right = await curl("--proxy", `socks5h://ann:p%40ss%20word@127.0.0.1:${relay.port}`, url);
    expect([right.stdout, right.stderr]).toEqual(["hello", ""]);
    expect(relay.asked).toEqual([{ version: 5, hostname: "a.test", port: server.port, username: "ann" }]);

    const wrong = await curl("--proxy", `socks5h://ann:other@127.0.0.1:${relay.port}`, url);
    expect(wrong.code).toBe(97);
    const none = await curl("--proxy", `socks5h://127.0.0.1:${relay.port}`, url);
    expect(none.code).toBe(97);
    const four = await curl("--proxy", `socks4a://ann@127.0.0.1:${relay.port}`, url);
    expect(four.code).toBe(97);
    expect(relay.errors.map((it) => it.code)).toEqual(["SOCKS_AUTH", "SOCKS_AUTH", "SOCKS_AUTH"]);
    expect(server.connections).toBe(1);
  });

  test("curl says what it was told", async () => {
    await using relay = await startRelay({ answer: (tunnel) => tunnel.refused("connectionRefused") });
    const { code, stderr } = await curl("--socks5-hostname", `127.0.0.1:${relay.port}`, "http://a.test/");
    expect(code).toBe(97);
    expect(stderr).toMatch(/\(5\)/);
  });
});
