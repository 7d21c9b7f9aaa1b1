/**
 * The messages in a body of gRPC: a flag, a length in four bytes, and so many bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence } from "../../flow/media_type.ts";

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
