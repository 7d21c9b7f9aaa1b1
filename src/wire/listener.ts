/**
 * The port on which clients come in.
 *
 * @module
 */
import net from "node:net";
import { setImmediate } from "node:timers";
import { FlowtapeError } from "../flow/error.ts";
import { nextPeerId, type Peer } from "../flow/peer.ts";
import { openLayer } from "./inbound/layer.ts";
import type { WireContext } from "./wire_context.ts";

/** A listening port. */
export interface Listener {
  /** The port it got. */
  readonly port: number;
  /**
   * Accepts no more, and cuts every connection. Resolves when all are closed.
   *
   * @param goodbyes what the connections are given time for
   */
  close(goodbyes: Promise<void>): Promise<void>;
}

/**
 * Listens for clients.
 *
 * @throws {FlowtapeError} `PORT_IN_USE`, `PORT_DENIED`, `ADDRESS_UNKNOWN`
 */
export async function listen(host: string, port: number, context: WireContext): Promise<Listener> {
  const sockets = new Set<net.Socket>();
  let onEmpty: (() => void) | undefined;
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    if (sockets.size >= context.config.connections) {
      context.log("warn", `refused a client: ${sockets.size} are connected already (limits.connections)`);
      socket.destroy();
      return;
    }
    sockets.add(socket);
    welcome(socket, context, () => {
      sockets.delete(socket);
      if (sockets.size === 0) onEmpty?.();
    });
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      // Such as too many open files: later clients may be luckier.
      server.on("error", (error) => context.log("error", `cannot accept a client: ${error.message}`));
      resolve();
    });
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    async close(goodbyes) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await goodbyes;
      const empty = new Promise<void>((resolve) => sockets.size === 0 ? resolve() : onEmpty = resolve);
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, empty]);
    },
  };
}

async function welcome(socket: net.Socket, context: WireContext, gone: () => void): Promise<void> {
  const peer = peerOf(socket);
  socket.once("close", () => {
    // The layers above the socket learn of the end in this turn, and their flows fail with it: they come first.
    setImmediate(() => {
      farewell(peer, context);
      gone();
    });
  });
  try {
    const waiting = context.hooks.run("clientConnect", peer);
    if (waiting !== undefined) await waiting;
    await openLayer(socket, peer, { scheme: "http" }, context);
  } catch (error) {
    context.log(
      "warn",
      `closed the connection of ${peer.address}:${peer.port}: ${error instanceof Error ? error.message : error}`,
    );
    socket.destroy();
  }
}

function farewell(peer: Peer, context: WireContext): void {
  // The dispatcher reports what a hook throws.
  try {
    context.hooks.run("clientDisconnect", peer)?.catch(() => {});
  } catch {
    // Reported.
  }
}

function peerOf(socket: net.Socket): Peer {
  const host = socket.remoteAddress ?? "";
  return {
    id: nextPeerId(),
    host,
    port: socket.remotePort ?? 0,
    address: host,
    ...(socket.localAddress === undefined ? {} : { localAddress: socket.localAddress }),
    ...(socket.localPort === undefined ? {} : { localPort: socket.localPort }),
    connectedAt: Date.now(),
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): FlowtapeError {
  const where = `${host}:${port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return new FlowtapeError(
        "PORT_IN_USE",
        `cannot listen on ${where}: the port is in use. Leave port out to get a free one`,
        { cause: error },
      );
    case "EACCES":
    case "EPERM":
      return new FlowtapeError(
        "PORT_DENIED",
        `cannot listen on ${where}: permission denied. Use a port above 1023, or leave port out`,
        { cause: error },
      );
    case "EADDRNOTAVAIL":
    case "EINVAL": // Deno's word for an address of another machine
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case undefined: // Bun's for a name that does not resolve
      return new FlowtapeError(
        "ADDRESS_UNKNOWN",
        `cannot listen on ${where}: this machine has no such address. The default host is 127.0.0.1`,
        { cause: error },
      );
    default:
      return new FlowtapeError("LISTEN_FAILED", `cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}
