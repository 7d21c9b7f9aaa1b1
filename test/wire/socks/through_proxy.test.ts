/** SOCKS of clients that say exactly what they are told to, through a running proxy. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Proxy, startProxy } from "../../../src/mod.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { readResponse } from "../http1_client.ts";

const USERNAME = "tester";
const PASSWORD = "s3cret";

const ADDRESS = [127, 0, 0, 1];
const portBytes = (port: number) => [port >> 8, port & 255];
const text = (value: string) => [...Buffer.from(value)];

/** What a client of each version says, and how long the answers to it are. */
const VERSIONS: [string, (port: number) => { says: number[]; hears: number }[]][] = [
  ["4", (port) => [{ says: [4, 1, ...portBytes(port), ...ADDRESS, ...text("me"), 0], hears: 8 }]],
  ["4a", (port) => [{ says: [4, 1, ...portBytes(port), 0, 0, 0, 1, 0, ...text("localhost"), 0], hears: 8 }]],
  ["5", (port) => [
    { says: [5, 1, 0], hears: 2 },
    { says: [5, 1, 0, 1, ...ADDRESS, ...portBytes(port)], hears: 10 },
  ]],
  ["5h", (port) => [
    { says: [5, 2, 1, 0], hears: 2 },
    { says: [5, 1, 0, 3, 9, ...text("localhost"), ...portBytes(port)], hears: 10 },
  ]],
];

const login = (password: string) => [1, USERNAME.length, ...text(USERNAME), password.length, ...text(password)];

async function bytesOf(client: RawConnection, length: number): Promise<number[]> {
  return [...await client.readBytes(length)];
}

/** Says a handshake, and then a request in the tunnel. */
async function get(proxy: Proxy, origin: Origin, steps: { says: number[]; hears: number }[], trickled = false) {
  await using client = await connectRaw(proxy.port);
  client.socket.setNoDelay(true);
  for (const { says, hears } of steps) {
    if (trickled) { for (const byte of says) await client.write(Uint8Array.of(byte)); }
    else await client.write(Uint8Array.from(says));
    await client.readBytes(hears);
  }
  const request = `GET /in-socks HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`;
  if (trickled) { for (const letter of request) await client.write(letter); }
  else await client.write(request);
  return await readResponse(client);
}

describe("a request", () => {
  test.each(VERSIONS)("B76 over SOCKS %s", async (_, steps) => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    expect((await get(proxy, origin, steps(origin.port))).text).toBe("ok");
    expect(proxy.flows.requests[0]!.path).toBe("/in-socks");
  });

  test.each(VERSIONS)("B78 over SOCKS %s, byte by byte", async (_, steps) => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    expect((await get(proxy, origin, steps(origin.port), true)).text).toBe("ok");
  });
});

describe("authentication", () => {
  const auth = { username: USERNAME, password: PASSWORD };
  const toOrigin = (port: number) => ({ says: [5, 1, 0, 1, ...ADDRESS, ...portBytes(port)], hears: 10 });

  test("B77 the right name and password are accepted", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ auth });
    const steps = [{ says: [5, 1, 2], hears: 2 }, { says: login(PASSWORD), hears: 2 }, toOrigin(origin.port)];
    expect((await get(proxy, origin, steps)).text).toBe("ok");
    expect(proxy.flows.first()!.client.username).toBe(USERNAME);
  });

  test("B77 a wrong password, none, and SOCKS 4 are refused, and closed", async () => {
    const log: string[] = [];
    await using proxy = await startProxy({ auth, addons: [{ log: ({ message }) => void log.push(message) }] });

    await using wrong = await connectRaw(proxy.port);
    await wrong.write(Uint8Array.of(5, 1, 2));
    expect(await bytesOf(wrong, 2)).toEqual([5, 2]);
    await wrong.write(Uint8Array.from(login("wrong")));
    const [version, status] = await bytesOf(wrong, 2);
    expect([version, status === 0]).toEqual([1, false]);
    await wrong.closed;

    await using none = await connectRaw(proxy.port);
    await none.write(Uint8Array.of(5, 1, 0));
    expect(await bytesOf(none, 2)).toEqual([5, 0xff]);
    await none.closed;

    await using four = await connectRaw(proxy.port);
    await four.write(Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, 0));
    expect((await bytesOf(four, 8))[1]).not.toBe(90);
    await four.closed;

    expect(log.filter((line) => line.startsWith("refused the SOCKS client"))).toHaveLength(3);
    expect(log.join()).not.toContain('wrong"');
    expect(proxy.flows.length).toBe(0);
  });
});

describe("what is not supported is refused in the words of SOCKS, and the log says what to do", () => {
  test.each<[string, number[], number[], RegExp]>([
    ["BIND of SOCKS 5", [5, 2, 0, 1, 127, 0, 0, 1, 0, 80], [5, 7], /BIND/],
    ["UDP of SOCKS 5", [5, 3, 0, 1, 127, 0, 0, 1, 0, 80], [5, 7], /UDP/],
    ["an unknown command", [5, 9, 0, 1, 127, 0, 0, 1, 0, 80], [5, 7], /command/i],
    ["an unknown type of address", [5, 1, 0, 9, 127, 0, 0, 1, 0, 80], [5, 8], /address/],
  ])("%s", async (_, request, answer, why) => {
    const log: string[] = [];
    await using proxy = await startProxy({ addons: [{ log: ({ message }) => void log.push(message) }] });
    await using client = await connectRaw(proxy.port);
    await client.write(Uint8Array.of(5, 1, 0));
    await client.readBytes(2);
    await client.write(Uint8Array.from(request));
    expect(await bytesOf(client, 2)).toEqual(answer);
    await client.closed;
    await expect.poll(() => log.join("\n")).toMatch(why);
  });

  test.each<[string, number[], number[], RegExp]>([
    ["BIND of SOCKS 4", [4, 2, 0, 80, 127, 0, 0, 1, 0], [0, 91], /BIND/],
    ["only GSSAPI", [5, 1, 1], [5, 0xff], /GSSAPI|authenticat/],
    ["no method at all", [5, 0], [5, 0xff], /method|authenticat/],
  ])("%s", async (_, hello, answer, why) => {
    const log: string[] = [];
    await using proxy = await startProxy({ addons: [{ log: ({ message }) => void log.push(message) }] });
    await using client = await connectRaw(proxy.port);
    await client.write(Uint8Array.from(hello));
    expect(await bytesOf(client, 2)).toEqual(answer);
    await client.closed;
    await expect.poll(() => log.join("\n")).toMatch(why);
  });
});
