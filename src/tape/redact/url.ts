/**
 * Takes secrets out of URLs and of the values of header fields.
 *
 * @module
 */
import { decodePlaceholders } from "./placeholders.ts";
import type { Secrets } from "./secrets.ts";
import { decode, redactCredentials, redactPairs, redactUserinfo } from "./text.ts";

/** A URL without user, password, and what is secret in path, query and fragment. */
export function redactUrl(url: string, secrets: Secrets): string {
  url = decodePlaceholders(url);
  if (url.includes("@")) url = redactUserinfo(url, secrets);
  url = redactQuery(url, secrets);
  url = secrets.shapes(redactPath(url, secrets));
  return secrets.custom(url.includes("%") ? redactEncoded(url, secrets) : url);
}

/** Tokens of which a part is percent-encoded, as `ghp%5F`. */
function redactEncoded(url: string, secrets: Secrets): string {
  return url.replace(/[^/?#&=;]*%[\da-f]{2}[^/?#&=;]*/gi, (part) => {
    const plain = decode(part);
    const clean = plain === part ? plain : secrets.shapes(plain);
    return clean === plain ? part : decodePlaceholders(encodeURIComponent(clean));
  });
}

/** The value of a header field without what is secret. */
export function redactHeader(name: string, value: string, secrets: Secrets): string {
  // A flag tells nothing, and "Access-Control-Allow-Credentials: true" must stay what it is.
  if (value === "" || /^(?:true|false)$/i.test(value)) return value;
  return secrets.custom(redactField(name, value, secrets));
}

function redactField(name: string, value: string, secrets: Secrets): string {
  const lower = name.toLowerCase();
  if (secrets.isAllowed(value, name)) return value;
  if (lower === "cookie") return redactCookies(value, secrets);
  if (lower === "set-cookie") {
    return value.replace(
      /^([^=;]*)=([^;]+)/,
      (_, cookie: string, value: string) => `${cookie}=${secrets.hide(value, cookie.trim())}`,
    );
  }
  if (lower.endsWith("authorization")) {
    const [, scheme = "", credentials = ""] = /^([A-Za-z][\w-]*[ \t]+)?([^]*)$/.exec(value)!;
    return scheme + (credentials === "" ? "" : secrets.hide(credentials, name));
  }
  if (lower === "sec-websocket-protocol") value = redactProtocols(value, secrets);
  if (secrets.isHeader(name)) return secrets.hide(value, name);
  // A challenge looks like a credential: "Bearer realm=..." (RFC 9110 section 11.6.1).
  if (!lower.endsWith("-authenticate")) value = redactCredentials(value, secrets);
  value = decodePlaceholders(value);
  if (value.includes("://")) value = redactUserinfo(value, secrets);
  if (/^[^\s<>]*[?#][^\s<>]*$/.test(value)) return secrets.shapes(redactPath(redactQuery(value, secrets), secrets));
  // Relative URLs, as in Link and Refresh.
  return secrets.shapes(redactPairs(value, "plain", secrets));
}

/** Browsers can send no other header with a WebSocket: tokens travel as protocols, behind a word or, for Kubernetes, behind a dot. */
function redactProtocols(value: string, secrets: Secrets): string {
  let before = "";
  return value.split(",").map((item) => {
    const protocol = item.trim();
    const behind = /^(?:bearer|authorization|auth|(?:access[-_]?)?token|jwt|api[-_]?key)$/i.test(before);
    const [, dotted] = /\bauthorization(?:\.[\w-]+)*\.([\w-]{12,})$/i.exec(protocol) ?? [];
    const secret = dotted ?? (behind && protocol.length >= 8 ? protocol : undefined);
    before = protocol;
    return secret === undefined ? item : item.replace(secret, () => secrets.hide(secret, "protocol"));
  }).join(",");
}

function redactCookies(value: string, secrets: Secrets): string {
  return value.split(";").map((pair) => {
    const mark = pair.indexOf("=");
    const cookie = pair.slice(mark + 1);
    return mark < 0 || cookie === ""
      ? pair
      : `${pair.slice(0, mark)}=${secrets.hide(cookie, pair.slice(0, mark).trim())}`;
  }).join(";");
}

/** Pairs in query and fragment; the value of a secret one may hold anything but "&". Some servers take ";" for "&". */
function redactQuery(url: string, secrets: Secrets, depth = 0): string {
  if (!url.includes("=")) return url;
  const replace = (text: string, pairs: RegExp) =>
    text.replace(pairs, (pair, mark: string, name: string, value: string) => {
      const plain = decode(value);
      const clean = secrets.field(decode(name), plain);
      if (clean !== plain) return `${mark}${name}=${clean}`;
      // A URL within a URL.
      if (plain === value || !/%3[ad]/i.test(value) || !/[?&#][\w.-]+=|:\/\//.test(plain)) return pair;
      const inner = redactUrlWithin(plain, secrets, depth + 1);
      return inner === plain ? pair : `${mark}${name}=${encodeURIComponent(inner)}`;
    });
  const clean = replace(url, /([?&#])([^=&#?]+)=([^&#]+)/g);
  return clean.includes(";") ? replace(clean, /(;)([^=&#?;]+)=([^&#;]+)/g) : clean;
}

/** So many URLs within one another. */
const DEEPEST = 8;

function redactUrlWithin(url: string, secrets: Secrets, depth: number): string {
  if (depth < DEEPEST) url = redactQuery(url, secrets, depth);
  return secrets.shapes(redactPairs(redactUserinfo(url, secrets), "plain", secrets));
}

/** What stands behind "reset" or "invite" in a path is given to one person only. */
function redactPath(url: string, secrets: Secrets): string {
  return url.replace(
    /\/(reset|reset[-_]password|password[-_]reset|verify|verification|confirm|confirmation|invite|invitation|invites|magic|magic[-_]link|token|tokens|unsubscribe|activate)\/([\w~.-]{16,})(?=[/?#]|$)/gi,
    (whole, word: string, value: string) => /\d/.test(value) ? `/${word}/${secrets.hide(value, word)}` : whole,
  );
}
