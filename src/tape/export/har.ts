/**
 * A tape as one HAR file, for those who read HAR and know nothing of files beside it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { TapeError } from "../../flow/error.ts";
import type { TapeEntry } from "../entry.ts";
import type { HarChunk, HarEntry, HarLog } from "../har.ts";
import { bodyFolder, printEntry, printHead } from "../har.ts";
import type { Json } from "../har_read.ts";
import { bodyToText } from "../media.ts";
import type { RedactOptions } from "../options.ts";
import { fileStore } from "../store/file_store.ts";
import { readLines } from "../streams/lines.ts";
import { readBytes, toBase64 } from "../streams/text_or_base64.ts";
import { reasonOf } from "../import/failure.ts";
import { writeTape } from "../tape.ts";
import { MemoryStore } from "./memory_store.ts";

/** How a HAR file is written. */
export interface ExportHarOptions {
  /** As in the options of a tape. */
  redact?: false | RedactOptions;
}

/**
 * Writes entries as one HAR 1.2 file that has all bodies in it: for viewers, and for tools that read HAR. It is a tape, too. What was said
 * in streams and WebSockets is in fields that begin with `_`.
 *
 * @example
 * ```ts
 * import { exportHar, readTape } from "flowtape/tape";
 *
 * async function share(path: string) {
 *   await exportHar(await readTape(path), "for-the-viewer.har");
 * }
 * ```
 *
 * @throws {TapeError} as {@linkcode writeTape}
 */
export async function exportHar(
  entries: Iterable<TapeEntry>,
  path: string,
  options: ExportHarOptions = {},
): Promise<void> {
  const store = new MemoryStore();
  await writeTape(path, entries, { redact: options.redact, store });
  const { log } = JSON.parse(Buffer.from((await store.read(path))!).toString()) as { log: HarDocument };
  try {
    await fileStore.write(path, print(log, (name) => store.file(bodyFolder(path), name)), { durable: true });
  } catch (cause) {
    throw new TapeError("TAPE_NOT_WRITTEN", `${path} could not be written: ${reasonOf(cause)}`, { cause });
  }
}

type HarDocument = HarLog & { entries: HarEntry[] };

function* print(log: HarDocument, file: (name: string) => Uint8Array): Generator<string> {
  yield printHead(log);
  for (const [i, entry] of (log.entries as HarEntry[]).entries()) {
    yield `${i === 0 ? "" : ","}\n      ${printEntry(embed(entry, file))}`;
  }
  yield `${log.entries.length === 0 ? "" : "\n    "}]\n  }\n}\n`;
}

/** The entry without files. */
function embed(entry: HarEntry, file: (name: string) => Uint8Array): HarEntry {
  const { postData } = entry.request;
  const { _file, ...content } = entry.response.content;
  const request = postData?._file === undefined
    ? entry.request
    : { ...entry.request, postData: embedBody(postData, file, "_encoding") };
  if (_file === undefined) return { ...entry, request };
  if (entry._tcp !== undefined) {
    const messages = linesOf(file(_file), _file) as unknown as NonNullable<typeof entry._tcp.messages>;
    return { ...entry, response: { ...entry.response, content }, _tcp: { ...entry._tcp, messages } };
  }
  if (entry._resourceType === "websocket") {
    const messages = linesOf(file(_file), _file) as unknown as NonNullable<HarEntry["_webSocketMessages"]>;
    return { ...entry, request, response: { ...entry.response, content }, _webSocketMessages: messages };
  }
  const whole = content._stream === undefined
    ? embedBody(entry.response.content, file, "encoding")
    : embedStream(entry.response.content, file(_file));
  return { ...entry, request, response: { ...entry.response, content: whole } };
}

function embedBody<T extends { mimeType: string; _file?: string; _encoded?: true }>(
  { _file, ...body }: T,
  file: (name: string) => Uint8Array,
  flag: "encoding" | "_encoding",
): Omit<T, "_file"> {
  return { ...body, ...textOf(file(_file!), body, flag) };
}

/** The lines of a stream as one body, and where its chunks end. */
function embedStream(
  { _file, ...content }: HarEntry["response"]["content"],
  bytes: Uint8Array,
): HarEntry["response"]["content"] {
  const chunks = linesOf(bytes, _file!).map((line) => ({ line, data: readBytes(line, _file!) }));
  const body = Buffer.concat(chunks.map(({ data }) => data));
  const _chunks = chunks.map(({ line, data }): HarChunk => {
    const { text: _text, base64: _base64, ...pace } = line;
    return { ...pace, size: data.length };
  });
  return { ...content, ...textOf(body, content, "encoding"), _chunks };
}

function textOf(
  bytes: Uint8Array,
  { mimeType, _encoded }: { mimeType: string; _encoded?: true },
  flag: "encoding" | "_encoding",
): { text: string; encoding?: "base64"; _encoding?: "base64" } {
  const text = _encoded ? undefined : bodyToText(bytes, mimeType);
  return text === undefined ? { text: toBase64(bytes), [flag]: "base64" } : { text };
}

function linesOf(bytes: Uint8Array, file: string): Json[] {
  return readLines(bytes, file, (line) => line);
}
