/**
 * A file as the response to a request: whole, in part, or not at all when the client has it already (RFC 9110 sections 13 and 14).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { open, stat } from "node:fs/promises";
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders, type HeadersLike } from "../../flow/headers.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { FlowResponse } from "../../flow/response.ts";
import { mediaTypeOf } from "./media_types.ts";
import { rangeOf } from "./range.ts";

/** What a rule says besides which file it is. */
export interface FileHead {
  status?: number;
  reason?: string;
  headers?: HeadersLike;
}

/** A larger file is read while it is sent. */
const WHOLE = 1024 * 1024;
const PIECE = 64 * 1024;

/**
 * Answers with a file as it is now: a test may write it after the rule was made. A client that asks for a part, or whether it has changed,
 * gets that, unless the rule says which status to send.
 *
 * @throws {FlowtapeError} `RESPOND_FILE`: it cannot be read
 */
export async function fileResponse(request: FlowRequest, path: string, head: FileHead = {}): Promise<FlowResponse> {
  const { size, mtimeMs } = await stats(path);
  const headers = FlowHeaders.from(head.headers ?? []);
  const otherwise = (name: string, value: string) => {
    if (!headers.has(name)) headers.append(name, value);
  };
  const { status, reason } = head;
  const plain = (status ?? 200) === 200 && (request.method === "GET" || request.method === "HEAD");
  if (!plain) {
    otherwise("content-type", mediaTypeOf(path));
    return FlowResponse.create({ status, reason, headers, body: await content(path, 0, size) });
  }

  otherwise("etag", `"${size.toString(16)}-${Math.trunc(mtimeMs).toString(16)}"`);
  otherwise("last-modified", new Date(mtimeMs).toUTCString());
  if (isFresh(request.headers, headers)) return FlowResponse.create({ status: 304, headers });
  otherwise("content-type", mediaTypeOf(path));
  otherwise("accept-ranges", "bytes");
  const range = rangeOf(request, headers, size);
  if (range === "unsatisfiable") {
    return FlowResponse.create({ status: 416, headers: [["Content-Range", `bytes */${size}`]] });
  }
  const { start, end } = range ?? { start: 0, end: size };
  if (range !== undefined) headers.set("Content-Range", `bytes ${start}-${end - 1}/${size}`);
  if (request.method === "HEAD") headers.set("Content-Length", String(end - start));
  return FlowResponse.create({
    status: range === undefined ? status : 206,
    reason: range === undefined ? reason : undefined,
    headers,
    body: request.method === "HEAD" ? "" : await content(path, start, end),
  });
}

/** Whether the client has what the file says: its own tag goes before its date (RFC 9110 section 13.2.2). */
function isFresh(asked: FlowHeaders, has: FlowHeaders): boolean {
  const tags = asked.get("if-none-match");
  if (tags !== null) {
    const plain = (tag: string) => tag.trim().replace(/^W\//, "");
    return tags.trim() === "*" || tags.split(",").map(plain).includes(plain(has.get("etag")!));
  }
  const since = Date.parse(asked.get("if-modified-since") ?? "");
  return Date.parse(has.get("last-modified")!) <= since;
}

async function stats(path: string): Promise<{ size: number; mtimeMs: number }> {
  try {
    const found = await stat(path);
    // A pipe or a device might be read for ever.
    if (!found.isFile()) throw new Error("it is not a file");
    return found;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function content(path: string, start: number, end: number): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  if (end - start > WHOLE) return streamOf(path, start, end);
  try {
    await using file = await open(path);
    const bytes = Buffer.alloc(end - start);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, start + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The file is opened with the first piece and closed with the last: a stream that nobody reads leaves nothing open. */
function streamOf(path: string, start: number, end: number): ReadableStream<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  let at = start;
  return new ReadableStream({
    async pull(controller) {
      try {
        file ??= await open(path);
        const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE), 0, Math.min(PIECE, end - at), at);
        at += bytesRead;
        if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
        if (bytesRead > 0 && at < end) return;
        if (at < end) throw new Error("it became shorter while it was sent");
        await file.close();
        controller.close();
      } catch (cause) {
        await file?.close().catch(() => {});
        controller.error(unreadable(path, cause));
      }
    },
    cancel: () => file?.close(),
  }, { highWaterMark: 0 });
}

function unreadable(path: string, cause: unknown): FlowtapeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FlowtapeError("RESPOND_FILE", `respond() cannot read its file ${path}: ${why}`, { cause });
}
