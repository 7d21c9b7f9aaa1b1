/**
 * An HTTP/1.1 origin server in a few lines, the same on every runtime. It keeps connections alive, keeps what it was sent, and
 * sends header lines exactly as it is told.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createSecureContext, type SecureContext, type TlsOptions } from "node:tls";
import { testCa } from "./certificates.ts";
import type { RawConnection } from "./raw_connection.ts";
import { startRawServer } from "./raw_server.ts";

/** A request as it came over the wire. */
export interface OriginRequest {
  method: string;
  /** As in the request line: `/path?query`, or a whole URL. */
  target: string;
  version: string;
  /** In order, with case and duplicates. */
  headers: [string, string][];
  /** Without its transfer coding. */
  body: Uint8Array<ArrayBuffer>;
  /** The first header of this name, in any case. */
  header(name: string): string | undefined;
  text(): string;
}

/** A response. Its framing (Content-Length, or chunks for an iterable body) is added unless `headers` has one. */
export interface OriginResponse {
  /** Default: 200. */
  status?: number;
  /** Default: "OK". */
  reason?: string;
  headers?: [string, string][];
  /** An iterable is sent chunk by chunk, each as it comes. */
  body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** Sent after the last chunk of an iterable body. */
  trailers?: [string, string][];
}

/** Answers a request. */
export type OriginHandler = (request: OriginRequest) => OriginResponse | Promise<OriginResponse>;

/** A listening origin. */
export interface Origin extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:<port>` or `https://127.0.0.1:<port>` */
  readonly url: string;
  /** Of the authority that signed the certificate, PEM. */
  readonly ca: string;
  /** Every request so far. */
  readonly requests: OriginRequest[];
  /** How many connections were made so far. */
  readonly connections: number;
}

/** How to serve. */
export interface OriginOptions {
  /** `true`: a certificate for whatever name the client asks for. Or your own, with whatever else node:tls takes. */
  tls?: true | TlsOptions;
}

/** Starts an origin; without a handler it answers "ok" to everything. */
export async function startOrigin(
  handler: OriginHandler = () => ({ body: "ok" }),
  { tls }: OriginOptions = {},
): Promise<Origin> {
  const requests: OriginRequest[] = [];
  const serve = async (connection: RawConnection) => {
    for (;;) {
      const request = await readRequest(connection);
      if (!request) return;
      requests.push(request);
      const response = await handler(request);
      await writeResponse(connection, request, response);
      const options = [request.header("connection"), find(response.headers ?? [], "connection")].join().toLowerCase();
      if (options.includes("close") || (request.version === "HTTP/1.0" && !options.includes("keep-alive"))) return;
    }
  };
  const server = await startRawServer(serve, tls ? { tls: tls === true ? certificatesForAnyName() : tls } : {});
  return {
    port: server.port,
    url: `${tls ? "https" : "http"}://127.0.0.1:${server.port}`,
    ca: tls ? testCa().cert : "",
    requests,
    get connections() {
      return server.connections;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

let anyName: TlsOptions | undefined;

/** Certificates for the loopback addresses and for every name in a ClientHello. */
function certificatesForAnyName(): TlsOptions {
  if (anyName) return anyName;
  const contexts = new Map<string, SecureContext>();
  const loopback = testCa().issue(["localhost", "127.0.0.1", "::1"]);
  return anyName = {
    ...loopback,
    SNICallback(name, done) {
      // Deno asks for the name "" where a client sends none.
      const context = contexts.get(name) ?? createSecureContext(name ? testCa().issue([name]) : loopback);
      contexts.set(name, context);
      done(null, context);
    },
  };
}

/** The next request of a connection, or nothing if the client closed it between two requests. */
async function readRequest(connection: RawConnection): Promise<OriginRequest | undefined> {
  const head = await connection.readHead().catch(() => undefined);
  if (head === undefined) return undefined;
  const [line = "", ...fields] = head.slice(0, -4).split("\r\n");
  const [method = "", target = "", version = ""] = line.split(" ");
  const headers = fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const header = (name: string) => find(headers, name);
  if (header("expect")?.toLowerCase() === "100-continue") await connection.write("HTTP/1.1 100 Continue\r\n\r\n");
  const body = header("transfer-encoding")?.toLowerCase().endsWith("chunked")
    ? await readChunks(connection)
    : await connection.readBytes(Number(header("content-length") ?? 0));
  return { method, target, version, headers, body, header, text: () => Buffer.from(body).toString() };
}

async function readChunks(connection: RawConnection): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(await connection.readUntil("\r\n"), 16);
    if (size === 0) break;
    chunks.push(await connection.readBytes(size));
    await connection.readUntil("\r\n");
  }
  while (await connection.readUntil("\r\n") !== "\r\n");
  return new Uint8Array(Buffer.concat(chunks));
}

async function writeResponse(
  connection: RawConnection,
  request: OriginRequest,
  { status = 200, reason = "OK", headers = [], body = "", trailers = [] }: OriginResponse,
): Promise<void> {
  const whole = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
  const framed = find(headers, "content-length") !== undefined || find(headers, "transfer-encoding") !== undefined;
  const framing: [string, string] = whole ? ["Content-Length", String(whole.length)] : ["Transfer-Encoding", "chunked"];
  const isBodiless = status === 204 || status === 304;
  const lines = framed || isBodiless ? headers : [...headers, framing];
  const head = Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${fieldLines(lines)}\r\n`, "latin1");
  if (request.method === "HEAD" || isBodiless) return await connection.write(head);
  if (whole) return await connection.write(Buffer.concat([head, whole]));

  await connection.write(head);
  for await (const chunk of body as AsyncIterable<string | Uint8Array>) {
    const data = Buffer.from(chunk as string);
    if (data.length === 0) continue;
    await connection.write(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]));
  }
  await connection.write(`0\r\n${fieldLines(trailers)}\r\n`);
}

function fieldLines(headers: [string, string][]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

function find(headers: [string, string][], name: string): string | undefined {
  return headers.find(([it]) => it.toLowerCase() === name.toLowerCase())?.[1];
}
