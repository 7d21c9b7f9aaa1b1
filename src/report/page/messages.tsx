/**
 * Messages and events: on a line of time, and one below the other.
 *
 * @module
 */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { bytesOf } from "../copy/bytes.ts";
import type { BytesData, FlowData } from "../data.ts";
import { Body } from "./body.tsx";
import type { Said } from "./events.ts";
import { bytes, count, duration } from "./format.ts";
import { Icon } from "./icon.tsx";

/** So many are shown at once. */
const AT_ONCE = 200;
/** More than this cannot be told apart on a line of time. */
const MOST_MARKS = 600;

/** What was said in a flow. */
export function Messages({ flow, said }: { flow: FlowData; said: readonly Said[] }): VNode {
  const [most, setMost] = useState(AT_ONCE);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (i: number, isOpen: boolean) => {
    const next = new Set(open);
    if (isOpen) next.add(i);
    else next.delete(i);
    setOpen(next);
  };
  const show = (i: number) => {
    setMost(Math.max(most, i + 1));
    toggle(i, true);
    requestAnimationFrame(() => document.getElementById(`said-${i}`)?.querySelector("summary")?.focus());
  };
  return (
    <>
      <p class="hint">{summaryOf(flow, said)}</p>
      <TimeLine said={said} end={flow.timings.end} onChoose={show} />
      <ol class="said">
        {said.slice(0, most).map((one, i) => (
          <li key={i} id={`said-${i}`} class={one.from}>
            <details
              open={open.has(i)}
              onToggle={(event) => event.currentTarget.open !== open.has(i) && toggle(i, event.currentTarget.open)}
            >
              <summary>
                <span class="from">
                  <Icon name={one.from === "client" ? "sent" : "received"} />
                  <span class="unseen">from the {one.from}</span>
                </span>
                <time>{one.time === undefined ? "" : `+${duration(one.time)}`}</time>
                <span class="label">{one.label}</span>
                <span class="preview">{previewOf(one.body)}</span>
                {one.note && <span class="badge">{one.note}</span>}
                <span class="note">{bytes(one.size)}</span>
              </summary>
              {open.has(i) && <Body body={one.body} type={null} />}
            </details>
          </li>
        ))}
      </ol>
      {said.length > most && (
        <button type="button" class="more" onClick={() => setMost(most + 5 * AT_ONCE)}>
          Show more: {said.length - most} are left
        </button>
      )}
      {flow.omitted !== undefined && (
        <p class="hint">
          {count(flow.omitted, "later message")} {flow.omitted === 1 ? "is" : "are"} not in this report.
        </p>
      )}
      <End flow={flow} />
    </>
  );
}

/** Two lanes: what the client has said above, what the server has said below. */
function TimeLine(
  { said, end, onChoose }: { said: readonly Said[]; end: number | undefined; onChoose(i: number): void },
): VNode | null {
  const times = said.flatMap(({ time }) => time === undefined ? [] : [time]);
  if (times.length === 0) return null;
  const length = Math.max(...times.slice(0, 5000), end ?? 0, 1);
  return (
    <div class="lanes" role="img" aria-label={`Line of time: ${count(times.length, "message")} in ${duration(length)}`}>
      <span class="lane client">
        <span>client</span>
      </span>
      <span class="lane server">
        <span>server</span>
      </span>
      {said.slice(0, MOST_MARKS).map(({ from, time }, i) =>
        time === undefined ? null : (
          <i
            key={i}
            class={`mark ${from}`}
            style={{ left: `calc(52px + (100% - 64px) * ${(time / length).toFixed(5)})` }}
            title={`+${duration(time)}`}
            onClick={() => onChoose(i)}
          />
        )
      )}
      <span class="scale">
        <span>0</span>
        <span>{duration(length / 2)}</span>
        <span>{duration(length)}</span>
      </span>
    </div>
  );
}

function End({ flow }: { flow: FlowData }): VNode | null {
  if (flow.type === "tcp") return flow.endedBy ? <p class="hint">The {flow.endedBy} ended it first.</p> : null;
  const { closeCode, closeReason, closedBy } = flow.websocket ?? {};
  if (closeCode === undefined) return flow.websocket && flow.pending ? <p class="hint">It was still open.</p> : null;
  return (
    <p class="hint">
      Closed with {closeCode}
      {CLOSE_CODES[closeCode] && ` (${CLOSE_CODES[closeCode]})`}
      {closedBy && ` by the ${closedBy}`}
      {closeReason ? `: ${closeReason}` : "."}
    </p>
  );
}

/** RFC 6455 section 7.4.1 */
const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: "normal",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "without a code",
  1006: "cut off",
  1007: "invalid data",
  1008: "policy violation",
  1009: "message too big",
  1010: "extension missing",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
};

function summaryOf(flow: FlowData, said: readonly Said[]): string {
  const noun = flow.type === "http" && flow.websocket === undefined ? "event" : "message";
  const sent = said.filter(({ from }) => from === "client").length;
  if (noun === "event") return count(said.length, noun);
  return `${count(said.length, noun)}: ${sent} from the client, ${said.length - sent} from the server`;
}

function previewOf(body: BytesData): string {
  if (body.text !== undefined) return body.text.slice(0, 300);
  if (body.base64 === undefined) return body.note ?? "";
  return Array.from(bytesOf({ base64: body.base64.slice(0, 64) }), (byte) => byte.toString(16).padStart(2, "0")).join(
    " ",
  );
}
