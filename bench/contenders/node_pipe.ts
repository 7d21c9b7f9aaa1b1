/** Proxies that keep nothing: two node:http messages and a pipe, or two sockets and a pipe each way. */
import type { Buffer } from "node:buffer";
import { Agent, type IncomingMessage, request as send, type RequestListener } from "node:http";
import { connect } from "node:net";
import { type Duplex, pipeline } from "node:stream";

export function pipe(): RequestListener {
  const agent = new Agent({ keepAlive: true });
  return (request, response) => {
    const { hostname, port, pathname, search } = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const upstream = send(
      {
        agent,
        hostname,
        port,
        path: pathname + search,
        method: request.method,
        headers: request.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        pipeline(answer, response, () => {});
      },
    );
    upstream.on("error", () => response.destroy());
    pipeline(request, upstream, () => {});
  };
}

/** Opens the tunnel that a CONNECT asks for. */
export function pipeTunnel({ url = "" }: IncomingMessage, client: Duplex): void {
  const [host, port] = url.split(":");
  const server = connect({ host, port: Number(port), noDelay: true }, () => {
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    join(client, server);
  });
  server.on("error", () => client.destroy());
}

/** Passes a handshake on, and whatever comes behind it. */
export function pipeUpgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
  const { hostname, port, pathname } = new URL(request.url ?? "/");
  const server = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
    const lines = request.rawHeaders.map((text, i) => i % 2 === 0 ? `${text}: ` : `${text}\r\n`).join("");
    server.write(`GET ${pathname} HTTP/1.1\r\n${lines}\r\n`);
    if (head.length > 0) server.write(head);
    join(client, server);
  });
  server.on("error", () => client.destroy());
}

function join(client: Duplex, server: Duplex): void {
  client.pipe(server);
  server.pipe(client);
  client.on("error", () => server.destroy()).on("close", () => server.destroy());
  server.on("close", () => client.destroy());
}
