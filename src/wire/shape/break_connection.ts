/**
 * Breaks connections that nobody speaks HTTP on.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import type { Cut } from "../../flow/shape.ts";
import { resetConnection } from "../inbound/reset.ts";

/** How long the other side has to take what was sent, in milliseconds. */
const LINGER_MS = 1000;

/** Breaks a connection as it is wanted, once what was written has left. */
export function breakConnection(stream: Duplex, { end }: Pick<Cut, "end">, garbage?: Uint8Array): void {
  if (stream.destroyed) return;
  const over = () => end === "reset" ? resetConnection(stream) : void stream.destroy();
  const timer = setTimeout(over, LINGER_MS);
  stream.on("close", () => clearTimeout(timer));
  if (end !== "reset") {
    // Closing with something unread would be a reset: what still comes is let go.
    stream.resume();
    if (!stream.writableEnded) stream.end(garbage);
  } else if (stream.writableEnded) {
    over();
  } else {
    stream.write(garbage ?? new Uint8Array(0), over);
  }
}
