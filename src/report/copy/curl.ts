/**
 * A request as a curl command for a POSIX shell: it sends what the client has sent, field by field.
 *
 * @module
 */
import type { HttpFlowData, RequestData } from "../data.ts";
import { toBase64 } from "./bytes.ts";

/** The command; what the report does not have of the body is not sent. */
export function toCurl({ request, websocket }: HttpFlowData): string {
  const url = request.url.replace(/^ws(?=s?:)/, "http");
  const body = bodyOf(request);
  const words = [
    "curl",
    ...(/[[\]{}]/.test(url) ? ["--globoff"] : []),
    ...(/\/\.\.?(?:\/|$|\?)/.test(url) ? ["--path-as-is"] : []),
    ...methodOf(request, body !== undefined),
    quote(url),
  ];
  const lines = [words.join(" "), ...fieldsOf(request, body !== undefined).map((field) => `-H ${quote(field)}`)];
  if (websocket === undefined && request.headers.some(([name]) => /^accept-encoding$/i.test(name))) {
    lines.push("--compressed");
  }
  if (body !== undefined) lines.push(body.option);
  return (body?.before ?? "") + lines.join(" \\\n  ");
}

/** One word for the shell, whatever is in it. */
export function quote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** These are made anew, or belong to the connection. */
const LEFT_OUT =
  /^(?:content-length|transfer-encoding|connection|keep-alive|proxy-connection|proxy-authorization|expect|te|trailer)$/i;

function methodOf({ method }: RequestData, hasBody: boolean): string[] {
  if (method === "HEAD") return ["--head"];
  return method === (hasBody ? "POST" : "GET") ? [] : ["-X", quote(method)];
}

function fieldsOf({ headers, url }: RequestData, hasBody: boolean): string[] {
  const { host } = new URL(url);
  const fields = headers
    .filter(([name, value]) => !LEFT_OUT.test(name) && !(/^host$/i.test(name) && value === host))
    // A field without a value is written with a semicolon: with a colon, curl would leave it out.
    .map(([name, value]) => value === "" ? `${name};` : `${name}: ${value}`);
  const has = (wanted: string) => headers.some(([name]) => name.toLowerCase() === wanted);
  // curl sends fields of its own unless it is told not to.
  for (const name of ["User-Agent", "Accept", ...(hasBody ? ["Content-Type"] : [])]) {
    if (!has(name.toLowerCase())) fields.push(`${name}:`);
  }
  return fields;
}

function bodyOf({ body, headers }: RequestData): { before: string; option: string } | undefined {
  const { text, base64 } = body ?? {};
  if (text !== undefined && text !== "") {
    // An escape sequence pasted into a terminal may do more than to be shown.
    // deno-lint-ignore no-control-regex -- what a terminal may take for more than text
    if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) return { before: "", option: `--data-raw ${quote(text)}` };
    return piped(toBase64(new TextEncoder().encode(text)));
  }
  if (base64 !== undefined) return piped(base64);
  // Without a body a POST must say so, or curl would send none of the fields that go with it.
  return headers.some(([name, value]) => /^content-length$/i.test(name) && value === "0")
    ? { before: "", option: "--data-raw ''" }
    : undefined;
}

function piped(base64: string): { before: string; option: string } {
  return { before: `printf %s ${quote(base64)} | base64 -d | `, option: "--data-binary @-" };
}
