/**
 * The hook for the CONNECT that is about to be sent to another proxy.
 *
 * @module
 */
import type { Peer } from "../../../flow/peer.ts";
import type { Dispatcher } from "../../../hooks/dispatcher.ts";
import { connectFlow } from "../../inbound/connect_flow.ts";
import { DialError } from "../dial.ts";
import { type ProxyTarget, targetName } from "./upstream_proxy.ts";

/**
 * Asks the addons.
 *
 * @param server what the tunnel leads to, with `via`
 * @param via the value of Via
 * @returns the fields to be sent, whole lines
 * @throws {DialError} an addon does not let it
 * @throws {HookError} a hook threw
 */
export async function askAboutConnect(
  hooks: Dispatcher,
  server: Peer,
  client: Peer,
  via: string,
): Promise<string> {
  const target: ProxyTarget = { hostname: server.host, port: server.port };
  const name = targetName(target);
  const flow = connectFlow({ hostname: name.slice(0, name.lastIndexOf(":")), port: target.port }, client);
  flow.request.headers.append("Host", name);
  flow.request.headers.append("Via", via);
  flow.server = server;
  await hooks.run("httpConnect", flow);
  flow.done = true;
  if (flow.error !== undefined) throw new DialError(flow.error);
  if (flow.response !== undefined && flow.response.status >= 300) {
    throw new DialError({
      code: "NEXT_PROXY_REFUSED",
      message: `cannot reach ${name}: an httpConnect hook answered the CONNECT to the proxy ${server.via} with ` +
        `${flow.response.status}`,
    });
  }
  return flow.request.headers.raw.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
