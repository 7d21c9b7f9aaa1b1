/**
 * A flow as lines of text: what people read, and what is compared.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import type { FlowHeaders } from "../headers.ts";
import type { Message } from "../message.ts";
import { isSensitiveName, REDACTED, redactText, redactUrl } from "../sensitive.ts";
import { bodyLines, type Line, plain } from "./body_lines.ts";

/** So many messages of a conversation are compared. */
const MAX_MESSAGES = 1000;

/** Heads, decoded bodies, what was said, and how it ended; without times, and without credentials in what is shown. */
export function flowLines(flow: Flow): Line[] {
  if (flow.type === "tcp") {
    return [plain(`TCP ${flow.hostname}:${flow.port}`), ...said(flow.messages), ...errorLine(flow)];
  }
  const { request, response, websocket } = flow;
  const url = request.url;
  return [
    { raw: `${request.method} ${url}`, shown: `${request.method} ${redactUrl(url)}` },
    ...messageLines(request),
    ...(response === undefined ? [] : [
      plain(""),
      plain(`${response.status} ${response.reason}`.trimEnd()),
      ...messageLines(response),
    ]),
    ...(websocket === undefined ? [] : [
      plain(""),
      ...said(websocket.messages),
      plain(`closed by ${websocket.closedBy ?? "nobody yet"}: ${websocket.closeCode ?? ""}`),
    ]),
    ...errorLine(flow),
  ];
}

function messageLines(message: Message): Line[] {
  const body = bodyLines(message);
  const { trailers } = message;
  return [
    ...fieldLines(message.headers),
    ...(body.length === 0 ? [] : [plain(""), ...body]),
    ...(trailers === undefined ? [] : [plain(""), ...fieldLines(trailers)]),
  ];
}

function fieldLines(headers: FlowHeaders): Line[] {
  return Array.from(headers, ([name, value]) => ({
    raw: `${name}: ${value}`,
    shown: `${name}: ${isSensitiveName(name) ? REDACTED : redactText(value)}`,
  }));
}

function said(
  messages: readonly { readonly from: string; readonly size: number; readonly text: string }[],
): Line[] {
  const lines = messages.slice(0, MAX_MESSAGES).map(({ from, text, size }): Line => {
    const data = /[\0\ufffd]/.test(text) ? `${size} bytes ${JSON.stringify(text)}` : JSON.stringify(text);
    return { raw: `${from}: ${data}`, shown: `${from}: ${redactText(data)}` };
  });
  const more = messages.length - lines.length;
  return more > 0 ? [...lines, plain(`… ${more} more messages`)] : lines;
}

function errorLine({ error }: Flow): Line[] {
  if (error === undefined) return [];
  const text = `error ${error.code}: ${error.message}`.replace(/\s+/g, " ");
  return [plain(""), { raw: text, shown: redactText(text) }];
}
