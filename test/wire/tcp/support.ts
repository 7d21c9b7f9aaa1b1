/**
 * Servers that speak no HTTP, ways into a tunnel, and an addon that writes down what the hooks of TCP are told.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Addon, type Proxy, TcpFlow } from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";

/** A server that sends back whatever comes, and ends its side when the client does. */
export function echoServer(): Promise<RawServer> {
  return startRawServer(async (connection) => {
    connection.socket.on("data", (bytes: Buffer) => {
      if (!connection.socket.write(bytes)) connection.socket.pause();
    });
    connection.socket.on("drain", () => connection.socket.resume());
    await connection.readAll().catch(() => {});
  }, { halfOpen: true });
}

/** A server that greets, then answers each line with the same line in capital letters. */
export function greetingServer(greeting = "+OK ready\r\n"): Promise<RawServer> {
  return startRawServer(async (connection) => {
    await connection.write(greeting);
    for (;;) {
      const line = await connection.readUntil("\n").catch(() => undefined);
      if (line === undefined) return;
      await connection.write(line.toUpperCase());
    }
  });
}

/** A connection over SOCKS 5 to a name or an IPv4 address, as the client of a name sends it. */
export async function openSocks(proxy: Proxy, hostname: string, port: number): Promise<RawConnection> {
  const connection = await connectRaw(proxy.port);
  await connection.write(Uint8Array.of(5, 1, 0));
  await connection.readBytes(2);
  const name = Buffer.from(hostname);
  await connection.write(Buffer.concat([
    Uint8Array.of(5, 1, 0, 3, name.length),
    name,
    Uint8Array.of(port >> 8, port & 255),
  ]));
  const [, status] = await connection.readBytes(10);
  if (status !== 0) throw new Error(`SOCKS refused: ${status}`);
  return connection;
}

/** Writes down the hooks: `tcpStart`, `client hello`, `server HELLO`, `tcpEnd`, `tcpError CODE`... */
export function scribe(): Addon & { lines: string[] } {
  const lines: string[] = [];
  return {
    name: "scribe",
    lines,
    tcpStart: () => void lines.push("tcpStart"),
    tcpMessage: (_, message) => void lines.push(`${message.from} ${message.text}`),
    tcpEnd: () => void lines.push("tcpEnd"),
    tcpError: (flow) => void lines.push(`tcpError ${flow.error!.code}`),
    serverConnect: () => void lines.push("serverConnect"),
    serverDisconnect: () => void lines.push("serverDisconnect"),
  };
}

/** The only flow, which must be one of TCP. */
export function tcpFlowOf(proxy: Proxy): TcpFlow {
  const [flow, ...others] = proxy.flows;
  if (!(flow instanceof TcpFlow) || others.length > 0) {
    throw new Error(`one TCP flow was expected:\n${proxy.flows.summary()}`);
  }
  return flow;
}

/** Bytes that tell where they belong. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}
