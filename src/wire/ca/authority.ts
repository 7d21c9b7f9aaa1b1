/**
 * The certificate authority that intercepted connections are answered with.
 *
 * @module
 */
import type { Server } from "node:tls";
import { FlowtapeError } from "../../flow/error.ts";
import { distinguishedName, issueCertificate, keyIdentifier, nameExtension, serverExtensions } from "./certificate.ts";
import { type Clock, DAY, systemClock } from "./clock.ts";
import type { Der } from "./der.ts";
import type { Issuer } from "./issuer.ts";
import { leafKey } from "./leaf_key.ts";
import { LruMap } from "./lru.ts";
import { type CertificateName, certificateName } from "./names.ts";
import { createSecureServer, type SecureServerOptions, serverKey } from "./secure_server.ts";
import { temporaryFile } from "./temporary_file.ts";
import { encodeTrustStore } from "./trust_store.ts";

/** A private key and a certificate chain, as PEM. */
export interface Leaf {
  readonly key: string;
  /** The leaf certificate, followed by the authority's. */
  readonly cert: string;
}

/** Issues a certificate for any name that a client asks for. Shared by all proxies of the process. */
export interface CertificateAuthority {
  /** The authority's certificate, PEM: what clients must trust. */
  readonly cert: string;
  /**
   * A file that holds `cert`. Unless the authority lives in a folder it is a temporary one, written at the first access
   * and removed when the process exits; the private key is never in it.
   */
  readonly path: string;
  /** The same as a PKCS#12 trust store, for Java, with the password `changeit`: a temporary file too. */
  readonly trustStore: string;
  /** The base64 SHA-256 of the leaf key, as Chromium's `--ignore-certificate-errors-spki-list` takes it. */
  readonly spki: string;
  /**
   * The certificate for a name: made at the first call, kept, and renewed before it ends.
   *
   * @param name a host name, `*.` and a host name, or an IP address
   * @throws {FlowtapeError} `CA_BAD_NAME`; `CA_EXPIRED` when the authority's own certificate has ended
   */
  leaf(name: string): Leaf;
  /** The TLS server that answers for a name. It does not listen: give it connections with `acceptTls()`. Throws as `leaf()`. */
  secureServer(name: string, options?: SecureServerOptions): Server;
}

/** The one of Java's own trust stores: what is public needs no secret. */
export const TRUST_STORE_PASSWORD = "changeit";

/** How many names an authority remembers at most. */
export const NAMES_KEPT = 1000;

/** Apple's limit for server certificates is 825 days, that of browsers for public ones 398: stay below both. */
const LEAF_DAYS = 396;

interface KeptLeaf extends Leaf {
  readonly renewAt: number;
}

/** The authority behind `openCa()`. */
export class Authority implements CertificateAuthority {
  readonly cert: string;
  readonly spki: string = leafKey().hash;
  /** How many leaf certificates it has signed so far. */
  issued = 0;

  readonly #der: Der;
  readonly #issuer: Issuer;
  readonly #clock: Clock;
  readonly #leaves: LruMap<string, KeptLeaf>;
  readonly #servers: LruMap<string, { leaf: Leaf; server: Server }>;
  #path: string | undefined;
  #trustStore: string | undefined;
  #sameForAll: readonly Uint8Array[] | undefined;

  /** @param options `path`: the file that already holds the certificate; `clock` and `capacity`: for tests */
  constructor(der: Der, issuer: Issuer, options: { path?: string; clock?: Clock; capacity?: number } = {}) {
    this.cert = issuer.cert;
    this.#der = der;
    this.#issuer = issuer;
    this.#path = options.path;
    this.#clock = options.clock ?? systemClock;
    this.#leaves = new LruMap(options.capacity ?? NAMES_KEPT);
    this.#servers = new LruMap(options.capacity ?? NAMES_KEPT);
  }

  get path(): string {
    return this.#path ??= temporaryFile("ca.pem", this.cert);
  }

  get trustStore(): string {
    return this.#trustStore ??= temporaryFile("ca.p12", encodeTrustStore(this.#der, this.cert, TRUST_STORE_PASSWORD));
  }

  leaf(name: string): Leaf {
    return this.#leaf(certificateName(name));
  }

  secureServer(name: string, options: SecureServerOptions = {}): Server {
    const canonical = certificateName(name);
    const leaf = this.#leaf(canonical);
    const key = serverKey(canonical.text, options);
    const kept = this.#servers.get(key);
    if (kept?.leaf === leaf) return kept.server;
    const server = createSecureServer(leaf, options);
    this.#servers.set(key, { leaf, server });
    return server;
  }

  #leaf(name: CertificateName): Leaf {
    const now = this.#clock();
    const kept = this.#leaves.get(name.text);
    if (kept !== undefined && now < kept.renewAt) return kept;
    const leaf = this.#issue(name, now);
    this.#leaves.set(name.text, leaf);
    return leaf;
  }

  #issue(name: CertificateName, now: number): KeptLeaf {
    const der = this.#der;
    const issuer = this.#issuer;
    if (now > issuer.notAfter) {
      throw new FlowtapeError(
        "CA_EXPIRED",
        `The certificate authority ended on ${
          new Date(issuer.notAfter).toISOString()
        }, so no certificate can be issued ` +
          `for ${name.text}. Start the process again, with a renewed authority if you gave one.`,
      );
    }
    const key = leafKey();
    const notAfter = Math.min(now + LEAF_DAYS * DAY, issuer.notAfter);
    const notBefore = Math.max(now - DAY, issuer.notBefore);
    // A common name is no longer than this (RFC 5280 appendix A.1, ub-common-name).
    const subject = name.text.length <= 64 ? "named" : "empty";
    const pem = issueCertificate(der, {
      issuer: issuer.subject,
      subject: distinguishedName(der, subject === "named" ? { commonName: name.text } : {}),
      spki: key.spki,
      notBefore,
      notAfter,
      extensions: [...this.#extensions(key.spki), nameExtension(der, name, subject)],
    }, issuer.signer);
    this.issued++;
    // A day ahead, unless it has less than that to live: then halfway, or every connection would make a new one.
    return { key: key.pem, cert: pem + issuer.cert, renewAt: Math.max(notAfter - DAY, now + (notAfter - now) / 2) };
  }

  #extensions(spki: Uint8Array): readonly Uint8Array[] {
    const der = this.#der;
    return this.#sameForAll ??= serverExtensions(der, {
      keyId: keyIdentifier(der, spki),
      issuerKeyId: this.#issuer.keyId,
    });
  }
}
