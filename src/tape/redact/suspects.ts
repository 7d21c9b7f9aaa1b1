/**
 * What may be a secret although nothing says so: values that look as if they had been drawn by lot, where hashes and identifiers are not
 * expected.
 *
 * @module
 */
import { isAmbiguousName } from "../../flow/sensitive.ts";
import { kindOf } from "./body_kind.ts";
import { toText } from "./encoding.ts";
import { scanJson } from "./json_scan.ts";
import { isPlaceholder } from "./placeholders.ts";
import { looksRandom } from "./random.ts";
import type { Secrets } from "./secrets.ts";
import { pieces } from "./steps.ts";
import { decode } from "./text.ts";

/** A value that may be a secret. */
export interface Suspect {
  /** Where it stands: `headers.x-tenant`, `query.k`, `$.data.blob`, `text`. */
  readonly field: string;
  /** What it is taken for. */
  readonly kind: string;
  /** The beginning of it. */
  readonly excerpt: string;
  /** What to put into `redact` so that it is redacted, and so that it is left alone. */
  readonly redact: string;
  readonly allow: string;
}

/** So many of one message are enough. */
const MOST = 20;

/** Names whose values are secret more often than not. */
const SUSPICIOUS = /key|secret|token|auth|cred|pass|session|private|bearer|jwt|hmac|licen[cs]e/i;

/** Names whose values are long and random, and known to everybody. */
const PUBLIC =
  /public|publish|^state$|challenge|site.?key|(?:^|[^a-z])(?:pub|nonce|rev|ref|ray|cid|sha|md5|etag)(?:[^a-z]|$)|key.?id|^kid$|type$|ur[il]s?$|endpoint|author(?!iz)|keyword|keyboard|keyframe|monkey|hash|digest|checksum|integrity|fingerprint|thumbprint|etag|cursor|continuation|page|version|build|revision|commit|trace|span|request|correlation|upload|boundary|uuid|guid|i[dD]s?$|ID$|[-_]id-?\d?$|image|avatar|thumb|icon|logo|photo|picture|media|asset|blob|content|html|path|file|name$|src|href|location|viewstate|policy|sourcemap|mappings|etag|signatureversion|user.?agent|blurhash|placeholder|websocket|cert|x5|modulus|^[nexy]$/i;

