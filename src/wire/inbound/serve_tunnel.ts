/**
 * An open tunnel, in which the proxy listens.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { goOn } from "../trail.ts";
import type { WireContext } from "../wire_context.ts";
import { openLayer } from "./layer.ts";
import { reportFailed } from "./report_failed.ts";

/**
 * Serves what comes in a tunnel.
 *
 * @param flow the request for the tunnel: it is reported when the client speaks something else than it should, or does not trust
 * the proxy
 */
export function serveTunnel(socket: Duplex, flow: HttpFlow, context: WireContext): void {
  const { hostname, port } = flow.request;
  const inner = { ...flow.client, tunnel: `${hostname}:${port}` };
  goOn(flow.client, inner, flow.request.headers.fields);
  openLayer(socket, inner, { scheme: "http", tunnel: { hostname, port }, relay: flow.relay }, context).catch(
    (error: unknown) => {
      socket.destroy();
      // What the proxy has cut itself is no failure of the client's.
      if (context.closing.aborted) return;
      flow.error = failureOf(error);
      context.log("warn", `CONNECT ${hostname}:${port}: ${flow.error.message}`);
      reportFailed(context, flow);
    },
  );
}

function failureOf(error: unknown): FlowError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof FlowtapeError ? error.code : "TUNNEL_FAILED", message };
}
