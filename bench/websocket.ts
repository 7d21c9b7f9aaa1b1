/** As much of WebSocket (RFC 6455) as short messages take: frames of up to 125 bytes, and no extension. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";

const KEY = Buffer.alloc(16).toString("base64");
const TEXT = 0x81;
const MASKED = 0x80;

/** The request of a client, for an absolute URL of the http scheme, as it is sent to a proxy. */
export function handshakeRequest(url: string, host: string): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`;
}

/** The answer of a server to a key. */
export function handshakeResponse(key: string): string {
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
}

/** Whether a head agrees to {@linkcode handshakeRequest}. */
export function isAccepted(head: string): boolean {
  return head.startsWith("HTTP/1.1 101 ") && head.includes(acceptOf(KEY));
}

/** A text message; with the mask that clients must use, which is zero here and leaves the text as it is. */
export function textFrame(text: string, { masked }: { masked: boolean }): Buffer {
  const head = masked ? [TEXT, MASKED | text.length, 0, 0, 0, 0] : [TEXT, text.length];
  return Buffer.concat([Buffer.from(head), Buffer.from(text, "latin1")]);
}

/** Tells the text of each message that comes, whole; other frames of short length are skipped. */
export function readMessages(socket: Socket, told: (text: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let size = frameSize(rest); size > 0 && size <= rest.length; size = frameSize(rest)) {
      if (rest[0] === TEXT) told(textOf(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
  });
}

/** How long the frame is that begins here; 0 when not even that has come. */
function frameSize(bytes: Buffer): number {
  if (bytes.length < 2) return 0;
  const length = bytes[1]! & 0x7f;
  if (length > 125) throw new Error("a frame that is longer than any that was sent");
  return length + (bytes[1]! & MASKED ? 6 : 2);
}

function textOf(frame: Buffer): string {
  if (!(frame[1]! & MASKED)) return frame.toString("latin1", 2);
  const payload = Buffer.from(frame.subarray(6));
  for (let i = 0; i < payload.length; i++) payload[i]! ^= frame[2 + i % 4]!;
  return payload.toString("latin1");
}

function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
