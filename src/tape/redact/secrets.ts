/**
 * What is secret: by the name under which it stands, by its shape, by what the options say; and what stands in its place.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { type PathTest, pathTest } from "../../flow/json_path.ts";
import { isAmbiguousName, isSensitiveName } from "../../flow/sensitive.ts";
import { eachWord, replaceTokens } from "../../flow/token_shapes.ts";
import type { RedactOptions } from "./options.ts";
import { isPlaceholder, Ledger, PLACEHOLDER, type Placeholders } from "./placeholders.ts";
import { looksRandom } from "./random.ts";

/** What is secret. */
export class Secrets {
  readonly #placeholders: Placeholders;
  readonly #headers: ReadonlySet<string>;
  readonly #fields: ReadonlySet<string>;
  readonly #places: PathTest;
  readonly #hasPlaces: boolean;
  readonly #patterns: readonly RegExp[];
  readonly #custom: RedactOptions["custom"];
  readonly #sensitive = remember(isSensitiveName);
  readonly #field: (name: string) => "secret" | "ambiguous" | "open";
  readonly #allowed: {
    readonly values: ReadonlySet<string>;
    readonly names: ReadonlySet<string>;
    readonly place: PathTest;
    readonly patterns: readonly RegExp[];
    readonly any: boolean;
  };

  /** @param placeholders what stands in the place of secrets */
  constructor(options: RedactOptions, placeholders: Placeholders) {
    const { headers = [], query = [], json = [], patterns = [], allow = [], custom } = options;
    this.#placeholders = placeholders;
    this.#headers = new Set(headers.map((name) => name.toLowerCase()));
    this.#fields = new Set(query.map((name) => name.toLowerCase()));
    this.#places = pathTest(json);
    this.#hasPlaces = json.length > 0;
    this.#patterns = patterns.map((pattern) => new RegExp(pattern, pattern.flags.replace(/[gy]/g, "") + "g"));
    this.#custom = custom;
    const strings = allow.filter((one) => typeof one === "string");
    this.#allowed = {
      values: new Set(strings),
      names: new Set(strings.map((name) => name.toLowerCase())),
      place: pathTest(strings.filter((one) => /^[$.\w*[\]"'-]+$/.test(one))),
      patterns: allow.filter((one) => one instanceof RegExp).map((one) =>
        new RegExp(one, one.flags.replace(/[gy]/g, ""))
      ),
      any: allow.length > 0,
    };
    this.#field = remember((name) => {
      const lower = name.toLowerCase();
      if (this.#allowed.names.has(lower)) return "open";
      if (this.#fields.has(lower) || isSensitiveName(name)) return "secret";
      return isAmbiguousName(name) ? "ambiguous" : "open";
    });
  }

  /** Whether a query parameter, form field, cookie or element of this name is secret, whatever it holds. */
  isField(name: string): boolean {
    return (this.#fields.has(name.toLowerCase()) || this.#sensitive(name)) &&
      !this.#allowed.names.has(name.toLowerCase());
  }

  /** Whether a header field of this name is. */
  isHeader(name: string): boolean {
    const lower = name.toLowerCase();
    return (this.#headers.has(lower) || this.#sensitive(name)) && !this.#allowed.names.has(lower);
  }

  /** Whether the JSON value at this place is: at the path, or at the first `depth` steps of it. */
  isPlace(path: readonly string[], depth: number = path.length): boolean {
    const secret = this.#sensitive(path[depth - 1] ?? "");
    if (!secret && !this.#hasPlaces) return false;
    const place = depth === path.length ? path : path.slice(0, depth);
    return (secret || this.#places(place)) && !this.isAllowedPlace(place);
  }

  /** Whether the options leave this place alone. */
  isAllowedPlace(path: readonly string[]): boolean {
    return this.#allowed.any &&
      (this.#allowed.place(path) || this.#allowed.names.has((path.at(-1) ?? "").toLowerCase()));
  }

  /** Whether the options leave this value alone, wherever it stands; or whatever has this name. */
  isAllowed(value: string, name = ""): boolean {
    const { any, values, names, patterns } = this.#allowed;
    return any && (values.has(value) || (name !== "" && names.has(name.toLowerCase())) ||
      patterns.some((pattern) => pattern.test(value)));
  }

  /** The value of a field: a placeholder when it is secret by its name, or by its name and its look. */
  field(name: string, value: string): string {
    if (value === "" || isPlaceholder(value)) return this.plain(value);
    const kind = this.#field(name);
    if (kind === "open") return value;
    return kind === "secret" || looksLikeSecret(value) ? this.hide(value, name) : value;
  }

  /** The placeholder of a secret, unless the options leave it alone. */
  hide(value: string, name: string): string {
    if (isPlaceholder(value)) return this.plain(value);
    return this.isAllowed(value, name) ? value : this.#placeholders.of(value, name);
  }

  /** Placeholders in the form in which they are written here. */
  plain(text: string): string {
    return this.#placeholders.inText(text);
  }

  /** Takes out what needs no name: tokens of known shape, patterns of the options, secrets that are known from elsewhere. */
  shapes(text: string): string {
    text = this.plain(text);
    text = replaceTokens(text, (token, kind) => this.hide(token, kind));
    for (const pattern of this.#patterns) {
      text = text.replace(
        pattern,
        (match) => match === "" || PLACEHOLDER_PART.test(match) ? match : this.hide(match, "pattern"),
      );
    }
    return this.#known(text);
  }

  /** The last word is the user's. */
  custom(text: string): string {
    if (this.#custom === undefined) return text;
    const clean: unknown = this.#custom(text);
    if (typeof clean === "string") return clean;
    throw new OptionsError(
      `tape.redact.custom returned ${clean === null ? "null" : typeof clean}: a string is expected`,
    );
  }

  #known(text: string): string {
    const ledger = this.#placeholders;
    if (!(ledger instanceof Ledger) || !ledger.hasWords) return text;
    let result = "";
    let copied = 0;
    eachWord(text, 16, (start, end, plain) => {
      if (plain && end - start < 24) return;
      const word = text.slice(start, end);
      const placeholder = ledger.word(word);
      if (placeholder === undefined || this.isAllowed(word)) return;
      result += text.slice(copied, start) + placeholder;
      copied = end;
    });
    return copied === 0 ? text : result + text.slice(copied);
  }
}

/** What a pattern must not be applied to again. */
const PLACEHOLDER_PART = new RegExp(PLACEHOLDER.source);

/** Whether a value that may be a credential by its name looks like one. */
export function looksLikeSecret(value: string): boolean {
  if (value.length < 10 || /\s/.test(value)) return false;
  // As hashes are secrets here too.
  return looksRandom(value, { least: 12 }) || /^[\da-f]{16,}$/i.test(value) ||
    (value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value) && /^[\w+/.~=%-]+$/.test(value));
}

/** Bodies ask for the same few names again and again. */
function remember<T extends boolean | string>(test: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      if (known.size > 1000) known.clear();
      known.set(name, answer = test(name));
    }
    return answer;
  };
}
