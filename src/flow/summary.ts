/**
 * Flows as a table for people.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { redactUrl } from "./sensitive.ts";
import { lengthOf, payloadOf, timeOf } from "./set/measure.ts";
import { isOutlier, type UsualRange, usualRange } from "./set/outliers.ts";
import { textTable } from "./set/text_table.ts";

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
  /** `"marked"`: sizes and times that are far from those of the others have an asterisk. `"plain"` by default. */
  outliers?: "marked" | "plain";
  /** The number of each flow; by default they are counted from 0. */
  numbers?: readonly number[];
  /** Takes more out of URLs and alerts than is taken out anyway. */
  clean?: (text: string) => string;
}

/** Method, URL, result and source of a flow. */
export function describeFlow(flow: Flow): FlowSummary {
  if (flow.type === "tcp") {
    const status = flow.error?.code ?? (flow.done ? "closed" : "pending");
    return { method: "TCP", url: `${flow.hostname}:${flow.port}`, status, source: flow.source };
  }
  const status = flow.error?.code ?? flow.response?.status ?? "pending";
  // An addon may have put anything there: a table of what happened is needed then above all.
  return { method: String(flow.request.method), url: redactUrl(flow.request.url), status, source: flow.source };
}

/** A line for each flow: place, method, URL, status or error, source, size, milliseconds; under it what alerters found; then how many. */
export function summarize(flows: Iterable<Flow>, options: SummaryOptions = {}): string {
  const all = [...flows];
  const skipped = Math.max(0, all.length - (options.limit ?? Infinity));
  const usual = options.outliers === "marked" ? usualOf(all) : {};
  const shown = all.slice(skipped);
  const { clean = (text: string) => text } = options;
  const payloads = shown.some((flow) => payloadOf(flow) !== undefined);
  const rows = shown.map((flow, i) =>
    rowOf(flow, options.numbers?.[skipped + i] ?? skipped + i, { usual, payloads, clean })
  );
  const marked = (column: number) => rows.some((row) => row[column]!.endsWith(MARK));
  return [
    ...(rows.length === 0 ? [] : withAlerts(table([headOf(payloads), ...rows], options.width ?? 100), shown, clean)),
    ...legend({ size: marked(SIZE) ? usual.size : undefined, ms: marked(MS) ? usual.ms : undefined }),
    countLine(all.length, skipped, options.dropped ?? 0),
  ].join("\n");
}

/** How many alerts of a flow are shown. */
const MAX_ALERTS = 5;

/** Under the line of each flow what alerters have found in it. */
function withAlerts(
  [head = "", ...lines]: readonly string[],
  flows: readonly Flow[],
  clean: (text: string) => string,
): string[] {
  return [
    head,
    ...lines.flatMap((line, i) => {
      const flow = flows[i]!;
      const alerts = flow.type === "http" ? flow.alerts : [];
      const more = alerts.length > MAX_ALERTS ? [`and ${alerts.length - MAX_ALERTS} more`] : [];
      return [line, ...[...alerts.slice(0, MAX_ALERTS), ...more].map((alert) => `   ! ${clean(alert)}`)];
    }),
  ];
}

type Row = readonly string[];

/** What stands behind a value that is far from the others. */
const MARK = " *";

interface Usual {
  readonly size?: UsualRange | undefined;
  readonly ms?: UsualRange | undefined;
}

function usualOf(flows: readonly Flow[]): Usual {
  const values = (of: (flow: Flow) => number | undefined) => flows.flatMap((flow) => of(flow) ?? []);
  return {
    size: usualRange(values(lengthOf), (median) => median / 20),
    // Timers and garbage collection alone move times so far.
    ms: usualRange(values(timeOf), (median) => Math.max(20, median / 2)),
  };
}

function legend({ size, ms }: Usual): string[] {
  const range = ({ low, high }: UsualRange, text: (value: number) => string) =>
    `${text(Math.max(0, Math.ceil(low)))} to ${text(Math.floor(high))}`;
  const parts = [
    ...(size === undefined ? [] : [`size usually ${range(size, bytes)}`]),
    ...(ms === undefined ? [] : [`ms usually ${range(ms, String)}`]),
  ];
  return parts.length === 0 ? [] : [`* far from the others: ${parts.join(", ")}`];
}

const URL_COLUMN = 2;
const SIZE = 5;
const MS = 6;

function headOf(payloads: boolean): Row {
  return ["#", "method", "url", "status", "source", "size", "ms", ...(payloads ? ["payload"] : [])];
}

interface RowOptions {
  readonly usual: Usual;
  readonly payloads: boolean;
  readonly clean: (text: string) => string;
}

function rowOf(flow: Flow, index: number, { usual, payloads, clean }: RowOptions): Row {
  const { method, url, status, source } = describeFlow(flow);
  const time = timeOf(flow);
  const took = time === undefined ? "" : String(Math.round(time)) + (isOutlier(time, usual.ms) ? MARK : "");
  const size = sizeOf(flow) + (isOutlier(lengthOf(flow), usual.size) ? MARK : "");
  const payload = payloads ? [JSON.stringify(payloadOf(flow) ?? "").slice(1, -1).slice(0, 24)] : [];
  return [String(index), method, clean(url), String(status), source, size, took, ...payload];
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
  // Where one is marked, the others keep their place.
  const aligned = rows.map((row) =>
    row.map((cell, column) => {
      const marks = (column === SIZE || column === MS) && rows.some((other) => other[column]!.endsWith(MARK));
      return marks && !cell.endsWith(MARK) ? `${cell}  ` : cell;
    })
  );
  return textTable(aligned, { right: new Set([0, SIZE, MS]), shrink: { column: URL_COLUMN, width, least: 24 } });
}

function countLine(count: number, skipped: number, dropped: number): string {
  const notes = [
    ...(skipped > 0 ? [`the last ${count - skipped} shown`] : []),
    ...(dropped > 0 ? [`${dropped} older ${dropped === 1 ? "one was" : "ones were"} dropped`] : []),
  ];
  const line = count === 0 ? "no flows" : count === 1 ? "1 flow" : `${count} flows`;
  return notes.length === 0 ? line : `${line} (${notes.join(", ")})`;
}
