/**
 * What the list shows of a flow.
 *
 * @module
 */
import { essence } from "../../flow/media_type.ts";
import type { FlowData, HttpFlowData } from "../data.ts";

/** How a flow went, at a glance. */
export type Tone = "good" | "moved" | "warn" | "bad" | "quiet";

/** A line of the list. */
export interface Row {
  readonly flow: FlowData;
  /** Its place, as `flows.at()` takes it and messages of failures say it. */
  readonly number: number;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly status: string;
  readonly tone: Tone;
  readonly kind: string;
  /** Bytes that the server has sent as content. */
  readonly size: number | undefined;
  /** Milliseconds. */
  readonly time: number | undefined;
  /** Milliseconds since the epoch; `undefined` when it is not known. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly isProblem: boolean;
}

/** The lines of a report. */
export function rowsOf(flows: readonly FlowData[]): Row[] {
  return flows.map((flow) => rowOf(flow));
}

function rowOf(flow: FlowData): Row {
  const { start, end, responseStart } = flow.timings;
  const status = flow.type === "http" ? flow.response?.status : undefined;
  const common = {
    flow,
    number: flow.place,
    status: statusOf(flow, status),
    tone: toneOf(flow, status),
    kind: kindOf(flow),
    size: sizeOf(flow),
    time: end,
    start: start > 0 ? start : undefined,
    end: start > 0 ? start + (end ?? responseStart ?? 0) : undefined,
    isProblem: Boolean(flow.unmatched || flow.error || status !== undefined && status >= 400),
  };
  if (flow.type === "tcp") {
    return { ...common, method: "TCP", scheme: "tcp", host: `${flow.hostname}:${flow.port}`, path: "", query: "" };
  }
  return { ...common, method: flow.request.method, ...addressOf(flow.request.url) };
}

/** The parts of a URL, which need not be one that can be parsed. */
export function addressOf(url: string): { scheme: string; host: string; path: string; query: string } {
  const [, scheme = "", host = "", path = "", query = ""] = /^(?:([^:/?#]*):\/\/)?([^/?#]*)([^?]*)(.*)$/s.exec(url) ??
    [];
  return { scheme, host, path, query };
}

/** That nothing matched says more than the 502 with which the proxy told the client so. */
function statusOf({ error, pending, unmatched }: FlowData, status: number | undefined): string {
  if (unmatched) return "unmatched";
  if (error) return shortCode(error.code);
  return status === undefined ? pending ? "…" : "–" : String(status);
}

/** Codes are long, and the column is narrow: the words that tell. */
function shortCode(code: string): string {
  return code.replace(/^(?:UPSTREAM|CLIENT|NEXT_PROXY)_/, "").toLowerCase().replaceAll("_", " ");
}

function toneOf({ error, unmatched, pending, type }: FlowData, status: number | undefined): Tone {
  if (unmatched) return "warn";
  if (error !== undefined || status !== undefined && status >= 500) return "bad";
  if (status !== undefined && status >= 400) return "warn";
  if (pending || status === undefined) return type === "tcp" && !pending ? "good" : "quiet";
  return status >= 300 ? "moved" : "good";
}

function sizeOf(flow: FlowData): number | undefined {
  if (flow.type === "tcp") return flow.bytes.server;
  if (flow.websocket === undefined) return flow.response?.size;
  return (flow.messages ?? []).reduce((sum, { from, size }) => from === "server" ? sum + size : sum, 0);
}

/** What it is about, in a word. */
export function kindOf(flow: FlowData): string {
  if (flow.type === "tcp") return "tcp";
  if (flow.websocket) return "socket";
  return typeWord(responseType(flow));
}

function responseType({ response }: HttpFlowData): string {
  return essence(response?.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1]);
}

function typeWord(type: string): string {
  if (type === "") return "";
  if (type === "text/event-stream") return "events";
  if (type.startsWith("application/grpc")) return "grpc";
  const word = /json|html|javascript|css|xml|image|font|audio|video|wasm|pdf|form|protobuf|csv|yaml/.exec(type)?.[0];
  if (word === "javascript") return "script";
  return word ?? (type.startsWith("text/") ? "text" : type.split("/").at(-1)!.replace(/^x-/, "").slice(0, 12));
}
