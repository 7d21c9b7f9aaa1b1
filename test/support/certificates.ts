/**
 * A certificate authority for tests: made in a millisecond, kept for the process, independent of the one under test.
 *
 * @module
 */

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";

/** A certificate and its private key, both PEM. */
export interface KeyAndCertificate {
  cert: string;
  key: string;
}

/** What a certificate says besides its names. */
export interface IssueOptions {
  /** Default: yesterday. */
  notBefore?: Date;
  /** Default: tomorrow. */
  notAfter?: Date;
}

/** A certificate authority. */
export interface TestCa {
  /** Its own certificate, PEM: what a client has to trust. */
  readonly cert: string;
  /** A certificate for servers and clients alike, with names such as `a.test`, `*.test` or `127.0.0.1`. */
  issue(names: string[], options?: IssueOptions): KeyAndCertificate;
}

const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const DAY = 24 * 60 * 60 * 1000;

/** Makes a certificate authority of its own, for tests about trust; others share {@linkcode testCa}. */
export function createCa(name = "flowtape test CA"): TestCa {
  const pair = newKeyPair();
  const subject = [{ name: "commonName", value: name }];
  const extensions = [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ];
  const cert = certify({ subject, issuer: subject, extensions, publicKey: pair.publicKey, signer: pair.privateKey });
  return {
    cert,
    issue(names, options) {
      const leaf = newKeyPair();
      const altNames = names.map((it) => isIP(it) ? { type: 7, ip: it } : { type: 2, value: it });
      const signed = certify({
        subject: [{ name: "commonName", value: names[0] ?? "nobody" }],
        issuer: subject,
        extensions: [
          { name: "basicConstraints", cA: false },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true, clientAuth: true },
          { name: "subjectAltName", altNames },
          { name: "subjectKeyIdentifier" },
          { name: "authorityKeyIdentifier", keyIdentifier: keyId(pair.publicKey) },
        ],
        publicKey: leaf.publicKey,
        signer: pair.privateKey,
        ...options,
      });
      return { cert: signed, key: leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
  };
}

let shared: TestCa | undefined;

/** The certificate authority that the tests of this process share. */
export function testCa(): TestCa {
  return shared ??= createCa();
}

interface Draft extends IssueOptions {
  subject: forge.pki.CertificateField[];
  issuer: forge.pki.CertificateField[];
  extensions: object[];
  publicKey: KeyObject;
  signer: KeyObject;
}

/** Lets forge draw up the certificate, puts in the P-256 key that forge does not know, and signs. */
function certify({ subject, issuer, extensions, publicKey, signer, notBefore, notAfter }: Draft): string {
  const draft = forge.pki.createCertificate();
  draft.serialNumber = `01${randomBytes(8).toString("hex")}`;
  draft.validity.notBefore = notBefore ?? new Date(Date.now() - DAY);
  draft.validity.notAfter = notAfter ?? new Date(Date.now() + DAY);
  draft.setSubject(subject);
  draft.setIssuer(issuer);
  draft.generateSubjectKeyIdentifier = () => forge.util.createBuffer(keyId(publicKey));
  draft.setExtensions(extensions);
  const one = new forge.jsbn.BigInteger("1");
  draft.publicKey = forge.pki.setRsaPublicKey(one, one);
  draft.siginfo.algorithmOid = ECDSA_SHA256;

  const { asn1 } = forge;
  const algorithm = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(ECDSA_SHA256).getBytes()),
  ]);
  const { getTBSCertificate } = forge.pki as unknown as { getTBSCertificate(it: typeof draft): forge.asn1.Asn1 };
  const tbs = getTBSCertificate(draft);
  const fields = tbs.value as forge.asn1.Asn1[];
  fields[2] = algorithm;
  fields[6] = asn1.fromDer(publicKey.export({ type: "spki", format: "der" }).toString("latin1"));
  const toSign = new Uint8Array(Array.from(asn1.toDer(tbs).getBytes(), (it) => it.charCodeAt(0)));
  const signature = sign("sha256", toSign, signer).toString("latin1");
  const certificate = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
    tbs,
    algorithm,
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BITSTRING, false, `\0${signature}`),
  ]);
  return forge.pem.encode({ type: "CERTIFICATE", body: asn1.toDer(certificate).getBytes() });
}

function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** Any stable name of a key will do (RFC 5280, section 4.2.1.2): the end of its point. */
function keyId(key: KeyObject): string {
  return key.export({ type: "spki", format: "der" }).subarray(-20).toString("latin1");
}
