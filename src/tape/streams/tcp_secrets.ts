/**
 * Credentials in raw conversations: what clients of well-known line protocols log in with. Names and shapes are for the redactor; here
 * the place says that something is secret.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { REDACTED } from "../../flow/sensitive.ts";
import type { Side } from "../../flow/websocket.ts";
import { changeCounted } from "./counted.ts";
import { type Redactor, redacts } from "../redact/redactor.ts";

/** Redis (RESP): the one or two words behind `AUTH`, alone or in `HELLO`; each with its length in front. */
const RESP_AUTH = /(\$4\r\nAUTH\r\n)(?:\$\d+\r\n[^\r\n]*\r\n){1,2}/gi;
/** POP3, FTP, IRC, SMTP, IMAP, and Redis as people type it. */
const LINE =
  /^((?:[\w.*-]+[ \t]+)?(?:PASS|AUTH(?:[ \t]+[A-Z0-9-]+)?|AUTHENTICATE[ \t]+[A-Z0-9-]+|LOGIN[ \t]+\S+)[ \t]+)(?!\[redacted)([^\r\n]+)/gim;

/** What one side said at once, without what is secret. The same array when there is nothing. */
export function cleanTurn(bytes: Uint8Array, from: Side, redactor: Redactor): Uint8Array {
  if (!redacts(redactor)) return bytes;
  return changeCounted(from === "client" ? hideLogin(bytes) : bytes, (piece) => redactor.body(piece, null));
}

function hideLogin(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!/auth|pass|login/i.test(text)) return bytes;
  const word = `$${REDACTED.length}\r\n${REDACTED}\r\n`;
  const clean = text
    .replace(
      RESP_AUTH,
      (found, head: string) => head + word.repeat(found.slice(head.length).split("\r\n").length > 3 ? 2 : 1),
    )
    .replace(LINE, `$1${REDACTED}`);
  return clean === text ? bytes : Buffer.from(clean, "latin1");
}
