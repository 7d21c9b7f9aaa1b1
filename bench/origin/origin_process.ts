/**
 * The origin: a server on raw sockets that answers in one write and does nothing else, so that it is never the bottleneck.
 * `/items/...` gets a small response, `/bytes/N` gets N bytes with back-pressure.
 */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../certificates.ts";
import { BIG_BLOCK, originResponse } from "../payload.ts";
import { serve } from "../rpc.ts";

const methods = {
  async start(certificate: Certificate): Promise<{ http: number; https: number }> {
    return {
      http: await listen(createTcpServer({ noDelay: true }, answer)),
      https: await listen(createTlsServer({ ...certificate, noDelay: true }, answer)),
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
  socket.on("data", (chunk: Buffer) => {
    rest += chunk.toString("latin1");
    let responses = "";
    for (
      let end = rest.indexOf("\r\n\r\n");
      end >= 0;
      end = rest.indexOf("\r\n\r\n")
    ) {
      const path = rest.slice(rest.indexOf(" ") + 1, rest.indexOf(" HTTP/"));
      rest = rest.slice(end + 4);
      if (path.startsWith("/bytes/")) {
        sendBytes(socket, Number(path.slice("/bytes/".length)));
      } else responses += originResponse(path);
    }
    if (responses) socket.write(responses, "latin1");
  });
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
