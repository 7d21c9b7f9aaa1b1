/**
 * The last gate: what still looks like a secret when all is redacted is not written.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import type { Redactor } from "./redactor.ts";
import type { Secrets } from "./secrets.ts";
import { atOnce, inTurns } from "./steps.ts";
import { type Suspect, suspectsInBody, suspectsInHeader, suspectsInUrl } from "./suspects.ts";

/** Something that was to be written looks like a secret. Whoever knows the tape and the entry makes an error for people of it. */
export class SecretLeftError extends Error {
  /** What looks like one. */
  readonly suspects: readonly Suspect[];

  /** @param suspects at least one */
  constructor(suspects: readonly Suspect[]) {
    super(suspects.map(({ field, kind }) => `${field}: ${kind}`).join(", "));
    this.suspects = suspects;
  }
}

/** A redactor that throws {@linkcode SecretLeftError} rather than give away what looks like a secret. */
export function gated(redactor: Redactor, secrets: Secrets): Redactor {
  const check = <T>(clean: T, suspects: readonly Suspect[]): T => {
    if (suspects.length > 0) throw new SecretLeftError(suspects);
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
    bodyInTurns: async (bytes, contentType) => {
      const clean = await redactor.bodyInTurns(bytes, contentType);
      return check(clean, await inTurns(suspectsInBody(clean, contentType, secrets)));
    },
    text: (text) => redactor.text(text),
  };
}

/** An exchange that is not written. */
export interface HeldEntry {
  /** `POST https://shop.test/login`, without what is secret. */
  readonly entry: string;
  /** What looks like a secret. */
  readonly suspects: readonly Suspect[];
}

/** The error of a tape that is not written because of these. */
export function holdsSecret(path: string, held: readonly HeldEntry[]): TapeError {
  const lines = held.slice(0, 20).flatMap(({ entry, suspects }) => [
    `  ${entry}`,
    ...suspects.map(({ field, kind, excerpt, redact, allow }) =>
      `    ${field}: ${kind} ${excerpt}\n      a secret: ${redact}\n      no secret: ${allow}`
    ),
  ]);
  if (held.length > 20) lines.push(`  and ${held.length - 20} more`);
  return new TapeError(
    "TAPE_HOLDS_SECRET",
    `${path} is not written, because it would hold what looks like a secret:\n${lines.join("\n")}`,
  );
}
