/**
 * What was said bit by bit, in one form: messages of a WebSocket or of a raw conversation, and server-sent events.
 *
 * @module
 */
import { essence } from "../../flow/media_type.ts";
import { bytesOf } from "../copy/bytes.ts";
import type { BytesData, FlowData, ResponseData } from "../data.ts";
import { fieldOf } from "./headers.ts";

/** One of them. */
export interface Said {
  readonly from: "client" | "server";
  /** Milliseconds after the start of the flow; `undefined` when it is not known. */
  readonly time: number | undefined;
  readonly body: BytesData;
  readonly size: number;
  /** Such as `text`, or the type of an event. */
  readonly label: string;
  /** What was done to it, or its id. */
  readonly note: string;
}

/** What was said in a flow; `undefined` when it is not a flow in which something is said. */
export function saidIn(flow: FlowData): readonly Said[] | undefined {
  if (flow.type === "tcp" || flow.websocket !== undefined) {
    const timed = (flow.messages ?? []).some(({ time }) => time > 0);
    return (flow.messages ?? []).map(({ from, time, size, type, state = "", ...body }) => ({
      from,
      time: timed ? time : undefined,
      body,
      size,
      label: flow.type === "tcp" ? "" : type,
      note: state,
    }));
  }
  const { response } = flow;
  if (response === undefined || essence(fieldOf(response.headers, "content-type")) !== "text/event-stream") {
    return undefined;
  }
  return eventsIn(response);
}

/** The events of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). */
export function eventsIn({ body, chunks = [] }: Pick<ResponseData, "body" | "chunks">): Said[] {
  const bytes = bytesOf(body ?? {});
  const events: Said[] = [];
  let at = 0;
  let fields: [string, string][] = [];
  const flush = (end: number) => {
    const data = fields.filter(([name]) => name === "data").map(([, value]) => value).join("\n");
    const last = (wanted: string) => fields.findLast(([name]) => name === wanted)?.[1];
    const comments = fields.filter(([name]) => name === "").map(([, value]) => value).join("\n");
    const id = last("id");
    const retry = last("retry");
    if (fields.length > 0) {
      events.push({
        from: "server",
        time: chunks.find(([chunkEnd]) => chunkEnd >= end)?.[1],
        body: { text: data === "" && comments !== "" ? comments : data },
        size: new TextEncoder().encode(data).length,
        label: data === "" && comments !== "" ? "comment" : last("event") ?? "message",
        note: [...(id === undefined ? [] : [`id ${id}`]), ...(retry === undefined ? [] : [`retry ${retry} ms`])].join(
          ", ",
        ),
      });
    }
    fields = [];
  };
  const text = new TextDecoder().decode(bytes);
  for (const line of text.match(/[^\r\n]*(?:\r\n|\r|\n|$)/g) ?? []) {
    at += new TextEncoder().encode(line).length;
    const content = line.replace(/[\r\n]+$/, "");
    if (content === "") {
      if (line !== "") flush(at);
      continue;
    }
    const colon = content.indexOf(":");
    fields.push(colon < 0 ? [content, ""] : [content.slice(0, colon), content.slice(colon + 1).replace(/^ /, "")]);
  }
  // The last one may not be complete: it is shown all the same.
  flush(at);
  return events;
}
