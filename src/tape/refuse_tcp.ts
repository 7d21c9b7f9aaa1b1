/**
 * What a tape does to conversations of raw bytes.
 *
 * @module
 */
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { TapeReport } from "./addon.ts";

/** In replay mode nothing reaches the network: ends a conversation that the tape does not have, unless an addon has. */
export function refuseTcp(flow: TcpFlow, path: string, report: Pick<TapeReport, "unmatched">): void {
  if (flow.error !== undefined) return;
  const address = `TCP ${flow.hostname}:${flow.port}`;
  const message = flow.serverName === undefined
    ? `The tape ${path} has no conversation with this server that could be replayed, and in replay mode nothing reaches the ` +
      `network:\n\n  ${address}\n\nTo record it: mode: "record". To let it pass: mode: "passthrough", or ` +
      `modes: [[tcp(${JSON.stringify(`${flow.hostname}:${flow.port}`)}), "passthrough"]].\n`
    : `TLS that passes through unopened is on no tape, and in replay mode nothing reaches the network:\n\n  ${address} ` +
      `(TLS for ${flow.serverName}, which https.passthrough lets through)\n\n` +
      `Let the proxy open it, run with mode: "passthrough", or let the client do without it.\n`;
  flow.error = { code: "UNMATCHED", message };
  report.unmatched(flow, message);
}
