/**
 * The request for a tunnel as a flow, where no client has sent it as one.
 *
 * @module
 */
import { BodyBuffer } from "../../../flow/body_buffer.ts";
import { FlowHeaders } from "../../../flow/headers.ts";
import { HttpFlow } from "../../../flow/http_flow.ts";
import type { Peer } from "../../../flow/peer.ts";
import { FlowRequest } from "../../../flow/request.ts";
import type { Dispatcher } from "../../../hooks/dispatcher.ts";
import { checkField } from "../../http1/check_field.ts";
import { DialError } from "../dial.ts";
import { hostField } from "./http_connect.ts";
import { type ProxyTarget, targetName } from "./upstream_proxy.ts";

/** A CONNECT for a target: what `upstream.proxy` is asked about for a conversation that is not HTTP. */
export function connectFlow(target: ProxyTarget, client: Peer): HttpFlow {
  const { hostname, port } = target;
  const address = {
    scheme: "https" as const,
    hostname: targetName(target).slice(0, -`:${port}`.length),
    port,
    target: "*",
  };
  const headers = FlowHeaders.fromFields(hostField({ hostname, port }));
  const content = BodyBuffer.of(new Uint8Array(0));
  return new HttpFlow(new FlowRequest("CONNECT", address, "1.1", headers, content), client);
}

/**
 * Asks the addons about the CONNECT that is about to be sent to another proxy.
 *
 * @param server what the tunnel leads to, with `via`
 * @returns the fields to be sent, whole lines
 * @throws {DialError} an addon does not let it
 * @throws {HookError} a hook threw
 */
export async function askAboutConnect(hooks: Dispatcher, server: Peer, client: Peer): Promise<string> {
  const target = { hostname: server.host, port: server.port };
  const flow = connectFlow(target, client);
  flow.server = server;
  await hooks.run("httpConnect", flow);
  flow.done = true;
  if (flow.error !== undefined) throw new DialError(flow.error);
  if (flow.response !== undefined && flow.response.status >= 300) {
    throw new DialError({
      code: "NEXT_PROXY_REFUSED",
      message:
        `cannot reach ${targetName(target)}: an httpConnect hook answered the CONNECT to the proxy ${server.via} ` +
        `with ${flow.response.status}`,
    });
  }
  return flow.request.headers.raw.map(([name, value]) => {
    checkField(name, value);
    return `${name}: ${value}\r\n`;
  }).join("");
}
