/**
 * Takes secrets out of text of any kind: URLs, pairs of a name and a value, HTML and XML, lines of header fields.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isAmbiguousName } from "../../flow/sensitive.ts";
import { isPlaceholder } from "./placeholders.ts";
import { looksLikeSecret, type Secrets } from "./secrets.ts";

/** What text is. In JSON the members have been seen to; in a program `token: next` is no secret. */
export type TextKind = "plain" | "json" | "program" | "markup";

/** Text without its secrets. */
export function redactText(text: string, kind: TextKind, secrets: Secrets): string {
  if (text.includes("://")) text = redactUserinfo(text, secrets);
  text = redactPairs(text, kind, secrets);
  if (kind === "markup" || (kind === "plain" && text.includes("</"))) text = redactMarkup(text, secrets);
  text = redactNamed(text, kind, secrets);
  text = redactCredentials(text, secrets);
  return secrets.shapes(text);
}

/** User and password of a URL. `git@` alone is no secret. */
export function redactUserinfo(text: string, secrets: Secrets): string {
  return text.replace(
    /(:\/\/)([^\s/?#@"'<>\\]{1,512})@/g,
    (whole, start: string, info: string) =>
      /\$\{|\{\{|^[a-z][a-z._-]{0,15}$/.test(info) ? whole : `${start}${secrets.hide(info, "userinfo")}@`,
  );
}

/** `?a=1&token=abc`, also in relative URLs, and with `&amp;`. */
export function redactPairs(text: string, kind: TextKind, secrets: Secrets): string {
  if (!text.includes("=")) return text;
  const replace = (pair: string, mark: string, name: string, value: string) => {
    const plain = decode(value);
    const clean = secrets.field(decode(name), plain);
    return clean === plain ? pair : `${mark}${name}=${clean}`;
  };
  return text.replace(kind === "program" ? PAIR_IN_PROGRAM : PAIR, replace);
}

const PAIR = /([?&#]|&amp;)([\w.%~[\]-]{1,64})=(?![=$]|\{\{)([^\s&#;"'`<>\\]+)/g;
/** There `#` and `;` stand before names of other kinds. */
const PAIR_IN_PROGRAM = /(\?|(?<!&)&)([\w.%~[\]-]{1,64})=(?![=$])([^\s&#;"'`<>\\(){}]+)/g;

/** `Bearer abc` wherever it stands. */
export function redactCredentials(text: string, secrets: Secrets): string {
  if (!text.includes("earer") && !text.includes("asic") && !text.includes("EARER") && !text.includes("ASIC")) {
    return text;
  }
  return text.replace(CREDENTIALS, (whole, scheme: string, space: string, value: string) => {
    // "basic authentication" is prose.
    const fits = scheme.length === 5
      ? Buffer.from(value, "base64").includes(":")
      : /\d/.test(value) || /^(?=.*[a-z].*[A-Z].*[a-z]).{20,}$/.test(value);
    return fits ? `${scheme}${space}${secrets.hide(value, scheme)}` : whole;
  });
}

const CREDENTIALS = /\b([Bb]earer|BEARER|[Bb]asic|BASIC)([ \t]+)([\w.~+/-]{8,}={0,2})(?![\w=])/g;

const NAMED = new RegExp(
  String
    .raw`(?:[sS]ecret|SECRET|[pP]ass|PASS|[pP]wd|PWD|[kK]ey|KEY|[tT]oken|TOKEN|[aA]uth|AUTH|[cC]redential|CREDENTIAL|` +
    String
      .raw`[sS]ession|SESSION|[sS]ignature|[cC]srf|CSRF|[xX]srf|XSRF|[cC]ookie|COOKIE)[\w-]{0,40}(\\?["'])?[^\S\n]{0,4}(?:=>|[:=](?![=>]))[^\S\n]{0,4}`,
  "g",
);

/** `name = "value"`, `name: value`, `"name": "value"` in text that is no JSON. */
function redactNamed(text: string, kind: TextKind, secrets: Secrets): string {
  if (!text.includes(":") && !text.includes("=")) return text;
  let result = "";
  let copied = 0;
  for (const match of text.matchAll(NAMED)) {
    const start = match.index + match[0].length;
    if (match.index < copied) continue;
    // Members of JSON have been seen to; what is within its strings has escaped quotes, or none.
    if (kind === "json" && match[1] !== undefined && !match[1].startsWith("\\")) continue;
    const name = /[\w.[\]%-]*$/.exec(text.slice(Math.max(0, match.index - 48), match.index))![0] +
      /^[\w-]+/.exec(match[0])![0];
    if (!secrets.isField(name)) continue;
    const found = valueAt(text, start, name);
    if (found === undefined || found.value.length > 8192 || isPlaceholder(found.value)) continue;
    if (!isPlausible(found, name, kind)) continue;
    const clean = secrets.hide(found.value, name);
    result += text.slice(copied, found.start) + clean;
    copied = found.start + found.value.length;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

interface FoundValue {
  readonly start: number;
  readonly value: string;
  readonly quoted: boolean;
}

const BARE = /[^\s&,;"'`<>{}()[\]\\]+/y;
const SCHEME = /(?:Bearer|Basic|Digest|Token|ApiKey|AWS4-HMAC-SHA256)[ \t]+/iy;

function valueAt(text: string, start: number, name: string): FoundValue | undefined {
  let at = start;
  let quote = "";
  if (text[at] === "\\" && (text[at + 1] === '"' || text[at + 1] === "'")) quote = `\\${text[at + 1]}`;
  else if (text[at] === '"' || text[at] === "'") quote = text[at]!;
  at += quote.length;
  if (/authorization$/i.test(name)) {
    SCHEME.lastIndex = at;
    at += SCHEME.exec(text)?.[0].length ?? 0;
  }
  if (quote !== "") {
    const end = text.indexOf(quote, at);
    if (end < 0 || end - at > 8192) return undefined;
    return { start: at, value: text.slice(at, end), quoted: true };
  }
  BARE.lastIndex = at;
  const value = BARE.exec(text)?.[0];
  return value === undefined ? undefined : { start: at, value, quoted: false };
}

/** Whether it is a value, and not the next word of a sentence, a label, a variable, an address. */
function isPlausible({ value, quoted }: FoundValue, name: string, kind: TextKind): boolean {
  if (value.length < 4 || /\s|\$\{|\{\{|<%/.test(value) || /^(?:https?:|\/|\.|#)|^[\^~]?\d+(?:\.\d+)+$/.test(value)) {
    return false;
  }
  if (!quoted && (kind === "program" || kind === "markup")) return false;
  // A member in a program that travels as text.
  if (!quoted && /^[A-Za-z_$]\w*(?:\??\.#?[A-Za-z_$]\w*)+$/.test(value) && !/\d/.test(value)) return false;
  const words = /^[A-Za-z]+(?:[-_.:][A-Za-z]+)*\.?$/.test(value);
  if (kind === "program") return !words && (/\d/.test(value) || looksLikeSecret(value));
  // A password may be a word, a token is none.
  if (words) return quoted && /pass|pwd|secret/i.test(name) && kind !== "markup";
  return /\d|[^\w.-]/.test(value) || looksLikeSecret(value);
}

/** Elements and fields of forms. */
function redactMarkup(text: string, secrets: Secrets): string {
  text = text.replace(
    /<([\w:.-]{2,64})(\s[^<>]*)?>([^<>]{1,8192})<\//g,
    (whole, name: string, attributes: string | undefined, value: string) => {
      const plain = value.trim();
      const local = name.slice(name.indexOf(":") + 1);
      if (plain === "" || isPlaceholder(plain) || !secrets.isField(local)) return whole;
      return `<${name}${attributes ?? ""}>${value.replace(plain, () => secrets.hide(plain, local))}</`;
    },
  );
  if (text.includes("<![CDATA[")) {
    text = text.replace(
      /<([\w:.-]{2,64})(\s[^<>]*)?>\s*<!\[CDATA\[([^\]]{1,8192})\]\]>/g,
      (whole, name: string, _attributes: string | undefined, value: string) => {
        const local = name.slice(name.indexOf(":") + 1);
        if (isPlaceholder(value.trim()) || !secrets.isField(local)) return whole;
        return whole.replace(value, () => secrets.hide(value, local));
      },
    );
  }
  return text.replace(/<(?:input|meta|param|property|add|setting)\b[^<>]*>/gi, (tag) => {
    const name = attribute(tag, "name|id|property|key|itemprop")?.value ?? "";
    const content = attribute(tag, "value|content");
    if (content === undefined || content.value === "" || isPlaceholder(content.value)) return tag;
    const secret = secrets.isField(name) || /\btype\s*=\s*["']?password/i.test(tag) ||
      (isAmbiguousName(name) && looksLikeSecret(content.value));
    if (!secret || /^(?:https?:\/\/|\/)/.test(content.value)) return tag;
    const clean = secrets.hide(content.value, name || "password");
    return tag.slice(0, content.start) + clean + tag.slice(content.start + content.value.length);
  });
}

function attribute(tag: string, names: string): { start: number; value: string } | undefined {
  const match = new RegExp(`\\s(?:${names})\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "id").exec(tag);
  const span = match?.indices?.[1] ?? match?.indices?.[2] ?? match?.indices?.[3];
  return span && { start: span[0], value: tag.slice(span[0], span[1]) };
}

/** Without its percent-encoding, if it can be taken off. */
export function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
