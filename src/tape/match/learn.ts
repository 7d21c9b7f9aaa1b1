/**
 * What differs between two recordings of the same run is made anew each time, and says nothing of what is asked for: a list of it is
 * proposed as what matching ignores.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import { splitUrl } from "../entry.ts";
import { bodyFolder } from "../har.ts";
import type { Tape } from "../tape.ts";
import { differencesOf } from "./differences.ts";
import { Learned, type Lesson } from "./learned.ts";
import type { MatchOptions } from "./match_options.ts";

/**
 * Compares two recordings of the same run, and proposes `match` options with which the one would replay the other: query parameters,
 * places in JSON, fields of forms, parts of multipart, and header fields where these count.
 *
 * `learned.explanation` says in words what differs and where, and what no list can ignore. Bodies in files are read at once, from disk.
 *
 * @param options the options that there are already; they are part of what is returned
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { learn, readTape } from "flowtape/tape";
 *
 * async function replay(path: string) {
 *   const match = learn(await readTape("first.har"), await readTape("second.har"));
 *   console.log(match.explanation);
 *   return await startProxy({ tape: { path, match } });
 * }
 * ```
 */
export function learn(a: Tape, b: Tape, options: MatchOptions = {}): Learned {
  const [left, right] = [requestsOf(a), requestsOf(b)];
  const lessons: Lesson[] = [];
  const alone: string[] = [];
  for (const [place, mine] of left) {
    const theirs = right.get(place) ?? [];
    right.delete(place);
    for (const [one, other] of pairs(mine, theirs)) {
      if (one !== undefined && other !== undefined) lessons.push(...differencesOf(one, other, options, place));
      else alone.push(`${place} is on ${one === undefined ? b.path : a.path} alone`);
    }
  }
  for (const [place, theirs] of right) for (const _ of theirs) alone.push(`${place} is on ${b.path} alone`);
  return new Learned(lessons, alone, options);
}

/** The requests by method, origin and path. */
function requestsOf(tape: Tape): Map<string, FlowRequest[]> {
  const found = new Map<string, FlowRequest[]>();
  for (const entry of tape.entries) {
    if (entry.kind === "tcp") continue;
    const request = entry.requestNow() ?? readNow(entry, tape);
    const place = `${entry.method} ${entry.url.split(/[?#]/, 1)[0]}`;
    const list = found.get(place);
    if (list === undefined) found.set(place, [request]);
    else list.push(request);
  }
  return found;
}

function readNow(entry: TapeEntry, tape: Tape): FlowRequest {
  const bytes = readFileSync(join(bodyFolder(tape.path), entry.requestBody!.value));
  return new FlowRequest(entry.method, splitUrl(entry.url), "1.1", entry.requestHeaders, BodyBuffer.of(bytes));
}

/** First those that are equal, then the others in their order. */
function pairs(
  mine: readonly FlowRequest[],
  theirs: readonly FlowRequest[],
): [FlowRequest | undefined, FlowRequest | undefined][] {
  const left = new Map<string, FlowRequest[]>();
  for (const other of theirs) {
    const list = left.get(textOf(other));
    if (list === undefined) left.set(textOf(other), [other]);
    else list.push(other);
  }
  const equal = new Set<FlowRequest>();
  const paired: [FlowRequest | undefined, FlowRequest | undefined][] = [];
  const rest = mine.filter((one) => {
    const other = left.get(textOf(one))?.shift();
    if (other === undefined) return true;
    equal.add(other);
    paired.push([one, other]);
    return false;
  });
  const others = theirs.filter((other) => !equal.has(other));
  for (let i = 0; i < Math.max(rest.length, others.length); i++) paired.push([rest[i], others[i]]);
  return paired;
}

function textOf({ url, encodedBody }: FlowRequest): string {
  return `${url}\n${
    Buffer.from(encodedBody.buffer, encodedBody.byteOffset, encodedBody.byteLength).toString("latin1")
  }`;
}
