/**
 * Certificates for the origin and for the contender that intercepts with a prepared one: an ECDSA P-256 authority and
 * leaves, made when the bench starts so that no private key is kept in the repository. Just enough DER for that (X.690).
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority implements Certificate {
  readonly cert: string;
  readonly key: string;
  readonly #privateKey: KeyObject;
  readonly #name: Buffer;

  constructor(commonName: string) {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = pair.privateKey;
    this.#name = distinguishedName(commonName);
    this.key = pem("PRIVATE KEY", pair.privateKey.export({ type: "pkcs8", format: "der" }));
    this.cert = this.#issue(this.#name, pair.publicKey, [
      extension(OID.basicConstraints, sequence(TRUE), { critical: true }),
      extension(OID.keyUsage, der(0x03, Buffer.from([1, 0x06])), {
        critical: true,
      }), // keyCertSign, cRLSign
    ]);
  }

  /** A server certificate for DNS names. */
  leaf(...names: string[]): Certificate {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const alternatives = sequence(...names.map((name) => der(0x82, Buffer.from(name))));
    return {
      key: pem("PRIVATE KEY", pair.privateKey.export({ type: "pkcs8", format: "der" })),
      cert: this.#issue(
        distinguishedName(names[0] ?? "bench"),
        pair.publicKey,
        [extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))), extension(OID.subjectAltName, alternatives)],
      ),
    };
  }

  #issue(subject: Buffer, publicKey: KeyObject, extensions: Buffer[]): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const day = 86_400_000;
    const body = sequence(
      der(0xa0, integer(Buffer.from([2]))), // version 3
      integer(randomBytes(12)),
      algorithm,
      this.#name,
      sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + 30 * day))),
      subject,
      publicKey.export({ type: "spki", format: "der" }),
      der(0xa3, sequence(...extensions)),
    );
    const signature = sign("sha256", body, this.#privateKey);
    return pem("CERTIFICATE", sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature]))));
  }
}

const OID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  basicConstraints: "551d13",
  keyUsage: "551d0f",
  extendedKeyUsage: "551d25",
  subjectAltName: "551d11",
  serverAuth: "2b06010505070301",
} as const;

const TRUE: Buffer = der(0x01, Buffer.from([0xff]));

function der(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const head = length < 128
    ? [tag, length]
    : length < 256
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** An INTEGER that is positive and minimal, whatever bytes were drawn. */
function integer(bytes: Buffer): Buffer {
  const positive = Buffer.from(bytes);
  positive[0] = ((positive[0] ?? 0) & 0x7f) || 1;
  return der(0x02, positive);
}

function utcTime(date: Date): Buffer {
  return der(0x17, Buffer.from(date.toISOString().replace(/\.\d+Z$/, "Z").replace(/[-:T]/g, "").slice(2)));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer, options: { critical?: boolean } = {}): Buffer {
  return sequence(oid(id), ...(options.critical ? [TRUE] : []), der(0x04, value));
}

function pem(label: string, bytes: Buffer): string {
  return `-----BEGIN ${label}-----\n${bytes.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
