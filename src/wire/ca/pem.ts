/**
 * PEM text: blocks of base64 between BEGIN and END lines (RFC 7468).
 *
 * @module
 */
import { Buffer } from "node:buffer";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/** One block of a PEM text. */
export interface PemBlock {
  /** What it says it holds, such as `CERTIFICATE` or `EC PRIVATE KEY`. */
  readonly label: string;
  /** The block as it stood, with both of its lines. */
  readonly text: string;
}

/** The blocks of a PEM text in order; whatever stands between them is left out, as RFC 7468 allows. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map((match) => ({ label: match[1] ?? "", text: match[0].replaceAll("\r\n", "\n") }));
}

/** The bytes in a block. */
export function pemBytes(block: PemBlock): Buffer {
  return Buffer.from(block.text.slice(block.text.indexOf("\n") + 1, block.text.lastIndexOf("\n-----END")), "base64");
}

/** Writes bytes as one PEM block that ends with a newline. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
