/**
 * The messages in a body of gRPC: a flag, a length in four bytes, and so many bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence } from "../../flow/media_type.ts";
import { changeProtobuf, protobufText } from "./protobuf.ts";

const PREFIX = 5;

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

/**
 * The messages as text that can be compared; `undefined` where they are compressed, or no protobuf. What
 * stands in the place of secrets has no length there.
 */
export function grpcText(body: Uint8Array): string | undefined {
  const messages = messagesOf(body);
  if (messages.reduce((sum, { length }) => sum + length, 0) !== body.length) return undefined;
  const texts: string[] = [];
  for (const message of messages) {
    const content = message.subarray(PREFIX);
    const text = message[0] === 0 ? protobufText(content) ?? plainText(content) : undefined;
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.join("\n\n").replace(/\*{8,}/g, "[redacted]");
}

/** The messages with other texts in them; the same array when none is changed. Half a message stays as it is. */
export function changeGrpc(body: Uint8Array, change: (text: string) => string): Uint8Array {
  const messages = messagesOf(body);
  const end = messages.reduce((sum, { length }) => sum + length, 0);
  let any = false;
  const parts = messages.map((message) => {
    const before = message.subarray(PREFIX);
    const after = message[0] === 0 ? changeContent(before, change) : before;
    if (after === before) return message;
    any = true;
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32BE(after.length, 1);
    return Buffer.concat([prefix, after]);
  });
  return any ? Buffer.concat([...parts, body.subarray(end)]) : body;
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
