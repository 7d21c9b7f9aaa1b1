/**
 * Which of several entries a client means that are the same request but for secrets.
 *
 * @module
 */
import type { FlowRequest } from "../../flow/request.ts";
import type { TapeEntry } from "../entry.ts";
import { isPlaceholder } from "../redact/placeholders.ts";
import type { Bindings } from "./bindings.ts";
import { headOf } from "./rewrite.ts";
import { RequestValues } from "./values.ts";

type Secrets = readonly (readonly [place: string, placeholder: string])[];

/** Tells entries apart by their secrets. */
export class Preference {
  readonly #bindings: Bindings;
  readonly #secrets = new WeakMap<TapeEntry, Secrets>();
  readonly #alike = new WeakMap<readonly TapeEntry[], boolean>();

  /** @param bindings which secrets of this run stand for which placeholders */
  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  /**
   * Of entries that are the same request but for secrets: those whose secrets are the ones of this request. `undefined` when all are as
   * good.
   */
  of(entries: readonly TapeEntry[], request: FlowRequest): ReadonlySet<TapeEntry> | undefined {
    if (this.#areAlike(entries)) return undefined;
    const bindings = this.#bindings;
    const values = new RequestValues(request);
    let best = -Infinity;
    let chosen: TapeEntry[] = [];
    for (const entry of entries) {
      let score = 0;
      for (const [place, placeholder] of this.#secretsOf(entry)) {
        const live = values.get(place);
        if (live === undefined) continue;
        const known = isPlaceholder(live) ? live : bindings.recordedOf(live);
        if (known === placeholder) score += 2;
        else if (known !== undefined || bindings.liveOf(placeholder) !== undefined) score -= 2;
      }
      if (score > best) {
        best = score;
        chosen = [];
      }
      if (score === best) chosen.push(entry);
    }
    return chosen.length === entries.length ? undefined : new Set(chosen);
  }

  /** Whether all of them have the same secrets; found out once for each list. */
  #areAlike(entries: readonly TapeEntry[]): boolean {
    let alike = this.#alike.get(entries);
    if (alike === undefined) {
      const [first, ...others] = entries.map((entry) => this.#secretsOf(entry).join("\n"));
      this.#alike.set(entries, alike = others.every((other) => other === first));
    }
    return alike;
  }

  /** Secrets in what is in memory of a request. */
  #secretsOf(entry: TapeEntry): Secrets {
    let secrets = this.#secrets.get(entry);
    if (secrets === undefined) {
      const values = new RequestValues(entry.requestNow() ?? headOf(entry));
      this.#secrets.set(entry, secrets = Array.from(values).filter(([, value]) => isPlaceholder(value)));
    }
    return secrets;
  }
}
