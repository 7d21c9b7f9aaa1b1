/**
 * A client on node:http2, in a process of its own: sends requests through a tunnel of the proxy, all at once or one after the other.
 *
 *     node node_client.ts '{"proxy": 8080, "target": "origin.test:443", "ca": "...", "requests": [{"path": "/"}]}'
 *
 * Prints what became of each request, as JSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import http from "node:http";
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import process from "node:process";
import tls from "node:tls";
import type { ClientOrder, ClientRequestOrder, ClientResult } from "./peers.ts";

const order: ClientOrder = JSON.parse(process.argv[2]!);
const session = await connect();
const results: ClientResult[] = [];
if (order.inTurn) { for (const one of order.requests) results.push(await send(one)); }
else results.push(...await Promise.all(order.requests.map((one) => send(one))));
console.log(JSON.stringify(results));
// A reset may still be on its way.
session.close(() => process.exit());
setTimeout(() => process.exit(), 300);

async function connect(): Promise<ClientHttp2Session> {
  const { proxy, target, ca } = order;
  const name = target.replace(/:\d+$/, "");
  const socket = await new Promise<Socket>((resolve, reject) => {
    const request = http.request({ port: proxy, host: "127.0.0.1", method: "CONNECT", path: target });
    request.on("connect", (_response, it) => resolve(it as Socket)).on("error", reject).end();
  });
  const stream = ca === undefined ? socket : await new Promise<Socket>((resolve, reject) => {
    const secure = tls.connect({ socket, servername: name, ca, ALPNProtocols: ["h2"] }, () => resolve(secure));
    secure.on("error", reject);
  });
  const created = http2.connect(`http${ca === undefined ? "" : "s"}://${target}`, {
    createConnection: () => stream,
    settings: { initialWindowSize: order.window ?? 65_535 },
  });
  created.on("error", () => {});
  return created;
}

function send(one: ClientRequestOrder): Promise<ClientResult> {
  return new Promise((resolve) => {
    const { path, method = one.body === undefined ? "GET" : "POST", headers = [], body, trailers } = one;
    const scheme = order.ca === undefined ? "http" : "https";
    const raw = [":method", method, ":scheme", scheme, ":authority", order.target.replace(/:443$/, ""), ":path", path];
    const result: ClientResult = {
      path,
      raw: [],
      body: "",
      length: 0,
      sha1: "",
      trailers: [],
      informational: [],
      rst: -1,
    };
    const hasBody = body !== undefined || trailers !== undefined;
    // The types know no arrays here yet.
    const stream = session.request([...raw, ...headers.flat()] as unknown as IncomingHttpHeaders, {
      endStream: !hasBody,
      waitForTrailers: trailers !== undefined,
    });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers!));
    stream.on("headers", (_h, _f, it: string[]) => result.informational.push(it));
    // The last argument is missing in the types.
    stream.on(
      "response",
      ((_h: unknown, _f: unknown, it: string[]) => {
        result.raw = it;
        result.status = Number(it[1]);
        if (one.pauseMs !== undefined) {
          stream.pause();
          setTimeout(() => stream.resume(), one.pauseMs);
        }
        if (one.reset !== undefined) stream.close(one.reset);
      }) as () => void,
    );
    if (one.resetUnanswered !== undefined) setTimeout(() => stream.close(one.resetUnanswered), 500);
    stream.on("trailers", (_h: unknown, _f: unknown, it: string[]) => result.trailers = it);
    const hash = createHash("sha1");
    stream.on("data", (bytes: Buffer) => {
      hash.update(bytes);
      result.length += bytes.length;
      if (result.body.length < 20_000) result.body += bytes.toString("latin1");
    });
    stream.on("end", () => result.ended = true);
    stream.on("error", (error: NodeJS.ErrnoException) => result.error = error.code ?? error.message);
    stream.on("close", () => {
      result.rst = stream.rstCode;
      result.sha1 = hash.digest("hex");
      resolve(result);
    });
    if (typeof body === "number") upload(stream, body);
    else if (hasBody) stream.end(body ?? "");
  });
}

function upload(stream: http2.ClientHttp2Stream, size: number): void {
  let sent = 0;
  const write = () => {
    while (sent < size) {
      // No two pieces are the same: see sha1Of().
      const part = Buffer.alloc(Math.min(16_384, size - sent), String(sent));
      sent += part.length;
      if (!stream.write(part)) return stream.once("drain", write);
    }
    stream.end();
  };
  write();
}
