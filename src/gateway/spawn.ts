/**
 * A handler that starts a server process, and hands requests on to it.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import { sign } from "./forwarding/signature.ts";
import type { Handler, HandlerInfo } from "./handler.ts";
import { refusal } from "./refusal.ts";
import { forwardingOf } from "./reverse.ts";
import { makeResponse, send } from "./send.ts";
import { checkSpawn, type SpawnOptions } from "./spawn/options.ts";
import { HOST } from "./spawn/ready.ts";
import { Server, type Use } from "./spawn/server.ts";

/** What {@linkcode spawn} gives. */
export interface SpawnHandler extends Handler, AsyncDisposable {
  /** Stops the process; requests after that are answered with 502. */
  close(): Promise<void>;
}

/**
 * A handler that starts a server at the first request, waits until it is ready, and hands requests on: with the Host of the client, and the
 * fields of {@linkcode reverse}. A server that has died is started again by the next request; one that is idle is stopped, where `idleTimeout`
 * says when. Its output goes into the log.
 *
 * It ends with this process at the latest, unless that is killed; `close()`, or `await using`, ends it before. A server that cannot be
 * started, or does not get ready, is a 502 that says why and shows the last lines of its output.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { mount, spawn } from "flowtape/gateway";
 *
 * await using handler = spawn({ command: ["python3", "-m", "http.server", "--bind", "127.0.0.1", "__PORT__"], cwd: "docs" });
 * await using proxy = await startProxy({ app: mount(handler) });
 *
 * const response = await proxy.fetch("https://docs.test/README.md");
 * console.log(response.status); // 200
 * await response.text();
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 */
export function spawn(options: SpawnOptions): SpawnHandler {
  const settings = checkSpawn(options);
  const server = new Server(settings);
  const handler: Handler = async (request, info) => {
    const log = (line: string) => info.log?.("info", line);
    let use: Use;
    try {
      use = await server.use(log);
    } catch (error) {
      if (!(error instanceof FlowtapeError)) throw error;
      info.log?.("error", error.message);
      return refusal(502, error.code, error.message);
    }
    try {
      return whole(await handOn(request, info, use), use);
    } catch (error) {
      use.end();
      throw error;
    }
  };
  const close = () => server.close();
  return Object.assign(handler, { close, [Symbol.asyncDispose]: close });

  function handOn(request: Request, given: Partial<HandlerInfo>, use: Use): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const info = untilClosed(given, use);
    const url = new URL(`http://${HOST}:${use.child.port}`);
    url.pathname = pathname;
    url.search = search;
    const { headers } = forwardingOf(request, info, { at: "", trusted: () => false });
    if (!headers.has("host")) headers.set("host", new URL(request.url).host);
    if (settings.secret !== undefined) sign(headers, request.method, `${url.pathname}${url.search}`, settings.secret);
    return send(request, { url, headers }, settings.timeout === undefined ? {} : { timeout: settings.timeout }, info);
  }
}

/** A WebSocket uses the server until it is closed. */
function untilClosed(info: Partial<HandlerInfo>, use: Use): Partial<HandlerInfo> {
  const { switchTo } = info;
  if (switchTo === undefined) return info;
  return {
    ...info,
    switchTo: (options) => {
      options.stream.once("close", () => use.end());
      return switchTo(options);
    },
  };
}

/** A response that ends its use when its body has been read, or is of no use any more. */
function whole(response: Response, use: Use): Response {
  // A WebSocket ends it by itself.
  if (response.status === 101) return response;
  if (response.body === null) {
    use.end();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        use.end();
        controller.close();
      } catch (error) {
        use.end();
        controller.error(error);
      }
    },
    cancel: async (reason) => {
      use.end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return makeResponse(body, response);
}
