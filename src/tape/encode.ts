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
  MAX_INLINE_BYTES,
} from "./har.ts";
import { bodyToText } from "./media.ts";
import type { ExchangeParts, MessageParts } from "./parts.ts";
import type { Redactor } from "./redact/redactor.ts";

/** Puts a body into a file and gives the name of the file. */
export type KeepBody = (bytes: Uint8Array, contentType: string | null) => Promise<string>;

/** How an entry is written. */
export interface EncodeOptions {
  readonly redactor: Redactor;
  readonly times: boolean;
  readonly keepBody: KeepBody;
}

/** The entry of an exchange, without what is secret. */
export async function encodeEntry(exchange: ExchangeParts, options: EncodeOptions): Promise<HarEntry> {
  const { timings, comment } = exchange;
  return {
    ...(options.times && timings ? timesOf(timings) : NO_TIMES),
    request: await encodeRequest(exchange, options),
    response: await encodeResponse(exchange, options),
    cache: {},
    timings: options.times && timings ? phasesOf(timings) : { send: 0, wait: 0, receive: 0 },
    ...(comment === undefined ? {} : { comment: options.redactor.text(comment) }),
  };
}

async function encodeRequest({ method, url, request }: ExchangeParts, options: EncodeOptions): Promise<HarRequest> {
  const { redactor } = options;
  const headers = pairsOf(request.headers, redactor);
  const cleanUrl = redactor.url(url);
  const query = cleanUrl.indexOf("?");
  const { base64, ...postData } = await encodeBody(request, options);
  return {
    method,
    url: cleanUrl,
    httpVersion: `HTTP/${request.httpVersion}`,
    cookies: headers.flatMap(({ name, value }) => name.toLowerCase() === "cookie" ? cookiesOf(value.split(";")) : []),
    headers,
    queryString: query < 0 ? [] : queryOf(cleanUrl.slice(query + 1)),
    ...(request.body.length > 0 && { postData: { ...postData, ...(base64 && { _encoding: "base64" }) } }),
    headersSize: -1,
    bodySize: sizeOf(request),
    ...trailersOf(request, redactor),
  };
}

async function encodeResponse(exchange: ExchangeParts, options: EncodeOptions): Promise<HarResponse> {
  const { redactor } = options;
  const { response, failure } = exchange;
  const headers = response ? pairsOf(response.headers, redactor) : [];
  const { base64, ...content }: EncodedBody = response ? await encodeBody(response, options) : { mimeType: "" };
  return {
    status: exchange.status,
    statusText: exchange.reason,
    httpVersion: `HTTP/${response?.httpVersion ?? "1.1"}`,
    cookies: headers.flatMap(({ name, value }) =>
      name.toLowerCase() === "set-cookie" ? cookiesOf([value.split(";", 1)[0]!]) : []
    ),
    headers,
    content: { size: response?.body.length ?? 0, ...content, ...(base64 && { encoding: "base64" }) },
    redirectURL: headers.find(({ name }) => name.toLowerCase() === "location")?.value ?? "",
    headersSize: -1,
    bodySize: response ? sizeOf(response) : -1,
    ...(response && trailersOf(response, redactor)),
    ...(failure && {
      _error: {
        code: failure.code,
        message: redactor.text(failure.message),
        ...(failure.status === undefined ? {} : { status: failure.status }),
      },
      _failureText: redactor.text(failure.message),
    }),
  };
}

/** A body as it stands in both kinds of message, but for the name of the field that says `base64`. */
type EncodedBody = HarBody & { base64?: true };

async function encodeBody(message: MessageParts, { redactor, keepBody }: EncodeOptions): Promise<EncodedBody> {
  const mimeType = message.headers.get("content-type") ?? "";
  const bytes = message.encoded ? message.body : redactor.body(message.body, mimeType);
  const marker: { _encoded?: true } = message.encoded ? { _encoded: true } : {};
  if (bytes.length === 0) return { mimeType };
  if (bytes.length > MAX_INLINE_BYTES) {
    return { mimeType, _file: await keepBody(bytes, message.encoded ? null : mimeType), ...marker };
  }
  const text = message.encoded ? undefined : bodyToText(bytes, mimeType);
  if (text !== undefined) return { mimeType, text };
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return { mimeType, text: base64, base64: true, ...marker };
}

/** The coded length is not kept: it changes with the server's compressor. */
function sizeOf({ body, headers, encoded }: MessageParts): number {
  return !encoded && headers.has("content-encoding") ? -1 : body.length;
}

function pairsOf(headers: FlowHeaders, redactor: Redactor): HarPair[] {
  return Array.from(headers, ([name, value]) => ({ name, value: redactor.header(name, value) }));
}

function trailersOf({ trailers }: MessageParts, redactor: Redactor): { _trailers?: HarPair[] } {
  return trailers && trailers.raw.length > 0 ? { _trailers: pairsOf(trailers, redactor) } : {};
}

function queryOf(query: string): HarPair[] {
  return Array.from(new URLSearchParams(query), ([name, value]) => ({ name, value }));
}

function cookiesOf(pairs: string[]): HarPair[] {
  return pairs.filter((pair) => pair.includes("=")).map((pair) => {
    const mark = pair.indexOf("=");
    return { name: pair.slice(0, mark).trim(), value: pair.slice(mark + 1).trim() };
  });
}

const NO_TIMES = { startedDateTime: "1970-01-01T00:00:00.000Z", time: 0 };

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

function milliseconds(value: number): number {
  return Math.max(0, Math.round(value * 1000) / 1000);
}
