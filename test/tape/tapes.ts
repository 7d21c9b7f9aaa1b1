/**
 * Flows made by hand, and a stand-in for the wire, for the tests of the tape.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import type { FlowError } from "../../src/flow/flow_error.ts";
import type { HeadersLike } from "../../src/flow/headers.ts";
import { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowRequest, type RequestInit } from "../../src/flow/request.ts";
import { FlowResponse, type ResponseInit } from "../../src/flow/response.ts";
import type { LogEntry } from "../../src/hooks/addon.ts";
import { openTape, type TapeAddon } from "../../src/tape/addon.ts";
import type { HarEntry, HarLog } from "../../src/tape/har.ts";
import type { TapeOptions } from "../../src/tape/options.ts";
import type { TapeStore } from "../../src/tape/store/tape_store.ts";

export interface FlowInit extends Partial<RequestInit> {
  response?: ResponseInit;
  error?: FlowError;
  start?: number;
}

/** A flow that is done, or, without a response, one whose head has just arrived. */
export function flowOf({ response, error, start, ...request }: FlowInit = {}): HttpFlow {
  const peer = { id: 1, host: "127.0.0.1", port: 1 };
  const flow = new HttpFlow(FlowRequest.create({ url: "https://shop.test/", ...request }), peer, start);
  if (response) flow.response = FlowResponse.create(response);
  if (error) flow.error = error;
  flow.done = response !== undefined || error !== undefined;
  return flow;
}

/** The messages of a tape while it is open. */
export interface Opened {
  tape: TapeAddon;
  unmatched: string[];
  log: LogEntry[];
}

export async function open(
  path: string,
  options: Partial<TapeOptions> = {},
  store?: TapeStore,
  // The tests of mode "auto" run on CI servers too.
  env: Record<string, string> = {},
): Promise<Opened> {
  const unmatched: string[] = [];
  const log: LogEntry[] = [];
  const report = {
    unmatched: (_flow: HttpFlow, explanation: string) => void unmatched.push(explanation),
    log: (entry: LogEntry) => void log.push(entry),
    env,
  };
  return { tape: await openTape({ path, ...options }, report, store), unmatched, log };
}

/** Records flows on a new tape. */
export async function record(path: string, flows: FlowInit[], options: Partial<TapeOptions> = {}): Promise<void> {
  const { tape } = await open(path, { mode: "record", ...options });
  for (const flow of flows) tape.record(flowOf(flow));
  await tape.close();
}

/** Leads the request of a flow past the tape as the wire does: the head, then, if it is needed, the body. */
export async function pass(tape: TapeAddon, init: FlowInit = {}): Promise<HttpFlow> {
  const { body, response: _response, ...head } = init;
  const flow = flowOf(head);
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (bytes) flow.request.content = new BodyBuffer();
  await tape.requestHeaders?.(flow);
  if (flow.response || flow.error) return flow;
  const needed = tape.needs?.("request", flow);
  if (bytes) flow.request.content.push(bytes);
  flow.request.content.complete = true;
  if (needed) await tape.request!(flow);
  return flow;
}

/** The body of the answer as text. */
export async function answer(tape: TapeAddon, init: FlowInit = {}): Promise<string | undefined> {
  return (await pass(tape, init)).response?.text();
}

export async function readLog(path: string): Promise<Omit<HarLog, "entries"> & { entries: HarEntry[] }> {
  return JSON.parse(await readFile(path, "utf8")).log;
}

/** What a reader needs at least of an entry. */
export function harEntry(changes: { request?: object; response?: object } = {}): object {
  return {
    request: { method: "GET", url: "https://shop.test/", headers: [], ...changes.request },
    response: { status: 200, headers: [], content: { text: "hello" }, ...changes.response },
  };
}

export function har(...entries: unknown[]): string {
  return JSON.stringify({ log: { version: "1.2", creator: { name: "other", version: "1" }, entries } });
}

export function pairs(headers: HeadersLike): [string, string][] {
  return [...headers as Iterable<[string, string]>];
}
