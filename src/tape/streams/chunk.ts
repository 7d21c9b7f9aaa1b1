/**
 * The chunks of a body: where each ends, and when it came.
 *
 * @module
 */
import type { BodyBuffer } from "../../flow/body_buffer.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { essence } from "../../flow/media_type.ts";
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
  /** So many messages of the client came before the head: of calls in which the two take turns. */
  readonly after?: number;
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
  const turns = turnsOf(flow.request.content, marks.sent, flow.request.headers.get("content-type"));
  const slow = times.some((time, i) => time - (times[i - 1] ?? 0) >= PAUSE_MS);
  const telling = slow || open || turns !== undefined ||
    marks.ends.length > 1 && isStreamType(headers.get("content-type"));
  if (!telling) return undefined;
  const { kept } = content;
  const chunks = marks.ends.map((end, i): ChunkMark => ({
    end: Math.min(end, kept),
    time: times[i]!,
    ...(turns && { after: turns[i]! }),
  }));
  // What came of a chunk that was not complete.
  if ((chunks.at(-1)?.end ?? 0) < kept) {
    chunks.push({ end: kept, time: times.at(-1) ?? 0, ...(turns && { after: turns.at(-1) ?? 0 }) });
  }
  return { chunks, open, ...(turns && { after: Math.min(...turns) }) };
}

/** Whether a body that its client has left, or that ended because the proxy was closed, is a recording all the same. */
export function isEndless(flow: Pick<HttpFlow, "request" | "timings" | "error">, response: FlowResponse): boolean {
  if (response.content.marks === undefined) return false;
  return isStreamType(response.headers.get("content-type")) ||
    streamOf({ ...flow, error: undefined }, response) !== undefined;
}

function isFailure(code: string): boolean {
  return code.startsWith("UPSTREAM_");
}

/** How many messages of the client had come before each chunk; `undefined` where the whole request had. */
function turnsOf(request: BodyBuffer, sent: readonly number[], contentType: string | null): number[] | undefined {
  if (!isGrpc(contentType) || sent.every((size) => size < 0)) return undefined;
  const ends = messageEnds(request.bytes());
  return sent.map((size) => size < 0 ? ends.length : ends.filter((end) => end <= size).length);
}
