/**
 * The chunks of a body: where each ends, and when it came.
 *
 * @module
 */
import type { BodyMarks } from "../../flow/body_marks.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { essence } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { FlowResponse } from "../../flow/response.ts";
import { isGrpc, messageEnds } from "./grpc.ts";

/** A chunk of a body. */
export interface ChunkMark {
  /** Where it ends: so many bytes from the start of the body. */
  readonly end: number;
  /** Milliseconds after the head of the response. */
  readonly time?: number;
  /** So many messages of the client came before it: of calls in which the two take turns. */
  readonly after?: number;
}

/** How a body came. */
export interface StreamParts {
  readonly chunks: readonly ChunkMark[];
  /** The server had not ended it. */
  readonly open: boolean;
  /** Of calls in which the two take turns. */
  readonly turns?: Turns | undefined;
}

/** What a server waits for in a call: so many messages of the client, whose end counts as one. */
export interface Turns {
  /** Before its head. */
  readonly head: number;
  /** Before it ends. */
  readonly end: number;
}

/** A pause of so many milliseconds makes a stream of a body whose length nobody knew. */
const PAUSE_MS = 250;

/** Bodies that are streams whatever their pace. */
const STREAMS =
  /^(?:text\/event-stream|application\/(?:x-)?(?:ndjson|jsonl|jsonlines|json-seq|stream\+json|json-lines)|multipart\/x-mixed-replace|application\/grpc(?:\+.+)?)$/;

/** Whether bodies of this media type are read while they arrive. */
export function isStreamType(contentType: string | null): boolean {
  return STREAMS.test(essence(contentType));
}

/** Whether the chunks of a response, whose head has come, are worth knowing. */
export function mayStream({ headers }: FlowResponse): boolean {
  return !headers.has("content-length");
}

/** How the body of a response came; `undefined`: there is nothing to tell of it but its bytes. */
export function streamOf(
  flow: Pick<HttpFlow, "request" | "timings" | "error">,
  response: FlowResponse,
): StreamParts | undefined {
  const { headers, content } = response;
  const { marks } = content;
  if (marks === undefined || marks.ends.length === 0 && !isStreamType(headers.get("content-type"))) return undefined;
  const open = flow.error !== undefined && !isFailure(flow.error.code);
  const start = flow.timings.responseStart ?? 0;
  const times = marks.times.map((time) => Math.max(0, time - start));
  const turns = turnsOf(flow.request, marks);
  const slow = times.some((time, i) => time - (times[i - 1] ?? 0) >= PAUSE_MS);
  const telling = slow || open || turns !== undefined ||
    marks.ends.length > 1 && isStreamType(headers.get("content-type"));
  if (!telling) return undefined;
  const { kept } = content;
  const chunks = marks.ends.map((end, i): ChunkMark => ({
    end: Math.min(end, kept),
    time: times[i]!,
    ...(turns && { after: turns.chunks[i]! }),
  }));
  // What came of a chunk that was not complete.
  if ((chunks.at(-1)?.end ?? 0) < kept) {
    chunks.push({ end: kept, time: times.at(-1) ?? 0, ...(turns && { after: turns.chunks.at(-1) ?? 0 }) });
  }
  return { chunks, open, ...(turns && { turns: { head: turns.head, end: turns.end } }) };
}

/** Whether a body that its client has left, or that ended because the proxy was closed, is a recording all the same. */
export function isEndless(
  { request, timings }: Pick<HttpFlow, "request" | "timings">,
  response: FlowResponse,
): boolean {
  // What has gone to disk is a file that was not fetched whole, however slowly it came.
  if (response.content.marks === undefined || response.content.overflow !== undefined) return false;
  if (isStreamType(response.headers.get("content-type"))) return true;
  return streamOf({ request, timings, error: undefined }, response) !== undefined;
}

function isFailure(code: string): boolean {
  return code.startsWith("UPSTREAM_");
}

/** What of the client had come before the head, each chunk and the end; `undefined` where its whole request had come before the head. */
function turnsOf(
  { content, headers }: FlowRequest,
  { headSent, sent }: BodyMarks,
): Turns & { chunks: number[] } | undefined {
  if (headSent < 0 || !isGrpc(headers.get("content-type"))) return undefined;
  const ends = messageEnds(content.bytes());
  const count = (size: number) => size < 0 ? ends.length + 1 : ends.filter((end) => end <= size).length;
  // Of a request that had not ended when the answer had, the rest is let go.
  return { head: count(headSent), chunks: sent.map(count), end: ends.length + (content.truncated ? 0 : 1) };
}
