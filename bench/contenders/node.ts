/**
 * What a good engineer writes without a library, one shape for each job: a capture proxy on node:http and undici or on node:http2, a
 * pipe between two node:http connections, or two sockets, a node:http handler.
 */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createSecureServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Contender, Job, Surroundings } from "./contender.ts";
import { capture, closePools, exchanges } from "./node_capture.ts";
import { captureHttp2, closeSessions } from "./node_http2.ts";
import { pipe, pipeTunnel, pipeUpgrade } from "./node_pipe.ts";
import { answerWith } from "./node_respond.ts";

let server: Server;
const sockets = new Set<Socket>();

export const contender: Contender = {
  async start(job: Job, { originCa, prepared }: Surroundings) {
    const listener = listenerFor(job, originCa);
    server = createHttpServer(listener("http:"));
    const { cert, key } = prepared;
    const secure = job.kind === "record" && job.http2
      ? createHttp2Server({ cert, key }).on("stream", captureHttp2({ originCa }))
      : createHttpsServer({ cert, key }, listener("https:"));
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    server.on("upgrade", pipeUpgrade);
    server.on("connect", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      if (job.kind === "tunnel") return pipeTunnel(request, socket);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length) socket.unshift(head);
      secure.emit("connection", socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, ca: prepared.ca };
  },
  seen: () => exchanges.length,
  reset: () => void exchanges.splice(0),
  async stop() {
    for (const socket of sockets) socket.destroy();
    server.close();
    exchanges.splice(0);
    await closePools();
    closeSessions();
  },
};

function listenerFor(job: Job, originCa: string): (scheme: "http:" | "https:") => RequestListener {
  switch (job.kind) {
    case "record":
      return (scheme) => capture({ scheme, originCa });
    case "stream":
      return () => pipe();
    case "tunnel":
    case "websocket":
      return () => (_request, response) => void response.writeHead(404).end();
    case "respond":
      return () => answerWith(job.paths);
    default:
      throw new Error(`no plain shape for "${job.kind}"`);
  }
}
