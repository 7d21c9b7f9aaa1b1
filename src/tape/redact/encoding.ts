/**
 * Bodies as text and back, without the loss of a byte where nothing is changed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parameter } from "../../flow/media_type.ts";
import { utf8Text } from "../media.ts";

/** A body as text. */
export interface TextBody {
  readonly text: string;
  /** The bytes of a text in the same encoding. */
  encode(text: string): Uint8Array;
}

/** The text of a body; `undefined` when it is none. Names and tokens are ASCII, so any encoding that holds ASCII will do. */
export function toText(bytes: Uint8Array, contentType: string | null): TextBody | undefined {
  const wide = wideEncoding(bytes, contentType);
  if (wide !== undefined) return wide;
  const text = utf8Text(bytes);
  if (text !== undefined) return { text, encode: asUtf8 };
  return bytes.includes(0) ? undefined : { text: latin1(bytes), encode: asLatin1 };
}

const asUtf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");
const asLatin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Every byte as the character of its number. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** UTF-16, and UTF-32 as far as it holds what UTF-16 can hold in one unit: by its mark, by its name, by where the zeros are. */
function wideEncoding(bytes: Uint8Array, contentType: string | null): TextBody | undefined {
  if (bytes.length < 4) return undefined;
  const [a, b, c, d] = bytes as unknown as [number, number, number, number];
  const charset = (parameter(contentType, "charset") ?? "").toLowerCase();
  if ((a === 0 && b === 0 && d !== 0) || charset === "utf-32be") return units(bytes, 4, "big");
  if (
    (a !== 0 && b === 0 && c === 0 && d === 0) || (a === 0xff && b === 0xfe && c === 0 && d === 0) ||
    charset === "utf-32le"
  ) {
    return units(bytes, 4, "little");
  }
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0 && c !== 0 && d === 0) || charset === "utf-16le") {
    return units(bytes, 2, "little");
  }
  if (
    (a === 0xfe && b === 0xff) || (a === 0 && b !== 0 && c === 0 && d !== 0) || charset === "utf-16be" ||
    charset === "utf-16"
  ) {
    return units(bytes, 2, "big");
  }
  return undefined;
}

function units(bytes: Uint8Array, size: 2 | 4, order: "little" | "big"): TextBody | undefined {
  const whole = bytes.length - bytes.length % size;
  const low = order === "little" ? 0 : size - 1;
  const step = order === "little" ? 1 : -1;
  const half = new Uint8Array(whole / size * 2);
  for (let at = 0, to = 0; at < whole; at += size, to += 2) {
    half[to] = bytes[at + low]!;
    half[to + 1] = bytes[at + low + step]!;
    // What needs more than one unit of UTF-16 cannot be written back.
    if (size === 4 && (bytes[at + low + 2 * step] !== 0 || bytes[at + low + 3 * step] !== 0)) return undefined;
  }
  const rest = bytes.subarray(whole);
  const encode = (text: string) => {
    const narrow = Buffer.from(text, "utf16le");
    const result = new Uint8Array(narrow.length / 2 * size + rest.length);
    for (let from = 0, at = 0; from < narrow.length; from += 2, at += size) {
      result[at + low] = narrow[from]!;
      result[at + low + step] = narrow[from + 1]!;
    }
    result.set(rest, result.length - rest.length);
    return result;
  };
  return { text: Buffer.from(half.buffer).toString("utf16le"), encode };
}
