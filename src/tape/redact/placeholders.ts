/**
 * What stands on a tape in the place of a secret.
 *
 * Each secret has a name and a number, `[redacted:access_token-1]`, in the order in which they are met: so a recording with other secrets
 * is the same file, and two secrets can still be told apart. It is no hash: whoever has the hash of a password needs a list of passwords
 * only. Those of `restore` have the name that is given there, on every tape.
 *
 * @module
 */
import { REDACTED } from "../../flow/sensitive.ts";
import { looksRandom } from "./random.ts";

/** Gives secrets their placeholders. */
export interface Placeholders {
  /** The placeholder of a secret; always the same one for the same secret. `name` is where it was found, or what it is. */
  of(secret: string, name: string): string;
  /** Takes secrets out of text that are known from elsewhere, and writes placeholders in the one form that they have here. */
  inText(text: string): string;
}

/** A placeholder in text, with or without name and number. */
export const PLACEHOLDER: RegExp = /\[redacted(?::[\w.-]{1,64})?\]/g;

/** Whether a value is a placeholder and nothing else. */
export function isPlaceholder(value: string): boolean {
  return value.startsWith("[redacted") && /^\[redacted(?::[\w.-]{1,64})?\]$/.test(value);
}

/** Placeholders that are percent-encoded, as clients send them back in URLs and forms, are written plainly. */
export function decodePlaceholders(text: string): string {
  if (!/%5Bredacted/i.test(text)) return text;
  return text.replace(
    /%5Bredacted(?:(?:%3A|:)([\w.-]{1,64}))?%5D/gi,
    (_, name) => name ? `[redacted:${name}]` : REDACTED,
  );
}

/** One for all secrets: for comparing requests, where any secret stands for any other. */
export const ALL_ALIKE: Placeholders = {
  of: () => REDACTED,
  inText: (text) => text.includes("[redacted:") ? text.replace(PLACEHOLDER, REDACTED) : text,
};

/** How many secrets are remembered: a proxy may live for long. */
const MOST = 100_000;

/** Those of one tape. */
export class Ledger implements Placeholders {
  readonly #known = new Map<string, string>();
  readonly #next = new Map<string, number>();
  // Secrets that are taken out wherever they stand: too long and too random to stand there for another reason.
  readonly #anywhere = new Set<string>();
  readonly #named: (readonly [secret: string, placeholder: string])[] = [];
  readonly #resolve: (secret: string) => string | undefined;

  /**
   * @param named secrets that have a name, by placeholder
   * @param resolve the placeholder for what a client sends, if it stands for one on this tape
   */
  constructor(
    named: ReadonlyMap<string, string> = new Map(),
    resolve: (secret: string) => string | undefined = () => undefined,
  ) {
    for (const [placeholder, secret] of named) {
      this.#known.set(secret, placeholder);
      this.#named.push([secret, placeholder]);
    }
    // One may be a part of another.
    this.#named.sort(([a], [b]) => b.length - a.length);
    this.#resolve = resolve;
  }

  /** Numbers that the tape has already are not given again. @param next the first that is free, by label */
  reserve(next: ReadonlyMap<string, number>): void {
    for (const [label, number] of next) this.#next.set(label, Math.max(this.#next.get(label) ?? 1, number));
  }

  of(secret: string, name: string): string {
    const known = this.#known.get(secret) ?? this.#resolve(secret);
    if (known !== undefined) return known;
    const label = labelOf(name);
    const number = this.#next.get(label) ?? 1;
    const placeholder = `[redacted:${label}-${number}]`;
    this.#next.set(label, number + 1);
    if (this.#known.size < MOST) {
      this.#known.set(secret, placeholder);
      if (/^[\w-]{16,}$/.test(secret) && looksRandom(secret)) this.#anywhere.add(secret);
    }
    return placeholder;
  }

  inText(text: string): string {
    for (const [secret, placeholder] of this.#named) text = text.replaceAll(secret, placeholder);
    return text;
  }

  /** The placeholder of a word that is known as a secret from elsewhere. */
  word(word: string): string | undefined {
    return this.#anywhere.has(word) ? this.#known.get(word) : undefined;
  }

  /** How many secrets are known. */
  get size(): number {
    return this.#known.size;
  }

  /** How many of them are words that are taken out wherever they stand. */
  get words(): number {
    return this.#anywhere.size;
  }

  /** Whether there are any such words. */
  get hasWords(): boolean {
    return this.#anywhere.size > 0;
  }
}

/** `user[password]` is `user_password`. */
function labelOf(name: string): string {
  const label = name.toLowerCase().replace(/^x-/, "").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 32);
  return label === "" ? "secret" : label;
}
