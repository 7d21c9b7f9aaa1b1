// Clients of protocols that are not HTTP, through the proxy: POP3 and MQTT of curl, and Redis.
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { startProxy, tcp } from "../../src/mod.ts";
import { startRawServer } from "../support/raw_server.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { openTunnel } from "../wire/tunnel.ts";

const withCurl = test.runIf(hasCommand("curl"));
if (!hasCommand("curl")) console.warn("curl is not installed: its tests are skipped");
const withRedis = test.runIf(hasCommand("redis-server"));
if (!hasCommand("redis-server")) console.warn("redis-server is not installed: its test is skipped");

const WAYS = (port: number): [string, string[]][] => [
  ["CONNECT", ["--proxytunnel", "--proxy", `http://127.0.0.1:${port}`]],
  ["SOCKS 5", ["--socks5-hostname", `127.0.0.1:${port}`]],
];

withCurl("B81 curl reads mail over POP3, in which the server speaks first", async () => {
  await using server = await startRawServer(async (connection) => {
    await connection.write("+OK POP3 <1@mail.test>\r\n");
    for (;;) {
      const line = await connection.readUntil("\r\n").catch(() => "QUIT");
      if (line.startsWith("CAPA")) await connection.write("+OK\r\nUSER\r\n.\r\n");
      else if (line.startsWith("RETR")) await connection.write("+OK\r\nSubject: hi\r\n\r\nbody\r\n.\r\n");
      else await connection.write("+OK\r\n").catch(() => {});
      if (line.startsWith("QUIT")) return;
    }
  });
  await using proxy = await startProxy({ upstream: { hosts: { "mail.test": `127.0.0.1:${server.port}` } } });
  for (const [way, args] of WAYS(proxy.port)) {
    const { stdout, stderr } = await run("curl", ["--silent", "--show-error", ...args, "pop3://ada:pw@mail.test/1"]);
    expect(`${way}: ${stdout}${stderr}`).toBe(`${way}: Subject: hi\r\n\r\nbody\r\n`);
  }
  const flows = await proxy.waitFor(tcp("mail.test:110"), { count: 2 });
  expect(flows.filter(tcp((flow) => flow.messages[0]!.from === "server")).length).toBe(2);
});

withCurl("B79 curl publishes over MQTT, in which the client speaks first", async () => {
  await using server = await startRawServer(async (connection) => {
    const [, length] = await connection.readBytes(2);
    await connection.readBytes(length!);
    await connection.write(Uint8Array.of(0x20, 2, 0, 0));
    await connection.readAll();
  });
  await using proxy = await startProxy();
  for (const [, args] of WAYS(proxy.port)) {
    const url = `mqtt://127.0.0.1:${server.port}/topic`;
    expect(await run("curl", ["--silent", "--show-error", ...args, "--data", "hello", url])).toMatchObject({
      stderr: "",
      code: 0,
    });
  }
  await proxy.waitFor(tcp(), { count: 2 });
  expect(Buffer.from(server.received).toString("latin1").match(/topichello/g)?.length).toBe(2);
});

withRedis("B79 a Redis server", async () => {
  const port = await freePort();
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""]);
  try {
    for await (const text of server.stdout) if (String(text).includes("Ready to accept connections")) break;
    await using proxy = await startProxy({ upstream: { hosts: { "redis.test": `127.0.0.1:${port}` } } });
    await using client = await openTunnel(proxy, "redis.test:6379");
    for (const [command, answer] of [["PING", "+PONG"], ["SET a 1", "+OK"], ["INCR a", ":2"]] as const) {
      const words = command.split(" ");
      await client.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
      expect(await client.readUntil("\r\n")).toBe(`${answer}\r\n`);
    }
    client.end();
    const [flow] = await proxy.waitFor(tcp("redis.test:6379"));
    expect(flow!.type === "tcp" && flow!.messages.length).toBe(6);
  } finally {
    server.kill();
    await once(server, "exit");
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
