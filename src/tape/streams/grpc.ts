/**
 * The messages in a body of gRPC: a flag, a length in four bytes, and so many bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { essence } from "../../flow/media_type.ts";
import { changeProtobuf, protobufText } from "./protobuf.ts";

const PREFIX = 5;

/** What a compressed message holds at most; of one that holds more, nothing is known. */
const MAX_INFLATED = 16 * 1024 * 1024;

/** Whether a body of this media type is one of gRPC. */
export function isGrpc(contentType: string | null): boolean {
  return /^application\/grpc(?:\+.+)?$/.test(essence(contentType));
}

/** Where the messages of a body end that are complete. */
export function messageEnds(body: Uint8Array): number[] {
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const ends: number[] = [];
  for (let at = 0; at + PREFIX <= view.length;) {
    at += PREFIX + view.readUInt32BE(at + 1);
    if (at > view.length) break;
    ends.push(at);
  }
  return ends;
}

/** The messages of a body that are complete, with their prefixes. */
export function messagesOf(body: Uint8Array): Uint8Array[] {
  let start = 0;
  return messageEnds(body).map((end) => {
    const message = body.subarray(start, end);
    start = end;
    return message;
  });
}

/** The body with its messages not compressed, which every peer takes; the same array when none of them is. */
export function uncompressed(body: Uint8Array): Uint8Array {
  return eachMessage(body, (content, { compressed }) => compressed ? content : undefined);
}

/**
 * The messages as text that can be compared; `undefined` where they are compressed otherwise than with gzip or deflate, or no protobuf. What
 * stands in the place of secrets has no length there.
 */
export function grpcText(body: Uint8Array): string | undefined {
  const messages = messagesOf(body);
  if (messages.reduce((sum, { length }) => sum + length, 0) !== body.length) return undefined;
  const texts: string[] = [];
  for (const message of messages) {
    const content = contentOf(message);
    const text = content && (protobufText(content) ?? plainText(content));
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.join("\n\n").replace(/\*{8,}/g, "[redacted]");
}

/**
 * The messages with other texts in them; the same array when none is changed. Half a message stays as it is, and one that is changed is not
 * compressed any more.
 */
export function changeGrpc(body: Uint8Array, change: (text: string) => string): Uint8Array {
  return eachMessage(body, (content) => {
    const after = changeContent(content, change);
    return after === content ? undefined : after;
  });
}

/** Where the ends of chunks are when messages have other lengths: what ended with a message does so still. */
export function moveToMessages(before: Uint8Array, after: Uint8Array, ends: readonly number[]): number[] {
  const [from, to] = [messageEnds(before), messageEnds(after)];
  return ends.map((end) => {
    const index = from.findLastIndex((it) => it <= end);
    const place = (to[index] ?? 0) + end - (from[index] ?? 0);
    return Math.min(place, end === before.length ? after.length : to[index + 1] ?? after.length);
  });
}

/** The body with other contents of its messages, which are not compressed then; `undefined` leaves one as it stands. */
function eachMessage(
  body: Uint8Array,
  change: (content: Uint8Array, message: { readonly compressed: boolean }) => Uint8Array | undefined,
): Uint8Array {
  const messages = messagesOf(body);
  const end = messages.reduce((sum, { length }) => sum + length, 0);
  let any = false;
  const parts = messages.map((message) => {
    const content = contentOf(message);
    const after = content && change(content, { compressed: message[0] === 1 });
    if (after === undefined) return message;
    any = true;
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32BE(after.length, 1);
    return Buffer.concat([prefix, after]);
  });
  return any ? Buffer.concat([...parts, body.subarray(end)]) : body;
}

/** A message without its prefix, inflated; `undefined` where that is not possible. The names of codings stand elsewhere, but both have a mark. */
function contentOf(message: Uint8Array): Uint8Array | undefined {
  const content = message.subarray(PREFIX);
  if (message[0] === 0) return content;
  const [first = 0, second = 0] = content;
  const gzip = first === 0x1f && second === 0x8b;
  // RFC 1950, section 2.2.
  const deflate = (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
  if (message[0] !== 1 || !(gzip || deflate)) return undefined;
  try {
    const options = { maxOutputLength: MAX_INFLATED };
    return gzip ? zlib.gunzipSync(content, options) : zlib.inflateSync(content, options);
  } catch {
    return undefined;
  }
}

function changeContent(content: Uint8Array, change: (text: string) => string): Uint8Array {
  const text = protobufText(content) === undefined ? plainText(content) : undefined;
  if (text === undefined) return changeProtobuf(content, change);
  const after = change(text);
  return after === text ? content : Buffer.from(after);
}

/** Other codecs than protobuf: JSON, or what a test makes up. */
function plainText(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
