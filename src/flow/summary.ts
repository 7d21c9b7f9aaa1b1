/**
 * Flows as a table for people.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { redactUrl } from "./sensitive.ts";

/** A few words about a flow. */
export interface FlowSummary {
  /** Of the request; `TCP` for a raw conversation. */
  readonly method: string;
  /** Absolute, without credentials; `host:port` of a raw conversation. */
  readonly url: string;
  /** The status; the code of the error when it failed; `pending` while it is under way. */
  readonly status: number | string;
  /** Who answered. */
  readonly source: string;
}

/** What {@linkcode summarize} takes. */
export interface SummaryOptions {
  /** How many flows are missing at the front because they were dropped. */
  dropped?: number;
  /** Columns of text that a line should fit in: 100 by default. */
  width?: number;
  /** How many lines are shown at most, the latest ones; all by default. */
  limit?: number;
}

/** Method, URL, result and source of a flow. */
export function describeFlow(flow: Flow): FlowSummary {
  if (flow.type === "tcp") {
    const status = flow.error?.code ?? (flow.done ? "closed" : "pending");
    return { method: "TCP", url: `${flow.hostname}:${flow.port}`, status, source: flow.source };
  }
  const status = flow.error?.code ?? flow.response?.status ?? "pending";
  return { method: flow.request.method, url: redactUrl(flow.request.url), status, source: flow.source };
}

/** A line for each flow: place, method, URL, status or error, source, size, milliseconds; then how many there are. */
export function summarize(flows: Iterable<Flow>, options: SummaryOptions = {}): string {
  const all = [...flows];
  const skipped = Math.max(0, all.length - (options.limit ?? Infinity));
  const rows = all.slice(skipped).map((flow, i) => rowOf(flow, skipped + i));
  const lines = rows.length === 0 ? [] : table([HEAD, ...rows], options.width ?? 100);
  return [...lines, countLine(all.length, skipped, options.dropped ?? 0)].join("\n");
}

type Row = readonly string[];

const HEAD: Row = ["#", "method", "url", "status", "source", "size", "ms"];
const URL_COLUMN = 2;
const RIGHT = new Set([0, 5, 6]);

function rowOf(flow: Flow, index: number): Row {
  const { method, url, status, source } = describeFlow(flow);
  const took = flow.timings.end === undefined ? "" : String(Math.round(flow.timings.end));
  return [String(index), method, url, String(status), source, sizeOf(flow), took];
}

function sizeOf(flow: Flow): string {
  if (flow.type === "http" && flow.websocket !== undefined) return plural(flow.websocket.count, "message");
  if (flow.type === "http") return flow.response === undefined ? "" : bytes(flow.response.content.size);
  return bytes(flow.bytes.client + flow.bytes.server);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  return size < 1_000_000 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1_000_000).toFixed(1)} MB`;
}

function table(rows: readonly Row[], width: number): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const others = widths.reduce((sum, one, column) => column === URL_COLUMN ? sum : sum + one, 2 * (HEAD.length - 1));
  widths[URL_COLUMN] = Math.min(widths[URL_COLUMN]!, Math.max(24, width - others));
  return rows.map((row) =>
    row.map((cell, column) => {
      const room = widths[column]!;
      const text = column === URL_COLUMN ? shortenMiddle(cell, room) : cell;
      return RIGHT.has(column) ? text.padStart(room) : text.padEnd(room);
    }).join("  ").trimEnd()
  );
}

/** Both ends of a URL tell more than its middle. */
function shortenMiddle(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(text.length - end)}`;
}

function countLine(count: number, skipped: number, dropped: number): string {
  const notes = [
    ...(skipped > 0 ? [`the last ${count - skipped} shown`] : []),
    ...(dropped > 0 ? [`${dropped} older ${dropped === 1 ? "one was" : "ones were"} dropped`] : []),
  ];
  const line = count === 0 ? "no flows" : count === 1 ? "1 flow" : `${count} flows`;
  return notes.length === 0 ? line : `${line} (${notes.join(", ")})`;
}
