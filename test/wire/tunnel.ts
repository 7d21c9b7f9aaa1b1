/**
 * A client that opens tunnels by hand.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Proxy } from "../../src/mod.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { connectRaw } from "../support/raw_client.ts";

/** Asks for a tunnel to `host:port` and waits until it is open. */
export async function openTunnel(proxy: Proxy, target: string): Promise<RawConnection> {
  const connection = await connectRaw(proxy.port);
  await connection.write(connectRequest(target));
  const head = await connection.readHead();
  if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`no tunnel to ${target}: ${head}`);
  return connection;
}

/** The bytes that ask for a tunnel. */
export function connectRequest(target: string): string {
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
}

/** A request in origin form, for a connection that is closed after it. */
export function getRequest(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
}

/** What comes until the end, as text. */
export async function readText(connection: RawConnection): Promise<string> {
  return Buffer.from(await connection.readAll()).toString("latin1");
}
