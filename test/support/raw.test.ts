import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { testCa } from "./certificates.ts";
import { connectRaw, rawRequest } from "./raw_client.ts";
import { startRawServer } from "./raw_server.ts";
import { runtime } from "./runtime.ts";

describe("a raw server", () => {
  test("reads and writes as its script says", async () => {
    await using server = await startRawServer(async (connection) => {
      const head = await connection.readHead();
      expect(head).toBe("POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n");
      expect(await connection.readBytes(4)).toEqual(new Uint8Array([0x62, 0x6f, 0x64, 0xff]));
      await connection.write("HTTP/1.1 200 \xff\r\n\r\nhello");
    });
    const answer = await rawRequest(server.port, "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbod\xff");
    expect(answer).toBe("HTTP/1.1 200 \xff\r\n\r\nhello");
    expect(server.connections).toBe(1);
    expect(Buffer.from(server.received).toString("latin1")).toMatch(/^POST.*bod\xff$/s);
    expect(server.url).toBe(`tcp://127.0.0.1:${server.port}`);
  });

  test("reads on after the client has ended its side", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.write(await connection.readAll());
    }, { halfOpen: true });
    await using client = await connectRaw(server.port);
    client.end("echo");
    expect(Buffer.from(await client.readAll()).toString()).toBe("echo");
  });

  test("says what it was waiting for", async () => {
    await using server = await startRawServer((connection) => connection.end("half a line"));
    await using client = await connectRaw(server.port);
    await expect(client.readUntil("\n")).rejects.toThrow('before "\\n" came, after "half a line"');
  });

  test("throws what its script threw", async () => {
    const server = await startRawServer(() => expect(1).toBe(2));
    await using client = await connectRaw(server.port);
    await client.closed;
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow();
  });

  test.each(["plain", "TLS"])("resets a %s connection", async (kind) => {
    const options = kind === "TLS" ? { tls: testCa().issue(["a.test"]) } : {};
    await using server = await startRawServer(async (connection) => {
      await connection.readUntil("\n");
      connection.reset();
    }, options);
    const tls = kind === "TLS" ? { ca: testCa().cert, servername: "a.test" } : undefined;
    await using client = await connectRaw(server.port, tls);
    await client.write("go\n");
    // A TLS client on Deno takes a reset for an end.
    if (kind === "TLS" && runtime === "deno") return await client.closed;
    await expect(client.readAll()).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("serves TLS with a certificate that clients verify", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.write(await connection.readUntil("\n"));
    }, { tls: testCa().issue(["a.test"]) });
    await using client = await connectRaw(server.port, { ca: testCa().cert, servername: "a.test" });
    await client.write("secret\n");
    expect(Buffer.from(await client.readAll()).toString()).toBe("secret\n");
    await expect(connectRaw(server.port, { servername: "a.test" })).rejects.toThrow();
    await expect(connectRaw(server.port, { ca: testCa().cert, servername: "b.test" })).rejects.toThrow();
  });
});

test("a raw client goes on over TLS", async () => {
  await using inner = await startRawServer(async (connection) => {
    await connection.write(await connection.readUntil("\n"));
  }, { tls: testCa().issue(["a.test"]) });
  await using tunnel = await startRawServer(async (connection) => {
    await connection.readHead();
    await using upstream = await connectRaw(inner.port);
    await connection.write("HTTP/1.1 200 OK\r\n\r\n");
    connection.socket.pipe(upstream.socket).pipe(connection.socket);
    await connection.closed;
  });
  await using client = await connectRaw(tunnel.port);
  await client.write("CONNECT a.test:443 HTTP/1.1\r\n\r\n");
  await client.readHead();
  await using secure = await client.startTls({ ca: testCa().cert, servername: "a.test" });
  await secure.write("secret\n");
  expect(Buffer.from(await secure.readAll()).toString()).toBe("secret\n");
});
