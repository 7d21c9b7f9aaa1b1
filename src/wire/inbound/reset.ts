/**
 * Cuts a connection so that the other side cannot take it for an end.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** Resets the TCP connection under a stream; a stream over something else is destroyed. */
export function resetConnection(stream: Duplex): void {
  let raw = stream;
  // On a TLSSocket resetAndDestroy() throws on Node and is an ordinary end on Deno: the reset must come from below.
  while (raw instanceof TLSSocket) {
    const below = (raw as TLSSocket & { _parent?: Duplex })._parent;
    if (below === undefined) break;
    raw = below;
  }
  if (raw instanceof Socket && !(raw instanceof TLSSocket) && !raw.destroyed) raw.resetAndDestroy();
  stream.destroy();
}
