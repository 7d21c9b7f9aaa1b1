/**
 * Takes secrets out of what a report shows, as on a tape. A tape that would hold what looks like a secret is not written; a report is
 * needed when something has gone wrong, so there such a value alone is left out.
 *
 * @module
 */
import process from "node:process";
import { Buffer } from "node:buffer";
import { SecretLeftError } from "../tape/redact/gate.ts";
import { type RedactOptions, secretsInEnvironment } from "../tape/redact/options.ts";
import { Ledger } from "../tape/redact/placeholders.ts";
import { createWritingRedactor, type Redactor } from "../tape/redact/redactor.ts";
import type { Suspect } from "../tape/redact/suspects.ts";

/** What stands in the place of a value that only looks like a secret. */
export const SUSPECT = "[redacted:looks-random]";

/** Takes secrets out of the parts of flows. */
export class Cleaner {
  readonly #redactor: Redactor;

  /** @param redact as in the options of a tape */
  constructor(redact: false | RedactOptions = {}) {
    this.#redactor = createWritingRedactor(redact, new Ledger(named(redact || {})));
  }

  /** A URL. */
  url(url: string): string {
    return this.#guarded(() => this.#redactor.url(url), () => `${url.split(/[?#]/, 1)[0]}?${SUSPECT}`);
  }

  /** The value of a header field. */
  header(name: string, value: string): string {
    return this.#guarded(() => this.#redactor.header(name, value), () => SUSPECT);
  }

  /** Any other text. */
  text(text: string): string {
    return this.#guarded(() => this.#redactor.text(text), () => SUSPECT);
  }

  /** A body without content coding, or a message; `undefined`: it holds what looks like a secret, and cannot be shown without it. */
  async body(bytes: Uint8Array, contentType: string | null): Promise<Uint8Array | undefined> {
    try {
      return await this.#redactor.bodyInTurns(bytes, contentType);
    } catch (error) {
      if (!(error instanceof SecretLeftError)) throw error;
      return await this.#withoutSuspects(bytes, contentType, error);
    }
  }

  async #withoutSuspects(bytes: Uint8Array, contentType: string | null, error: SecretLeftError) {
    let clean = bytes;
    const suspects = await error.suspectsIn(async (redactor) => {
      clean = await redactor.bodyInTurns(bytes, contentType);
    });
    const text = Buffer.from(clean.buffer, clean.byteOffset, clean.byteLength).toString("latin1");
    const masked = suspects.reduce((text, suspect) => text.replace(shapeOf(suspect), SUSPECT), text);
    try {
      return await this.#redactor.bodyInTurns(Buffer.from(masked, "latin1"), contentType);
    } catch (error) {
      if (error instanceof SecretLeftError) return undefined;
      throw error;
    }
  }

  #guarded(clean: () => string, instead: () => string): string {
    try {
      return clean();
    } catch (error) {
      if (error instanceof SecretLeftError) return instead();
      throw error;
    }
  }
}

/** What is known of a suspect is how it begins, and how long it is. */
function shapeOf({ excerpt }: Suspect): RegExp {
  const [, start = "", length = "0"] = /^(.*)\.\.\. \((\d+) characters\)$/s.exec(excerpt) ?? [];
  const rest = Math.max(0, Number(length) - start.length);
  return new RegExp(`${start.replace(/[^\w]/g, "\\$&")}[\\w+/.~=%-]{${rest},}`, "g");
}

function named(redact: RedactOptions): ReadonlyMap<string, string> {
  try {
    return secretsInEnvironment(redact, process.env);
  } catch {
    // Deno without the permission to read the environment.
    return new Map();
  }
}
