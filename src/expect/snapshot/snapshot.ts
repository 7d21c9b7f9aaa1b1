/**
 * Flows as plain objects that are the same in every run, for the snapshots of test runners.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { Flow } from "../../flow/flow.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import { secretsInEnvironment } from "../../tape/redact/options.ts";
import { redactionOf } from "../../tape/redact/owners.ts";
import { Ledger } from "../../tape/redact/placeholders.ts";
import { createShowingRedactor } from "../../tape/redact/redactor.ts";
import { ownerOf } from "../cleaner.ts";
import { flowsOf, type Source } from "../source.ts";
import { bodyOf, dataOf, headersOf, type Tools } from "./message.ts";
import { checkSnapshotOptions, type SnapshotOptions } from "./options.ts";
import { Stable } from "./stable.ts";

/** A message in a snapshot. */
export interface MessageSnapshot {
  /** Header fields by name in lower case; several lines of one name as an array. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON, the fields of a form, text; of anything else length and hash. */
  readonly body?: unknown;
}

/** What was said over a WebSocket, or in a raw conversation. */
export type SaidSnapshot = { readonly client: unknown } | { readonly server: unknown };

/** A flow in a snapshot. What is not there is left out. */
export interface FlowSnapshot {
  /** Such as `POST https://shop.test/orders?page=1`; `TCP db.test:5432` of a raw conversation. */
  readonly request: string;
  /** Header fields of the request. */
  readonly headers?: MessageSnapshot["headers"];
  /** Body of the request. */
  readonly body?: unknown;
  /** The response. */
  readonly response?: MessageSnapshot & { readonly status: number };
  /** Why it failed, such as `UPSTREAM_REFUSED`. */
  readonly error?: string;
  /** What was said, in order. */
  readonly messages?: readonly SaidSnapshot[];
  /** It was still under way: wait for it first. */
  readonly pending?: true;
}

/**
 * The flows of a proxy, or of a `FlowSet`, as plain objects for `toMatchSnapshot`, `toMatchInlineSnapshot`, `assertSnapshot` or
 * `t.assert.snapshot`. They are the same in every run, and whether they were recorded or replayed: ports, times and identifiers have
 * numbered placeholders, as have secrets, and who answered is not in them.
 *
 * @example
 * ```ts
 * import { respond, snapshot, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ status: 201, json: { at: Date.now() } })]] });
 * await proxy.fetch("http://shop.test/orders", { method: "POST", body: JSON.stringify({ qty: 2 }) });
 * snapshot(proxy.flows.filter({ path: "/orders" }));
 * // [{ request: "POST http://shop.test/orders", ..., body: { qty: 2 }, response: { status: 201, ..., body: { at: "[time-1]" } } }]
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 */
export function snapshot(source: Source, options: SnapshotOptions = {}): FlowSnapshot[] {
  checkSnapshotOptions(options, "");
  const { matcher, order = "began", redact = redactionOf(ownerOf(source)) } = options;
  const all = flowsOf(source);
  const flows = [...(matcher === undefined ? all : all.filter(matcher))];
  // What is numbered is numbered in the order in which it is shown.
  if (order === "url") flows.sort((a, b) => compareText(keyOf(a), keyOf(b)));
  const ledger = new Ledger(redact === false ? undefined : secretsInEnvironment(redact, environment()));
  const tools = { redactor: createShowingRedactor(redact, ledger), stable: new Stable(options), options };
  return flows.map((flow) => flow.type === "http" ? httpSnapshot(flow, tools) : tcpSnapshot(flow, tools));
}

function httpSnapshot(flow: HttpFlow, tools: Tools): FlowSnapshot {
  const { request, response, websocket, error, done } = flow;
  const said = websocket?.messages.filter(({ dropped }) => !dropped) ?? [];
  return without({
    request: `${request.method} ${tools.stable.text(tools.redactor.url(request.url))}`,
    headers: headersOf(request, tools),
    body: bodyOf(request, tools),
    response: response && without({
      status: response.status,
      headers: headersOf(response, tools),
      body: websocket === undefined ? bodyOf(response, tools) : undefined,
    }),
    error: error?.code,
    messages: websocket &&
      said.map(({ from, type, data }) =>
        sideOf(from, dataOf(data, type === "binary" ? "application/octet-stream" : null, tools))
      ),
    pending: done ? undefined : true as const,
  });
}

function tcpSnapshot(flow: TcpFlow, tools: Tools): FlowSnapshot {
  return without({
    request: `TCP ${tools.stable.text(`${flow.hostname}:${flow.port}`)}`,
    messages: joined(flow).map(({ from, data }) => sideOf(from, dataOf(data, null, tools))),
    error: flow.error?.code,
    pending: flow.done ? undefined : true as const,
  });
}

/** Where the network has cut what one side said is chance. */
function joined({ messages }: TcpFlow): { from: "client" | "server"; data: Uint8Array }[] {
  const turns: { from: "client" | "server"; data: Uint8Array }[] = [];
  for (const { from, data } of messages) {
    const last = turns.at(-1);
    if (last?.from === from) last.data = Buffer.concat([last.data, data]);
    else turns.push({ from, data });
  }
  return turns;
}

function sideOf(from: "client" | "server", data: unknown): SaidSnapshot {
  return from === "client" ? { client: data } : { server: data };
}

function keyOf(flow: Flow): string {
  if (flow.type === "tcp") return `${flow.hostname}:${flow.port}`;
  const { request } = flow;
  const body = request.content.complete ? Buffer.from(request.content.bytes()).toString("latin1") : "";
  // Ports of this machine are others in the next run, and would change the order.
  const url = request.url.replace(/^(\w+:\/\/(?:localhost|127\.[\d.]+|\[::1\])):\d+/, "$1");
  return `${url} ${request.method} ${body.slice(0, 10_000)}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function environment(): Record<string, string | undefined> {
  try {
    return { ...process.env };
  } catch {
    // Deno without the permission to read the environment.
    return {};
  }
}

/** What is `undefined` would be printed by some runners and not by others. */
function without<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
