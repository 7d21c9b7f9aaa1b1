/** A capture proxy on node:http and an undici Pool: bodies go on while they are kept. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Pool } from "undici";

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: string[];
  readonly requestBody: Buffer;
  readonly status: number;
  readonly responseHeaders: string[];
  readonly responseBody: Buffer;
}

/** What passed. */
export const exchanges: Exchange[] = [];

const pools = new Map<string, Pool>();

export function capture(
  options: { scheme: "http:" | "https:"; originCa: string },
): RequestListener {
  return (request, response) => {
    exchange(request, response, options).catch((error) => {
      if (response.headersSent) return response.destroy(error);
      response.writeHead(502).end(String(error));
    });
  };
}

export async function closePools(): Promise<void> {
  await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()));
  pools.clear();
}

async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  { scheme, originCa }: { scheme: "http:" | "https:"; originCa: string },
): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", `${scheme}//${request.headers.host}`);
  const requestChunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => requestChunks.push(chunk));
  const hasBody = "content-length" in request.headers ||
    "transfer-encoding" in request.headers;

  const upstream = await poolFor(url.origin, originCa).request({
    method,
    path: url.pathname + url.search,
    headers: request.rawHeaders,
    body: hasBody ? request : null,
    responseHeaders: "raw",
  });
  const responseHeaders = upstream.headers as unknown as string[];
  response.writeHead(upstream.statusCode, responseHeaders);
  const responseChunks: Buffer[] = [];
  for await (const chunk of upstream.body as AsyncIterable<Buffer>) {
    responseChunks.push(chunk);
    if (!response.write(chunk)) {
      await new Promise((resolve) => response.once("drain", resolve));
    }
  }
  response.end();
  exchanges.push({
    method,
    url: url.href,
    requestHeaders: request.rawHeaders,
    requestBody: Buffer.concat(requestChunks),
    status: upstream.statusCode,
    responseHeaders,
    responseBody: Buffer.concat(responseChunks),
  });
}

function poolFor(origin: string, ca: string): Pool {
  let pool = pools.get(origin);
  if (!pool) pools.set(origin, pool = new Pool(origin, { connect: { ca } }));
  return pool;
}
