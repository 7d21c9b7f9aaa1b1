/**
 * The connections of a report: many flows share one, and it is told once.
 *
 * @module
 */
import type { CertificateInfo } from "../flow/certificate.ts";
import type { Peer, TlsInfo } from "../flow/peer.ts";
import type { Cleaner } from "./clean.ts";
import type { CertificateData, PeerData, TlsData } from "./data.ts";
import { shortened } from "./limits.ts";

/** Gives connections their places. */
export class Peers {
  /** The connections so far. */
  readonly list: PeerData[] = [];
  readonly #places = new Map<Peer, number>();
  readonly #cleaner: Cleaner;

  /** @param cleaner for names, and for messages of errors */
  constructor(cleaner: Cleaner) {
    this.#cleaner = cleaner;
  }

  /** The place of a connection. */
  placeOf(peer: Peer): number {
    let place = this.#places.get(peer);
    if (place === undefined) {
      place = this.list.push(this.#dataOf(peer)) - 1;
      this.#places.set(peer, place);
    }
    return place;
  }

  #dataOf(peer: Peer): PeerData {
    const { host, port, address, localAddress, localPort, connectedAt, tls, proxyTls, username } = peer;
    const { via, tunnel, played, error } = peer;
    return {
      host: shortened(String(host)),
      port: Number(port),
      ...(address !== undefined && { address }),
      ...(localAddress !== undefined && { local: `${localAddress}:${localPort}` }),
      ...(connectedAt !== undefined && { connectedAt }),
      ...(tls !== undefined && { tls: tlsOf(tls) }),
      ...(proxyTls !== undefined && { proxyTls: tlsOf(proxyTls) }),
      ...(username !== undefined && { username: shortened(username) }),
      ...(via !== undefined && { via: this.#cleaner.url(shortened(via)) }),
      ...(tunnel !== undefined && { tunnel }),
      ...(played !== undefined && { played }),
      ...(error !== undefined && {
        error: { code: String(error.code), message: this.#cleaner.text(shortened(String(error.message))) },
      }),
    };
  }
}

function tlsOf({ version, cipher, serverName, alpn, ja3, ja4, certificates }: TlsInfo): TlsData {
  return {
    version,
    cipher,
    ...(serverName !== undefined && { serverName }),
    ...(alpn !== undefined && { alpn }),
    ...(ja3 !== undefined && { ja3 }),
    ...(ja4 !== undefined && { ja4 }),
    certificates: certificates.slice(0, 10).map(certificateOf),
  };
}

function certificateOf(certificate: CertificateInfo): CertificateData {
  const { subject, issuer, names, validFrom, validTo, fingerprint, serialNumber } = certificate;
  return {
    subject: shortened(subject),
    issuer: shortened(issuer),
    names: names.slice(0, 100).map((name) => shortened(name, 256)),
    validFrom,
    validTo,
    fingerprint,
    serialNumber,
  };
}
