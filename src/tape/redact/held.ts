/**
 * Exchanges that are not written because they would hold what looks like a secret, and what people are told of them.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import { encodeEntry } from "../encode.ts";
import type { ExchangeParts } from "../parts.ts";
import type { TcpParts } from "../streams/said.ts";
import type { SecretLeftError } from "./gate.ts";
import { looksRandom } from "./random.ts";
import { mask, type Suspect } from "./suspects.ts";

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

/** What an exchange would leave on a tape, and why it is not written. */
export async function heldEntry(
  name: string,
  exchange: ExchangeParts | TcpParts,
  error: SecretLeftError,
): Promise<HeldEntry> {
  // What looks like a secret may stand in the address too.
  const entry = name.split(/[?#]/, 1)[0]!
    .replace(/[\w~.-]{20,}/g, (part) => looksRandom(part, { least: 20 }) ? mask(part) : part);
  const all = (parts: ExchangeParts | TcpParts) =>
    error.suspectsIn((redactor) =>
      encodeEntry(parts, { redactor, times: false, keepBody: () => Promise.resolve("none") })
    );
  if (!("method" in exchange)) return { entry, suspects: await all(exchange) };
  const asked = await all({ ...exchange, response: undefined, failure: undefined });
  const both = await all(exchange);
  const left = [...both];
  for (const { field, excerpt } of asked) {
    const i = left.findIndex((other) => other.field === field && other.excerpt === excerpt);
    if (i >= 0) left.splice(i, 1);
  }
  const named = (where: string) => (suspect: Suspect) => ({ ...suspect, field: `${where} ${suspect.field}` });
  return { entry, suspects: [...asked.map(named("request")), ...left.map(named("response"))] };
}
