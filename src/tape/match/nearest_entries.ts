/**
 * The few entries of a tape that a request is worth comparing with.
 *
 * @module
 */
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";

/** How many entries are looked at, and how many of them are compared field by field. */
const LOOKED_AT = 300;
const COMPARED = 8;

/** Entries by host and path, put in order when the first request is not matched. */
export class NearestEntries {
  readonly #entries: readonly TapeEntry[];
  #byPlace: Map<string, TapeEntry[]> | undefined;

  /** @param entries all of the tape */
  constructor(entries: readonly TapeEntry[]) {
    this.#entries = entries;
  }

  /** The entries that are nearest by their URL: of the same path, of the same host, of the same path elsewhere, any. */
  to(request: FlowRequest): TapeEntry[] {
    const byPlace = this.#byPlace ??= this.#sort();
    const { host, path, segments } = placeOf(request.url);
    const found = new Set<TapeEntry>();
    for (const place of [`${host}${path}`, host, path]) {
      for (const entry of byPlace.get(place) ?? []) {
        if (found.size === LOOKED_AT) break;
        found.add(entry);
      }
    }
    for (let i = 0; found.size < COMPARED && i < this.#entries.length; i++) found.add(this.#entries[i]!);
    const score = (entry: TapeEntry) => {
      const place = placeOf(entry.url);
      const shared = place.segments.filter((segment, i) => segment === segments[i]).length;
      return (place.host === host ? 100 : 0) + (place.path === path ? 100 : shared) +
        (entry.method === request.method ? 10 : 0) + sharedQuery(entry.url, request.url);
    };
    return Array.from(found, (entry) => ({ entry, score: score(entry) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, COMPARED)
      .map(({ entry }) => entry);
  }

  #sort(): Map<string, TapeEntry[]> {
    const places = new Map<string, TapeEntry[]>();
    for (const entry of this.#entries) {
      const { host, path } = placeOf(entry.url);
      for (const place of [`${host}${path}`, host, path]) {
        const list = places.get(place);
        if (list === undefined) places.set(place, [entry]);
        // More than are ever looked at need not be kept.
        else if (list.length < LOOKED_AT) list.push(entry);
      }
    }
    return places;
  }
}

function placeOf(url: string): { host: string; path: string; segments: string[] } {
  const start = url.indexOf("://") + 3;
  const end = url.search(/[?#]/);
  const place = url.slice(start, end < 0 ? url.length : end);
  const slash = place.indexOf("/");
  const path = slash < 0 ? "/" : place.slice(slash);
  return { host: (slash < 0 ? place : place.slice(0, slash)).toLowerCase(), path, segments: path.split("/") };
}

/** From 0 to 9: how many query parameters are the same. */
function sharedQuery(a: string, b: string): number {
  const wanted = new Set(a.slice(a.indexOf("?") + 1).split("&"));
  return Math.min(9, b.slice(b.indexOf("?") + 1).split("&").filter((pair) => wanted.has(pair)).length);
}
