/**
 * One keep-alive connection of the load generator: writes prepared requests one after another, and checks every response.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { isBodyFor } from "../payload.ts";
import type { Exchange, Lane } from "./lane.ts";

export class KeepAlive implements Lane {
  readonly #socket: Socket;
  readonly #bodyBytes: number;
  #pending: Buffer | undefined;
  #expected = "";
  #next: (() => Exchange | undefined) | undefined;
  #finished: PromiseWithResolvers<number> | undefined;
  #completed = 0;
  #failure: Error | undefined;

  constructor(socket: Socket, bodyBytes: number) {
    this.#socket = socket;
    this.#bodyBytes = bodyBytes;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed before the response was complete")));
  }

  run(next: () => Exchange | undefined): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#finished = Promise.withResolvers();
    this.#next = next;
    this.#completed = 0;
    this.#send();
    return this.#finished.promise;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #send(): void {
    const exchange = this.#next?.();
    if (!exchange) return this.#finished?.resolve(this.#completed);
    this.#expected = exchange.path;
    this.#socket.write(exchange.request);
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    try {
      if (!isWhole(bytes, this.#expected, this.#bodyBytes)) {
        this.#pending = bytes;
        return;
      }
    } catch (error) {
      return this.#fail(error as Error);
    }
    this.#pending = undefined;
    this.#completed++;
    this.#send();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#finished?.reject(error);
    this.#socket.destroy();
  }
}

/** Whether `bytes` are the right response, whole; `false` while more has to come. Throws at a wrong one. */
export function isWhole(bytes: Buffer, path: string, bodyBytes: number): boolean {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = bytes.toString("latin1", 0, headEnd);
  const bodyStart = headEnd + 4;
  if (!head.startsWith("HTTP/1.1 200 ")) {
    throw wrong(path, head + "\n\n" + bytes.toString("latin1", bodyStart, bodyStart + 500));
  }
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) {
    return isWholeChunked(bytes, bodyStart, head, path, bodyBytes);
  }
  const bodyEnd = bodyStart + Number(length);
  if (bytes.length < bodyEnd) return false;
  if (bytes.length > bodyEnd || !isBodyFor(path, bodyBytes, bytes, bodyStart, bodyEnd)) throw wrong(path, head);
  return true;
}

/** A contender may choose chunks where the origin sent a length: slower for it, but not wrong. */
function isWholeChunked(bytes: Buffer, start: number, head: string, path: string, bodyBytes: number): boolean {
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw wrong(path, head);
  const chunks: Buffer[] = [];
  for (let at = start;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return false;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (!(at <= bytes.length)) return false;
    if (size === 0) break;
    chunks.push(bytes.subarray(lineEnd + 2, at - 2));
  }
  const body = Buffer.concat(chunks);
  if (!isBodyFor(path, bodyBytes, body, 0, body.length)) {
    throw wrong(path, head);
  }
  return true;
}

function wrong(path: string, got: string): Error {
  return new Error(`wrong response to ${path}:\n${got}`);
}
