/**
 * One flow, with all that is known of it.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import type { FlowData, HttpFlowData, ReportData } from "../data.ts";
import { Connection } from "./connection.tsx";
import { CopyMenu } from "./copy_menu.tsx";
import { saidIn } from "./events.ts";
import { Facts, marked } from "./fields.tsx";
import { duration } from "./format.ts";
import { Icon } from "./icon.tsx";
import { RequestView, ResponseView } from "./message.tsx";
import { Messages } from "./messages.tsx";
import type { Row } from "./row.ts";
import { type Tab, Tabs } from "./tabs.tsx";
import { Timing } from "./timing.tsx";

/** What the view of a flow is given. */
export interface FlowViewProps {
  readonly row: Row;
  readonly data: ReportData;
  readonly tab: string;
  /** All tabs are shown. */
  readonly whole: boolean;
  onTab(id: string): void;
  onMove(step: 1 | -1): void;
  onClose(): void;
}

/** The flow. */
export function FlowView({ row, data, tab, whole, onTab, onMove, onClose }: FlowViewProps): VNode {
  const { flow } = row;
  const tabs = tabsOf(flow, data);
  return (
    <article class="detail" aria-labelledby="detail-title">
      <header>
        <div class="tools">
          <button
            type="button"
            class="tool"
            aria-label="Previous flow"
            title="Previous flow (k)"
            onClick={() => onMove(-1)}
          >
            <Icon name="up" />
          </button>
          <button type="button" class="tool" aria-label="Next flow" title="Next flow (j)" onClick={() => onMove(1)}>
            <Icon name="down" />
          </button>
          <CopyMenu flow={flow} tab={tab} />
          <button type="button" class="tool close" aria-label="Close" title="Close (Esc)" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        <h2 id="detail-title" tabIndex={-1}>
          <span class="method">{row.method}</span>{" "}
          <span class="address">
            <span class="host">{row.scheme}://{row.host}</span>
            <span class="path">{row.path}</span>
            <span class="query">{marked(row.query)}</span>
          </span>
        </h2>
        <p class="outcome">
          <span class={`pill ${row.tone}`}>{outcomeOf(flow)}</span>
          <span>{answeredBy(flow)}</span>
          {row.time !== undefined && <span>{duration(row.time)}</span>}
          {flow.marked && <span class="badge">{flow.marked}</span>}
          {flow.sentAgain && <span class="badge">sent again</span>}
        </p>
        <Remarks flow={flow} />
      </header>
      <Tabs label="Parts of the flow" tabs={tabs} open={tab} onOpen={onTab} whole={whole} />
    </article>
  );
}

/** The tabs that a flow has. */
export function tabsOf(flow: FlowData, data: ReportData): Tab[] {
  const said = saidIn(flow);
  const events = flow.type === "http" && flow.websocket === undefined;
  return [
    ...(said === undefined ? [] : [{
      id: "messages",
      label: events ? "Events" : "Messages",
      note: String(said.length + (flow.omitted ?? 0)),
      content: () => <Messages flow={flow} said={said} />,
    }]),
    ...(flow.type === "http" ? exchangeTabs(flow) : []),
    { id: "timing", label: "Timing", content: () => <Timing flow={flow} /> },
    { id: "connection", label: "Connection", content: () => <Connection flow={flow} data={data} /> },
    ...(flow.metadata
      ? [{ id: "metadata", label: "Metadata", content: () => <Facts facts={Object.entries(flow.metadata!)} /> }]
      : []),
  ];
}

function exchangeTabs(flow: HttpFlowData): Tab[] {
  const request: Tab = { id: "request", label: "Request", content: () => <RequestView flow={flow} /> };
  const response: Tab = { id: "response", label: "Response", content: () => <ResponseView flow={flow} /> };
  return [request, response];
}

/** What is to be known before all else: why it failed, why nothing matched, what others have noted. */
function Remarks({ flow }: { flow: FlowData }): ComponentChildren {
  const alerts = flow.type === "http" ? flow.alerts ?? [] : [];
  const why = flow.unmatched && flow.type === "http" ? explanationIn(flow) : undefined;
  return (
    <>
      {flow.error && (
        <div class="remark bad">
          <strong>{flow.error.code}</strong>
          <p class="text">{marked(flow.error.message)}</p>
        </div>
      )}
      {flow.unmatched && (
        <div class="remark warn">
          <strong>Nothing on the tape matched it</strong>
          {why !== undefined && <pre class="text">{marked(why)}</pre>}
        </div>
      )}
      {flow.comment && (
        <div class="remark">
          <p class="text">{marked(flow.comment)}</p>
        </div>
      )}
      {alerts.map((alert, i) => (
        <div class="remark warn" key={i}>
          <p class="text">{marked(alert)}</p>
        </div>
      ))}
      {flow.faults?.map((fault, i) => (
        <div class="remark" key={i}>
          <p class="text">Fault: {marked(fault)}</p>
        </div>
      ))}
    </>
  );
}

/** The proxy tells the client why. */
function explanationIn({ response, error }: HttpFlowData): string | undefined {
  const text = response?.body?.text?.trim();
  return error === undefined && text && !text.startsWith("<") ? text : undefined;
}

function outcomeOf(flow: FlowData): string {
  if (flow.error) return "failed";
  if (flow.pending) return "pending";
  if (flow.type === "tcp") return "closed";
  if (flow.websocket) return "WebSocket";
  const { status, reason } = flow.response ?? {};
  return status === undefined ? "no response" : `${status} ${reason}`;
}

function answeredBy({ source }: FlowData): string {
  const words: Record<string, string> = {
    upstream: "from the server",
    rule: "answered by a rule",
    tape: "answered by the tape",
    app: "answered by the application",
    addon: "answered by an addon",
  };
  return words[source] ?? source;
}
