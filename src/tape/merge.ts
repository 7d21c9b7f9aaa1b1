/**
 * Makes one tape of several.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { StoredEntry, StoredMessage, TapeEntry } from "./entry.ts";
import { type Known, weaveKnown } from "./record/arrange.ts";
import { hash, isVolatile } from "./record/kept.ts";
import { plainOf, renamedEntry } from "./record/renamed_entry.ts";
import { renaming, type SecretFacts, secretNames, withoutNumbers } from "./record/secret_names.ts";
import { Tape } from "./tape.ts";

/**
 * One tape with all that is on several, such as those of the machines among which CI has divided a test suite. What is the same on
 * several is there once; different answers to the same request follow each other in the order of the tapes. The path is that of the
 * first: {@linkcode writeTape} writes the result wherever you like.
 *
 * Processes that record on one and the same path need none of this: they merge by themselves.
 *
 * @example
 * ```ts
 * import { merge, readTape, writeTape } from "flowtape/tape";
 *
 * async function mergeShards(paths: string[], to: string) {
 *   await writeTape(to, merge(await Promise.all(paths.map((path) => readTape(path)))));
 * }
 * ```
 */
export function merge(tapes: readonly Tape[]): Tape {
  let all: Item[] = [];
  for (const tape of tapes) {
    // Each has numbered its secrets by itself.
    const names = all.length === 0 ? NONE : renaming(all.map((it) => it.facts), tape.entries.map(factsOf));
    all = weaveKnown(all, tape.entries.map((entry) => new Item(renamedEntry(entry, names))));
  }
  return new Tape(tapes[0]?.path ?? "", all.map(({ entry }, i) => entry.movedTo(i)));
}

const NONE: ReadonlyMap<string, string> = new Map();

class Item implements Known {
  readonly entry: TapeEntry;
  readonly key: string;
  #same: string | undefined;
  #facts: SecretFacts | undefined;

  constructor(entry: TapeEntry) {
    this.entry = entry;
    this.key = `${entry.method} ${entry.url}\n${entry.requestBody?.value ?? ""}`;
  }

  get facts(): SecretFacts {
    return this.#facts ??= factsOf(this.entry);
  }

  // Only needed where another tape has the same request.
  get same(): string {
    return this.#same ??= sameOf(this.entry.stored);
  }
}

/** Equal for entries that say the same, whatever the moment. */
function sameOf(stored: StoredEntry): string {
  const { method, url, status, reason, failure, comment, informational, stream, conversation, tcp, lines } = stored;
  const extra = [failure, comment, informational?.map(({ status }) => status), stream, conversation, tcp, lines];
  return hash(
    JSON.stringify([method, url, status, reason, ofMessage(stored.request), ofMessage(stored.response), ...extra]),
  );
}

function ofMessage({ httpVersion, fields, trailers, body }: StoredMessage): unknown[] {
  const lasting = fields.split("\r\n").filter((line) => !isVolatile(line.slice(0, line.indexOf(":"))));
  return [httpVersion, lasting, trailers, body?.form, body?.value, body?.encoded];
}

function factsOf(entry: TapeEntry): SecretFacts {
  const text = JSON.stringify(plainOf(entry.stored));
  const files = entry.filesNow().map((bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
  );
  const names = [text, ...files].flatMap(secretNames);
  if (names.length === 0) return { key: "", same: "", names };
  const blind = JSON.parse(withoutNumbers(text)) as StoredEntry;
  const bodies = files.map((file) => hash(withoutNumbers(file)));
  const nameless = ({ body, ...message }: StoredMessage): StoredMessage => ({
    ...message,
    body: body?.form === "file" && bodies.length > 0 ? { ...body, value: "" } : body,
  });
  const { request, response, stream } = blind;
  const same = sameOf({
    ...blind,
    request: nameless(request),
    response: nameless(response),
    lines: undefined,
    // Lengths differ with the digits of numbers.
    stream: stream && { ...stream, chunks: undefined },
  });
  return { key: `${blind.method} ${blind.url}\n${request.body?.value ?? ""}`, same: `${same} ${bodies}`, names };
}
