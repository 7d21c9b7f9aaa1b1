/**
 * What a TLS handshake agreed on, as data.
 *
 * @module
 */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { CertificateInfo } from "../flow/certificate.ts";
import type { ClientHello } from "../flow/client_hello.ts";
import type { TlsInfo } from "../flow/peer.ts";

/** What the socket itself does not tell. */
export interface TlsFacts {
  /** The name in the hello. */
  readonly serverName?: string | undefined;
  /** The hello of a client. */
  readonly hello?: ClientHello;
}

/**
 * Describes a connection whose handshake is done. Certificates and fingerprints are only worked out for whoever looks, which may be
 * long after the connection is closed. To be called once for a socket.
 */
export function describeTls(socket: TLSSocket, { serverName, hello }: TlsFacts): TlsInfo {
  // The second call for one socket finds no issuers on Node. A chain in plain data takes half a millisecond; this, next to nothing.
  let shown: X509Certificate | undefined = socket.getPeerX509Certificate?.();
  let certificates: readonly CertificateInfo[] | undefined;
  const info: TlsInfo = {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    ...(serverName === undefined ? {} : { serverName }),
    ...(typeof socket.alpnProtocol === "string" ? { alpn: socket.alpnProtocol } : {}),
    establishedAt: Date.now(),
    get certificates() {
      certificates ??= Object.freeze(chainOf(shown));
      shown = undefined;
      return certificates;
    },
  };
  return hello === undefined ? info : Object.defineProperties(info, {
    ja3: { get: () => hello.ja3, enumerable: true },
    ja4: { get: () => hello.ja4, enumerable: true },
  });
}

/** No chain that anybody uses is longer; a certificate that signed itself may name itself as its issuer for ever. */
const MAX_CHAIN = 16;

function chainOf(first: X509Certificate | undefined): CertificateInfo[] {
  const chain: CertificateInfo[] = [];
  for (let one = first; one !== undefined && chain.length < MAX_CHAIN; one = one.issuerCertificate) {
    const info = describeCertificate(one);
    if (chain.at(-1)?.fingerprint === info.fingerprint) break;
    chain.push(info);
  }
  return chain;
}

function describeCertificate(certificate: X509Certificate): CertificateInfo {
  return Object.freeze({
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: Object.freeze(namesOf(certificate.subjectAltName)),
    // Bun leaves out a leading zero.
    serialNumber: certificate.serialNumber.toUpperCase().replace(/^(?=(?:..)*.$)/, "0"),
    validFrom: isoTime(certificate.validFrom),
    validTo: isoTime(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    pem: certificate.toString(),
  });
}

/** The runtimes put each part of a name on a line of its own. */
function oneLine(name: string | undefined): string {
  return (name ?? "").trim().split("\n").join(", ");
}

/** `DNS:a.test, IP Address:127.0.0.1` without the kinds. What could be mistaken for a separator is in quotes there. */
function namesOf(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(/(?:^|, )[A-Za-z ]+:("(?:[^"\\]|\\.)*"|[^,]*)/g)].map((match) => match[1] ?? "");
}

function isoTime(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}
