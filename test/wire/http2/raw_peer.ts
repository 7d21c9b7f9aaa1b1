/**
 * One end of a connection of HTTP/2, frame by frame.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Proxy } from "../../../src/mod.ts";
import { FieldDecoder } from "../../../src/wire/http2/hpack/decoder.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { openTunnel } from "../tunnel.ts";

/** What a client begins with. */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Types of frames. */
export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5;
/** More types of frames. */
export const PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
/** Flags. */
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8;

/** A frame that has come. */
export interface SeenFrame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
  /** Of HEADERS. */
  fields?: string[];
}

/** A frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A field section of literals. */
export function section(...fields: [string, string][]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), string(name), string(value)]));
}

/** A number of four bytes. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The pseudo-fields of a request. */
export function pseudo(path = "/", method = "GET"): [string, string][] {
  return [[":method", method], [":scheme", "http"], [":authority", "origin.test"], [":path", path]];
}

/** One end of a connection. */
export class RawPeer implements AsyncDisposable {
  readonly connection: RawConnection;
  readonly #decoder = new FieldDecoder(1_000_000);

  constructor(connection: RawConnection) {
    this.connection = connection;
  }

  /** A client in a tunnel of the proxy, that has said hello unless it is said otherwise. */
  static async client(proxy: Proxy, hello: Uint8Array | string = PREFACE): Promise<RawPeer> {
    const peer = new RawPeer(await openTunnel(proxy, "origin.test:80"));
    await peer.connection.write(Buffer.from(hello as string, "latin1"));
    if (hello === PREFACE) await peer.send(frame(SETTINGS, 0, 0));
    return peer;
  }

  /** A server that the proxy has connected to. */
  static async server(connection: RawConnection): Promise<RawPeer> {
    await connection.readBytes(PREFACE.length);
    const peer = new RawPeer(connection);
    await peer.send(frame(SETTINGS, 0, 0));
    return peer;
  }

  /** Sends frames. */
  send(...frames: Uint8Array[]): Promise<void> {
    return this.connection.write(Buffer.concat(frames));
  }

  /** A request without a body. */
  request(stream: number, ...fields: [string, string][]): Promise<void> {
    return this.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, section(...pseudo(), ...fields)));
  }

  /** The next frame. */
  async next(): Promise<SeenFrame> {
    const head = Buffer.from(await this.connection.readBytes(9));
    const payload = Buffer.from(await this.connection.readBytes(head.readUIntBE(0, 3)));
    const seen: SeenFrame = { type: head[3]!, flags: head[4]!, stream: head.readUInt32BE(5), payload };
    if (seen.type === HEADERS) seen.fields = this.#decoder.decode(payload)!;
    return seen;
  }

  /** The next frame of one of these types. */
  async find(...types: number[]): Promise<SeenFrame> {
    for (;;) {
      const seen = await this.next();
      if (types.includes(seen.type)) return seen;
    }
  }

  /** What ends the stream or the connection: `RST_STREAM 1 PROTOCOL_ERROR`, `GOAWAY FRAME_SIZE_ERROR`, or `closed`. */
  async verdict(): Promise<string> {
    const seen = await this.find(RST_STREAM, GOAWAY).catch(() => undefined);
    if (seen === undefined) return "closed";
    const code = CODES[seen.payload.readUInt32BE(seen.type === GOAWAY ? 4 : 0)];
    return seen.type === GOAWAY ? `GOAWAY ${code}` : `RST_STREAM ${seen.stream} ${code}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

const CODES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

function string(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  let rest = bytes.length - 127;
  const length = [127];
  for (; rest >= 128; rest >>= 7) length.push(rest & 127 | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
