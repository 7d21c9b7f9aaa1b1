/**
 * Looks at the first byte of a connection.
 *
 * @module
 */
import type { Duplex } from "node:stream";

/** The first byte, which stays unread; `undefined` when the client hangs up before it sends one. */
export function peek(socket: Duplex): Promise<number | undefined> {
  return new Promise((resolve) => {
    const settle = (byte: number | undefined) => {
      socket.off("readable", read).off("end", gone).off("close", gone);
      resolve(byte);
    };
    const gone = () => {
      settle(undefined);
      socket.destroy();
    };
    const read = () => {
      const bytes = socket.read() as Uint8Array | null;
      if (bytes === null) {
        if (socket.readableEnded || socket.destroyed) gone();
        return;
      }
      socket.unshift(bytes);
      settle(bytes[0]);
    };
    // Nobody else listens yet, and an unheard error would end the process.
    socket.on("error", () => {});
    if (socket.destroyed) return gone();
    socket.on("readable", read).on("end", gone).on("close", gone);
    if (socket.readableLength > 0) read();
  });
}
