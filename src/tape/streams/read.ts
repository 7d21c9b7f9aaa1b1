/**
 * Reads the fields and lines of streams and conversations.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { InformationalResponse } from "../../flow/http_flow.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { base64, object, optionalCount, string, word, Wrong } from "../field.ts";
import type { Json } from "../har_read.ts";
import type { Turns } from "./chunk.ts";
import type { Said, SaidClose, TcpEnd } from "./said.ts";
import { readBytes } from "./text_or_base64.ts";

/** What stands in an entry of a streamed body; its chunks may be in a file. */
export interface StoredStream {
  /** The server had not ended it when the recording ended. */
  readonly open: boolean;
  /** Of calls in which client and server take turns. */
  readonly turns?: Turns | undefined;
  /** The sizes of the chunks of a body that stands in the entry. */
  readonly chunks: readonly StoredChunk[] | undefined;
}

/** A chunk of a body that stands in the entry. */
export interface StoredChunk {
  /** In bytes. */
  readonly size: number;
  /** Milliseconds after the head. */
  readonly time?: number | undefined;
  /** So many messages of the client came before it. */
  readonly after?: number | undefined;
}

/** A chunk of a recorded body. */
export interface RecordedChunk {
  /** Its bytes. */
  readonly data: Uint8Array;
  /** Milliseconds after the head. */
  readonly time?: number | undefined;
  /** So many messages of the client came before it. */
  readonly after?: number | undefined;
}

/** What stands in an entry of a conversation; what was said may be in a file. */
export interface StoredConversation {
  readonly messages: readonly Json[] | undefined;
  /** Milliseconds since 1970 at which it began; 0: no times are known. */
  readonly start: number;
  readonly close: SaidClose | undefined;
}

/** The same of a raw conversation. */
export interface StoredTcp {
  readonly messages: readonly Json[] | undefined;
  readonly end: TcpEnd;
}

/** The fields of a body that came bit by bit; `undefined` when it did not. */
export function readStream(content: Json, where: string): StoredStream | undefined {
  if (content._stream === undefined || content._stream === null) return undefined;
  const open = word(content._stream, `${where}._stream`, "ended", "open") === "open";
  const turns = readTurns(content._turns, `${where}._turns`);
  if (content._file !== undefined) return { open, chunks: undefined, ...turns };
  const list = content._chunks ?? [];
  if (!Array.isArray(list)) throw new Wrong(`${where}._chunks`, list, "an array");
  const chunks = list.map((it, i): StoredChunk => {
    const place = `${where}._chunks[${i}]`;
    const chunk = object(it, place);
    if (chunk.size === undefined) throw new Wrong(`${place}.size`, undefined, "a number of bytes");
    return { size: optionalCount(chunk.size, `${place}.size`) ?? 0, ...paceOf(chunk, place, ".") };
  });
  return { open, chunks, ...turns };
}

function readTurns(turns: unknown, where: string): { turns?: Turns } {
  if (turns === undefined || turns === null) return {};
  const { head, end } = object(turns, where);
  const count = (value: unknown, name: string) => {
    const it = optionalCount(value, `${where}.${name}`);
    if (it === undefined) throw new Wrong(`${where}.${name}`, undefined, "a number of messages");
    return it;
  };
  return { turns: { head: count(head, "head"), end: count(end, "end") } };
}

/** The chunks of a body that stands in the entry. @throws {Wrong} they are more or less than the body */
export function cutBody(body: Uint8Array, chunks: readonly StoredChunk[], where: string): RecordedChunk[] {
  const total = chunks.reduce((sum, { size }) => sum + size, 0);
  if (total !== body.length) {
    throw new Wrong(
      `${where}._chunks`,
      undefined,
      "",
      `have ${total} bytes together, and the text has ${body.length}: whoever edits one must edit the other, or ` +
        "remove _chunks and _stream, and it is sent at once",
    );
  }
  let start = 0;
  return chunks.map(({ size, ...pace }) => ({ ...pace, data: body.subarray(start, start += size) }));
}

/** A line of a file with the chunks of a body. */
export function readChunkLine(line: Json, where: string): RecordedChunk {
  return { data: readBytes(line, where), ...paceOf(line, where, ": ") };
}

