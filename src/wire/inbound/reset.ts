/**
 * Cuts a connection so that the other side cannot take it for an end.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { connectionBelow } from "../ca/mod.ts";

/** Resets the TCP connection under a stream; a stream of HTTP/2 is reset, and with it what is over it. */
export function resetConnection(stream: Duplex): void {
  let raw = stream;
  let ending = isEnding(stream);
  // On a TLSSocket resetAndDestroy() throws on Node and is an ordinary end on Deno: the reset must come from below.
  while (raw instanceof TLSSocket) {
    const below = connectionBelow(raw) ?? (raw as TLSSocket & { _parent?: Duplex | null })._parent ?? undefined;
    if (below === undefined) break;
    raw = below;
    ending ||= isEnding(raw);
  }
  const resettable = raw instanceof Socket && !(raw instanceof TLSSocket) && !raw.destroyed && !ending;
  if (resettable) (raw as Socket).resetAndDestroy();
  // Not every runtime closes what is under TLS with it.
  else raw.destroy();
  stream.destroy();
}

// libuv resets no connection whose end is on its way, and Node then leaves it open for ever.
function isEnding(stream: Duplex): boolean {
  return stream.writableEnded && !stream.writableFinished;
}
