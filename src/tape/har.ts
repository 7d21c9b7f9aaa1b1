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

/** A chunk of a body that stands as text: its time, and how many bytes it has. */
export interface HarChunk {
  /** Milliseconds after the head of the response; only where times are written. */
  time?: number;
  /** So many messages of the client came before it: of calls in which the two take turns. */
  after?: number;
  size: number;
}

/** A body that came bit by bit. In a file it is a line for each chunk. */
export interface HarStream {
  /** Whether the server has ended it; `open`: the recording ended before. */
  _stream?: "ended" | "open";
  /** Where the chunks end, when the body stands here. */
  _chunks?: HarChunk[];
  /** Of calls in which the two take turns: so many messages of the client came before the head and the end; its end counts as one. */
  _turns?: { head: number; end: number };
}

/** An informational response (1xx). */
export interface HarInformational {
  status: number;
  statusText: string;
  headers: HarPair[];
}

/** A message of a WebSocket, as Chrome and Playwright write it. */
export interface HarWebSocketMessage {
  /** `send`: by the client. */
  type: "send" | "receive";
  /** Seconds since 1970; 0 where no times are written. */
  time: number;
  /** 1: text; 2: binary. */
  opcode: number;
  /** The text, or the bytes in base64. */
  data: string;
}

/** How a WebSocket was closed; missing: it was open when the recording ended, or it is not known. */
export interface HarWebSocketClose {
  code: number;
  reason: string;
  by: "client" | "server";
}

/** Something that was said in a raw conversation. */
export interface HarTcpMessage {
  from: "client" | "server";
  /** Milliseconds after the start; only where times are written. */
  time?: number;
  text?: string;
  base64?: string;
}

/** A raw conversation. */
export interface HarTcp {
  /** Who has ended it first; `open`: nobody had when the recording ended. */
  end: "client" | "server" | "open";
  /** What was said; when it is much, it is in the file that `response.content._file` names, a line each. */
  messages?: HarTcpMessage[];
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
  content: HarBody & HarStream & { size: number; encoding?: "base64" };
  redirectURL: string;
  headersSize: number;
  bodySize: number;
  _trailers?: HarPair[];
  /** What the server said before it answered. */
  _informational?: HarInformational[];
  /** Why the exchange failed. */
  _error?: { code: string; message: string; status?: number; resetCode?: number };
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
  /** `websocket` of a WebSocket. */
  _resourceType?: string;
  /** What was said; when it is much, it is in the file that `response.content._file` names, a line each. */
  _webSocketMessages?: HarWebSocketMessage[];
  _webSocketClose?: HarWebSocketClose;
  /** Of a raw conversation; its request has the method `TCP` and a URL such as `tcp://redis.test:6379`. */
  _tcp?: HarTcp;
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

/** The beginning of the document as text, up to its first entry: two spaces, and a line for each field. */
export function printHead({ entries: _, ...rest }: HarLog): string {
  const fields = Object.entries(rest).map(([key, value]) => `    ${JSON.stringify(key)}: ${print(value, 4)},\n`);
  return `{\n  "log": {\n${fields.join("")}    "entries": [`;
}

/** An entry as text; a line for a name and its value, so that a diff shows one field a line. */
export function printEntry(entry: unknown): string {
  return print(entry, 6);
}

function print(value: unknown, indent: number): string {
  return JSON.stringify(value, null, 2)
    .replace(/\{\n *("name": ".*"),\n *("value": ".*")\n *\}/g, "{ $1, $2 }")
    .replace(FLAT, (object) => object.replace(/\n */g, " "))
    .replace(/\{\n *("send": .*)\n *("wait": .*)\n *("receive": .*)\n *\}/g, "{ $1 $2 $3 }")
    .replaceAll("\n", `\n${" ".repeat(indent)}`);
}

/** Chunks and messages: a line each. No string of JSON has a line break in it. */
const FLAT =
  /\{\n *(?:"time": -?[\d.e+-]+,\n *)?(?:"after": \d+,\n *)?"size": \d+\n *\}|\{\n *"type": "(?:send|receive)",\n[^}]*?\n *"data": ".*"\n *\}|\{\n *"from": "(?:client|server)",\n *(?:"time": .*,\n *)?"(?:text|base64)": ".*"\n *\}/g;
