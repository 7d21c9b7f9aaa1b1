/**
 * Takes secrets out of what a report shows, as on a tape. A tape that would hold what looks like a secret is not written; a report is
 * needed when something has gone wrong, so there such a value alone is left out.
 *
 * @module
 */
import process from "node:process";
import { NOT_SHOWN } from "../tape/redact/mask.ts";
import { type RedactOptions, secretsInEnvironment } from "../tape/redact/options.ts";
import { Ledger } from "../tape/redact/placeholders.ts";
import { createShowingRedactor, type Redactor } from "../tape/redact/redactor.ts";

/** Takes secrets out of the parts of flows. */
export class Cleaner {
  readonly #redactor: Redactor;

  /** @param redact as in the options of a tape */
  constructor(redact: false | RedactOptions = {}) {
    this.#redactor = createShowingRedactor(redact, new Ledger(named(redact || {})));
  }

  /** A URL. */
  url(url: string): string {
    return this.#redactor.url(url);
  }

  /** The value of a header field. */
  header(name: string, value: string): string {
    return this.#redactor.header(name, value);
  }

  /** Any other text. */
  text(text: string): string {
    return this.#redactor.text(text);
  }

  /** A body without content coding, or a message; `undefined`: it holds what looks like a secret, and cannot be shown without it. */
  async body(bytes: Uint8Array, contentType: string | null): Promise<Uint8Array | undefined> {
    const clean = await this.#redactor.bodyInTurns(bytes, contentType);
    return clean === NOT_SHOWN ? undefined : clean;
  }
}

function named(redact: RedactOptions): ReadonlyMap<string, string> {
  try {
    return secretsInEnvironment(redact, process.env);
  } catch {
    // Deno without the permission to read the environment.
    return new Map();
  }
}
