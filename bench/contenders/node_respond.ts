/** A node:http handler that answers by itself. */
import type { RequestListener } from "node:http";
import { bodyFor, itemPath } from "../payload.ts";

export function answerWith(paths: number): RequestListener {
  const bodies = new Map(Array.from({ length: paths }, (_, index) => [itemPath(index), bodyFor(itemPath(index))]));
  return (request, response) => {
    const body = bodies.get(new URL(request.url ?? "/", `http://${request.headers.host}`).pathname);
    if (body === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": "text/plain",
      "content-length": body.length,
    });
    response.end(body);
  };
}
