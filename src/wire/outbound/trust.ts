/**
 * TLS with servers: whom the proxy trusts, and as whom it introduces itself.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import tls from "node:tls";
import { type ByHost, compileByHost } from "./by_host.ts";
import type { DialTls } from "./dial.ts";

/** A version of TLS that every runtime speaks. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** A certificate with its private key, in PEM or as PKCS#12. */
export type ClientCertificate =
  | {
    /** The certificate, and those that lead to its authority, PEM. */
    readonly cert: string;
    /** Its private key, PEM. */
    readonly key: string;
    /** What the key is encrypted with. */
    readonly passphrase?: string;
  }
  | {
    /** A PKCS#12 file (`.p12`, `.pfx`). */
    readonly pfx: Uint8Array;
    /** What it is encrypted with. */
    readonly passphrase?: string;
  };

/** How TLS is spoken with servers. */
export interface TrustConfig {
  /** Certificate authorities that are trusted besides the well-known ones, PEM. */
  readonly ca: readonly string[];
  /** By host: the certificate that is shown to a server which asks for one. */
  readonly clientCertificates?: Readonly<Record<string, ClientCertificate>> | undefined;
  /** The oldest version that is offered. */
  readonly minVersion?: TlsVersion | undefined;
  /** The newest version that is offered. */
  readonly maxVersion?: TlsVersion | undefined;
  /** Gets each line of the key log. */
  readonly keyLog?: ((line: Uint8Array) => void) | undefined;
}

/** Makes what is needed for TLS with a server; contexts are made once. */
export class Trust {
  readonly #config: TrustConfig;
  readonly #certificateFor: ByHost<ClientCertificate>;
  readonly #contexts = new Map<ClientCertificate | undefined, tls.SecureContext>();

  /** @throws {OptionsError} a name in `clientCertificates` is not valid */
  constructor(config: TrustConfig) {
    this.#config = config;
    const table = new Map(Object.entries(config.clientCertificates ?? {}));
    this.#certificateFor = compileByHost(table, "upstream.clientCertificates");
  }

  /** How to speak TLS with the server that was asked for as `hostname:port`, in whatever way it is reached. */
  for(hostname: string, port: number, options: { readonly serverName: string; readonly verify: boolean }): DialTls {
    const { keyLog } = this.#config;
    const certificate = this.#certificateFor(hostname, port);
    return { ...options, context: this.#contextFor(certificate), ...(keyLog === undefined ? {} : { keyLog }) };
  }

  #contextFor(certificate: ClientCertificate | undefined): tls.SecureContext {
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const context = this.#makeContext(certificate);
    this.#contexts.set(certificate, context);
    return context;
  }

  #makeContext(certificate: ClientCertificate | undefined): tls.SecureContext {
    const { ca, minVersion, maxVersion } = this.#config;
    const options: tls.SecureContextOptions = {
      ...(ca.length === 0 ? {} : { ca: [...(tls.getCACertificates?.("default") ?? tls.rootCertificates), ...ca] }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
      ...(certificate === undefined ? {} : credentialsOf(certificate)),
    };
    if (Object.keys(options).length > 0) return tls.createSecureContext(options);
    return defaultContext ??= tls.createSecureContext();
  }
}

/** A client certificate as node:tls takes it. */
export function credentialsOf(certificate: ClientCertificate): tls.SecureContextOptions {
  const { passphrase } = certificate;
  const secret = passphrase === undefined ? {} : { passphrase };
  if ("pfx" in certificate) return { pfx: Buffer.from(certificate.pfx), ...secret };
  return { cert: certificate.cert, key: certificate.key, ...secret };
}

/** Without options of its own one context serves the process: making one reads every well-known certificate. */
let defaultContext: tls.SecureContext | undefined;
