/**
 * The few DER shapes that a certificate is made of.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Asn1, type Asn1Codec, binary, CONTEXT, decode, encode, TAG } from "./asn1.ts";

/** Builds ASN.1 trees and turns them into bytes and back. */
export class Der {
  /** The codec underneath. */
  readonly codec: Asn1Codec;

  /** @param codec from `loadAsn1()` */
  constructor(codec: Asn1Codec) {
    this.codec = codec;
  }

  /** The bytes of a tree. */
  encode(node: Asn1): Buffer {
    return encode(this.codec, node);
  }

  /** The tree of some bytes; throws when they are not one DER value. */
  decode(der: Uint8Array): Asn1 {
    return decode(this.codec, der);
  }

  /** The bytes of a SEQUENCE of values that are encoded already. */
  join(...members: Uint8Array[]): Buffer {
    return wrap(CONSTRUCTED | TAG.sequence, members);
  }

  /** The bytes of a value that is encoded already, in `[tag] EXPLICIT`. */
  tagged(tag: number, member: Uint8Array): Buffer {
    return wrap(CONTEXT | CONSTRUCTED | tag, [member]);
  }

  /** SEQUENCE. */
  sequence(...children: Asn1[]): Asn1 {
    return this.codec.create(0, TAG.sequence, true, children);
  }

  /** SET; the caller gives the children in DER order. */
  set(...children: Asn1[]): Asn1 {
    return this.codec.create(0, TAG.set, true, children);
  }

  /** OBJECT IDENTIFIER from its dotted form. */
  oid(dotted: string): Asn1 {
    return this.codec.create(0, TAG.oid, false, this.codec.oidToDer(dotted).getBytes());
  }

  /** INTEGER from its big-endian two's complement bytes. */
  integer(bytes: Uint8Array): Asn1 {
    return this.codec.create(0, TAG.integer, false, binary(bytes));
  }

  /** BOOLEAN TRUE; DER leaves out values that are FALSE by default. */
  true(): Asn1 {
    return this.codec.create(0, TAG.boolean, false, "\xff");
  }

  /** NULL. */
  null(): Asn1 {
    return this.codec.create(0, TAG.null, false, "");
  }

  /** UTF8String; ASCII only. */
  utf8(text: string): Asn1 {
    return this.codec.create(0, TAG.utf8, false, text);
  }

  /** OCTET STRING. */
  octets(bytes: Uint8Array): Asn1 {
    return this.codec.create(0, TAG.octetString, false, binary(bytes));
  }

  /** BIT STRING; `unused` is the number of unused bits of the last byte. */
  bits(bytes: Uint8Array, unused = 0): Asn1 {
    return this.codec.create(0, TAG.bitString, false, String.fromCharCode(unused) + binary(bytes));
  }

  /** `[tag] IMPLICIT` over a string type: a context tag in place of the type's own. */
  implicit(tag: number, bytes: Uint8Array): Asn1 {
    return this.codec.create(CONTEXT, tag, false, binary(bytes));
  }

  /** A certificate's time: UTCTime until 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
  time(milliseconds: number): Asn1 {
    const date = new Date(milliseconds);
    return date.getUTCFullYear() < 2050
      ? this.codec.create(0, TAG.utcTime, false, this.codec.dateToUtcTime(date))
      : this.codec.create(0, TAG.generalizedTime, false, this.codec.dateToGeneralizedTime(date));
  }
}

const CONSTRUCTED = 0x20;

/** Identifier and length (X.690 section 8.1) in front of what they are of. */
function wrap(identifier: number, members: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const { byteLength } of members) length += byteLength;
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) octets.unshift(rest & 0xff);
  const head = length < 0x80 ? [identifier, length] : [identifier, 0x80 | octets.length, ...octets];
  return Buffer.concat([Uint8Array.from(head), ...members]);
}
