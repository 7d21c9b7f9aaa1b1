/**
 * The last gate: what still looks like a secret when all is redacted is not written.
 *
 * @module
 */
import type { Redactor } from "./redactor.ts";
import type { Secrets } from "./secrets.ts";
import { atOnce, inTurns } from "./steps.ts";
import { type Suspect, suspectsInBody, suspectsInHeader, suspectsInUrl } from "./suspects.ts";

/** Something that was to be written looks like a secret. Whoever knows the tape and the entry makes an error for people of it. */
export class SecretLeftError extends Error {
  readonly #collect: () => Collecting;

  /** @param collect one that goes on where this one has stopped */
  constructor(suspects: readonly Suspect[], collect: () => Collecting) {
    super(suspects.map(({ field, kind }) => `${field}: ${kind}`).join(", "));
    this.#collect = collect;
  }

  /** All that looks like one in what is encoded, not the first place alone. Nothing of it may be written. */
  async suspectsIn(encode: (redactor: Redactor) => Promise<unknown>): Promise<Suspect[]> {
    const { redactor, suspects } = this.#collect();
    await encode(redactor);
    return suspects;
  }
}

interface Collecting {
  readonly redactor: Redactor;
  readonly suspects: Suspect[];
}

/** A redactor that throws {@linkcode SecretLeftError} rather than give away what looks like a secret. */
export function gated(redactor: Redactor, secrets: Secrets): Redactor {
  return inspecting(redactor, secrets, (suspects) => {
    throw new SecretLeftError(suspects, () => {
      const all: Suspect[] = [];
      return { redactor: inspecting(redactor, secrets, (suspects) => all.push(...suspects)), suspects: all };
    });
  });
}

function inspecting(redactor: Redactor, secrets: Secrets, found: (suspects: readonly Suspect[]) => void): Redactor {
  const check = <T>(clean: T, suspects: readonly Suspect[]): T => {
    if (suspects.length > 0) found(suspects);
    return clean;
  };
  return {
    url: (url) => {
      const clean = redactor.url(url);
      return check(clean, suspectsInUrl(clean, secrets));
    },
    header: (name, value) => {
      const clean = redactor.header(name, value);
      return check(clean, suspectsInHeader(name, clean, secrets));
    },
    body: (bytes, contentType) => {
      const clean = redactor.body(bytes, contentType);
      return check(clean, atOnce(suspectsInBody(clean, contentType, secrets)));
    },
    // What is small is done at once: secrets are numbered in the order in which exchanges end.
    bodyInTurns: (bytes, contentType) => {
      const inspect = (clean: Uint8Array) => {
        const suspects = inTurns(suspectsInBody(clean, contentType, secrets));
        return suspects instanceof Promise ? suspects.then((found) => check(clean, found)) : check(clean, suspects);
      };
      const clean = redactor.bodyInTurns(bytes, contentType);
      return clean instanceof Promise ? clean.then(inspect) : inspect(clean);
    },
    text: (text) => redactor.text(text),
  };
}
