/** A proxy that keeps nothing: two node:http messages and a pipe. */
import { Agent, request as send, type RequestListener } from "node:http";
import { pipeline } from "node:stream";

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
