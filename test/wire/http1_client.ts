/**
 * A client of HTTP/1.1 for the tests of a running proxy: requests by hand, and responses taken apart by their framing alone.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { type RawServer, startRawServer } from "../support/raw_server.ts";

/** A response as it came over the wire. */
export interface WireResponse {
  status: number;
  /** Status line and fields, to the letter. */
  head: string;
  /** In order, with case and duplicates. */
  headers: [string, string][];
  /** The first header of this name, in any case. */
  header(name: string): string | undefined;
  /** Without its transfer coding, latin1. */
  text: string;
  /** The sizes of the chunks; none when the body was not chunked. */
  chunks: number[];
  /** Raw trailer lines. */
  trailers: string;
}

/** A request in absolute form, as clients send it to a proxy. Fields are whole lines, without their end. */
export function requestTo(url: string, { method = "GET", fields = [], body }: {
  method?: string;
  fields?: string[];
  body?: string;
} = {}): string {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  return [`${method} ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, ...length, ...fields, "", body ?? ""].join("\r\n");
}

/** The next response of a connection, an informational one included. */
export async function readResponse(connection: RawConnection, method = "GET"): Promise<WireResponse> {
  const head = await connection.readHead();
  const [line = "", ...fields] = head.slice(0, -4).split("\r\n");
  const status = Number(line.split(" ")[1]);
  const headers = fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const header = (name: string) => headers.find(([it]) => it.toLowerCase() === name.toLowerCase())?.[1];
  const response: WireResponse = { status, head, headers, header, text: "", chunks: [], trailers: "" };
  if (status < 200 || status === 204 || status === 304 || method === "HEAD") return response;
  if (header("transfer-encoding") !== undefined) await readChunks(connection, response);
  else {
    const length = header("content-length");
    const body = length === undefined ? await connection.readAll() : await connection.readBytes(Number(length));
    response.text = Buffer.from(body).toString("latin1");
  }
  return response;
}

/** Sends one request on a connection of its own and reads its response. */
export async function exchange(port: number, request: string): Promise<WireResponse> {
  await using connection = await connectRaw(port);
  await connection.write(request);
  return await readResponse(connection, request.slice(0, request.indexOf(" ")));
}

async function readChunks(connection: RawConnection, response: WireResponse): Promise<void> {
  for (;;) {
    const size = parseInt(await connection.readUntil("\r\n"), 16);
    if (size === 0) break;
    response.chunks.push(size);
    response.text += Buffer.from(await connection.readBytes(size)).toString("latin1");
    await connection.readUntil("\r\n");
  }
  for (let line = await connection.readUntil("\r\n"); line !== "\r\n"; line = await connection.readUntil("\r\n")) {
    response.trailers += line;
  }
}

/** A server that answers every request head of every connection with these bytes, until the client goes. */
export function answering(response: string): Promise<RawServer> {
  return startRawServer(async (connection) => {
    while (await connection.readHead().catch(() => undefined) !== undefined) await connection.write(response);
  });
}

/** For `expect.poll`: the machine may be slow and busy. */
export const PATIENTLY = { timeout: 10_000 };

/** Bytes as text, a character each. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
