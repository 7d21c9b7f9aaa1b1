// Much at once: large transfers, slow readers, many conversations.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { startProxy, tcp } from "../../../src/mod.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { openTunnel } from "../tunnel.ts";
import { echoServer, openSocks, pattern, tcpFlowOf } from "./support.ts";

function digest(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

describe("a large transfer", () => {
  const SIZE = 32 * 1024 * 1024;

  test("up and back is the same to the byte", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy({ capture: { maxBody: 1024 * 1024 } });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    const sent = Buffer.concat([Buffer.from([0]), pattern(SIZE)]);
    const [received] = await Promise.all([client.readAll(), client.write(sent).then(() => client.end())]);
    expect(digest(received)).toBe(digest(sent));
    await proxy.waitFor(tcp());
    const flow = tcpFlowOf(proxy);
    expect(flow.bytes).toEqual({ client: SIZE + 1, server: SIZE + 1 });
    expect(flow.truncated).toBe(true);
    expect(flow.messages.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(1024 * 1024);
  });

  test.each([["down", "client"], ["up", "server"]])("%s waits for a %s that does not read", async (_, reader) => {
    const chunk = Buffer.alloc(64 * 1024, 1);
    const stop = new AbortController();
    let written = 0;
    const pour = async (connection: { write(data: Uint8Array): Promise<void> }) => {
      while (!stop.signal.aborted && written < 512 * 1024 * 1024) {
        await connection.write(chunk);
        written += chunk.length;
      }
    };
    await using server = await startRawServer(async (connection) => {
      if (reader === "client") return await pour(connection).catch(() => {});
      connection.socket.pause();
      await connection.closed;
    });
    await using proxy = await startProxy({ capture: { maxBody: 0 } });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    const before = process.memoryUsage().rss;
    if (reader === "client") {
      client.socket.pause();
      await client.write("\x00");
    } else {
      pour(client).catch(() => {});
    }
    // It stops when every buffer on the way is full.
    let last = -1;
    await expect.poll(() => {
      const same = written === last && written > 0;
      last = written;
      return same;
    }, { timeout: 10_000, interval: 300 }).toBe(true);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    stop.abort();
    tcpFlowOf(proxy).kill();
    await proxy.waitFor(tcp());
  });
});

test("200 conversations at once, through CONNECT and SOCKS", async () => {
  await using echo = await echoServer();
  await using proxy = await startProxy();
  const talk = async (index: number) => {
    await using client = index % 2 === 0
      ? await openTunnel(proxy, `127.0.0.1:${echo.port}`)
      : await openSocks(proxy, "127.0.0.1", echo.port);
    for (let i = 0; i < 5; i++) {
      const line = `\x00${index} ${i}\n`;
      await client.write(line);
      if (await client.readUntil("\n") !== line) throw new Error(`wrong echo for ${index}`);
    }
    client.end();
    await client.readAll();
  };
  await Promise.all(Array.from({ length: 200 }, (_, index) => talk(index)));
  const flows = await proxy.waitFor(tcp(), { count: 200 });
  expect(new Set(Array.from(flows, ({ id }) => id)).size).toBe(200);
  expect(flows.filter(tcp((flow) => flow.error === undefined && flow.messages.length >= 10)).length).toBe(200);
  expect(echo.connections).toBe(200);
});

test("hang-ups at any moment leave nothing behind", async () => {
  await using echo = await echoServer();
  let open = 0;
  const proxy = await startProxy({
    addons: [{
      clientConnect: () => void open++,
      clientDisconnect: () => void open--,
      serverConnect: () => void open++,
      serverDisconnect: () => void open--,
      tcpStart: () => new Promise((resolve) => setTimeout(resolve, 2)),
    }],
  });
  await Promise.all(Array.from({ length: 60 }, async (_, index) => {
    const client = await openTunnel(proxy, `127.0.0.1:${index % 5 === 0 ? 1 : echo.port}`);
    if (index % 2 === 0) await client.write("\x00hello").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, index));
    if (index % 3 === 0) client.reset();
    else client.socket.destroy();
    await client.closed;
  }));
  await expect.poll(() => open).toBe(0);
  expect([...proxy.flows].every(({ done }) => done)).toBe(true);
  await proxy.close();
});
