/**
 * For what is shown and not recorded: what still looks like a secret when all is redacted is taken out as well. A tape with such a value
 * is refused; a message or a snapshot is wanted all the same.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Redactor } from "./redactor.ts";
import type { Secrets } from "./secrets.ts";
import { atOnce } from "./steps.ts";
import { type Suspect, suspectsInBody, suspectsInHeader, suspectsInUrl } from "./suspects.ts";

/** What stands in the place of a value that only looks like a secret. */
export const LOOKS_RANDOM = "[redacted:looks-random]";

/** A redactor that leaves nothing which looks like a secret. */
export function masking(redactor: Redactor, secrets: Secrets): Redactor {
  const body = (bytes: Uint8Array, contentType: string | null) => {
    const clean = redactor.body(bytes, contentType);
    const suspects = atOnce(suspectsInBody(clean, contentType, secrets));
    if (suspects.length === 0) return clean;
    const text = Buffer.from(clean.buffer, clean.byteOffset, clean.byteLength).toString("latin1");
    return Buffer.from(maskAll(text, suspects), "latin1");
  };
  return {
    url: (url) => {
      const clean = redactor.url(url);
      return maskAll(clean, suspectsInUrl(clean, secrets));
    },
    header: (name, value) => {
      const clean = redactor.header(name, value);
      return maskAll(clean, suspectsInHeader(name, clean, secrets));
    },
    body,
    bodyInTurns: body,
    text: (text) => redactor.text(text),
  };
}

function maskAll(text: string, suspects: readonly Suspect[]): string {
  return suspects.reduce((text, suspect) => text.replace(shapeOf(suspect), LOOKS_RANDOM), text);
}

/** What is known of a suspect is how it begins, and how long it is. */
function shapeOf({ excerpt }: Suspect): RegExp {
  const [, start = excerpt, length = "0"] = /^(.*)\.\.\. \((\d+) characters\)$/s.exec(excerpt) ?? [];
  const rest = Math.max(0, Number(length) - start.length);
  return new RegExp(`${start.replace(/[^\w]/g, "\\$&")}[\\w+/.~=%-]{0,${rest}}`, "g");
}
