/**
 * Puts an application behind the proxy.
 *
 * @module
 */
import { bareHost } from "../flow/authority.ts";
import { FlowtapeError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import { flowResponseOf } from "../rules/platform_response.ts";
import { type AppAnswer, type AppCall, AppError } from "../wire/app/application.ts";
import { downloadOf } from "./download.ts";
import type { Gateway, Handler, HandlerInfo } from "./handler.ts";
import { infoOfServer } from "./info_of_server.ts";
import { checkMount, type Mount, type MountOptions } from "./mount_options.ts";
import { gatewayRequest, remoteAddress, tunnelOf, urlOf } from "./request.ts";
import { resolved } from "./resolvers.ts";
import { Upgrades } from "./upgrade.ts";

/**
 * Puts a handler behind the proxy: it answers what clients ask of any server, with HTTP or HTTPS, HTTP/2, WebSocket or through SOCKS. What is
 * sent to the proxy itself, as to any server, goes to the handler too, as it is.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { mount } from "flowtape/gateway";
 *
 * const app = mount((request) => new Response(new URL(request.url).pathname), { prefix: "/prefix/" });
 *
 * await using proxy = await startProxy({ app });
 * const response = await proxy.fetch("https://example.com/path?a=b");
 * console.log(await response.text()); // /prefix/https://example.com/path
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 */
export function mount(handler: Handler, options: MountOptions = {}): Gateway {
  return new MountedGateway(checkMount(handler, options));
}

class MountedGateway implements Gateway {
  readonly exclusive: boolean;
  readonly asksForName: string | undefined;
  readonly #mount: Mount;

  constructor(mount: Mount) {
    this.#mount = mount;
    this.exclusive = mount.only === undefined;
    this.asksForName = mount.asksForName;
  }

  takes(flow: HttpFlow): boolean {
    const { only, hosts } = this.#mount;
    if (only === undefined || flow.direct || matchesNow(only, flow)) return true;
    const url = urlOf(flow);
    return url !== null && hosts.has(url.hostname);
  }

  async answer(call: AppCall): Promise<AppAnswer> {
    const { flow } = call;
    const url = urlOf(flow);
    if (url === null) {
      throw new AppError("GATEWAY_URL", `the client has asked for ${flow.request.url}, which is no URL`, 400);
    }
    const { hosts, resolve, download } = this.#mount;
    const host = !flow.direct && hosts.has(url.hostname) ? url.hostname : undefined;
    if (host !== undefined && host === download) {
      const file = await downloadOf(url.pathname, flow.request.method, call.authority);
      if (file !== undefined) return file;
    }
    const prefixed = !flow.direct && host === undefined && resolve !== undefined;
    const request = gatewayRequest(call, prefixed ? resolved(url, resolve, flow.client.username) : url);
    return await this.#serve(call, request, {
      ...(!flow.direct && { url }),
      ...(host !== undefined && { proxyHost: host }),
    });
  }

  async fetch(request: Request, info: Partial<HandlerInfo> = {}): Promise<Response> {
    if (request.method === "CONNECT") {
      return noSocket("CONNECT needs the connection of the client, which this server does not hand over");
    }
    try {
      return await this.#mount.handler(request, infoOfServer(request, info));
    } catch (error) {
      if (error instanceof AppError) return new Response(`${error.message}\n`, { status: error.status });
      if (!(error instanceof FlowtapeError) || error.code !== "NO_WEBSOCKET") throw error;
      return noSocket(error.message);
    }
  }

  async #serve(call: AppCall, request: Request, place: Pick<HandlerInfo, "url" | "proxyHost">): Promise<AppAnswer> {
    const upgrades = call.upgradable ? new Upgrades(request) : undefined;
    const info = infoOf(call, place, upgrades);
    try {
      const response = await this.#handle(request, info);
      const taken = upgrades?.answerFor(response);
      if (taken !== undefined) return taken;
      if (!isResponse(response)) {
        throw new TypeError(`the handler returned ${describeValue(response)}: a Response is expected`);
      }
      if (response.type === "error") throw new TypeError("the handler returned Response.error()");
      return flowResponseOf(response);
    } catch (error) {
      upgrades?.refuse();
      throw error;
    }
  }

  async #handle(request: Request, info: HandlerInfo): Promise<Response> {
    const own = info.proxyHost === undefined ? undefined : this.#mount.hosts.get(info.proxyHost);
    return await own?.(request, info) ?? await this.#mount.handler(request, info);
  }
}

function infoOf(
  { flow, completed, log }: AppCall,
  place: Pick<HandlerInfo, "url" | "proxyHost">,
  upgrades?: Upgrades,
): HandlerInfo {
  const { client } = flow;
  const tunnel = tunnelOf(flow);
  return {
    client,
    remoteAddr: remoteAddress(client),
    completed,
    log,
    ...place,
    ...(tunnel && { connectHost: bareHost(tunnel.named), connectPort: tunnel.port }),
    ...(client.username !== undefined && { username: client.username }),
    ...(upgrades && { upgrade: upgrades.upgrade, switchTo: upgrades.switchTo }),
  };
}

function noSocket(why: string): Response {
  return new Response(`405: ${why}\n`, {
    status: 405,
    headers: { "content-type": "text/plain; charset=utf-8", allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
  });
}

/** Libraries bring Responses of their own. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  const { status, headers } = (value ?? {}) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function" && Symbol.iterator in headers;
}