/** The conversation of an entry; `undefined` when it is of no WebSocket. */
export function readConversation(entry: Json, status: number): StoredConversation | undefined {
  const { _webSocketMessages: messages, _webSocketClose: close, _resourceType: type, startedDateTime } = entry;
  if (status !== 101 && messages === undefined) return undefined;
  if (messages === undefined && type !== "websocket") return undefined;
  if (messages !== undefined && !Array.isArray(messages)) throw new Wrong("_webSocketMessages", messages, "an array");
  const began = typeof startedDateTime === "string" ? Date.parse(startedDateTime) : NaN;
  messages?.forEach((it, i) =>
    readWebSocketLine(object(it, `_webSocketMessages[${i}]`), `_webSocketMessages[${i}]`, 0)
  );
  return {
    messages: messages as Json[] | undefined,
    start: Number.isFinite(began) ? began : 0,
    close: close === undefined || close === null ? undefined : readClose(object(close, "_webSocketClose")),
  };
}

/**
 * A message as Chrome and Playwright write it.
 *
 * @param start milliseconds since 1970
 */
export function readWebSocketLine(line: Json, where: string, start: number): Said {
  const from = word(line.type, `${where}: type`, "send", "receive") === "send" ? "client" : "server";
  const { opcode } = line;
  if (opcode !== 1 && opcode !== 2) throw new Wrong(`${where}: opcode`, opcode, "1 (text) or 2 (binary)");
  const text = string(line.data, `${where}: data`);
  const data = opcode === 1 ? Buffer.from(text) : Buffer.from(base64(text, `${where}: data`), "base64");
  const { time } = line;
  if (time !== undefined && typeof time !== "number") throw new Wrong(`${where}: time`, time, "a number");
  if (time === undefined || time <= 0 || start <= 0) return { from, text: opcode === 1, data };
  // Playwright writes milliseconds, all others seconds.
  const at = (time > 1e11 ? time : time * 1000) - start;
  return { from, text: opcode === 1, data, time: Math.max(0, at) };
}

/** The raw conversation of an entry; `undefined` when it is none. */
export function readTcp(entry: Json): StoredTcp | undefined {
  if (entry._tcp === undefined || entry._tcp === null) return undefined;
  const { end, messages } = object(entry._tcp, "_tcp");
  if (messages !== undefined && !Array.isArray(messages)) throw new Wrong("_tcp.messages", messages, "an array");
  messages?.forEach((it, i) => readTcpLine(object(it, `_tcp.messages[${i}]`), `_tcp.messages[${i}]`));
  return { end: word(end, "_tcp.end", "client", "server", "open"), messages: messages as Json[] | undefined };
}

/** Something that was said in a raw conversation. */
export function readTcpLine(line: Json, where: string): Said {
  const from = word(line.from, `${where}: from`, "client", "server");
  const time = optionalCount(line.time, `${where}: time`);
  return { from, text: false, data: readBytes(line, where), ...(time !== undefined && { time }) };
}

/** Informational responses. */
export function readInformational(
  list: unknown,
  fieldsOf: (list: unknown, where: string) => string,
): InformationalResponse[] {
  if (list === undefined || list === null) return [];
  const where = "response._informational";
  if (!Array.isArray(list)) throw new Wrong(where, list, "an array");
  return list.map((it, i) => {
    const place = `${where}[${i}]`;
    const { status, statusText, headers } = object(it, place);
    if (!Number.isInteger(status) || (status as number) < 100 || (status as number) > 199 || status === 101) {
      throw new Wrong(`${place}.status`, status, "a status from 100 to 199, but for 101");
    }
    const reason = statusText === undefined ? "" : string(statusText, `${place}.statusText`);
    return { status: status as number, reason, headers: FlowHeaders.fromFields(fieldsOf(headers, `${place}.headers`)) };
  });
}

function paceOf(chunk: Json, where: string, mark: string): Pick<StoredChunk, "time" | "after"> {
  const time = optionalCount(chunk.time, `${where}${mark}time`);
  const after = optionalCount(chunk.after, `${where}${mark}after`);
  return { ...(time !== undefined && { time }), ...(after !== undefined && { after }) };
}

function readClose(close: Json): SaidClose {
  const { code, reason } = close;
  if (!Number.isInteger(code) || (code as number) < 1000 || (code as number) > 4999) {
    throw new Wrong("_webSocketClose.code", code, "a close code");
  }
  return {
    code: code as number,
    reason: reason === undefined ? "" : string(reason, "_webSocketClose.reason"),
    by: word(close.by, "_webSocketClose.by", "client", "server"),
  };
}
