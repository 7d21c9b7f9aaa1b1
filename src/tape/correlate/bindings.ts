/**
 * Which values of the recording stand for which values of this run.
 *
 * @module
 */
import { isPlaceholder } from "../redact/placeholders.ts";
import { mask } from "../redact/suspects.ts";
import type { Pairs } from "./unusual.ts";

/** More are not remembered: those that came first are forgotten. */
const MOST = 10_000;

/** Values of the recording, and of this run. */
export class Bindings {
  readonly #live = new Map<string, string>();
  readonly #recorded = new Map<string, string>();
  readonly #seen = new Set<string>();

  /** Secrets of the environment, by placeholder. */
  readonly restored: Pairs;

  /** @param restored secrets of the environment, by placeholder */
  constructor(restored: Pairs = new Map()) {
    this.restored = restored;
    for (const [placeholder, secret] of restored) this.bind(placeholder, secret);
  }

  /** The placeholder for what a client has sent in the place of one. */
  placeholderOf(live: string): string | undefined {
    const recorded = this.#recorded.get(live);
    return recorded !== undefined && isPlaceholder(recorded) ? recorded : undefined;
  }

  /** From here on one stands for the other. */
  bind(recorded: string, live: string): void {
    if (recorded === live) return;
    for (const map of [this.#live, this.#recorded]) {
      if (map.size >= MOST) map.delete(map.keys().next().value!);
    }
    this.#live.set(recorded, live);
    this.#recorded.set(live, recorded);
  }

  /** What stands for a recorded value in this run. */
  liveOf(recorded: string): string | undefined {
    return this.#live.get(recorded);
  }

  /** What a value of this run stands for. */
  recordedOf(live: string): string | undefined {
    return this.#recorded.get(live);
  }

  /** A server has given these to a client in this run. */
  see(values: Iterable<string>): void {
    for (const value of values) {
      if (this.#seen.size >= MOST) return;
      this.#seen.add(value);
    }
  }

  /** Whether a server has given this to a client in this run. */
  hasSeen(value: string): boolean {
    return this.#seen.has(value);
  }

  /** By recorded value: what clients are given. */
  get toLive(): Pairs {
    return this.#live;
  }

  /** By value of this run: what is on the tape. */
  get toRecorded(): Pairs {
    return this.#recorded;
  }

  /** Whether there is none. */
  get none(): boolean {
    return this.#live.size === 0;
  }

  /** For the explanation of a request that nothing matches. */
  describe(): string {
    const lines = Array.from(this.#live).slice(-8).map(([recorded, live]) =>
      `  ${recorded.startsWith("[") ? recorded : mask(recorded)} is ${mask(live)}`
    );
    return lines.length === 0 ? "" : `\nValues of the recording, and what they are in this run:\n${lines.join("\n")}\n`;
  }
}
