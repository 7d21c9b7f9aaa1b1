/**
 * A client and a server of WebSockets that are driven frame by frame.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TlsOptions } from "node:tls";
import { expect } from "vitest";
import type { Addon, HttpFlow, Proxy } from "../../../src/mod.ts";
import type { Side } from "../../../src/flow/websocket.ts";
import { acceptFor } from "../../../src/wire/websocket/handshake.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { PATIENTLY } from "../http1_client.ts";
import { close, frames, type FrameSpec, type SeenFrame, show } from "./support.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** One end of an open WebSocket. */
export class Peer implements AsyncDisposable {
  readonly connection: RawConnection;
  /** What the other side said in the handshake. */
  readonly head: string;
  readonly #side: Side;

  constructor(connection: RawConnection, side: Side, head: string) {
    this.connection = connection;
    this.#side = side;
    this.head = head;
  }

  /** Sends frames. */
  send(...specs: FrameSpec[]): Promise<void> {
    return this.connection.write(frames(this.#side, ...specs));
  }

  /** The next frame. */
  async frame(): Promise<SeenFrame> {
    const [first = 0, second = 0] = await this.connection.readBytes(2);
    let length = second & 0x7f;
    if (length === 126) length = Buffer.from(await this.connection.readBytes(2)).readUInt16BE();
    else if (length === 127) length = Number(Buffer.from(await this.connection.readBytes(8)).readBigUInt64BE());
    const masked = second >= 0x80;
    const key = masked ? await this.connection.readBytes(4) : new Uint8Array(4);
    const payload = Buffer.from((await this.connection.readBytes(length)).map((byte, i) => byte ^ key[i % 4]!));
    return { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked, payload };
  }

  /** The next frame, in a few characters. */
  async next(): Promise<string> {
    return show(await this.frame());
  }

  /** The next frames, until the other side ends the connection. */
  async rest(): Promise<string[]> {
    const seen: string[] = [];
    for (;;) {
      const one = await this.next().catch(() => undefined);
      if (one === undefined) return seen;
      seen.push(one);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

/** A request for a WebSocket. Fields are whole lines, without their end. */
export function handshake(target: string, host: string, fields: string[] = []): string {
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${KEY}`,
    "Sec-WebSocket-Version: 13",
    ...fields,
    "\r\n",
  ].join("\r\n");
}

/** Opens a WebSocket through a proxy, with a request in absolute form. */
export async function openPeer(proxy: Proxy, url: string, fields: string[] = []): Promise<Peer> {
  const connection = await connectRaw(proxy.port);
  await connection.write(handshake(url.replace(/^ws/, "http"), new URL(url).host, fields));
  return await afterSwitch(connection);
}

/** The client's end of a WebSocket whose handshake has been sent. */
export async function afterSwitch(connection: RawConnection): Promise<Peer> {
  const head = await connection.readHead();
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`no WebSocket: ${head}`);
  return new Peer(connection, "client", head);
}

/** How a server answers the handshake. */
export interface PeerServerOptions {
  tls?: TlsOptions;
  halfOpen?: boolean;
  /** Further fields of the 101: whole lines, without their end. */
  fields?: string[];
  /** Sent together with the 101. */
  early?: FrameSpec[];
}

/** A server that accepts every WebSocket. */
export function startPeerServer(
  script: (peer: Peer) => Promise<void> | void,
  { fields = [], early = [], ...options }: PeerServerOptions = {},
): Promise<RawServer> {
  return startRawServer(async (connection) => {
    const head = await connection.readHead();
    const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? "";
    const answer = [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptFor(key)}`,
      ...fields,
      "\r\n",
    ].join("\r\n");
    await connection.write(Buffer.concat([Buffer.from(answer), frames("server", ...early)]));
    await script(new Peer(connection, "server", head));
  }, options);
}

/** A server that echoes messages frame by frame, answers pings, and answers a close frame with the same. */
export async function echo(peer: Peer): Promise<void> {
  for (;;) {
    const frame = await peer.frame().catch(() => undefined);
    if (frame === undefined) return;
    const { opcode, payload, fin, rsv } = frame;
    await peer.send({ opcode: opcode === 9 ? 10 : opcode, payload, fin, rsv });
    if (opcode === 8) return;
  }
}

/** Closes from the client's side, and reads the answer. */
export async function closed(peer: Peer): Promise<void> {
  await peer.send(close(1000, "bye"));
  expect(await peer.rest()).toEqual(['close 1000 "bye"']);
}

/** The newest flow of a proxy. */
export const flowOf = (proxy: Proxy): HttpFlow => proxy.flows.last() as HttpFlow;

/** The newest flow of a proxy, once it is over. */
export async function ended(proxy: Proxy): Promise<HttpFlow> {
  // Bun gives this file, which is no test file, the real vitest: its expect.poll works in vitest alone.
  const deadline = performance.now() + PATIENTLY.timeout;
  while (!flowOf(proxy).done && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(flowOf(proxy).done).toBe(true);
  return flowOf(proxy);
}

/** What a flow has kept, each message in a few words. */
export function told({ websocket }: HttpFlow): string[] {
  return websocket!.messages.map(({ from, text, edited, dropped, injected, truncated }) =>
    [
      `${from} ${text}`,
      ...(edited ? ["edited"] : []),
      ...(dropped ? ["dropped"] : []),
      ...(injected ? ["injected"] : []),
      ...(truncated ? ["truncated"] : []),
    ].join(" ")
  );
}

/** Notes every hook of a flow, in order. */
export function watcher(): Addon & { readonly seen: string[] } {
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(name);
  return {
    name: "watcher",
    seen,
    requestHeaders: note("requestHeaders"),
    request: note("request"),
    responseHeaders: note("responseHeaders"),
    response: note("response"),
    websocketHandshake: note("websocketHandshake"),
    websocketMessage: note("websocketMessage"),
    websocketEnd: note("websocketEnd"),
    error: note("error"),
  };
}
