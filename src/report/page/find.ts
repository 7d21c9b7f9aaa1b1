/**
 * The filter of the page: the filter language itself, over the flows of a report.
 *
 * @module
 */
import { filter } from "../../flow/filter/filter.ts";
import type { Flow } from "../../flow/flow.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { noteSentAgain } from "../../flow/sent_again.ts";
import { bytesOf } from "../copy/bytes.ts";
import type { FieldData, FlowData, HttpFlowData, MessageData, PeerData, ReportData } from "../data.ts";
import { addressOf } from "./row.ts";

/** Which flows an expression finds; or what is wrong with it. */
export interface Found {
  readonly flows?: ReadonlySet<FlowData>;
  readonly problem?: string;
}

/** Finds flows of a report. What it makes of them is kept: the next expression is about the same ones. */
export class Finder {
  readonly #data: ReportData;
  readonly #flows = new Map<FlowData, Flow>();

  /** @param data the report */
  constructor(data: ReportData) {
    this.#data = data;
  }

  /** The flows that an expression finds; all when it is empty. */
  find(expression: string): Found {
    if (expression.trim() === "") return {};
    try {
      const matcher = filter(expression);
      return { flows: new Set(this.#data.flows.filter((flow) => matcher.matches(this.#flowOf(flow)))) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message.replace(/^filter expression: /, "") : String(error) };
    }
  }

  #flowOf(data: FlowData): Flow {
    let flow = this.#flows.get(data);
    if (flow === undefined) this.#flows.set(data, flow = flowOf(data, this.#data.peers));
    return flow;
  }
}

/** As much of a flow as the filter language looks at. */
function flowOf(data: FlowData, peers: readonly PeerData[]): Flow {
  const messages = (data.messages ?? []).map((said) => ({
    from: said.from,
    get data() {
      return bytesOf(said);
    },
  }));
  const common = {
    source: data.source,
    error: data.error,
    comment: data.comment,
    marked: data.marked,
    metadata: data.metadata ?? {},
    client: peers[data.client],
    server: data.server === undefined ? undefined : peers[data.server],
  };
  const flow = data.type === "tcp"
    ? { ...common, type: "tcp", messages }
    : { ...common, ...exchangeOf(data), websocket: data.websocket && { messages } };
  if (data.sentAgain) noteSentAgain(flow as unknown as Flow);
  return flow as unknown as Flow;
}

function exchangeOf({ request, response }: HttpFlowData): object {
  const { scheme, host, path, query } = addressOf(request.url);
  const headers = headersOf(request.headers);
  return {
    type: "http",
    request: {
      ...messageOf(request),
      method: request.method,
      url: request.url,
      scheme,
      hostname: host.replace(/:\d*$/, ""),
      host: headers.get("host") ?? host,
      target: `${path}${query}`,
    },
    response: response && { ...messageOf(response), status: response.status },
  };
}

function messageOf({ headers, body = {} }: MessageData): object {
  let bytes: Uint8Array | undefined;
  return {
    headers: headersOf(headers),
    get body() {
      return bytes ??= bytesOf(body);
    },
  };
}

function headersOf(fields: readonly FieldData[]): FlowHeaders {
  return FlowHeaders.fromFields(fields.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
}
