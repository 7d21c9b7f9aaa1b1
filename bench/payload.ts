/**
 * What goes over the wire: the same requests and responses for every contender, and how to tell a right answer from a
 * wrong one. A response body starts with the path it belongs to, so that an answer to another request is noticed.
 */
import { Buffer } from "node:buffer";

/** The size of a response body unless a scenario says otherwise. */
export const BODY_BYTES = 1024;
export const MIB = 1024 * 1024;

const FILLER = Buffer.alloc(64 * 1024, "abcdefghijklmnopqrstuvwxyz0123456789 ");

/** Paths of one length, so that requests of a scenario differ in content only. */
export function itemPath(index: number): string {
  return `/items/${String(index).padStart(6, "0")}`;
}

/** A path that the origin answers with so many bytes. */
export function bytesPath(bytes: number): string {
  return `/bytes/${bytes}`;
}

const PATTERN = Buffer.from("0123456789abcdef");

/** What a large body is made of, again and again. */
export const BIG_BLOCK: Buffer = Buffer.alloc(256 * 1024, PATTERN);

/** The byte at an offset of a large body. */
export function bigByte(offset: number): number | undefined {
  return PATTERN[offset % PATTERN.length];
}

export function bodyFor(path: string, size: number = BODY_BYTES): string {
  return path + FILLER.toString("latin1", 0, size - path.length);
}

/** Whether `chunk` holds, from `start` to `end`, the body that belongs to `path`. */
export function isBodyFor(path: string, size: number, chunk: Buffer, start: number, end: number): boolean {
  if (end - start !== size) return false;
  if (chunk.toString("latin1", start, start + path.length) !== path) {
    return false;
  }
  return FILLER.compare(chunk, start + path.length, end, 0, size - path.length) === 0;
}

/** Some fields of every response of the origin, as HTTP/2 names them. */
export const ORIGIN_FIELDS = {
  server: "origin",
  date: "Thu, 01 Jan 2026 00:00:00 GMT",
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-cache",
} as const;

/** The response of the origin, in one piece as a server that knows its trade writes it. */
export function originResponse(path: string, size: number = BODY_BYTES): string {
  return "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n" +
    "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-cache\r\n" +
    `ETag: "${path}"\r\nContent-Length: ${size}\r\nConnection: keep-alive\r\n\r\n` +
    bodyFor(path, size);
}

/** The request of a client: the fields that a browser or an HTTP library sends. */
export function requestBytes(target: string, host: string): Buffer {
  return Buffer.from(
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n` +
      "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\nX-Request-Id: 0123456789abcdef\r\n\r\n",
    "latin1",
  );
}
