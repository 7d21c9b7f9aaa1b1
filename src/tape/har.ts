/**
 * The format: HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/) with a few fields of our own, which begin with
 * an underscore as the format asks. The order of the members here is their order in the file.
 *
 * @module
 */

/** A header field, query parameter, cookie. */
export interface HarPair {
  name: string;
  value: string;
}

/** How a body stands in the file: as text, as base64, or in a file beside it. */
export interface HarBody {
  mimeType: string;
  text?: string;
  /** The name of a file in the folder of bodies. */
  _file?: string;
  /** The body has still the coding that `content-encoding` names, because it could not be undone. */
  _encoded?: true;
}

/** A request. */
export interface HarRequest {
  method: string;
  url: string;
  httpVersion: string;
  cookies: HarPair[];
  headers: HarPair[];
  queryString: HarPair[];
  postData?: HarBody & { _encoding?: "base64" };
  headersSize: number;
  bodySize: number;
  _trailers?: HarPair[];
}

/** A response; `status` is 0 when there was none. */
export interface HarResponse {
  status: number;
  statusText: string;
  httpVersion: string;
  cookies: HarPair[];
  headers: HarPair[];
  content: HarBody & { size: number; encoding?: "base64" };
  redirectURL: string;
  headersSize: number;
  bodySize: number;
  _trailers?: HarPair[];
  /** Why the exchange failed. */
  _error?: { code: string; message: string; status?: number };
  /** The same for other readers of HAR. */
  _failureText?: string;
}

/** One exchange. */
export interface HarEntry {
  startedDateTime: string;
  time: number;
  request: HarRequest;
  response: HarResponse;
  cache: Record<string, never>;
  timings: { send: number; wait: number; receive: number };
  comment?: string;
}

/** The document; what others wrote into it besides is kept. */
export interface HarLog {
  version: string;
  creator: { name: string; version: string };
  entries: unknown[];
}

/** A new, empty document. No version of ours: an update would change every tape. */
export function emptyLog(): HarLog {
  return { version: "1.2", creator: { name: "flowtape", version: "1" }, entries: [] };
}

/** Bodies up to this many bytes stand in the HAR file itself. */
export const MAX_INLINE_BYTES = 2048;

/** The folder with the bodies of a tape. */
export function bodyFolder(path: string): string {
  return `${path}.d`;
}

/** The document as text: two spaces, one line for a name and its value, so that a diff shows one field a line. */
export function* printHar(log: HarLog): Generator<string> {
  const { entries, ...rest } = log;
  yield '{\n  "log": {\n';
  for (const [key, value] of Object.entries(rest)) yield `    ${JSON.stringify(key)}: ${print(value, 4)},\n`;
  yield '    "entries": [';
  for (const [i, entry] of entries.entries()) yield `${i === 0 ? "" : ","}\n      ${print(entry, 6)}`;
  yield `${entries.length === 0 ? "" : "\n    "}]\n  }\n}\n`;
}

function print(value: unknown, indent: number): string {
  return JSON.stringify(value, null, 2)
    .replace(/\{\n *("name": ".*"),\n *("value": ".*")\n *\}/g, "{ $1, $2 }")
    .replace(/\{\n *("send": .*)\n *("wait": .*)\n *("receive": .*)\n *\}/g, "{ $1 $2 $3 }")
    .replaceAll("\n", `\n${" ".repeat(indent)}`);
}
