/**
 * An entry of a tape with other placeholders.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { StoredBody, StoredEntry, TapeEntry } from "../entry.ts";
import { moveMarks } from "../streams/move_marks.ts";
import { renameSecrets } from "./secret_names.ts";

/** All of an entry as plain data, but for what no JSON holds: its informational responses. */
export function plainOf(stored: StoredEntry): Omit<StoredEntry, "informational"> {
  const { method, url, request, status, reason, response, failure, comment, wait, stream, conversation, tcp, lines } =
    stored;
  return { method, url, request, status, reason, response, failure, comment, wait, stream, conversation, tcp, lines };
}

/** The entry itself when it has none of them. */
export function renamedEntry(entry: TapeEntry, names: ReadonlyMap<string, string>): TapeEntry {
  if (names.size === 0) return entry;
  const { informational } = entry.stored;
  const plain = plainOf(entry.stored);
  const before = JSON.stringify(plain);
  const after = renameSecrets(before, names);
  const renamed = after === before ? plain : JSON.parse(after) as Omit<StoredEntry, "informational">;
  const { stream } = renamed;
  const body = plain.response.body;
  const stored: StoredEntry = {
    ...renamed,
    ...(informational && { informational }),
    ...(stream?.chunks && body &&
      { stream: { ...stream, chunks: moved(stream.chunks, body, renamed.response.body!) } }),
  };
  const change = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const other = renameSecrets(text, names);
    return other === text ? bytes : Buffer.from(other, "latin1");
  };
  return entry.movedTo(entry.index, { stored, change });
}

type Chunks = NonNullable<NonNullable<StoredEntry["stream"]>["chunks"]>;

function moved(chunks: Chunks, before: StoredBody, after: StoredBody): Chunks {
  if (before.form !== "text") return chunks;
  let end = 0;
  const ends = moveMarks(Buffer.from(before.value), Buffer.from(after.value), chunks.map(({ size }) => end += size));
  return chunks.map((chunk, i) => ({ ...chunk, size: ends[i]! - (ends[i - 1] ?? 0) }));
}
