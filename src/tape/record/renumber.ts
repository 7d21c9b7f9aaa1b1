/**
 * Numbers the secrets of a recording anew where it is put beside others that have given the same numbers to other secrets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { extname, join } from "node:path";
import { bodyFolder, type HarBody, type HarEntry, type HarStream } from "../har.ts";
import { filesOf } from "../files_of.ts";
import type { TapeStore } from "../store/tape_store.ts";
import { settleLength } from "../encode.ts";
import { moveMarks } from "../streams/move_marks.ts";
import { hash, type Kept, keyOf, labelOf, sameOf } from "./kept.ts";
import { stampOf } from "./old_tape.ts";
import {
  isAmong,
  numbersIn,
  renameSecrets,
  renaming,
  type SecretFacts,
  secretNames,
  withoutNumbers,
} from "./secret_names.ts";

/** Where the bodies are. */
export interface RenumberOptions {
  readonly path: string;
  readonly store: TapeStore;
  /** Puts a body into a file. Where nothing may be written, bodies in files stay as they are. */
  keepBody?(bytes: Uint8Array, extension: string): Promise<string>;
}

/** Larger files are not looked into. */
const LARGEST = 8 << 20;
const TEXT = /\.(?:json|jsonl|txt|html?|xhtml|xml|js|css|csv|md)$/;

/**
 * The recording with numbers that nothing else has that it is put beside; what both have in common has the same ones.
 *
 * @param known how far the numbers went that the recording has from the tape
 */
export async function renumbered(
  there: readonly Kept[],
  story: readonly Kept[],
  { known = {}, ...options }: RenumberOptions & { known?: Readonly<Record<string, number>> },
): Promise<readonly Kept[]> {
  const coming = await factsOf(story, options);
  if (coming.every(({ names }) => names.every((name) => isAmong(known, name)))) return story;
  const names = renaming(await factsOf(there, options), coming, (name) => isAmong(known, name));
  if (names.size === 0) return story;
  return await Promise.all(story.map(async (item, i) => {
    if (!coming[i]!.names.some((name) => names.has(name))) return item;
    const entry = await renamed(await entryOf(item), names, options);
    return { ...plain(item), label: labelOf(entry.request), key: keyOf(entry), load: () => Promise.resolve(entry) };
  }));
}

/** How far the numbers go on a tape, its bodies included: the next that is free of each label. */
export async function numbersOnTape(
  path: string,
  store: TapeStore,
): Promise<{ next: ReadonlyMap<string, number>; stamp: string }> {
  const document = await store.read(path);
  const stamp = stampOf(document);
  if (document === undefined) return { next: new Map(), stamp };
  const folder = bodyFolder(path);
  const texts = [latin1(document)];
  for (const name of (await store.list(folder) ?? new Map<string, string>()).keys()) {
    if (!name.startsWith(".")) texts.push(latin1(await read(name, { path, store })));
  }
  return { next: numbersIn(texts), stamp };
}

function plain({ start, end, anew }: Kept): Pick<Kept, "start" | "end" | "anew"> {
  return { start, end, ...(anew === true && { anew }) };
}

async function entryOf(item: Kept): Promise<HarEntry> {
  const entry = await item.load();
  return typeof entry === "string" ? JSON.parse(entry) as HarEntry : structuredClone(entry);
}

async function factsOf(items: readonly Kept[], options: RenumberOptions): Promise<SecretFacts[]> {
  const all: SecretFacts[] = [];
  for (const item of items) all.push(await factOf(item, options));
  return all;
}

async function factOf(item: Kept, options: RenumberOptions): Promise<SecretFacts> {
  const loaded = await item.load();
  const text = typeof loaded === "string" ? loaded : JSON.stringify(loaded);
  const names = secretNames(text);
  const files = filesOf(text).filter((name) => TEXT.test(name));
  const bodies: string[] = [];
  for (const file of files) {
    const body = latin1(await read(file, options));
    names.push(...secretNames(body));
    bodies.push(hash(withoutNumbers(body)));
  }
  if (names.length === 0) return NO_SECRETS;
  const entry = JSON.parse(withoutNumbers(text)) as HarEntry;
  const { request, response } = entry;
  // Lengths differ with the digits of numbers.
  for (const body of [request.postData, response?.content]) blind(body, bodies, files);
  if (request !== undefined) request.bodySize = -1;
  if (response !== undefined) response.bodySize = -1;
  return { key: keyOf(entry), same: sameOf(entry), names };
}

const NO_SECRETS: SecretFacts = { key: "", same: "", names: [] };

function blind(body: (HarBody & HarStream & { size?: number }) | undefined, bodies: string[], files: string[]): void {
  if (body === undefined || body === null) return;
  delete body.size;
  delete body._chunks;
  const at = body._file === undefined ? -1 : files.indexOf(body._file);
  if (at >= 0) body._file = bodies[at]!;
}

async function read(name: string, { path, store }: RenumberOptions): Promise<Uint8Array> {
  if (!TEXT.test(name)) return NOTHING;
  const place = join(bodyFolder(path), name);
  const file = await store.open?.(place).catch(() => undefined);
  await file?.close();
  return file !== undefined && file.size > LARGEST ? NOTHING : await store.read(place) ?? NOTHING;
}

const NOTHING = new Uint8Array(0);

async function renamed(
  entry: HarEntry,
  names: ReadonlyMap<string, string>,
  options: RenumberOptions,
): Promise<HarEntry> {
  const { request: { postData }, response: { content } } = entry;
  const before = [postData, content].map((body) => body?.text ?? "");
  const result = JSON.parse(renameSecrets(JSON.stringify(entry), names)) as HarEntry;
  const bodies: (Body & { size?: number } | undefined)[] = [result.request.postData, result.response.content];
  for (const [i, body] of bodies.entries()) {
    if (body === undefined) continue;
    const grown = Buffer.byteLength(body.text ?? "") - Buffer.byteLength(before[i]!) +
      await renameFile(body, names, options);
    if (body._chunks !== undefined) body._chunks = moved(body._chunks, before[i]!, body.text ?? "");
    const message = i === 0 ? result.request : result.response;
    if (message.bodySize > 0) message.bodySize += grown;
    settleLength(message.headers, grown);
    if (body.size !== undefined && body.size > 0) body.size += grown;
  }
  return result;
}

type Body = HarBody & HarStream;

/** @returns by how much it has grown */
async function renameFile(body: Body, names: ReadonlyMap<string, string>, options: RenumberOptions): Promise<number> {
  if (body._file === undefined || options.keepBody === undefined) return 0;
  const text = latin1(await read(body._file, options));
  const after = renameSecrets(text, names);
  if (after === text) return 0;
  body._file = await options.keepBody(Buffer.from(after, "latin1"), extname(body._file).slice(1));
  return after.length - text.length;
}

function moved(chunks: NonNullable<HarStream["_chunks"]>, before: string, after: string): typeof chunks {
  let end = 0;
  const ends = moveMarks(Buffer.from(before), Buffer.from(after), chunks.map(({ size }) => end += size));
  return chunks.map((chunk, i) => ({ ...chunk, size: ends[i]! - (ends[i - 1] ?? 0) }));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
