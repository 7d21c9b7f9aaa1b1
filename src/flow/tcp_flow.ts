/**
 * One conversation of raw bytes.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import type { FlowError, FlowErrorCode } from "./flow_error.ts";
import type { FlowSource } from "./http_flow.ts";
import type { Peer } from "./peer.ts";
import type { Cut, Shape } from "./shape.ts";
import { similar } from "./similar.ts";
import type { TcpAnswer } from "./tcp_answer.ts";
import type { TcpMessage } from "./tcp_message.ts";
import type { Timings } from "./timings.ts";

let lastId = 0;

/**
 * A conversation in a tunnel that is neither HTTP nor TLS which the proxy opens: it is relayed. Of the rules only those
 * with `tcp()` apply to it, and `defaultAction: "drop"`; the hooks are `tcpStart`, `tcpMessage`, `tcpEnd` and `tcpError`.
 */
export class TcpFlow {
  /** `"tcp"`. */
  readonly type = "tcp";
  /** Unique in this process. */
  readonly id: string = `tcp-${++lastId}`;
  /** The name or address that the client asked for, in lower case, as in a URL (IPv6 in brackets). */
  readonly hostname: string;
  /** The port that the client asked for. */
  readonly port: number;
  /** The name in the client's TLS hello (SNI), when TLS passes through unopened. */
  serverName?: string;
  /** The client's connection. */
  readonly client: Peer;
  /** The server's connection. */
  server?: Peer;
  /** Who answered. */
  source: FlowSource = "upstream";
  /** Who speaks in the place of the server. An addon sets it in `tcpStart`: then no server is connected to. */
  answer?: TcpAnswer;
  /** What was said, in order, as far as it is kept (`capture.maxBody` for all of it). Boundaries are those of the network. */
  get messages(): TcpMessage[] {
    return this.#messages;
  }
  /** How many bytes each side has sent, kept or not. */
  readonly bytes: { client: number; server: number } = { client: 0, server: 0 };
  /** Who has ended its side first; missing as long as nobody has. */
  endedBy?: "client" | "server";
  /** Whether some messages were not kept. */
  truncated = false;
  /** Why it failed: such a flow has a `tcpError` hook and no `tcpEnd`. An addon that sets it ends the flow. */
  error?: FlowError;
  /** When its stages happened; `responseStart` is the first byte of the server. */
  get timings(): Timings {
    return this.#timings;
  }
  /** A mark for the report and the filter language. */
  marked?: string;
  /** A remark for the report. */
  comment?: string;
  /** `performance.now()` at the start: what the other timings count from. */
  readonly origin: number = performance.now();
  /** True once nothing more happens: both sides have ended, or it failed. */
  done = false;

  /** For the wire: what a kill does while the flow is in flight. */
  onKill: (() => void) | undefined;
  /** For the rule engine: what it knows of the flow. */
  ruleState: unknown;
  /** For rules and the wire: how the bytes travel. */
  shape: Shape | undefined;
  /** For rules and the wire: how the connections are broken; set together with `error`. */
  cut: Cut | undefined;
  /** What was done to its connections on purpose (`fault()`, `throttle()`), a line each. */
  readonly faults: string[] = [];

  readonly #messages: TcpMessage[] = [];
  readonly #timings: Timings;
  #metadata: Record<string, unknown> | undefined;

  /**
   * For the wire.
   *
   * @param target what the client asked for
   */
  constructor(target: { readonly hostname: string; readonly port: number }, client: Peer, start: number = Date.now()) {
    this.hostname = target.hostname;
    this.port = target.port;
    this.client = client;
    this.#timings = { start };
  }

  /** A place for addons to keep what they know of this flow; use a key of your own. */
  get metadata(): Record<string, unknown> {
    return this.#metadata ??= {};
  }

  /** Whether another conversation was with the same host and port. */
  similar(other: Flow): boolean {
    return similar(this, other);
  }

  /** Ends the flow: both connections are cut. Has no effect on a flow that is done. */
  kill(code: FlowErrorCode = "KILLED"): void {
    if (this.done) return;
    this.error ??= { code, message: `the conversation with ${this.hostname}:${this.port} was ended by flow.kill()` };
    this.onKill?.();
  }
}
