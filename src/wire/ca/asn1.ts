/**
 * The part of node-forge that is used here: ASN.1 and its DER encoding, nothing else. Loaded with the first
 * certificate, because a test suite that never sees TLS should not pay for it.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A node of an ASN.1 tree, as node-forge models it; values are binary strings, one character a byte. */
export interface Asn1 {
  readonly tagClass: number;
  readonly type: number;
  readonly constructed: boolean;
  readonly value: string | Asn1[];
}

/** The functions of `node-forge/lib/asn1.js` that flowtape calls. */
export interface Asn1Codec {
  create(tagClass: number, type: number, constructed: boolean, value: string | Asn1[]): Asn1;
  toDer(node: Asn1): { getBytes(): string };
  fromDer(der: string, options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean }): Asn1;
  oidToDer(oid: string): { getBytes(): string };
  derToOid(der: string): string;
  dateToUtcTime(date: Date): string;
  dateToGeneralizedTime(date: Date): string;
  utcTimeToDate(text: string): Date;
  generalizedTimeToDate(text: string): Date;
}

/** The ASN.1 tag numbers that certificates use. */
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  utf8: 12,
  sequence: 16,
  set: 17,
  utcTime: 23,
  generalizedTime: 24,
} as const;

/** The class bits of a context-specific tag, such as `[0] EXPLICIT`. */
export const CONTEXT = 0x80;

let loading: Promise<Asn1Codec> | undefined;

/**
 * Loads the codec, once per process.
 *
 * @returns the codec; rejects when node-forge is not installed
 */
export function loadAsn1(): Promise<Asn1Codec> {
  return loading ??= importCodec();
}

/** Encodes a tree. */
export function encode(codec: Asn1Codec, node: Asn1): Buffer {
  return Buffer.from(codec.toDer(node).getBytes(), "latin1");
}

/**
 * Decodes one DER value.
 *
 * @throws when the bytes are not exactly one well-formed value
 */
export function decode(codec: Asn1Codec, der: Uint8Array): Asn1 {
  // Bit strings stay bytes: forge would otherwise guess whether a key happens to look like ASN.1.
  return codec.fromDer(binary(der), { strict: true, parseAllBytes: true, decodeBitStrings: false });
}

/** Bytes as the binary string that node-forge works with. */
export function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

async function importCodec(): Promise<Asn1Codec> {
  // The whole of node-forge takes five to ten times as long to load. @types/node-forge has no types for its parts,
  // and whether the checker minds depends on the runtime it checks for.
  // @ts-ignore: an untyped module, typed by Asn1Codec
  const module = (await import("node-forge/lib/asn1.js")) as { default: Asn1Codec };
  return module.default;
}
