/**
 * A client that says exactly what a test tells it to say.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { RawConnection } from "./raw_connection.ts";

/** Connects to a port of 127.0.0.1; over TLS if `tls` is given: `{ ca, servername: "a.test" }`. */
export async function connectRaw(port: number, tls?: ConnectionOptions): Promise<RawConnection> {
  const socket = tls ? connectTls({ host: "127.0.0.1", port, ...tls }) : connect({ host: "127.0.0.1", port });
  const connection = new RawConnection(socket);
  await once(socket, tls ? "secureConnect" : "connect");
  return connection;
}

/** Sends a request and resolves to all that comes back until the server closes: ask for `Connection: close`. */
export async function rawRequest(port: number, request: string | Uint8Array): Promise<string> {
  await using connection = await connectRaw(port);
  await connection.write(request);
  return Buffer.from(await connection.readAll()).toString("latin1");
}
