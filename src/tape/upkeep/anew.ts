/**
 * Some entries of a tape recorded anew: those whose matcher has the mode `record`. All others stay.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { HttpFlow } from "../../flow/http_flow.ts";
import { TapeEntry } from "../entry.ts";
import { readEntry } from "../entry_read.ts";
import { bodyFolder, type HarEntry } from "../har.ts";
import type { Modes } from "../modes.ts";
import { byKey, inOrder } from "../record/arrange.ts";
import { type Kept, learnSame } from "../record/kept.ts";
import type { TapeStore } from "../store/tape_store.ts";

/** Which entries are to go. */
export interface ReplacedOptions {
  readonly modes: Modes;
  /** The matchers of which anything was recorded, by their places; -1 for the mode of the tape. */
  readonly places: ReadonlySet<number>;
  readonly path: string;
  readonly store: TapeStore;
}

/** The entries that the matchers of a recording match. */
export async function replacedBy(items: readonly Kept[], options: ReplacedOptions): Promise<Set<Kept>> {
  const { modes, places, path, store } = options;
  const found = new Set<Kept>();
  const read = async (name: string) => await store.read(join(bodyFolder(path), name)) ?? Buffer.alloc(0);
  for (const [i, item] of items.entries()) {
    const loaded = await item.load();
    const stored = typeof loaded === "string" ? JSON.parse(loaded) as HarEntry : loaded;
    const entry = new TapeEntry(i, readEntry(stored, i, path), read, path);
    if (entry.kind === "tcp") continue;
    const flow = new HttpFlow(entry.requestNow() ?? await entry.request(), { id: 0, host: "tape", port: 0 });
    if (places.has(modes.placeOf(flow))) found.add(item);
  }
  return found;
}

/**
 * Puts what was recorded anew in the places of what it replaces: the first of a request in the place of the first, and so on. What is
 * the same but for its moment stays as it was. What has no place stands behind what came before it.
 */
export async function putAnew(
  items: readonly Kept[],
  anew: readonly Kept[],
  replaced: ReadonlySet<Kept>,
): Promise<Kept[]> {
  const story = inOrder(anew);
  const left = byKey(story);
  const placed = new Map<Kept, Kept>();
  const result: Kept[] = [];
  for (const item of items) {
    if (!replaced.has(item)) {
      result.push(item);
      continue;
    }
    const next = left.get(item.key)?.shift();
    if (next === undefined) continue;
    await learnSame([item, next]);
    const kept = item.same === next.same ? item : next;
    placed.set(next, kept);
    result.push(kept);
  }
  // Behind the one before it in the story; the first ones before the one that follows them.
  let before: Kept | undefined;
  for (const [i, item] of story.entries()) {
    if (!placed.has(item)) {
      const following = story.slice(i + 1).map((one) => placed.get(one)).find((one) => one !== undefined);
      const at = before !== undefined
        ? result.indexOf(before) + 1
        : following !== undefined
        ? result.indexOf(following)
        : result.length;
      result.splice(at, 0, item);
      placed.set(item, item);
    }
    before = placed.get(item);
  }
  return result;
}
