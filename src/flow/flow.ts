/**
 * What passed through the proxy.
 *
 * @module
 */
import type { HttpFlow } from "./http_flow.ts";
import type { TcpFlow } from "./tcp_flow.ts";

/** One exchange. */
export type Flow = HttpFlow | TcpFlow;
