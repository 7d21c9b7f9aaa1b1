/**
 * Looks at the ClientHello of a connection and leaves the connection as it was.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import type { ClientHelloFields } from "../../flow/client_hello.ts";
import { FlowtapeError } from "../../flow/error.ts";
import { readClientHello } from "./client_hello.ts";

/** How to look. */
export interface PeekOptions {
  /** How long the whole hello may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Reads until there is a whole ClientHello, and puts back everything that was read, also when it fails: the caller can
 * still relay the bytes. Nothing else may read from the socket meanwhile. The socket is never destroyed here.
 *
 * @throws {FlowtapeError} `NOT_TLS` when the bytes cannot become a ClientHello, `TLS_CLIENT_CLOSED` when the connection
 * ends before, `TLS_HELLO_TIMEOUT` when it takes too long
 */
export function peekClientHello(socket: Duplex, options: PeekOptions): Promise<ClientHelloFields> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    let length = 0;
    const timer = setTimeout(() => fail(timedOut(options.timeoutMs, length)), options.timeoutMs);

    const finish = (): void => {
      clearTimeout(timer);
      socket.off("readable", read).off("end", ended).off("close", ended).off("error", ended);
      // A stream that has ended takes nothing back.
      if (length > 0 && !socket.destroyed && !socket.readableEnded) socket.unshift(seen.subarray(0, length));
    };
    const fail = (error: FlowtapeError): void => {
      finish();
      reject(error);
    };
    const ended = (cause?: Error): void => fail(closedEarly(length, cause));
    const read = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        seen = append(seen, length, chunk);
        length += chunk.length;
      }
      const result = readClientHello(seen.subarray(0, length));
      if (result.state === "partial") return void socket.once("readable", read);
      if (result.state === "invalid") return fail(notTls(result.reason));
      finish();
      resolve(result.hello);
    };

    // One that stays: an error between this step and the next, when nobody listens, must not end the process.
    socket.on("error", ignore);
    if (socket.destroyed || socket.readableEnded) return ended();
    socket.on("end", ended).on("close", ended).on("error", ended);
    // What was unshifted before is there already, and need not be announced again.
    if (socket.readableLength > 0) read();
    else socket.once("readable", read);
  });
}

function ignore(): void {}

/** Doubles the buffer when it is full: a hello that comes byte by byte must not be copied once for every byte. */
function append(buffer: Buffer<ArrayBuffer>, length: number, chunk: Buffer): Buffer<ArrayBuffer> {
  const room = length + chunk.length;
  const target = room <= buffer.length ? buffer : Buffer.alloc(Math.max(room, buffer.length * 2, 1024));
  if (target !== buffer) buffer.copy(target, 0, 0, length);
  chunk.copy(target, length);
  return target;
}

function notTls(reason: string): FlowtapeError {
  return new FlowtapeError(
    "NOT_TLS",
    `The client does not speak TLS: it began with ${reason}. Check the scheme of the URL, or let https.passthrough ` +
      `match the connection.`,
  );
}

function closedEarly(received: number, cause?: Error): FlowtapeError {
  return new FlowtapeError(
    "TLS_CLIENT_CLOSED",
    `The client closed the connection before its ClientHello was complete (${received} bytes of it came). Look for the ` +
      `reason at the client.`,
    cause === undefined ? undefined : { cause },
  );
}

function timedOut(milliseconds: number, received: number): FlowtapeError {
  return new FlowtapeError(
    "TLS_HELLO_TIMEOUT",
    `The client did not send a whole ClientHello within ${milliseconds} ms (${received} bytes of it came). If it waits ` +
      `for the server to speak first, it does not speak TLS: let https.passthrough match the connection.`,
  );
}
