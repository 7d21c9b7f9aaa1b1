/**
 * What a tape does to conversations of raw bytes.
 *
 * @module
 */
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { TapeReport } from "./addon.ts";

/** In replay mode nothing reaches the network, and raw conversations are on no tape: ends the flow, unless an addon has. */
export function refuseTcp(flow: TcpFlow, path: string, report: Pick<TapeReport, "unmatched">): void {
  if (flow.error !== undefined) return;
  const what = flow.serverName === undefined
    ? ""
    : ` (TLS for ${flow.serverName}, which https.passthrough lets through)`;
  const message = `Raw conversations are not on the tape ${path}, and in replay mode nothing reaches the network:\n\n` +
    `  TCP ${flow.hostname}:${flow.port}${what}\n\n` +
    `Run with mode: "passthrough", or let the client do without it.\n`;
  flow.error = { code: "UNMATCHED", message };
  report.unmatched(flow, message);
}
