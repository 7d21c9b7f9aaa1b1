/**
 * The origin: a server on raw sockets that answers in one write and does nothing else, so that it is never the bottleneck.
 * `/items/...` gets a small response, `/bytes/N` gets N bytes with back-pressure, `/echo` becomes a WebSocket that sends every message
 * back. HTTP/2 is node:http2's.
 */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createSecureServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../certificates.ts";
import { BIG_BLOCK, bodyFor, ORIGIN_FIELDS, originResponse } from "../payload.ts";
import { serve } from "../rpc.ts";
import { handshakeResponse, readMessages, textFrame } from "../websocket.ts";

const methods = {
  async start(certificate: Certificate): Promise<{ http: number; https: number; http2: number }> {
    return {
      http: await listen(createTcpServer({ noDelay: true }, answer)),
      https: await listen(createTlsServer({ ...certificate, noDelay: true }, answer)),
      http2: await listen(createHttp2Server(certificate).on("stream", answerStream)),
    };
  },
};

export type OriginMethods = typeof methods;
serve(methods);

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function answer(socket: Socket): void {
  let rest = "";
  socket.on("error", () => socket.destroy());
  const read = (chunk: Buffer): void => {
    rest += chunk.toString("latin1");
    let responses = "";
    for (
      let end = rest.indexOf("\r\n\r\n");
      end >= 0;
      end = rest.indexOf("\r\n\r\n")
    ) {
      const path = rest.slice(rest.indexOf(" ") + 1, rest.indexOf(" HTTP/"));
      if (path === "/echo") {
        socket.off("data", read);
        return echo(socket, rest);
      }
      rest = rest.slice(end + 4);
      if (path.startsWith("/bytes/")) {
        sendBytes(socket, Number(path.slice("/bytes/".length)));
      } else responses += originResponse(path);
    }
    if (responses) socket.write(responses, "latin1");
  };
  socket.on("data", read);
}

function answerStream(stream: ServerHttp2Stream, headers: { ":path"?: string }): void {
  const path = headers[":path"] ?? "";
  stream.on("error", () => stream.destroy());
  stream.respond({ ":status": 200, ...ORIGIN_FIELDS, etag: `"${path}"` });
  stream.end(bodyFor(path), "latin1");
}

function echo(socket: Socket, request: string): void {
  socket.write(handshakeResponse(/\r\nsec-websocket-key: *(\S+)/i.exec(request)?.[1] ?? ""));
  readMessages(socket, (text) => void socket.write(textFrame(text, { masked: false })));
}

function sendBytes(socket: Socket, total: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${total}\r\n\r\n`);
  let left = total;
  const more = (): void => {
    while (left > 0) {
      const block = left >= BIG_BLOCK.length ? BIG_BLOCK : BIG_BLOCK.subarray(0, left);
      left -= block.length;
      if (!socket.write(block)) return void socket.once("drain", more);
    }
  };
  more();
}
