/**
 * A WebSocket server of Bun's own, which compresses: it echoes, or closes with the code it is told. It prints its port. With `KEY`
 * and `CERT` it speaks TLS.
 *
 * @module
 */
import process from "node:process";

interface ServerSocket {
  send(data: string | Uint8Array, compress?: boolean): number;
  close(code: number, reason: string): void;
}
declare const Bun: { serve(options: object): { port: number } };

const server: { readonly port: number } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  ...(process.env.KEY === undefined ? {} : { tls: { key: process.env.KEY, cert: process.env.CERT } }),
  fetch: (request: Request, server: { upgrade(request: Request): boolean }) =>
    server.upgrade(request) ? undefined : new Response("not a WebSocket", { status: 400 }),
  websocket: {
    // With memory of their own for both directions: contexts are taken over.
    perMessageDeflate: { compress: "dedicated", decompress: "dedicated" },
    maxPayloadLength: 64 * 1024 * 1024,
    message(socket: ServerSocket, data: string | Uint8Array) {
      const [, code, reason] = /^close (\d+) (.*)/.exec(String(data)) ?? [];
      if (code === undefined) socket.send(data, true);
      else socket.close(Number(code), reason ?? "");
    },
  },
});
console.log(server.port);