/** In the value of a header field. */
export function suspectsInHeader(name: string, value: string, secrets: Secrets): Suspect[] {
  if (/^(?:set-cookie|cookie|.*authorization)$/i.test(name)) return [];
  if (/[?#&][\w.-]+=/.test(value)) return inPairs(value, secrets, "query");
  return isSuspect(name, value, secrets)
    ? [suspectOf(`headers.${name.toLowerCase()}`, value, "headers", name.toLowerCase())]
    : [];
}

/** In a URL. Paths hold identifiers, which are as random and no secret. */
export function suspectsInUrl(url: string, secrets: Secrets): Suspect[] {
  const mark = url.search(/[?#]/);
  return mark < 0 ? [] : inPairs(url.slice(mark), secrets, "query");
}

/** In a body that has been redacted. */
export function* suspectsInBody(
  bytes: Uint8Array,
  contentType: string | null,
  secrets: Secrets,
): Generator<void, Suspect[]> {
  const kind = kindOf(bytes, contentType);
  const body = kind === "binary" || kind === "multipart" ? undefined : toText(bytes, contentType);
  if (body === undefined) return [];
  const { text } = body;
  const word = text.trim();
  if (word.length <= 600 && looksRandom(word, { least: 20 }) && !secrets.isAllowed(word)) return [suspectInText(word)];
  if (kind === "json") return yield* inJson(text, secrets);
  if (kind === "form") return inPairs(`&${text}`, secrets, "form");
  const found: Suspect[] = [];
  for (const piece of pieces(text, "line")) {
    found.push(...inText(piece, secrets));
    yield;
  }
  return found.slice(0, MOST);
}

function* inJson(text: string, secrets: Secrets): Generator<void, Suspect[]> {
  const found: Suspect[] = [];
  if (text.length <= 65_536 && !LONG.test(text)) return found;
  yield* scanJson(text, ({ path, start, end, kind }) => {
    const length = end - start - 2;
    if (kind !== "string" || length < 20 || length > 600 || found.length === MOST) return;
    const value = text.slice(start + 1, end - 1);
    if (!/^[\w+/.~=-]+$/.test(value)) return;
    const name = path.findLast((step) => !/^\d*$/.test(step)) ?? "";
    if (!isSuspect(name, value, secrets) || secrets.isAllowedPlace(path)) return;
    found.push(suspectOf(pathOf(path), value, "json", pathOf(path)));
  });
  return found;
}

/** What is shorter is no suspect. */
const LONG = /[\w+/.~=-]{20}/;

function inPairs(text: string, secrets: Secrets, where: "query" | "form"): Suspect[] {
  const found: Suspect[] = [];
  for (const [, name, value] of text.matchAll(/[?&#;]([^=&#?;\s]{1,64})=([^&#;\s"'<>]{20,800})/g)) {
    const plain = decode(name!);
    if (isSuspect(plain, decode(value!), secrets)) {
      found.push(suspectOf(`${where}.${plain}`, decode(value!), "query", plain));
    }
  }
  return found.slice(0, MOST);
}

const NAMED =
  /(?:[kK]ey|KEY|[sS]ecret|SECRET|[tT]oken|TOKEN|[aA]uth|AUTH|[cC]red|[pP]ass|PASS|PWD|[pP]rivate)[\w-]{0,24}["']?\s{0,4}(?:=>|[:=])\s{0,4}["']([\w+/.~=-]{20,600})["']/g;

function inText(text: string, secrets: Secrets): Suspect[] {
  if (!text.includes('"') && !text.includes("'")) return [];
  const found: Suspect[] = [];
  for (const { 0: match, 1: value, index } of text.matchAll(NAMED)) {
    const name = /[\w$.-]*$/.exec(text.slice(Math.max(0, index - 48), index))![0] + /^[\w-]+/.exec(match)![0];
    if (isSuspect(name, value!, secrets)) found.push(suspectInText(value!));
  }
  return found;
}

function isSuspect(name: string, value: string, secrets: Secrets): boolean {
  if (value.length < 20 || isPlaceholder(value) || (PUBLIC.test(name) && !/secret|private/i.test(name))) return false;
  const suspicious = SUSPICIOUS.test(name) || isAmbiguousName(name);
  const random = suspicious ? looksRandom(value, { least: 20 }) : looksRandom(value, { least: 32, mixed: true });
  return random && !secrets.isAllowed(value, name);
}

function suspectOf(field: string, value: string, option: "headers" | "query" | "json", name: string): Suspect {
  const quoted = JSON.stringify(name);
  return {
    field,
    kind: "random value",
    excerpt: mask(value),
    redact: `redact: { ${option}: [${quoted}] }`,
    allow: `redact: { allow: [${quoted}] }`,
  };
}

function suspectInText(value: string): Suspect {
  const start = value.slice(0, 4).replace(/[^\w]/g, "\\$&");
  const shape = `${start}[\\w+/.~=-]{${value.length - 4}}`;
  return {
    field: "text",
    kind: "random value",
    excerpt: mask(value),
    redact: `redact: { patterns: [/${shape}/] }`,
    allow: `redact: { allow: [/^${shape}$/] }`,
  };
}

/** Enough of a secret to find it, and not enough to use it. */
export function mask(value: string): string {
  const shown = value.length >= 16 ? 4 : value.length >= 8 ? 2 : 0;
  return `${value.slice(0, shown).replace(/[^\x20-\x7e]/g, "?")}... (${value.length} characters)`;
}

/** `$.items.*.key` */
function pathOf(path: readonly string[]): string {
  return path.reduce((text, step) => {
    if (/^\d+$/.test(step)) return `${text}.*`;
    return /^[\w-]+$/.test(step) ? `${text}.${step}` : `${text}[${JSON.stringify(step)}]`;
  }, "$");
}
