/**
 * When flows happened: bars on one axis of time.
 *
 * @module
 */
import type { VNode } from "preact";
import type { FlowData } from "../data.ts";
import { tick as tickText } from "./format.ts";
import type { Row } from "./row.ts";

/** A part of the way of a flow. */
export interface Phase {
  readonly name: "send" | "dns" | "connect" | "tls" | "wait" | "receive" | "open";
  /** Milliseconds after the start of the flow. */
  readonly from: number;
  readonly to: number;
}

/** What each phase is, in words. */
export const PHASES: Readonly<Record<Phase["name"], string>> = {
  send: "Request",
  dns: "Name look-up",
  connect: "Connection",
  tls: "TLS handshake",
  wait: "Waiting for the answer",
  receive: "Response",
  open: "Conversation",
};

/** The phases of a flow, in order. */
export function phasesOf(flow: FlowData): Phase[] {
  const { timings } = flow;
  const isConversation = flow.type === "tcp" || flow.websocket !== undefined;
  const { requestEnd, connectStart, dnsEnd, connectEnd, tlsEnd, responseStart, end } = timings;
  const phases: Phase[] = [];
  let at = 0;
  const add = (name: Phase["name"], to: number | undefined, from = at) => {
    if (to === undefined || to < from) return;
    if (to > from) phases.push({ name, from, to });
    at = Math.max(at, to);
  };
  // The request may still arrive while the server is connected to.
  const connected = connectStart === undefined ? undefined : tlsEnd ?? connectEnd;
  add("send", connectStart === undefined ? requestEnd : Math.min(requestEnd ?? Infinity, connectStart));
  if (connected !== undefined) {
    at = Math.max(at, connectStart!);
    add("dns", dnsEnd);
    add("connect", connectEnd);
    add("tls", tlsEnd);
    if (requestEnd !== undefined && requestEnd > at) add("send", requestEnd);
  }
  add("wait", responseStart ?? end);
  if (responseStart !== undefined) add(isConversation ? "open" : "receive", end);
  return phases;
}

/** A span of time that all bars are drawn on. */
export interface Axis {
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Milliseconds. */
  readonly length: number;
}

/** The axis of some flows; `undefined` when nobody knows when they happened. */
export function axisOf(rows: readonly Row[]): Axis | undefined {
  let start = Infinity;
  let end = -Infinity;
  for (const row of rows) {
    if (row.start === undefined) continue;
    start = Math.min(start, row.start);
    end = Math.max(end, row.end!);
  }
  return end < start ? undefined : { start, length: Math.max(end - start, 1) };
}

/** Round numbers along an axis, a few of them. */
export function ticksOf({ length }: Axis, most = 4): number[] {
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)!;
  const ticks: number[] = [];
  for (let tick = step; tick < length * 0.97; tick += step) ticks.push(tick);
  return ticks;
}

/** The names of the ticks, for the head of the column. */
export function Ticks({ axis }: { axis: Axis }): VNode {
  return (
    <span class="ticks" aria-hidden="true">
      {ticksOf(axis).map((tick) => (
        <span key={tick} style={{ left: percent(tick / axis.length) }}>{tickText(tick)}</span>
      ))}
    </span>
  );
}

/** The bar of a flow. */
export function Bar({ row, axis }: { row: Row; axis: Axis }): VNode | null {
  if (row.start === undefined) return null;
  const offset = row.start - axis.start;
  const total = row.time ?? Math.max(0, row.end! - row.start);
  return (
    <span
      class={`bar ${row.flow.pending ? "pending" : ""}`}
      style={{ left: percent(offset / axis.length), width: percent(total / axis.length) }}
    >
      {total > 0 &&
        phasesOf(row.flow).map(({ name, from, to }) => (
          <i
            key={name + from}
            class={`phase ${name}`}
            style={{ left: percent(from / total), width: percent((to - from) / total) }}
          />
        ))}
    </span>
  );
}

function percent(part: number): string {
  return `${(Math.max(0, Math.min(1, part)) * 100).toFixed(3)}%`;
}
