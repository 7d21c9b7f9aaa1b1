/**
 * For what is shown and not recorded: what still looks like a secret when all is redacted is taken out as well. A tape with such a value
 * is refused; a message, a snapshot or a report is wanted all the same.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Redactor } from "./redactor.ts";
import type { Secrets } from "./secrets.ts";
import { atOnce, inTurns } from "./steps.ts";
import { type Suspect, suspectsInBody, suspectsInHeader, suspectsInUrl } from "./suspects.ts";

/** What stands in the place of a value that only looks like a secret. */
export const LOOKS_RANDOM = "[redacted:looks-random]";

/** What stands in the place of a body from which such a value cannot be taken. */
export const NOT_SHOWN: Uint8Array = Buffer.from(LOOKS_RANDOM);

/** A redactor that leaves nothing which looks like a secret. */
export function masking(redactor: Redactor, secrets: Secrets): Redactor {
  return {
    url: (url) => {
      const clean = redactor.url(url);
      const masked = atOnce(withoutSuspects(clean, (text) => done(suspectsInUrl(text, secrets))));
      return masked ?? `${clean.split(/[?#]/, 1)[0]}?${LOOKS_RANDOM}`;
    },
    header: (name, value) => {
      const clean = redactor.header(name, value);
      return atOnce(withoutSuspects(clean, (text) => done(suspectsInHeader(name, text, secrets)))) ?? LOOKS_RANDOM;
    },
    body: (bytes, contentType) => atOnce(maskedBody(redactor.body(bytes, contentType), contentType, secrets)),
    bodyInTurns: (bytes, contentType) => {
      const mask = (clean: Uint8Array) => inTurns(maskedBody(clean, contentType, secrets));
      const clean = redactor.bodyInTurns(bytes, contentType);
      return clean instanceof Promise ? clean.then(mask) : mask(clean);
    },
    text: (text) => redactor.text(text),
  };
}

function* maskedBody(clean: Uint8Array, contentType: string | null, secrets: Secrets): Generator<void, Uint8Array> {
  // A character for each byte: what is no text comes back as it was.
  const text = Buffer.from(clean.buffer, clean.byteOffset, clean.byteLength).toString("latin1");
  const suspectsIn = (text: string) => suspectsInBody(Buffer.from(text, "latin1"), contentType, secrets);
  const masked = yield* withoutSuspects(text, suspectsIn);
  if (masked === undefined) return NOT_SHOWN;
  return masked === text ? clean : Buffer.from(masked, "latin1");
}

/** A message is searched for so many suspects at a time; with more rounds than this, nearly all of it is suspect. */
const MOST_ROUNDS = 20;

/** The text without them; `undefined`: they are found, and it is not known which characters they are. */
function* withoutSuspects(
  text: string,
  suspectsIn: (text: string) => Generator<void, Suspect[]>,
): Generator<void, string | undefined> {
  for (let round = 0, left = text; round < MOST_ROUNDS; round++) {
    const suspects = yield* suspectsIn(left);
    if (suspects.length === 0) return left;
    const masked = suspects.reduce((text, suspect) => text.replace(shapeOf(suspect), LOOKS_RANDOM), left);
    if (masked === left) return undefined;
    left = masked;
  }
  return undefined;
}

// deno-lint-ignore require-yield -- what is short is searched at once
function* done(suspects: Suspect[]): Generator<void, Suspect[]> {
  return suspects;
}

/** What is known of a suspect is how it begins, and how long it is; in URLs and forms its characters may be percent-encoded. */
function shapeOf({ excerpt }: Suspect): RegExp {
  const [, start = excerpt, length = "0"] = /^(.*)\.\.\. \((\d+) characters\)$/s.exec(excerpt) ?? [];
  const rest = Math.max(0, Number(length) - start.length);
  const first = Array.from(start, (sign) => {
    const code = sign.charCodeAt(0).toString(16).padStart(2, "0").replace(
      /[a-f]/g,
      (hex) => `[${hex}${hex.toUpperCase()}]`,
    );
    return `(?:${sign.replace(/[^\w]/g, "\\$&")}|%${code})`;
  });
  return new RegExp(`${first.join("")}(?:%[\\da-fA-F]{2}|[\\w+/.~=%-]){${rest},}`, "g");
}
