/**
 * The one table of filter operators: the reference is made from it. What each does is in `subjects.ts`.
 *
 * @module
 */

/** What is known of an operator. */
export interface FilterOperator {
  /** What stands behind it. */
  readonly argument: "none" | "regular expression" | "number";
  /** Which flows it finds. */
  readonly finds: string;
  /** How the regular expression is meant: `m`, `^` and `$` are the ends of a line; `s`, `.` is the end of a line too. */
  readonly flags?: "m" | "s";
}

/** Every operator of the filter language by its name, without `~`. */
export const FILTER_OPERATORS: Readonly<Record<string, FilterOperator>> = {
  a: none("flows whose response is an asset by its Content-Type: CSS, JavaScript, an image or a font"),
  all: none("every flow"),
  b: body("flows with it in the body of the request or of the response, or in a message (WebSocket, TCP)"),
  bq: body("flows with it in the body of the request, or in a message of the client"),
  bs: body("flows with it in the body of the response, or in a message of the server"),
  c: { argument: "number", finds: "flows whose response has this status" },
  comment: lines("flows with it in `flow.comment`"),
  d: regex("flows with it in the host: where the request goes, or its Host field"),
  dst: regex("flows with it in `host:port` of the server, once it is connected to; in its address too"),
  e: none("flows that failed: `flow.error`"),
  h: lines("flows with it in a header line, `Name: value`, of the request or of the response"),
  hq: lines("flows with it in a header line of the request"),
  hs: lines("flows with it in a header line of the response"),
  http: none("HTTP flows, WebSockets among them"),
  m: regex("flows with it in the method. The name of a method, such as POST, finds that method"),
  marked: none("flows with a mark: `flow.marked`"),
  marker: regex("flows with it in their mark"),
  meta: lines("flows with it in a line `key: value` of `flow.metadata`"),
  q: none("flows that have no response (yet)"),
  replay: none("flows of `~replayq` and of `~replays`"),
  replayq: none("flows whose request was sent again: by `play()` or `replayThroughHooks()`"),
  replays: none("flows that a tape has answered"),
  s: none("flows that have a response"),
  src: regex("flows with it in `address:port` of the client"),
  t: regex("flows with it in the Content-Type of the request or of the response"),
  tcp: none("TCP flows"),
  tq: regex("flows with it in the Content-Type of the request"),
  ts: regex("flows with it in the Content-Type of the response"),
  u: regex("flows with it in the URL, also with the Host field in the place of the host"),
  websocket: none("flows that became a WebSocket"),
};

function none(finds: string): FilterOperator {
  return { argument: "none", finds };
}

function regex(finds: string): FilterOperator {
  return { argument: "regular expression", finds };
}

function lines(finds: string): FilterOperator {
  return { argument: "regular expression", finds, flags: "m" };
}

function body(finds: string): FilterOperator {
  return { argument: "regular expression", finds, flags: "s" };
}
