/**
 * Redacts a body that comes bit by bit.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { kindOf } from "../redact/body_kind.ts";
import { type Redactor, redacts } from "../redact/redactor.ts";
import { type Cutter, jsonCutter, plainCutter, textCutter, UncuttableError } from "./windows.ts";

/** Takes the bytes of a body one after the other, and gives what is to be written. */
export interface PieceRedactor {
  /** More of the body. */
  push(piece: Uint8Array): Promise<Uint8Array[]>;
  /** What is left at its end. */
  end(): Promise<Uint8Array[]>;
}

/** Whether bodies of this type can be redacted bit by bit. Parts of a form are named before they are known to be long. */
export function canRedactPieces(contentType: string | null, redactor: Redactor): boolean {
  return !redacts(redactor) || !/^\s*multipart\//i.test(contentType ?? "");
}

/**
 * A redactor for one body.
 *
 * @param alike one for which all secrets are alike: it says where a text can be cut
 */
export function redactPieces(
  contentType: string | null,
  redactor: Redactor,
  alike: Redactor = redactor,
): PieceRedactor {
  let waiting = Buffer.alloc(0);
  const more: Uint8Array[] = [];
  let size = 0;
  let cutter: Cutter | undefined;

  const drain = async (isLast: boolean): Promise<Uint8Array[]> => {
    // Joined when there is enough of it: once for each window, not for each piece.
    if (!isLast && waiting.length + size < ENOUGH) return [];
    waiting = Buffer.concat([waiting, ...more.splice(0)]);
    size = 0;
    cutter ??= cutterFor(waiting);
    const done: Uint8Array[] = [];
    while (isLast || waiting.length >= ENOUGH) {
      const window = cutter.next(waiting, isLast);
      if (window === undefined) break;
      const { before, bytes } = window;
      waiting = waiting.subarray(bytes.length);
      done.push(await clean(before, bytes));
    }
    return done;
  };

  const cutterFor = (start: Uint8Array): Cutter => {
    if (!redacts(redactor)) return plainCutter();
    const kind = kindOf(start.subarray(0, 4096), contentType);
    if (kind === "multipart") throw new UncuttableError("it has parts");
    return kind === "json" ? jsonCutter() : textCutter((bytes) => alike.body(bytes, contentType));
  };

  const clean = async (before: string, bytes: Uint8Array): Promise<Uint8Array> => {
    if (before === "") return await redactor.bodyInTurns(bytes, contentType);
    const head = Buffer.from(before);
    const whole = await redactor.bodyInTurns(Buffer.concat([head, bytes]), contentType);
    if (Buffer.compare(whole.subarray(0, head.length), head) !== 0) {
      throw new UncuttableError("the keys of the JSON in it are changed by redaction");
    }
    return whole.subarray(head.length);
  };

  return {
    push(piece) {
      more.push(piece);
      size += piece.length;
      return drain(false);
    },
    end: () => drain(true),
  };
}

/** With so many bytes there is a window, and something behind it. */
const ENOUGH = (1 << 20) + 8192;
