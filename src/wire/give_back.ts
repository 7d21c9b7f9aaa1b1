/**
 * The memory of what was read from sockets.
 *
 * Each read of Node's brings up to 64 KiB outside of the heap, which the garbage collector lets go of when there are some 64 MiB of them:
 * with a large body that is a third of the processor time, and nearly all of the memory. Who is done with a read gives it back.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Smaller reads are not worth the asking. What shares a buffer with others is smaller, too. */
const MIN_BYTES = 16 * 1024;

/** Whether these bytes are a large read as it came, so that no part of it is anywhere else. */
export function isWholeRead({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength >= MIN_BYTES && byteLength === buffer.byteLength;
}

/** Whether a write that is reported done is done with its bytes: not where a stream queues them, and elsewhere than on Node nobody says so. */
export function isDoneWhenWritten(socket: Duplex): boolean {
  return !("Deno" in globalThis) && !("Bun" in globalThis) && socket instanceof Socket;
}

/** Gives the memory of a read back, which is empty then. */
export function giveBack({ buffer }: Uint8Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
