/**
 * Writes an exchange as an entry of a HAR document.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowHeaders } from "../flow/headers.ts";
import type { Timings } from "../flow/timings.ts";
import {
  type HarBody,
  type HarEntry,
  type HarPair,
  type HarRequest,
  type HarResponse,
  type HarStream,
  MAX_INLINE_BYTES,
} from "./har.ts";
import { bodyToText } from "./media.ts";
import type { ExchangeParts, MessageParts } from "./parts.ts";
import type { Redactor } from "./redact/redactor.ts";
import { encodeConversation, encodeStream, encodeTcpMessages, milliseconds } from "./streams/encode.ts";
import type { TcpParts } from "./streams/said.ts";

/** Puts a body into a file and gives the name of the file. */
export type KeepBody = (bytes: Uint8Array, contentType: string | null) => Promise<string>;

/** How an entry is written. */
export interface EncodeOptions {
  readonly redactor: Redactor;
  readonly times: boolean;
  readonly keepBody: KeepBody;
}

/** The entry of an exchange or a raw conversation, without what is secret. */
export async function encodeEntry(parts: ExchangeParts | TcpParts, options: EncodeOptions): Promise<HarEntry> {
  return "method" in parts ? await encodeExchange(parts, options) : await encodeTcp(parts, options);
}

async function encodeExchange(exchange: ExchangeParts, options: EncodeOptions): Promise<HarEntry> {
  const { conversation, timings } = exchange;
  // Secrets are numbered in the order in which they are met: all are met before a body is waited for.
  const parts = [
    encodeRequest(exchange, options),
    encodeResponse(exchange, options),
    conversation && encodeConversation(conversation, timings?.start ?? 0, options),
  ] as const;
  // Nothing is written any more when this fails.
  await Promise.allSettled(parts);
  const [request, response, said] = await Promise.all(parts);
  if (said?._file !== undefined) response.content._file = said._file;
  return {
    ...startOf(exchange, options),
    request,
    response,
    cache: {},
    ...endOf(exchange, options),
    ...(said && { _resourceType: "websocket", ...said.fields }),
  };
}

async function encodeTcp(parts: TcpParts, options: EncodeOptions): Promise<HarEntry> {
  const { hostname, port, messages, end, failure } = parts;
  const { _file, ...said } = await encodeTcpMessages(messages, options);
  const none = { httpVersion: "", cookies: [], headers: [] };
  return {
    ...startOf(parts, options),
    request: {
      method: "TCP",
      url: `tcp://${hostname}:${port}`,
      ...none,
      queryString: [],
      headersSize: -1,
      bodySize: -1,
    },
    response: {
      status: 0,
      statusText: "",
      ...none,
      content: { size: -1, mimeType: "", ...(_file !== undefined && { _file }) },
      redirectURL: "",
      headersSize: -1,
      bodySize: -1,
      ...failureOf(failure, options),
    },
    cache: {},
    ...endOf(parts, options),
    _tcp: { end, ...said },
  };
}

function startOf({ timings }: Pick<ExchangeParts, "timings">, { times }: EncodeOptions): typeof NO_TIMES {
  return times && timings ? timesOf(timings) : NO_TIMES;
}

function endOf(
  { timings, comment }: Pick<ExchangeParts, "timings" | "comment">,
  { times, redactor }: EncodeOptions,
): Pick<HarEntry, "timings" | "comment"> {
  return {
    timings: times && timings ? phasesOf(timings) : { ...NO_PHASES },
    ...(comment === undefined ? {} : { comment: redactor.text(comment) }),
  };
}

async function encodeRequest({ method, url, request }: ExchangeParts, options: EncodeOptions): Promise<HarRequest> {
  const { redactor } = options;
  const headers = pairsOf(request.headers, redactor);
  const cleanUrl = redactor.url(url);
  const query = cleanUrl.indexOf("?");
  const { base64, length, grown, ...postData } = await encodeBody(request, options);
  settleLength(headers, grown);
  return {
    method,
    url: cleanUrl,
    httpVersion: `HTTP/${request.httpVersion}`,
    cookies: headers.flatMap(({ name, value }) => name.toLowerCase() === "cookie" ? cookiesOf(value.split(";")) : []),
    headers,
    queryString: query < 0 ? [] : queryOf(cleanUrl.slice(query + 1)),
    ...(request.body.length > 0 && { postData: { ...postData, ...(base64 && { _encoding: "base64" }) } }),
    headersSize: -1,
    bodySize: sizeOf(request, length),
    ...trailersOf(request, redactor),
  };
}

