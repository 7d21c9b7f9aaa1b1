/**
 * Looks at the first bytes of a connection.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Watch } from "../watch.ts";

/** What was seen. */
export interface FirstBytes {
  /** Everything that has come. */
  readonly bytes: Buffer;
  /** What ended the looking: it was enough, no more came in time, the client ended its side or is gone, or somebody interrupted. */
  readonly why: "enough" | "late" | "ended" | "interrupted";
  /** Whether `bytes` can be read from the connection again. Not when the client has ended it: a stream takes nothing back then. */
  readonly putBack: boolean;
}

/**
 * Reads as much as is needed and puts it back. Nothing else may read meanwhile; the socket is never destroyed here.
 *
 * @param patience how many milliseconds more bytes are waited for, given those that have come; 0: they are enough
 * @param interrupt ends the looking as long as nothing has come
 */
export function look(
  socket: Duplex,
  patience: (bytes: Buffer) => number,
  interrupt?: Promise<unknown>,
): Promise<FirstBytes> {
  return new Promise((resolve) => {
    let bytes: Buffer = NOTHING;
    let over = false;
    const watch = new Watch(() => settle("late"));
    const settle = (why: FirstBytes["why"]) => {
      if (over) return;
      over = true;
      watch.close();
      socket.off("readable", read).off("end", gone).off("close", gone);
      const putBack = !socket.destroyed && !socket.readableEnded;
      if (putBack && bytes.length > 0) socket.unshift(bytes);
      resolve({ bytes, why, putBack });
    };
    const gone = () => settle("ended");
    const wait = () => {
      const ms = patience(bytes);
      // In this very turn: a connection that has ended takes nothing back in the next.
      if (ms === 0) settle("enough");
      else watch.set(ms);
    };
    const read = () => {
      const more = socket.read() as Buffer | null;
      if (more === null) {
        if (socket.readableEnded || socket.destroyed) gone();
        return;
      }
      bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
      wait();
    };
    // Nobody else listens yet, and an unheard error would end the process.
    socket.off("error", ignore).on("error", ignore);
    if (socket.destroyed || socket.readableEnded) return gone();
    socket.on("readable", read).on("end", gone).on("close", gone);
    if (socket.readableLength > 0) read();
    if (bytes.length === 0 && !over) wait();
    interrupt?.then(() => {
      if (bytes.length === 0) settle("interrupted");
    });
  });
}

const NOTHING = Buffer.alloc(0);

function ignore(): void {}
