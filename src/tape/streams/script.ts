/**
 * A recorded conversation, made ready to be played with a client.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TapeEntry } from "../entry.ts";
import type { Said } from "./said.ts";
import type { Line } from "./speaker.ts";

/** Follows what a client says. */
export interface Cursor<Heard> {
  /** The client says something. `false`: it has said something else on the tape. */
  hear(heard: Heard): boolean;
  /** What is expected next; `undefined`: nothing, or anything. */
  readonly next: Heard | undefined;
  /** The same, from where it is. */
  fork(): Cursor<Heard>;
  /** How much of what the lines wait for has come. */
  readonly heard: number;
  /** Whether the client has said all that it said on the tape. */
  readonly done: boolean;
}

/** A recorded conversation. */
export interface Script<Heard> {
  readonly entry: TapeEntry;
  /** What the server says. */
  readonly lines: readonly Line[];
  /** A new cursor, before the first word. */
  cursor(): Cursor<Heard>;
}

/** What the server said, each with how much the client had said before it, as `measure` counts it. */
export function linesOf(said: readonly Said[], measure: (said: Said) => number): Line[] {
  const lines: Line[] = [];
  let after = 0;
  let last = 0;
  for (const one of said) {
    const gap = Math.max(0, (one.time ?? last) - last);
    last = one.time ?? last;
    if (one.from === "client") after += measure(one);
    else lines.push({ data: one.data, text: one.text, after, gap });
  }
  return lines;
}

/** Whether what was said of one conversation could have been said of the other. */
export function beginsLike(lines: readonly Line[], other: readonly Line[], count: number): boolean {
  if (count > other.length) return false;
  for (let i = 0; i < count; i++) {
    if (lines[i]!.text !== other[i]!.text || Buffer.compare(lines[i]!.data, other[i]!.data) !== 0) return false;
  }
  return true;
}
