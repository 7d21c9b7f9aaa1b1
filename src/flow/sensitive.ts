/**
 * What may hold a credential: the one list of names, and how such values are shown.
 *
 * @module
 */

import { replaceTokens } from "./token_shapes.ts";

/** What stands in place of a value that is not shown. */
export const REDACTED = "[redacted]";

// Compared without case, "x-", "-", "_" and ".", so that api-key, X-Api-Key, apiKey and API_KEY are one name.
const EXACT: ReadonlySet<string> = new Set([
  "auth",
  "pwd",
  "pass",
  "sid",
  "sig",
  "jwt",
  "bearer",
  "session",
  "otp",
  "assertion",
  "samlresponse",
  "codeverifier",
  "authcode",
  "authorizationcode",
  "devicecode",
  "totp",
  "hmac",
  "cardnumber",
  "cvc",
  "cvv",
]);

/** Names that hold a credential here and something else there: what stands behind them decides. */
const AMBIGUOUS: ReadonlySet<string> = new Set(["key", "code", "ticket", "sign", "access", "usercode", "license"]);

/** "max_tokens" and "tokenizer" are no secrets: most words count at the end of a name only. */
const WORD =
  /secret|password|passwd|passphrase|passcode|privatekey|(?:token|(?:api|app|auth|access|accountaccess|sharedaccess|account|master|signing|encryption|subscription|webhook)key|accesskeyid|authorization|cookie|credentials?|sessionid|sessid|signature|clientassertion|csrf|xsrf)\d*$/;

/** Where the next page begins is no secret. */
const PAGE = /(?:page|paging|continuation|sync|skip)token$/;

/**
 * Whether a header, query parameter, form field, cookie or JSON key of this name may hold a credential.
 * `Set-Cookie`, `client_secret` and `apiKey` may; `max_tokens` may not.
 */
export function isSensitiveName(name: string): boolean {
  // A path or a sentence is no name.
  if (name.length > 64 || name.includes("/")) return false;
  // Forms nest names in brackets: user[token].
  const plain = plainName(name);
  return EXACT.has(plain) || (WORD.test(plain) && !PAGE.test(plain));
}

/** Whether a value of this name is a credential if it looks like one: `?key=`, `?code=`. */
export function isAmbiguousName(name: string): boolean {
  return AMBIGUOUS.has(plainName(name));
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/^x-|[-_.\s[\]]/g, "");
}

/** A copy of a JSON value whose sensitive members are {@linkcode REDACTED}. */
export function redactJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, isSensitive(key, member) ? REDACTED : redactJson(member)]),
  );
}

/** A URL whose sensitive query parameters, and password, are {@linkcode REDACTED}; the rest stays as it was written. */
export function redactUrl(url: string): string {
  url = redactTokens(url);
  const mark = url.indexOf("?");
  const start = mark < 0 ? url : url.slice(0, mark);
  const plain = start.replace(/^([a-z*]+:\/\/)[^/@]*@/i, `$1${REDACTED}@`);
  return mark < 0 ? plain : `${plain}?${redactQuery(url.slice(mark + 1))}`;
}

/** Tokens that are known by their shape are {@linkcode REDACTED}: JWTs, those of clouds, forges, payment, chat; private keys. */
export function redactTokens(text: string): string {
  return replaceTokens(text, () => REDACTED);
}

/** Text that may hold URLs, JSON, a form or header lines: tokens, and values after sensitive names, are {@linkcode REDACTED}. */
export function redactText(text: string): string {
  text = redactTokens(text.replace(/(https?:\/\/)[^\s/?#@"'<>]+@/gi, `$1${REDACTED}@`));
  let redacted = "";
  let from = 0;
  for (const match of text.matchAll(NAME)) {
    const start = match.index + match[0].length;
    // Only the value of a sensitive name is skipped: another value may itself be a pair.
    if (match.index < from || !isSensitiveName(decode(match[2]!))) continue;
    const value = /(?:authorization|cookie)$/i.test(match[2]!) ? FIELD_VALUE : VALUE;
    value.lastIndex = start;
    const length = value.exec(text)?.[0].length ?? 0;
    if (length === 0) continue;
    redacted += text.slice(from, start) + REDACTED;
    from = start + length;
  }
  return (redacted + text.slice(from)).replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`);
}

/** `"name": `, `name=` or `name: `. */
const NAME = /(?<![\w.%[\]-])(\\?["']|)([\w.%[\]-]{2,64})\1\s*[:=][^\S\n]*/g;

/** Text in quotes, also in escaped ones, a list, an object, or one word. */
const VALUE = /\\+"[^"\\]*(?:\\+")?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[[{][^\]}]*[\]}]?|[^\s&,;"'{}[\]]+/y;

/** Text in quotes, a list, or the rest of the line: `Basic abc`, `a=1; b=2`. */
const FIELD_VALUE = /"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|[^\r\n"']+/y;

function redactQuery(query: string): string {
  return query.split("&").map((pair) => {
    const mark = pair.indexOf("=");
    return mark >= 0 && isSensitiveName(decode(pair.slice(0, mark))) ? `${pair.slice(0, mark)}=${REDACTED}` : pair;
  }).join("&");
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A flag or `null` under a sensitive name tells nothing. */
function isSensitive(key: string, value: unknown): boolean {
  return value !== null && typeof value !== "boolean" && isSensitiveName(key);
}
