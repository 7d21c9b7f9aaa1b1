/**
 * The recorded conversations of a tape, by where they were held.
 *
 * @module
 */
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import { type Role, Roles } from "./roles.ts";
import type { Script } from "./script.ts";

/** How they are played. */
export interface ConversationsOptions<Heard> {
  readonly keyOf: (entry: TapeEntry) => string;
  /** Reads one. */
  readonly load: (entry: TapeEntry) => Promise<Script<Heard>>;
  readonly afterLast: TapeOptions["afterLast"];
}

/** Conversations of one kind. What was said is read when somebody begins one. */
export class Conversations<Heard> {
  readonly #places: ReadonlyMap<string, readonly TapeEntry[]>;
  readonly #options: ConversationsOptions<Heard>;
  readonly #loading = new Map<string, Promise<Roles<Heard>>>();
  readonly #loaded = new Map<string, Roles<Heard>>();

  constructor(entries: readonly TapeEntry[], options: ConversationsOptions<Heard>) {
    this.#places = Map.groupBy(entries, options.keyOf);
    this.#options = options;
  }

  /** The entries of a place; none when there are none. */
  at(key: string): readonly TapeEntry[] {
    return this.#places.get(key) ?? [];
  }

  /** The entries that nobody has played. */
  get unused(): TapeEntry[] {
    return [...this.#places].flatMap(([key, entries]) => this.#loaded.get(key)?.unused ?? entries);
  }

  /**
   * A part in the next conversation of a place that has any; `undefined`: all have been played.
   *
   * @throws {TapeError} what was said cannot be read
   */
  async take(key: string): Promise<Role<Heard> | undefined> {
    let loading = this.#loading.get(key);
    if (loading === undefined) this.#loading.set(key, loading = this.#load(key));
    return (await loading).take();
  }

  async #load(key: string): Promise<Roles<Heard>> {
    const scripts: Script<Heard>[] = [];
    for (const entry of this.at(key)) scripts.push(await this.#options.load(entry));
    const roles = new Roles(scripts, this.#options.afterLast);
    this.#loaded.set(key, roles);
    return roles;
  }
}
