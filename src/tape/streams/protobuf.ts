/**
 * The texts in a message of protobuf whose schema nobody has: enough to see in what two messages differ, and to put another text in the
 * place of one, with all lengths around it.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** More levels are read as bytes. */
const DEEPEST = 20;

/** A field: the bytes of its tag, and what it holds. */
interface Field {
  readonly tag: Uint8Array;
  /** Of fields with a length: a message, a text, or bytes; of all others their bytes, which stand for themselves. */
  readonly kind: "message" | "text" | "bytes" | "plain";
  readonly fields?: readonly Field[];
  readonly value: Uint8Array;
}

/** The message as lines of text that can be compared; `undefined` when it is none. */
export function protobufText(message: Uint8Array): string | undefined {
  const fields = parse(message, 0);
  if (fields === undefined) return undefined;
  const lines: string[] = [];
  const walk = (all: readonly Field[], path: string) => {
    for (const { tag, kind, fields, value } of all) {
      const place = `${path}/${hex(tag)}`;
      if (kind === "message") walk(fields!, place);
      else lines.push(`${place} ${kind === "text" ? JSON.stringify(textOf(value)) : hex(value)}`);
      if (kind === "message") lines.push(`${place} end`);
    }
  };
  walk(fields, "");
  return lines.join("\n");
}

/** The message with other texts; the same array when none is changed, or when it is no message. */
export function changeProtobuf(message: Uint8Array, change: (text: string) => string): Uint8Array {
  const fields = parse(message, 0);
  return fields === undefined ? message : changed(fields, change) ?? message;
}

function changed(fields: readonly Field[], change: (text: string) => string): Uint8Array | undefined {
  let any = false;
  const parts = fields.flatMap(({ tag, kind, fields, value }) => {
    let after: Uint8Array | undefined;
    if (kind === "message") after = changed(fields!, change);
    else if (kind === "text") {
      const before = textOf(value);
      const text = change(before);
      if (text !== before) after = Buffer.from(text);
    }
    if (after !== undefined) any = true;
    return kind === "plain" ? [tag, value] : [tag, varint((after ?? value).length), after ?? value];
  });
  return any ? Buffer.concat(parts) : undefined;
}

function parse(bytes: Uint8Array, depth: number): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    if (tag === undefined || tag.value < 8) return undefined;
    const head = bytes.subarray(at, tag.end);
    const rest = bytes.subarray(tag.end);
    let length: number | undefined;
    switch (tag.value % 8) {
      case 0:
        length = readVarint(rest, 0)?.end;
        break;
      case 1:
        length = 8;
        break;
      case 5:
        length = 4;
        break;
      case 2: {
        const size = readVarint(rest, 0);
        if (size === undefined || size.end + size.value > rest.length) return undefined;
        const value = rest.subarray(size.end, size.end + size.value);
        fields.push({ tag: head, value, ...kindOf(value, depth) });
        at = tag.end + size.end + size.value;
        continue;
      }
      default:
        return undefined;
    }
    if (length === undefined || length > rest.length) return undefined;
    fields.push({ tag: head, kind: "plain", value: rest.subarray(0, length) });
    at = tag.end + length;
  }
  return fields;
}

function kindOf(value: Uint8Array, depth: number): Pick<Field, "kind" | "fields"> {
  // What stands in the place of a secret would be a field of its own.
  const isStars = value.every((byte) => byte === 0x2a);
  const fields = value.length > 1 && !isStars && depth < DEEPEST ? parse(value, depth + 1) : undefined;
  if (fields !== undefined) return { kind: "message", fields };
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(value);
    return { kind: "text" };
  } catch {
    return { kind: "bytes" };
  }
}

function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start, scale = 1; at < bytes.length && at < start + 10; at++, scale *= 128) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return Uint8Array.from([...bytes, value]);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
