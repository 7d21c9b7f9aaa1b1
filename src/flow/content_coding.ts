/**
 * Content codings: gzip, deflate, br, zstd (RFC 9110 section 8.4.1, RFC 8878).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { FlowtapeError } from "./error.ts";

/** A decoded body may not be larger than this many bytes: a few kilobytes can unpack to gigabytes. */
export const MAX_DECODED_BYTES: number = 256 * 1024 * 1024;

const options = { maxOutputLength: MAX_DECODED_BYTES };

const decoders: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: (bytes) => zlib.gunzipSync(bytes, options),
  "x-gzip": (bytes) => zlib.gunzipSync(bytes, options),
  // "deflate" means the zlib format, but some servers send raw deflate data (RFC 9110 section 8.4.1.2).
  deflate: (bytes) =>
    (bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | bytes[1]!) % 31 === 0
      ? zlib.inflateSync(bytes, options)
      : zlib.inflateRawSync(bytes, options),
  br: (bytes) => zlib.brotliDecompressSync(bytes, options),
  zstd: (bytes) => {
    if (zlib.zstdDecompressSync === undefined) {
      throw new FlowtapeError("BODY_ENCODING", "this runtime cannot decode zstd: Node needs 22.15 or newer");
    }
    return zlib.zstdDecompressSync(bytes, options);
  },
  identity: (bytes) => bytes,
};

/** Whether every coding in a Content-Encoding value is one that {@linkcode decodeContent} knows. */
export function canDecode(contentEncoding: string): boolean {
  return codingsOf(contentEncoding).every((coding) => Object.hasOwn(decoders, coding));
}

/**
 * Undoes the codings of a Content-Encoding value, the last one first.
 *
 * @throws {FlowtapeError} `BODY_ENCODING`: an unknown coding, damaged data, or more than {@linkcode MAX_DECODED_BYTES}.
 */
export function decodeContent(bytes: Uint8Array, contentEncoding: string): Uint8Array {
  if (bytes.length === 0) return bytes;
  for (const coding of codingsOf(contentEncoding).reverse()) {
    const decode = Object.hasOwn(decoders, coding) ? decoders[coding]! : undefined;
    if (decode === undefined) {
      throw new FlowtapeError("BODY_ENCODING", `content-encoding ${JSON.stringify(coding)} is not known`);
    }
    try {
      bytes = decode(bytes);
    } catch (cause) {
      if (cause instanceof FlowtapeError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FlowtapeError("BODY_ENCODING", `the ${coding} body cannot be decoded: ${why}`, { cause });
    }
  }
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function codingsOf(contentEncoding: string): string[] {
  return contentEncoding.split(",").map((coding) => coding.trim().toLowerCase()).filter((coding) => coding !== "");
}
