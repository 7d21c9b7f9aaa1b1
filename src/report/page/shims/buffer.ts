/**
 * In the page: as much of `node:buffer` as the code of flow/ and tape/ that comes along needs.
 *
 * @module
 */
import { fromBase64, toBase64 } from "../../copy/bytes.ts";

class PageBuffer extends Uint8Array {
  override toString(encoding = "utf8"): string {
    if (encoding === "base64") return toBase64(this);
    if (encoding === "utf8") return new TextDecoder().decode(this);
    let text = "";
    for (let at = 0; at < this.length; at += 8192) text += String.fromCharCode(...this.subarray(at, at + 8192));
    return text;
  }
}

/** See the module. */
export const Buffer = {
  from(value: string | ArrayBuffer | Uint8Array, second: string | number = "utf8", length?: number): PageBuffer {
    if (typeof value === "string") return fromText(value, String(second));
    if (value instanceof ArrayBuffer) {
      return typeof second === "number" ? new PageBuffer(value, second, length) : new PageBuffer(value);
    }
    return copyOf(value);
  },
  concat: (parts: readonly Uint8Array[]): PageBuffer => {
    const all = new PageBuffer(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
  isBuffer: (value: unknown): boolean => value instanceof PageBuffer,
};

/** As in `node:buffer`. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function fromText(text: string, encoding: string): PageBuffer {
  if (encoding === "base64") return copyOf(fromBase64(text));
  if (encoding === "latin1") return copyOf(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  return copyOf(new TextEncoder().encode(text));
}

function copyOf(bytes: Uint8Array): PageBuffer {
  const copy = new PageBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}
