/**
 * Listeners of `node:http` as handlers.
 *
 * @module
 */
import http from "node:http";
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Handler } from "./handler.ts";
import { NodeExchange } from "./node_exchange.ts";

/** The part of a `node:http` server that is used. */
type NodeServer = Pick<http.Server, "emit" | "on">;

/**
 * An Express, Fastify or Koa application, a `node:http` server or its listener as a handler.
 *
 * The runtime's own `node:http` parses the request and writes the response, over a connection in memory: nothing listens, and the listener
 * sees what it would see of a client. A server whose `upgrade` event somebody listens to, such as `ws`, takes WebSockets.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { startProxy } from "flowtape";
 * import { mount, node } from "flowtape/gateway";
 *
 * const server = createServer((request, response) => response.end(`you asked for ${request.url}`));
 *
 * await using proxy = await startProxy({ app: mount(node(server), { prefix: "/live/" }) });
 * const response = await proxy.fetch("https://example.com/page");
 * console.log(await response.text()); // you asked for /live/https://example.com/page
 * ```
 *
 * @throws {OptionsError} it is none of these
 */
export function node(listener: unknown): Handler {
  const { server, ready } = serverOf(listener);
  let waiting: Promise<unknown> | undefined;
  return async (request, info) => {
    await (waiting ??= Promise.resolve(ready()));
    const wantsSocket = request.headers.get("upgrade") !== null &&
      /\bupgrade\b/i.test(request.headers.get("connection") ?? "");
    if (wantsSocket && info.upgrade === undefined && /websocket/i.test(request.headers.get("upgrade")!)) {
      return new Response("405: this server does not hand over its connections, which a WebSocket needs\n", {
        status: 405,
      });
    }
    const exchange = new NodeExchange(request, info);
    server.emit("connection", exchange.socket);
    return await exchange.response;
  };
}

function serverOf(listener: unknown): { server: NodeServer; ready: () => unknown } {
  const now = () => {};
  // An Express application, and what Koa's callback() gives.
  if (typeof listener === "function") {
    return { server: http.createServer(listener as http.RequestListener), ready: now };
  }
  const { emit, listeners, callback, server, ready } = (listener ?? {}) as Record<string, unknown>;
  if (typeof callback === "function") {
    const own = callback.call(listener) as http.RequestListener;
    return { server: http.createServer(own), ready: now };
  }
  if (typeof ready === "function" && isServer(server)) return { server, ready: () => ready.call(listener) };
  if (typeof emit === "function" && typeof listeners === "function" && isServer(listener)) {
    return { server: listener, ready: now };
  }
  throw new OptionsError(
    `node() takes an Express, Fastify or Koa application, a node:http server or its listener (request, response) => {}, not ${
      describeValue(listener)
    }`,
  );
}

function isServer(value: unknown): value is NodeServer {
  return value instanceof http.Server;
}
