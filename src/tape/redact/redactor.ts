/**
 * Takes secrets out of what is written, and out of live requests before they are compared with it.
 * Redacting twice changes nothing: tapes of others hold secrets that are redacted when they are looked up.
 *
 * @module
 */
import { redactBody } from "./body.ts";
import { gated } from "./gate.ts";
import { masking } from "./mask.ts";
import type { RedactOptions } from "./options.ts";
import { ALL_ALIKE, type Ledger } from "./placeholders.ts";
import { Secrets } from "./secrets.ts";
import { atOnce, inTurns } from "./steps.ts";
import { redactText } from "./text.ts";
import { redactHeader, redactUrl } from "./url.ts";

/** Redacts the parts of a message. */
export interface Redactor {
  /** A URL: password, path, query, fragment. */
  url(url: string): string;
  /** The value of a header or trailer field. */
  header(name: string, value: string): string;
  /** A body without content coding, or a message of a stream. The same array when there is nothing to redact. */
  body(bytes: Uint8Array, contentType: string | null): Uint8Array;
  /** The same in turns: a large body does not keep others waiting. */
  bodyInTurns(bytes: Uint8Array, contentType: string | null): Uint8Array | Promise<Uint8Array>;
  /** Any other text, such as the message of an error. */
  text(text: string): string;
}

/** One for comparing: any secret stands for any other, in recorded and in live requests. */
export function createRedactor(options: false | RedactOptions = {}): Redactor {
  return options === false ? NOTHING : redactorOf(new Secrets(options, ALL_ALIKE));
}

/**
 * One for writing: secrets have names and numbers, and what still looks like one when all is done is refused.
 *
 * @param ledger which secrets are known
 */
export function createWritingRedactor(options: false | RedactOptions | undefined, ledger: Ledger): Redactor {
  if (options === false) return NOTHING;
  const secrets = new Secrets(options ?? {}, ledger);
  return gated(redactorOf(secrets), secrets);
}

/**
 * One for showing: secrets have names and numbers, and what still looks like one when all is done is taken out, too.
 *
 * @param ledger which secrets are known
 */
export function createShowingRedactor(options: false | RedactOptions | undefined, ledger: Ledger): Redactor {
  if (options === false) return NOTHING;
  const secrets = new Secrets(options ?? {}, ledger);
  return masking(redactorOf(secrets), secrets);
}

/** Whether it redacts at all. */
export function redacts(redactor: Redactor): boolean {
  return redactor !== NOTHING;
}

function redactorOf(secrets: Secrets): Redactor {
  return {
    url: (url) => redactUrl(url, secrets),
    header: (name, value) => redactHeader(name, value, secrets),
    body: (bytes, contentType) => atOnce(redactBody(bytes, contentType, secrets)),
    bodyInTurns: (bytes, contentType) => inTurns(redactBody(bytes, contentType, secrets)),
    text: (text) => secrets.custom(redactText(text, "plain", secrets)),
  };
}

const NOTHING: Redactor = {
  url: (url) => url,
  header: (_name, value) => value,
  body: (bytes) => bytes,
  bodyInTurns: (bytes) => bytes,
  text: (text) => text,
};
