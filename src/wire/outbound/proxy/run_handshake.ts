/**
 * Runs a handshake that knows nothing of sockets on a socket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";

/** One end of a handshake without I/O: bytes in, steps out. */
export interface Handshake<T> {
  /** Takes bytes of the other end. */
  push(bytes: Uint8Array): void;
  /** The next step; `undefined`: more bytes are needed. Throws when the handshake has failed. */
  next(): HandshakeStep<T> | undefined;
  /** What came after the handshake. */
  rest(): Uint8Array;
}

/** What a handshake wants: bytes to be sent, or nothing more, because it is over. */
export type HandshakeStep<T> =
  | { readonly type: "write"; readonly bytes: Uint8Array }
  | { readonly type: "done"; readonly value: T };

/** How to run a handshake, and the errors for what can end it from outside. */
export interface RunHandshakeOptions {
  /** How long the whole handshake may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Given up when it aborts. */
  readonly signal?: AbortSignal;
  /** The other end has gone. */
  ended(cause?: Error): Error;
  /** The time is over. */
  timedOut(): Error;
  /** The signal has aborted; without a function of its own the signal's reason. */
  aborted?(): Error;
}

/**
 * Writes and reads until the handshake is over, and puts back what was read too far: the socket can be read, or given to
 * TLS, as if nothing had happened on it. Nothing else may read from it meanwhile. The socket is never destroyed here.
 *
 * @throws what the handshake throws, or what `ended`, `timedOut` and `aborted` make
 */
export function runHandshake<T>(socket: Duplex, handshake: Handshake<T>, options: RunHandshakeOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    let over = false;
    const finish = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("readable", read).off("end", onEnd).off("close", onEnd).off("error", onEnd);
    };
    const fail = (error: unknown): void => {
      finish();
      reject(error);
    };
    const onEnd = (cause?: unknown): void => fail(options.ended(cause instanceof Error ? cause : undefined));
    const onAbort = (): void => fail(options.aborted?.() ?? signal?.reason);
    const timer = setTimeout(() => fail(options.timedOut()), options.timeoutMs);

    const advance = (): void => {
      for (let step = handshake.next(); step !== undefined; step = handshake.next()) {
        if (step.type === "write") {
          socket.write(step.bytes);
          continue;
        }
        finish();
        const rest = handshake.rest();
        // A stream that has ended takes nothing back.
        if (rest.length > 0 && !socket.destroyed && !socket.readableEnded) socket.unshift(asBuffer(rest));
        resolve(step.value);
        return;
      }
    };
    const read = (): void => {
      try {
        for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
          handshake.push(chunk);
        }
        advance();
      } catch (error) {
        return fail(error);
      }
      if (!over) socket.once("readable", read);
    };

    // One that stays: an error between this step and the next, when nobody listens, must not end the process.
    socket.on("error", ignore);
    if (signal?.aborted) return onAbort();
    if (socket.destroyed || socket.readableEnded) return onEnd();
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("end", onEnd).on("close", onEnd).on("error", onEnd);
    // A client speaks first; a server finds what was unshifted before, which need not be announced again.
    read();
  });
}

function ignore(): void {}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
