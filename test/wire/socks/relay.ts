/** A little SOCKS proxy made of acceptSocks: it connects and relays, whatever the name says, to 127.0.0.1. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import {
  acceptSocks,
  type SocksCredentials,
  type SocksError,
  type SocksTunnel,
} from "../../../src/wire/inbound/socks/mod.ts";

/** A running relay. */
export interface SocksRelay extends AsyncDisposable {
  readonly port: number;
  /** Every tunnel that was asked for. */
  readonly asked: { version: number; hostname: string; port: number; username?: string }[];
  /** Every handshake that failed. */
  readonly errors: SocksError[];
}

/** How to relay. */
export interface RelayOptions {
  auth?: SocksCredentials;
  timeoutMs?: number;
  /** Answers instead of relaying. */
  answer?: (tunnel: SocksTunnel, socket: Socket) => void;
}

/** Starts a relay on a port of 127.0.0.1. */
export async function startRelay({ auth, timeoutMs = 5000, answer }: RelayOptions = {}): Promise<SocksRelay> {
  const asked: SocksRelay["asked"] = [];
  const errors: SocksError[] = [];
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  };
  const relay = (tunnel: SocksTunnel, socket: Socket) => {
    const upstream = connect({ host: "127.0.0.1", port: tunnel.port });
    keep(upstream);
    upstream.on("error", () => tunnel.refused("connectionRefused"));
    upstream.once("connect", () => {
      tunnel.granted();
      socket.pipe(upstream).pipe(socket);
    });
  };
  const server = createServer((socket) => {
    keep(socket);
    acceptSocks(socket, { auth, timeoutMs }).then((tunnel) => {
      const { version, hostname, port, username } = tunnel;
      asked.push({ version, hostname, port, ...(username === undefined ? {} : { username }) });
      (answer ?? relay)(tunnel, socket);
    }, (error: SocksError) => errors.push(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    errors,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