async function encodeResponse(exchange: ExchangeParts, options: EncodeOptions): Promise<HarResponse> {
  const { redactor } = options;
  const { response, failure, informational = [] } = exchange;
  const headers = response ? pairsOf(response.headers, redactor) : [];
  const { base64, length, grown, ...content }: EncodedBody = response
    ? await encodeBody(response, options)
    : { mimeType: "", length: 0, grown: 0 };
  settleLength(headers, grown);
  return {
    status: exchange.status,
    statusText: exchange.reason,
    httpVersion: `HTTP/${response?.httpVersion ?? "1.1"}`,
    cookies: headers.flatMap(({ name, value }) =>
      name.toLowerCase() === "set-cookie" ? cookiesOf([value.split(";", 1)[0]!]) : []
    ),
    headers,
    content: { size: length, ...content, ...(base64 && { encoding: "base64" }) },
    redirectURL: headers.find(({ name }) => name.toLowerCase() === "location")?.value ?? "",
    headersSize: -1,
    bodySize: response ? sizeOf(response, length) : -1,
    ...(response && trailersOf(response, redactor)),
    ...(informational.length > 0 && {
      _informational: informational.map(({ status, reason, headers }) => ({
        status,
        statusText: reason,
        headers: pairsOf(headers, redactor),
      })),
    }),
    ...failureOf(failure, options),
  };
}

function failureOf(
  failure: ExchangeParts["failure"],
  { redactor }: EncodeOptions,
): Pick<HarResponse, "_error" | "_failureText"> {
  if (failure === undefined) return {};
  const { code, status, resetCode } = failure;
  const message = redactor.text(failure.message);
  return {
    _error: { code, message, ...(status !== undefined && { status }), ...(resetCode !== undefined && { resetCode }) },
    _failureText: message,
  };
}

/** A body as it stands in both kinds of message, but for the name of the field that says `base64`. */
type EncodedBody = HarBody & HarStream & {
  base64?: true;
  /** How many bytes it has without its secrets, whose length is nobody's business and new in every run. */
  length: number;
  /** By how much that is more. */
  grown: number;
};

async function encodeBody(message: MessageParts, { redactor, times, keepBody }: EncodeOptions): Promise<EncodedBody> {
  const mimeType = message.headers.get("content-type") ?? "";
  if (message.stream !== undefined) {
    const coding = message.encoded ? message.headers.get("content-encoding") ?? "" : "";
    const { body, stream } = message;
    return await encodeStream({ body, contentType: mimeType, coding, stream }, { redactor, times, keepBody });
  }
  const redacted = message.encoded ? message.body : redactor.bodyInTurns(message.body, mimeType);
  const bytes = redacted instanceof Promise ? await redacted : redacted;
  const marker: { _encoded?: true } = message.encoded ? { _encoded: true } : {};
  const head = { mimeType, length: bytes.length, grown: bytes.length - message.body.length };
  if (bytes.length === 0) return head;
  if (bytes.length > MAX_INLINE_BYTES) {
    return { ...head, _file: await keepBody(bytes, message.encoded ? null : mimeType), ...marker };
  }
  const text = message.encoded ? undefined : bodyToText(bytes, mimeType);
  if (text !== undefined) return { ...head, text };
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return { ...head, text: base64, base64: true, ...marker };
}

/** The coded length is not kept: it changes with the server's compressor. */
function sizeOf({ headers, encoded }: MessageParts, length: number): number {
  return !encoded && headers.has("content-encoding") ? -1 : length;
}

/** The length that is announced, of the body as it is written. That of a coded one says nothing of it. */
export function settleLength(headers: HarPair[], grown: number): void {
  if (grown === 0 || headers.some(({ name }) => name.toLowerCase() === "content-encoding")) return;
  for (const pair of headers) {
    if (pair.name.toLowerCase() === "content-length" && /^\d+$/.test(pair.value)) {
      pair.value = String(Math.max(0, Number(pair.value) + grown));
    }
  }
}

function pairsOf(headers: FlowHeaders, redactor: Redactor): HarPair[] {
  return Array.from(headers, ([name, value]) => ({ name, value: redactor.header(name, value) }));
}

function trailersOf({ trailers }: MessageParts, redactor: Redactor): { _trailers?: HarPair[] } {
  return trailers && trailers.raw.length > 0 ? { _trailers: pairsOf(trailers, redactor) } : {};
}

/** The pairs of a query. */
export function queryOf(query: string): HarPair[] {
  return Array.from(new URLSearchParams(query), ([name, value]) => ({ name, value }));
}

/** Names and values of cookies. */
export function cookiesOf(pairs: string[]): HarPair[] {
  return pairs.filter((pair) => pair.includes("=")).map((pair) => {
    const mark = pair.indexOf("=");
    return { name: pair.slice(0, mark).trim(), value: pair.slice(mark + 1).trim() };
  });
}

/** What stands on a tape where no times are written: of an entry, and of its phases. */
export const NO_TIMES: { readonly startedDateTime: string; readonly time: number } = {
  startedDateTime: "1970-01-01T00:00:00.000Z",
  time: 0,
};
/** See {@linkcode NO_TIMES}. */
export const NO_PHASES: Readonly<HarEntry["timings"]> = { send: 0, wait: 0, receive: 0 };

function timesOf({ start, end }: Timings): { startedDateTime: string; time: number } {
  return { startedDateTime: new Date(start).toISOString(), time: milliseconds(end ?? 0) };
}

function phasesOf({ requestEnd = 0, responseStart = requestEnd, end = responseStart }: Timings): HarEntry["timings"] {
  return {
    send: milliseconds(requestEnd),
    wait: milliseconds(responseStart - requestEnd),
    receive: milliseconds(end - responseStart),
  };
}
