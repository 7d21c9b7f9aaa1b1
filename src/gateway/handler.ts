/**
 * What answers requests behind the proxy.
 *
 * @module
 */
import type { Peer } from "../flow/peer.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Application } from "../wire/app/application.ts";
import type { SwitchOptions, UpgradedSocket, UpgradeOptions } from "./upgrade.ts";

/**
 * A function that answers a request, in the form that `Deno.serve`, `Bun.serve`, Hono, h3 and `@std/http` know.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { type Handler, mount } from "flowtape/gateway";
 *
 * const handler: Handler = (request, info) => Response.json({ url: request.url, to: info.url?.host });
 *
 * await using proxy = await startProxy({ app: mount(handler, { prefix: "/archive/" }) });
 * const response = await proxy.fetch("https://example.com/page");
 * console.log(await response.json()); // { url: "https://example.com/archive/https://example.com/page", to: "example.com" }
 * ```
 */
export type Handler = (request: Request, info: HandlerInfo) => Response | Promise<Response>;

/** What a handler learns besides the request. */
export interface HandlerInfo {
  /** The connection of the client. */
  readonly client: Peer;
  /** The same in the form of `Deno.serve`. */
  readonly remoteAddr: RemoteAddress;
  /** Resolves when the response has been handed over, rejects when it is of no use any more: the client has gone, or it could not be sent. */
  readonly completed: Promise<void>;
  /** What the client has asked its proxy for. None when it has sent the request to the proxy itself, as to any server. */
  readonly url?: URL;
  /** The name of {@linkcode MountOptions.hosts | hosts} or {@linkcode MountOptions.download | download} that the request was for. */
  readonly proxyHost?: string;
  /** The host of the tunnel (CONNECT or SOCKS) that the request has come through; the name in the TLS hello where there is one. */
  readonly connectHost?: string;
  /** The port of that tunnel. */
  readonly connectPort?: number;
  /** The name with which the client has authenticated with the proxy. */
  readonly username?: string;
  /** The path before that of the request, as the client sees it; set by {@linkcode forwarded}. Ends without a slash. */
  readonly prefix?: string;
  /** A line for the log of the proxy. Missing where there is no proxy. */
  readonly log?: (level: LogEntry["level"], message: string) => void;
  /**
   * Takes the WebSocket that the client asks for: return the `response`, and speak through the `socket`. Missing where there is none to be
   * had: the client has not asked for one, or there is no connection to hand over; see {@linkcode upgrade}.
   */
  readonly upgrade?: (options?: UpgradeOptions) => UpgradedSocket;
  /** For adapters that have answered 101 on a connection of their own: return what it gives. Missing where `upgrade` is. */
  readonly switchTo?: (options: SwitchOptions) => Response;
}

/** The address of a client, as `Deno.serve` tells it. */
export interface RemoteAddress {
  /** Always `"tcp"`. */
  readonly transport: "tcp";
  /** The client's address. */
  readonly hostname: string;
  /** The client's port. */
  readonly port: number;
}

/** An application behind the proxy: what `mount()` makes, and `startProxy({ app })` takes. */
export interface Gateway extends Application {
  /**
   * Answers a request as a server without a proxy would: nothing is prefixed. For `Deno.serve`, `Bun.serve` or an adapter, where the same
   * application is served without the proxy too. There is no connection to hand over then: CONNECT and WebSockets get a 405.
   */
  fetch(request: Request, info?: Partial<HandlerInfo>): Promise<Response>;
}
