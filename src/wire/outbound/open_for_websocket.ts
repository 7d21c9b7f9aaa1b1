/**
 * Which connection a WebSocket gets.
 *
 * @module
 */
import type { UpstreamStream } from "../exchange/upstream_stream.ts";
import { DialError } from "./dial.ts";

/** How the server can be reached. */
export interface WebSocketWays {
  /** The client itself speaks HTTP/2, and the server may. */
  readonly http2First: boolean;
  /** A connection of its own, in HTTP/1.1. */
  http1(): Promise<UpstreamStream>;
  /** A stream in HTTP/2, or what the server speaks in its place; `undefined`: the server is known to speak HTTP/1.1. */
  either(): Promise<UpstreamStream | undefined>;
}

/**
 * A WebSocket of a client that speaks HTTP/2 goes over HTTP/2 where the server takes it there (RFC 8441 section 3). All others have a
 * connection of their own in HTTP/1.1, unless the server speaks nothing but HTTP/2.
 *
 * @throws {DialError} the server cannot be reached
 */
export async function openForWebSocket(ways: WebSocketWays): Promise<UpstreamStream> {
  if (ways.http2First) return await inHttp2(ways) ?? await ways.http1();
  try {
    return await ways.http1();
  } catch (error) {
    const stream = speaksOtherwise(error) ? await inHttp2(ways) : undefined;
    if (stream === undefined) throw error;
    return stream;
  }
}

async function inHttp2(ways: WebSocketWays): Promise<UpstreamStream | undefined> {
  const stream = await ways.either();
  if (stream === undefined || (await stream.takesWebSockets?.() ?? true)) return stream;
  stream.destroy();
  return undefined;
}

/** The server knows none of the protocols that were offered (RFC 7301 section 3.2). */
function speaksOtherwise(error: unknown): boolean {
  if (!(error instanceof DialError) || error.stage !== "tls") return false;
  return String((error.cause as NodeJS.ErrnoException | undefined)?.code).includes("NO_APPLICATION_PROTOCOL");
}
