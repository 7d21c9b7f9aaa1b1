/**
 * Undoes the content coding of a stream chunk by chunk. A server that codes a stream flushes its compressor behind each message.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import { setImmediate } from "node:timers";
import zlib from "node:zlib";
import { MAX_DECODED_BYTES } from "../../flow/content_coding.ts";
import type { ChunkMark } from "./chunk.ts";

/** What is left of a stream without its coding. */
export interface DecodedChunks {
  readonly body: Uint8Array;
  readonly chunks: readonly ChunkMark[];
}

/** The stream without its coding; `undefined` where it cannot be undone. What was cut off gives what came of it. */
export async function decodeChunks(
  body: Uint8Array,
  chunks: readonly ChunkMark[],
  coding: string,
): Promise<DecodedChunks | undefined> {
  const decoder = decoderFor(coding.trim().toLowerCase());
  if (decoder === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let failed = false;
  decoder.on("data", (piece: Uint8Array) => {
    size += piece.length;
    if (size > MAX_DECODED_BYTES) decoder.destroy(new Error("too large"));
    else pieces.push(piece);
  });
  const closed = new Promise<void>((resolve) => decoder.on("close", resolve));
  decoder.on("error", () => failed = true);
  const marks: ChunkMark[] = [];
  let start = 0;
  for (const chunk of chunks) {
    // Its callback comes when everything that can be made of the bytes has been.
    const written = new Promise<void>((resolve) => decoder.write(body.subarray(start, chunk.end), () => resolve()));
    await Promise.race([written, closed]);
    await new Promise((resolve) => setImmediate(resolve));
    if (failed) return undefined;
    start = chunk.end;
    marks.push({ ...chunk, end: size });
  }
  decoder.destroy();
  await closed;
  return failed ? undefined : { body: Buffer.concat(pieces), chunks: marks };
}

function decoderFor(coding: string): Transform | undefined {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip();
    case "br":
      return zlib.createBrotliDecompress();
    case "deflate":
      return zlib.createInflate();
    case "zstd":
      return zlib.createZstdDecompress?.();
  }
  return undefined;
}
