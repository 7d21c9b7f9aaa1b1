/**
 * Writes streams and conversations as fields of a HAR entry, and as lines of files beside it.
 *
 * @module
 */
import type { EncodeOptions } from "../encode.ts";
import {
  type HarBody,
  type HarStream,
  type HarTcpMessage,
  type HarWebSocketClose,
  type HarWebSocketMessage,
  MAX_INLINE_BYTES,
} from "../har.ts";
import { bodyToText } from "../media.ts";
import type { StreamParts } from "./chunk.ts";
import { decodeChunks } from "./decode_chunks.ts";
import { LINES, printLines } from "./lines.ts";
import { isGrpc, moveToMessages } from "./grpc.ts";
import { moveMarks } from "./move_marks.ts";
import { type ConversationParts, joinTurns, type Said } from "./said.ts";
import { cleanTurn } from "./tcp_secrets.ts";
import { printBytes, toBase64 } from "./text_or_base64.ts";

/** A body as it came. */
export interface StreamedBody {
  readonly body: Uint8Array;
  readonly contentType: string;
  /** Its content coding; `""` when it has none. */
  readonly coding: string;
  readonly stream: StreamParts;
}

/** A stream as the fields of `content`: small text stands there, all else in a file. */
export async function encodeStream(
  { body, contentType, coding, stream }: StreamedBody,
  { redactor, times, keepBody }: EncodeOptions,
): Promise<HarBody & HarStream & { length: number; grown: number }> {
  const decoded = coding === "" ? stream : await decodeChunks(body, stream.chunks, coding);
  const plain = decoded !== undefined && "body" in decoded ? decoded.body : body;
  const marks = decoded?.chunks ?? stream.chunks;
  const encoded = decoded === undefined;
  const clean = encoded ? plain : await redactor.bodyInTurns(plain, contentType);
  const move = isGrpc(contentType) ? moveToMessages : moveMarks;
  const ends = move(plain, clean, marks.map(({ end }) => end));
  const facts: HarStream = {
    _stream: stream.open ? "open" : "ended",
    ...(stream.turns && { _turns: stream.turns }),
  };
  const chunks = marks.map(({ time, after }, i) => ({
    ...(times && time !== undefined && { time: milliseconds(time) }),
    ...(after !== undefined && { after }),
    start: ends[i - 1] ?? 0,
    end: ends[i]!,
  }));
  const head = { mimeType: contentType, length: clean.length, grown: clean.length - plain.length };
  const text = encoded || clean.length > MAX_INLINE_BYTES ? undefined : bodyToText(clean, contentType);
  if (text !== undefined) {
    const _chunks = chunks.map(({ start, end, ...chunk }) => ({ ...chunk, size: end - start }));
    return { ...head, ...(text !== "" && { text }), ...facts, _chunks };
  }
  const lines = chunks.map(({ start, end, ...chunk }) => ({ ...chunk, ...printBytes(clean.subarray(start, end)) }));
  const _file = await keepBody(printLines(lines), LINES);
  return { ...head, _file, ...(encoded && { _encoded: true }), ...facts };
}

/** A conversation over a WebSocket: the fields of its entry, and the file when it is long. */
export async function encodeConversation(
  { messages, close }: ConversationParts,
  start: number,
  { redactor, times, keepBody }: EncodeOptions,
): Promise<
  { _file?: string; fields: { _webSocketMessages?: HarWebSocketMessage[]; _webSocketClose?: HarWebSocketClose } }
> {
  const lines = messages.map(({ from, text, data, time }): HarWebSocketMessage => {
    const clean = redactor.body(data, text ? null : "application/octet-stream");
    const type = from === "client" ? "send" : "receive";
    const seconds = times && time !== undefined ? Math.round((start + time) * 1000) / 1e6 : 0;
    return text
      ? { type, time: seconds, opcode: 1, data: new TextDecoder("utf-8", { ignoreBOM: true }).decode(clean) }
      : { type, time: seconds, opcode: 2, data: toBase64(clean) };
  });
  const _webSocketClose = close && { ...close, reason: redactor.text(close.reason) };
  const closed = _webSocketClose && { _webSocketClose };
  if (sizeOf(messages) <= MAX_INLINE_BYTES) return { fields: { _webSocketMessages: lines, ...closed } };
  return { _file: await keepBody(printLines(lines), LINES), fields: { ...closed } };
}

/** What was said in a raw conversation: the messages, or the file when they are long. */
export async function encodeTcpMessages(
  messages: readonly Said[],
  { redactor, times, keepBody }: EncodeOptions,
): Promise<{ _file?: string; messages?: HarTcpMessage[] }> {
  // A secret may begin in one piece and end in the next.
  const turns = times
    ? splitAgain(messages, redactor)
    : joinTurns(messages).map((turn): Said => ({ ...turn, data: cleanTurn(turn.data, turn.from, redactor) }));
  const lines = turns.map(({ from, data, time }): HarTcpMessage => ({
    from,
    ...(times && time !== undefined && { time: milliseconds(time) }),
    ...printBytes(data),
  }));
  if (sizeOf(messages) <= MAX_INLINE_BYTES) return { messages: lines };
  return { _file: await keepBody(printLines(lines), LINES) };
}

/** Redacts turn by turn, and keeps the pieces and their times. */
function splitAgain(messages: readonly Said[], redactor: EncodeOptions["redactor"]): Said[] {
  const pieces: Said[] = [];
  let at = 0;
  for (const turn of joinTurns(messages)) {
    const ends: number[] = [];
    const of: Said[] = [];
    for (let size = 0; size < turn.data.length && at < messages.length; at++) {
      of.push(messages[at]!);
      ends.push(size += messages[at]!.data.length);
    }
    const clean = cleanTurn(turn.data, turn.from, redactor);
    const moved = moveMarks(turn.data, clean, ends);
    of.forEach((said, i) => pieces.push({ ...said, data: clean.subarray(moved[i - 1] ?? 0, moved[i]) }));
  }
  return pieces;
}

function sizeOf(messages: readonly Said[]): number {
  return messages.reduce((size, { data }) => size + data.length, 0);
}

/** Rounded to what a clock can tell. */
export function milliseconds(value: number): number {
  return Math.max(0, Math.round(value * 1000) / 1000);
}
