/** Connections that are cut while nothing can be read from them, because the other side takes no more. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { startProxy, tcp } from "../../src/mod.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { runtime } from "../support/runtime.ts";
import { openTunnel } from "./tunnel.ts";

/** A server that reads nothing, until it is told to go. */
async function stuckServer() {
  const going = Promise.withResolvers<void>();
  const server = await startRawServer(async (connection) => {
    connection.socket.pause();
    await going.promise;
  });
  return {
    port: server.port,
    go: () => going.resolve(),
    async [Symbol.asyncDispose]() {
      going.resolve();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Writes until the whole way is full. */
async function fill(connection: RawConnection): Promise<void> {
  const piece = Buffer.alloc(256 * 1024);
  for (let stuck = false; !stuck;) {
    const taken = connection.write(piece).catch(() => {});
    stuck = await Promise.race([
      taken.then(() => false),
      new Promise<true>((resolve) => setTimeout(resolve, 500, true)),
    ]);
  }
}

describe("a client that resets its connection while its server reads nothing", () => {
  // Deno tells of a reset to those who read alone, and writes nothing where there is nothing to write.
  const told = runtime !== "deno";

  test(`of a raw conversation: ${told ? "it ends soon" : "it ends when the server goes on"}`, async () => {
    await using server = await stuckServer();
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write("\0");
    await fill(client);
    client.reset();

    if (!told) server.go();
    const [flow] = await proxy.waitFor(tcp(), { timeout: 10_000 });

    expect(flow!.error!.code).toEqual(told ? "CLIENT_ABORTED" : expect.stringMatching(/^(?:CLIENT|UPSTREAM)_ABORTED$/));
  });

  test(`of a request: ${told ? "its flow ends soon" : "its flow ends when the server goes on"}`, async () => {
    await using server = await stuckServer();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    await client.write(
      `POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n`,
    );
    await fill(client);
    client.reset();

    if (!told) server.go();
    const [flow] = await proxy.waitFor({ method: "POST" }, { timeout: 10_000 });

    expect(flow!.error!.code).toEqual(told ? "CLIENT_ABORTED" : expect.stringMatching(/_(?:ABORTED|CLOSED)$/));
  });
});
