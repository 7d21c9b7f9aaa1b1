/**
 * The applications of wsgiprox's tests, as a fetch handler and as a listener of node:http.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createServer, type Server } from "node:http";
import { type Handler, type HandlerInfo, upgrade } from "../../src/gateway/mod.ts";
import { WebSocketServer } from "ws";

/** Which streams have been read to their end, or cancelled. */
export const closedStreams: string[] = [];

/** Says what it was asked for. */
export async function fetchApp(request: Request, info: HandlerInfo): Promise<Response> {
  const { pathname, search, searchParams: params } = new URL(request.url);
  const uri = pathname + search;
  if (request.headers.get("upgrade") === "websocket" && !params.has("ignore_ws")) {
    const { socket, response } = upgrade(info);
    socket.onmessage = ({ data }) => {
      socket.send(`WS Request Url: ${uri} Echo: ${data}`);
      socket.close();
    };
    return response;
  }
  if (params.get("stream") === "true") return new Response(streamOf(params.get("data")!));
  let result = `Requested Url: ${uri}`;
  if (request.method === "POST") result += ` Post Data: ${await request.text()}`;
  if (params.get("addproxyhost") === "true") result += ` Proxy Host: ${info.proxyHost ?? "none"}`;
  if (params.get("write") === "true") {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    void writer.write(Buffer.from(result)).then(() => writer.close());
    return new Response(readable);
  }
  if (params.get("chunked") === "true") return new Response(new Blob([result]).stream());
  return new Response(result, { headers: { "content-length": String(result.length) } });
}

/** For one host alone. */
export const customApp: Handler = (request, info) =>
  new Response(`Custom App: ${info.proxyHost} req to ${new URL(request.url).pathname}`);

/** The same as {@linkcode fetchApp} on node:http, where nothing is known of proxies. */
export function nodeApp(): Server {
  const server = createServer((request, response) => {
    const uri = request.url!;
    const params = new URL(uri, "http://localhost").searchParams;
    if (params.get("stream") === "true") {
      response.on("finish", () => void closedStreams.push(params.get("data")!));
      response.write(params.get("data"));
      return response.end();
    }
    let posted = "";
    request.on("data", (piece) => posted += piece).on("end", () => {
      let result = `Requested Url: ${uri}`;
      if (request.method === "POST") result += ` Post Data: ${posted}`;
      if (params.get("addproxyhost") === "true") result += " Proxy Host: none";
      if (params.get("chunked") !== "true" && params.get("write") !== "true") {
        response.setHeader("content-length", String(result.length));
      }
      response.write(result);
      response.end();
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.url!.includes("ignore_ws")) return socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nignored");
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("message", (data) => {
        webSocket.send(`WS Request Url: ${request.url} Echo: ${data}`);
        webSocket.close();
      });
    });
  });
  return server;
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (!sent) controller.enqueue(Buffer.from(text));
      else {
        closedStreams.push(text);
        controller.close();
      }
      sent = true;
    },
  }, { highWaterMark: 0 });
}
