/**
 * Whether text looks as if it had been drawn by lot: as a credential does, and a word, an identifier, a date or a path does not.
 *
 * @module
 */

/** What is said of a value. */
export interface RandomOptions {
  /** How many characters it must have. 16 by default. */
  least?: number;
  /** Only capitals, small letters and digits together count. Lower case and digits are enough by default. */
  mixed?: boolean;
}

/** The longest that is taken for a credential: longer ones are images, programs, archives. */
const LONGEST = 600;

/** Whether a value looks as if it had been drawn by lot. Hashes, UUIDs and numbers do not count: they are everywhere. */
export function looksRandom(value: string, { least = 16, mixed = false }: RandomOptions = {}): boolean {
  const { length } = value;
  if (length < least || length > LONGEST || !/^[\w+/.~-]+={0,2}$/.test(value) || isOrdinary(value)) return false;
  const lower = count(value, /[a-z]/g);
  const upper = count(value, /[A-Z]/g);
  const digits = count(value, /\d/g);
  const letters = lower + upper;
  if (mixed && (lower < 3 || upper < 3 || digits < 2)) return false;
  if (digits === 0) return lower > 5 && upper > 5 && length >= 24 && changes(value) > 0.35 && entropy(value) > 3.9;
  if (letters < 4) return false;
  const mixedCase = lower > 1 && upper > 1;
  return changes(value) > (mixedCase ? 0.31 : 0.25) &&
    entropy(value) > Math.min(mixedCase ? 3.7 : 3.3, Math.log2(length) * 0.78) &&
    wordiness(value) < 0.5;
}

/** Base64 of known formats (images, fonts, archives), hashes, identifiers, dates, versions, names of files and hosts. */
function isOrdinary(value: string): boolean {
  return HEX.test(value) || ORDINARY.test(value) || FORMATS.test(value) || isPath(value);
}

const HEX = /^(?:0x)?[\da-f]+(?:[-_:.][\da-f]+)*$|^(?:0x)?[\dA-F]+(?:[-_:.][\dA-F]+)*$|^[\d.,:+_-]+$/;
const ORDINARY = new RegExp(
  [
    String.raw`sha(?:1|256|384|512)[-_:/].*`,
    // Dates, versions, sizes
    String.raw`\d{4}-?\d\d-?\d\d(?:[Tt_-]?\d\d[:.-]?\d\d.*)?`,
    String.raw`v?\d+\.\d+(?:\.[\w-]+)*`,
    // UUIDs within something else, and identifiers of AWS and IPFS
    String.raw`.*[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}.*`,
    String.raw`(?:i|vpc|subnet|sg|ami|eni|vol|snap|rtb|igw|acl)-[\da-f]{8,17}`,
    String.raw`Qm[1-9A-HJ-NP-Za-km-z]{44}`,
    String.raw`baf[yk][a-z2-7]{50,}`,
    // ULID
    String.raw`[0-7][\dA-HJKMNP-TV-Z]{25}`,
    // Prefix and number of an object: cus_NffrFeUfNV2Hib
    String.raw`(?!sk|rk|pk)[a-z]{2,6}_[A-Za-z\d]{8,24}`,
    // Names with a dot and an extension
    String
      .raw`[\w.-]*\.(?:js|mjs|css|map|png|jpe?g|gif|svg|webp|avif|woff2?|ttf|html?|json|xml|txt|ico|mp[34]|webm|pdf|zip|gz|wasm|php|aspx?|com|org|net|io|dev|test|local)`,
  ].map((shape) => `^(?:${shape})$`).join("|"),
);
/** PNG, GIF, JPEG, WebP and WAV, SVG and XML, WOFF, TrueType, OpenType, PDF, ZIP, gzip, DER of certificates, JSON */
const FORMATS =
  /^(?:iVBORw0KG|R0lGOD|\/9j\/|UklGR|PHN2Z|PD94b|d09G|AAEAAA|T1RUTw|JVBERi|UEsDB|H4sI|MII[A-Z]|AGFzb|eyJ)/;

function isPath(value: string): boolean {
  if (!value.includes("/") && !value.includes(".")) return false;
  // Each part for itself says nothing.
  return value.split(/[/.]/).every((part) => part.length < 14 || !looksRandom(part, { least: 14 }));
}

function count(value: string, what: RegExp): number {
  return value.match(what)?.length ?? 0;
}

/** How often the kind of character changes, for each character: seldom in words, often in what is drawn by lot. */
function changes(value: string): number {
  let changes = 0;
  let before = -1;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    const kind = code >= 97 ? 0 : code >= 65 ? 1 : code >= 48 ? 2 : 3;
    // A capital before small letters begins a word.
    if (kind !== before && !(before === 1 && kind === 0 && wordFrom(value, i))) changes++;
    before = kind;
  }
  return (changes - 1) / value.length;
}

const WORD = /[a-z]{3,}/y;

function wordFrom(value: string, at: number): boolean {
  WORD.lastIndex = at;
  return WORD.test(value) && /[aeiouy]/.test(value.slice(at, WORD.lastIndex));
}

/** Which part of it is in words that could be pronounced. */
function wordiness(value: string): number {
  let inWords = 0;
  for (const [word] of value.matchAll(/[A-Z]?[a-z]{3,}|[A-Z]{5,}/g)) {
    if (/[aeiou]/i.test(word) && !/[^aeiouy]{4}/i.test(word)) inWords += word.length;
  }
  return inWords / value.length;
}

/** Bits for each character (Shannon). */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count / value.length * Math.log2(count / value.length);
  return bits;
}
