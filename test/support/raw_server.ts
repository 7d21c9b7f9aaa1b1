/**
 * A server that says exactly what a test tells it to say. It stands on node:net and node:tls and not on an HTTP server, because
 * those differ from runtime to runtime, and because a proxy has to be tested with bytes that no HTTP server would send.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { RawConnection } from "./raw_connection.ts";

/** A listening server on 127.0.0.1. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** `tcp://127.0.0.1:<port>`, or `tls://...` */
  readonly url: string;
  /** How many connections were made so far. */
  readonly connections: number;
  /** Every byte of all connections so far, one connection after the other. */
  readonly received: Uint8Array<ArrayBuffer>;
  /** The first error that a script threw; disposing of the server throws it. */
  readonly error: unknown;
}

/** How to serve. */
export interface RawServerOptions {
  /** Serves TLS: a key and a certificate, such as `testCa().issue(["a.test"])`, and whatever else node:tls takes. */
  tls?: TlsOptions;
  /** Lets a script go on writing after the client has ended its side. Default: false. */
  halfOpen?: boolean;
}

/**
 * Runs a script for every connection; the connection is closed when the script is through.
 *
 * A script that fails because its connection broke is no error: breaking connections is what these servers are for.
 */
export async function startRawServer(
  script: (connection: RawConnection) => Promise<void> | void,
  { tls, halfOpen = false }: RawServerOptions = {},
): Promise<RawServer> {
  const open = new Set<RawConnection>();
  const all: RawConnection[] = [];
  const running = new Set<Promise<void>>();
  let error: unknown;

  const serve = async (connection: RawConnection) => {
    try {
      await script(connection);
      connection.socket.end();
    } catch (thrown) {
      if (!connection.socket.destroyed && !connection.error) error ??= thrown;
      connection.socket.destroy();
    }
  };
  const accept = (socket: Socket, raw?: Socket) => {
    const connection = new RawConnection(socket, raw);
    all.push(connection);
    open.add(connection);
    void connection.closed.then(() => open.delete(connection));
    const run = serve(connection).finally(() => running.delete(run));
    running.add(run);
  };

  const server = tls
    ? createTlsServer({ allowHalfOpen: halfOpen, ...tls })
    : createServer({ allowHalfOpen: halfOpen }, accept);
  const raws = new Map<number | undefined, Socket>();
  if (tls) {
    server.on("connection", (raw: Socket) => raws.set(raw.remotePort, raw));
    server.on("secureConnection", (socket: Socket) => accept(socket, raws.get(socket.remotePort)));
    server.on("tlsClientError", () => {});
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `${tls ? "tls" : "tcp"}://127.0.0.1:${port}`,
    get connections() {
      return all.length;
    },
    get received() {
      return new Uint8Array(Buffer.concat(all.map((connection) => connection.received)));
    },
    get error() {
      return error;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of open) connection.socket.destroy();
      // Deno may keep those open whose client did not trust the certificate.
      for (const raw of raws.values()) raw.destroy();
      await Promise.all([closed, ...running]);
      if (error) throw error;
    },
  };
}
