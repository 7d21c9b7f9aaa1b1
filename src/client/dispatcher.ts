/**
 * A dispatcher for undici, and with it for the `fetch` and `WebSocket` of Node.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Agent, Dispatcher } from "undici";
import { bareHost } from "../flow/authority.ts";
import { addressOf, type ProxyAddress, type ProxyLike, upstreamOf } from "./address.ts";
import { openTunnel, secureTunnel } from "./tunnel.ts";

/**
 * A dispatcher that reaches every server through a proxy and trusts its authority: for undici's `request` and `fetch`, and for
 * `fetch(url, { dispatcher })` of Node. `close()` ends it when what is in flight is over, `destroy()` at once.
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 * import { dispatcher } from "flowtape/client";
 * import { request } from "undici";
 *
 * await using proxy = await startProxy({ defaultAction: respond({ body: "hello" }) });
 * const through = await dispatcher(proxy);
 * const { body } = await request("http://shop.test/", { dispatcher: through });
 * console.log(await body.text()); // hello
 * await through.close();
 * ```
 *
 * @throws {OptionsError} the URL of the proxy cannot be read
 */
export async function dispatcher(proxy: ProxyLike): Promise<Dispatcher> {
  upstreamOf(addressOf(proxy));
  return await tunnelDispatcher(() => addressOf(proxy));
}

/** The clocks of undici go on for a second after the last request, and to Deno's tests that is a leak. Its own fetch has none of them. */
export const WITHOUT_CLOCKS: Agent.Options = "Deno" in globalThis
  ? { pipelining: 0, headersTimeout: 0, bodyTimeout: 0 }
  : {};

/** @param address asked for each connection */
export async function tunnelDispatcher(address: () => ProxyAddress): Promise<Dispatcher> {
  const { Agent } = await import("undici");
  const aborting = new AbortController();
  const agent = new Agent({
    ...WITHOUT_CLOCKS,
    connect: ({ hostname, protocol, port, servername }, done) => {
      const to = address();
      const secure = protocol === "https:" || protocol === "wss:";
      const host = bareHost(hostname);
      const target = { hostname: host, port: Number(port) || (secure ? 443 : 80) };
      openTunnel(to, target, { signal: aborting.signal }).then((socket) => {
        if (!secure) return done(null, socket);
        const name = servername ?? (isIP(host) === 0 ? host : undefined);
        const over = secureTunnel(
          socket,
          { host, ...(name ? { servername: name } : {}), ALPNProtocols: ["http/1.1"] },
          to.ca,
        );
        over.once("secureConnect", () => {
          over.off("error", fail);
          done(null, over);
        });
        const fail = (error: Error) => done(error, null);
        over.once("error", fail);
      }).catch((error) => done(error, null));
    },
  });
  const destroy = agent.destroy.bind(agent);
  // A tunnel that is being opened is no connection yet.
  agent.destroy = ((...args: Parameters<typeof destroy>) => {
    aborting.abort();
    return destroy(...args);
  }) as typeof agent.destroy;
  return agent;
}
