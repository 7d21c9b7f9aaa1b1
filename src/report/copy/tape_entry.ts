/**
 * A flow as an entry of a tape, with everything in it.
 *
 * @module
 */
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpVersion } from "../../flow/message.ts";
import { encodeEntry } from "../../tape/encode.ts";
import { type HarEntry, printEntry } from "../../tape/har.ts";
import type { ExchangeParts, MessageParts } from "../../tape/parts.ts";
import type { Said, SaidClose, TcpParts } from "../../tape/streams/said.ts";
import { bytesOf, toBase64 } from "./bytes.ts";
import type { BytesData, FieldData, FlowData, HttpFlowData, MessageData, TcpFlowData } from "../data.ts";

/** The entry as text, as it stands in `log.entries` of a tape. */
export async function toTapeEntry(flow: FlowData): Promise<string> {
  const parts = flow.type === "tcp" ? tcpParts(flow) : exchangeParts(flow);
  const files = new Map<string, Uint8Array>();
  const entry = await encodeEntry(parts, {
    redactor: AS_IT_IS,
    times: flow.timings.start > 0,
    keepBody: (bytes) => {
      const name = `${files.size}`;
      files.set(name, bytes);
      return Promise.resolve(name);
    },
  });
  return printEntry(embedded(entry, files)).replace(/^ {6}/gm, "");
}

/** What is in a report has been redacted already. */
const AS_IT_IS = {
  url: (url: string) => url,
  header: (_name: string, value: string) => value,
  body: (bytes: Uint8Array) => bytes,
  bodyInTurns: (bytes: Uint8Array) => bytes,
  text: (text: string) => text,
};

function exchangeParts(flow: HttpFlowData): ExchangeParts {
  const { request, websocket, error, timings, comment } = flow;
  // What an addon has made of a response it will make of it again when it is replayed.
  const response = flow.original ?? flow.response;
  return {
    method: websocket === undefined ? request.method : "GET",
    url: request.url,
    request: messageParts(request),
    status: response?.status ?? 0,
    reason: response?.reason ?? "",
    response: response && messageParts(response),
    failure: error,
    timings,
    comment,
    informational: flow.informational?.map(({ headers, ...rest }) => ({ ...rest, headers: headersOf(headers) })),
    conversation: websocket && { messages: saidOf(flow), close: closeOf(websocket) },
  };
}

function tcpParts(flow: TcpFlowData): TcpParts {
  const { hostname, port, endedBy, error, timings, comment } = flow;
  return {
    hostname,
    port,
    messages: saidOf(flow),
    end: endedBy === "client" || endedBy === "server" ? endedBy : "open",
    failure: error,
    timings,
    comment,
  };
}

function messageParts({ httpVersion, headers, trailers, body, encoded }: MessageData): MessageParts {
  return {
    httpVersion: httpVersion as HttpVersion,
    headers: headersOf(headers),
    trailers: trailers && headersOf(trailers),
    body: bytesOf(body ?? {}),
    encoded: encoded === true,
  };
}

function headersOf(fields: readonly FieldData[]): FlowHeaders {
  return FlowHeaders.fromFields(fields.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
}

function saidOf({ messages = [] }: FlowData): Said[] {
  return messages.filter(({ state }) => state !== "dropped").map((message) => ({
    from: message.from,
    text: message.type === "text",
    data: bytesOf(message),
    time: message.time,
  }));
}

function closeOf(
  { closeCode, closeReason = "", closedBy }: NonNullable<HttpFlowData["websocket"]>,
): SaidClose | undefined {
  if (closeCode === undefined) return undefined;
  return { code: closeCode, reason: closeReason, by: closedBy === "client" ? "client" : "server" };
}

/** With what a tape would have in files beside it. */
function embedded(entry: HarEntry, files: ReadonlyMap<string, Uint8Array>): HarEntry {
  const { postData } = entry.request;
  const { _file, ...content } = entry.response.content;
  const file = _file === undefined ? undefined : files.get(_file);
  const request = postData?._file === undefined
    ? entry.request
    : { ...entry.request, postData: { ...without(postData), ...inline(files.get(postData._file)!, "_encoding") } };
  if (file === undefined) return { ...entry, request };
  if (entry._tcp !== undefined) {
    return {
      ...entry,
      request,
      response: { ...entry.response, content },
      _tcp: { ...entry._tcp, messages: linesOf(file) },
    };
  }
  if (entry._resourceType === "websocket") {
    return { ...entry, request, response: { ...entry.response, content }, _webSocketMessages: linesOf(file) };
  }
  return { ...entry, request, response: { ...entry.response, content: { ...content, ...inline(file, "encoding") } } };
}

function without<T extends { _file?: string }>({ _file, ...rest }: T): Omit<T, "_file"> {
  return rest;
}

function linesOf<T>(file: Uint8Array): T[] {
  return new TextDecoder().decode(file).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}

function inline<T extends string>(bytes: Uint8Array, flag: T): BytesData & { [key in T]?: "base64" } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) } as
      & BytesData
      & { [key in T]?: "base64" };
  } catch {
    return { text: toBase64(bytes), [flag]: "base64" } as BytesData & { [key in T]?: "base64" };
  }
}
