/**
 * Large bodies on a tape: read bit by bit.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Redactor } from "../redact/redactor.ts";
import type { OpenFile } from "../store/tape_store.ts";
import { redactPieces } from "./redact_pieces.ts";

const PIECE = 256 * 1024;

/** The bytes of a file, as a stream that reads when it is read. The file is closed at its end, or when nobody wants more. */
export function streamOfFile(file: OpenFile): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const piece = await file.read(at, PIECE);
        at += piece.length;
        if (piece.length > 0) return controller.enqueue(piece);
        await file.close();
        controller.close();
      } catch (error) {
        await file.close().catch(() => {});
        throw error;
      }
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

/** The digest of a body on the tape, as that of a live one is taken: see `BodyOverflow.digest`. The file is closed. */
export async function digestOfFile(file: OpenFile, contentType: string | null, redactor: Redactor): Promise<string> {
  const hash = createHash("sha256");
  const pieces = redactPieces(contentType, redactor);
  try {
    for (let at = 0; at < file.size;) {
      const piece = await file.read(at, PIECE);
      if (piece.length === 0) break;
      at += piece.length;
      for (const clean of await pieces.push(piece)) hash.update(clean);
    }
    for (const clean of await pieces.end()) hash.update(clean);
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}
