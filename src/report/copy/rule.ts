/**
 * A flow as a rule of flowtape that answers its request as it was answered.
 *
 * @module
 */
import type { HttpFlowData, ResponseData } from "../data.ts";
import { bodyLiteral, hasBytes, headersLiteral } from "./fetch.ts";
import { isJsonText, literal } from "./literal.ts";

/** A line for `rules: [...]` or `proxy.use(...)`. */
export function toRule(flow: HttpFlowData): string {
  return `[${matcherOf(flow)}, ${actionOf(flow)}]`;
}

function matcherOf({ request, websocket }: HttpFlowData): string {
  const { method } = request;
  const url = request.url.replace(/^http(?=s?:)/, websocket ? "ws" : "http");
  const mark = url.indexOf("?");
  const [start, query] = mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
  // In a pattern "*" and ":name" are holes, and what is redacted was something else.
  const plain = !/[*[\]{}()\s#\\]|\/:[A-Za-z_]/.test(start.replace(/^\w+:\/\/\[[^\]]*\]/, "")) &&
    !/[*\s#]|=:|\[redacted/.test(query) && /^[A-Z][A-Z0-9_-]*$/.test(method);
  if (plain) return literal(`${method} ${url}`);
  const source = url.split(REDACTED).map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join(".*");
  return `{ method: ${literal(method)}, url: /^${source}$/ }`;
}

const REDACTED = /\[redacted(?::[\w.-]{1,64})?\]/;

function actionOf({ response, error, websocket }: HttpFlowData): string {
  if (websocket !== undefined) return `"forward"`;
  if (response === undefined) return error === undefined ? `"forward"` : `"drop"`;
  const members = [
    ...(response.status === 200 ? [] : [`status: ${response.status}`]),
    ...fieldsOf(response),
    ...bodyOf(response),
  ];
  const line = members.join(", ");
  if (line.length < 90 && !line.includes("\n")) return `respond({${line === "" ? "" : ` ${line} `}})`;
  return `respond({\n${members.map((member) => `  ${member.replaceAll("\n", "\n  ")},\n`).join("")}})`;
}

/** These are made anew, belong to the connection, or change with every answer. */
const LEFT_OUT =
  /^(?:content-length|content-encoding|transfer-encoding|connection|keep-alive|proxy-.*|trailer|upgrade|date|age|alt-svc)$/i;

function fieldsOf({ headers, encoded, ...response }: ResponseData): string[] {
  const plainJson = isJson({ headers, ...response });
  const kept = headers.filter(([name, value]) => {
    if (/^content-encoding$/i.test(name)) return encoded === true;
    return !LEFT_OUT.test(name) && !(plainJson && /^content-type$/i.test(name) && value === "application/json");
  });
  return kept.length === 0 ? [] : [`headers: ${headersLiteral(kept)}`];
}

function isJson({ headers, body }: Pick<ResponseData, "headers" | "body">): boolean {
  const type = headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? "";
  return /json/i.test(type) && body?.text !== undefined && isJsonText(body.text) &&
    // Large numbers and the like would become others.
    JSON.stringify(JSON.parse(body.text)) === body.text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
}

function bodyOf(response: ResponseData): string[] {
  const { body } = response;
  if (!hasBytes(body)) return [];
  if (isJson(response)) return [`json: ${literal(JSON.parse(body.text!))}`];
  return [`body: ${bodyLiteral(body)}`];
}
