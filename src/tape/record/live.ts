/**
 * Which recordings are under way in this process, and who reads which tape in it.
 *
 * @module
 */

// Of the process, not of this module: the ESM and the CommonJS build may both be loaded.
const REGISTRY = Symbol.for("flowtape.tapes");

interface Registry {
  /** The names of recordings that are under way. */
  readonly recordings: Set<string>;
  /** How many proxies replay a tape. */
  readonly readers: Map<string, number>;
  /** Who is to have a tape next. */
  readonly queues: Map<string, Promise<void>>;
}

const holder = globalThis as { [REGISTRY]?: Registry };

function registry(): Registry {
  return holder[REGISTRY] ??= { recordings: new Set(), readers: new Map(), queues: new Map() };
}

/** The names of the recordings of this process that are under way. */
export function recordingsHere(): Set<string> {
  return registry().recordings;
}

/** A proxy replays this tape: bodies that it may still read stay. @returns ends it */
export function startReading(identity: string): () => void {
  const { readers } = registry();
  readers.set(identity, (readers.get(identity) ?? 0) + 1);
  let reading = true;
  return () => {
    if (!reading) return;
    reading = false;
    const left = readers.get(identity)! - 1;
    if (left === 0) readers.delete(identity);
    else readers.set(identity, left);
  };
}

/** How many proxies of this process replay this tape. */
export function readersOf(identity: string): number {
  return registry().readers.get(identity) ?? 0;
}

/** Runs an action when nobody else of this process is at this tape. */
export async function inTurn<T>(identity: string, action: () => Promise<T>): Promise<T> {
  const { queues } = registry();
  const before = queues.get(identity) ?? Promise.resolve();
  const running = before.then(action);
  const settled = running.then(() => {}, () => {});
  queues.set(identity, settled);
  try {
    return await running;
  } finally {
    if (queues.get(identity) === settled) queues.delete(identity);
  }
}
