/**
 * What each operator of the filter language looks at.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Flow } from "../flow.ts";
import type { FlowHeaders } from "../headers.ts";
import type { HttpFlow } from "../http_flow.ts";
import { describeValue } from "../matcher/describe.ts";
import { decodeText } from "../media_type.ts";
import { BodyIncompleteError, type Message } from "../message.ts";
import { wasSentAgain } from "../sent_again.ts";
import { MAX_SUBJECT } from "./regexp.ts";

/** A text to look into, made when it is looked into: it may be a body that has not arrived. */
export type Subject = () => string;

/** What is looked into, of any flow. */
export type Subjects = (flow: Flow) => readonly Subject[];

/** The operators with a regular expression: where it is looked for. */
export const SUBJECTS: Readonly<Record<string, Subjects>> = {
  b: (flow) => [...sent(flow, "client"), ...sent(flow, "server")],
  bq: (flow) => sent(flow, "client"),
  bs: (flow) => sent(flow, "server"),
  comment: ({ comment }) => [() => comment ?? ""],
  d: http(({ request }) => [() => request.hostname, () => request.host.replace(/:\d*$/, "")]),
  dst: ({ server }) =>
    (server === undefined ? [] : [server.host, server.address])
      .flatMap((host) => host === undefined ? [] : [() => `${host}:${server!.port}`]),
  h: http((flow) => [...head(flow.request), ...head(flow.response)]),
  hq: http((flow) => head(flow.request)),
  hs: http((flow) => head(flow.response)),
  m: http(({ request }) => [() => request.method]),
  marker: ({ marked }) => [() => marked ?? ""],
  meta: ({ metadata }) => [() => linesOf(metadata)],
  src: ({ client }) => [() => `${client.address ?? client.host}:${client.port}`],
  t: http((flow) => [...types(flow.request), ...types(flow.response)]),
  tq: http((flow) => types(flow.request)),
  ts: http((flow) => types(flow.response)),
  u: http(({ request }) => [() => request.url, () => `${request.scheme}://${request.host}${request.target}`]),
};

/** The operators without an argument: whether a flow is meant. */
export const TESTS: Readonly<Record<string, (flow: Flow) => boolean>> = {
  a: (flow) => flow.type === "http" && types(flow.response).some((type) => ASSET.test(type())),
  all: () => true,
  e: (flow) => flow.error !== undefined,
  http: (flow) => flow.type === "http",
  marked: (flow) => Boolean(flow.marked),
  q: (flow) => flow.type === "http" && flow.response === undefined,
  replay: (flow) => wasSentAgain(flow) || isFromTape(flow),
  replayq: wasSentAgain,
  replays: isFromTape,
  s: (flow) => flow.type === "http" && flow.response !== undefined,
  tcp: (flow) => flow.type === "tcp",
  websocket: (flow) => flow.type === "http" && flow.websocket !== undefined,
};

const ASSET = /text\/javascript|application\/(?:x-)?javascript|text\/css|image\/|font\/|application\/font/i;

function http(subjects: (flow: HttpFlow) => readonly Subject[]): Subjects {
  return (flow) => flow.type === "http" ? subjects(flow) : [];
}

/** What one side has said: a body, and messages. */
function sent(flow: Flow, side: "client" | "server"): readonly Subject[] {
  const message = flow.type === "tcp" ? undefined : side === "client" ? flow.request : flow.response;
  const messages = flow.type === "tcp" ? flow.messages : flow.websocket?.messages ?? [];
  return [
    ...(message === undefined ? [] : bodyOf(message)),
    ...messages.filter(({ from }) => from === side).flatMap(({ data }) => textsOf(data, undefined)),
  ];
}

function bodyOf(message: Message): readonly Subject[] {
  const texts = () => textsOf(decoded(message), message.headers.get("content-type"));
  return [() => texts()[0]!(), () => texts()[1]?.() ?? ""];
}

/** As bytes on the wire when they cannot be decoded. */
function decoded(message: Message): Uint8Array {
  try {
    return message.body;
  } catch (error) {
    if (error instanceof BodyIncompleteError) throw error;
    return message.encodedBody;
  }
}

/** As text; and, one character for each byte, what is not: `\x89PNG` is to be found too. */
function textsOf(bytes: Uint8Array, type: string | null | undefined): readonly Subject[] {
  const kept = bytes.length > MAX_SUBJECT ? bytes.subarray(0, MAX_SUBJECT) : bytes;
  const text = decodeText(kept, type);
  if (!text.includes("\ufffd")) return [() => text];
  return [() => text, () => Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString("latin1")];
}

function head(message: { readonly headers: FlowHeaders } | undefined): readonly Subject[] {
  if (message === undefined) return [];
  return [() => message.headers.raw.map(([name, value]) => `${name}: ${value}\r\n`).join("")];
}

function types(message: { readonly headers: FlowHeaders } | undefined): readonly Subject[] {
  return message?.headers.getAll("content-type").map((type) => () => type) ?? [];
}

function linesOf(metadata: Readonly<Record<string, unknown>>): string {
  return Object.entries(metadata).map(([key, value]) => {
    return `${key}: ${typeof value === "string" ? value : JSON.stringify(value) ?? describeValue(value)}`;
  }).join("\n");
}

function isFromTape(flow: Flow): boolean {
  return flow.source === "tape";
}
