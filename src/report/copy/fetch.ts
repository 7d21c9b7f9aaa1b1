/**
 * A request as JavaScript: `fetch`, or a WebSocket.
 *
 * @module
 */
import type { BytesData, FieldData, HttpFlowData } from "../data.ts";
import { isJsonText, literal } from "./literal.ts";

/** The code: it runs in Node, Deno, Bun and browsers, as far as these let a program set the fields. */
export function toFetch({ request, websocket }: HttpFlowData): string {
  if (websocket !== undefined) return toWebSocket(request.url.replace(/^http(?=s?:)/, "ws"), request.headers);
  const { method, url, body } = request;
  const headers = request.headers.filter(([name]) => !SET_BY_FETCH.test(name));
  const init = [
    ...(method === "GET" ? [] : [`method: ${literal(method)}`]),
    ...(headers.length === 0 ? [] : [`headers: ${headersLiteral(headers)}`]),
    ...(hasBytes(body) ? [`body: ${bodyLiteral(body)}`] : []),
  ];
  if (init.length === 0) return `await fetch(${literal(url)});`;
  return `await fetch(${literal(url)}, {\n${init.map((line) => `  ${line.replaceAll("\n", "\n  ")},\n`).join("")}});`;
}

/** Header fields: an object where no name comes twice. */
export function headersLiteral(headers: readonly FieldData[]): string {
  const isRecord = new Set(headers.map(([name]) => name.toLowerCase())).size === headers.length;
  const lines = headers.map(([name, value]) =>
    isRecord ? `  ${literal(name)}: ${literal(value)},\n` : `  [${literal(name)}, ${literal(value)}],\n`
  );
  return isRecord ? `{\n${lines.join("")}}` : `[\n${lines.join("")}]`;
}

/** Bytes as an expression. */
export function bodyLiteral(body: BytesData): string {
  const { text, base64 = "" } = body;
  if (text === undefined) return `Uint8Array.from(atob(${literal(base64)}), (char) => char.charCodeAt(0))`;
  if (!isJsonText(text)) return literal(text);
  // Only where the very same bytes come out.
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === text ? `JSON.stringify(${literal(value)})` : literal(text);
}

/** Whether there is something. */
export function hasBytes(body: BytesData | undefined): body is BytesData {
  return body?.text !== undefined || body?.base64 !== undefined;
}

/** `fetch` makes these itself, and refuses some of them. */
const SET_BY_FETCH =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|proxy-authorization|expect|te|trailer|upgrade)$/i;

function toWebSocket(url: string, headers: readonly FieldData[]): string {
  const protocols = headers.filter(([name]) => /^sec-websocket-protocol$/i.test(name))
    .flatMap(([, value]) => value.split(",").map((one) => one.trim()));
  return `new WebSocket(${literal(url)}${protocols.length === 0 ? "" : `, ${literal(protocols)}`});`;
}
