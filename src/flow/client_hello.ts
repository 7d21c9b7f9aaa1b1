/**
 * The first message of a TLS client.
 *
 * @module
 */
import type { Peer } from "./peer.ts";

/** What the first message of a TLS client says (RFC 8446 section 4.1.2). Numbers are those of the IANA registries, GREASE included. */
export interface ClientHelloFields {
  /** The version of the first record, 0x0301 with most clients. */
  readonly recordVersion: number;
  /** `legacy_version`: 0x0303 with clients of TLS 1.2 and 1.3. */
  readonly version: number;
  /** The host name it asks for, in lower case; absent when there is none, or none that is a host name. */
  readonly serverName?: string;
  /** Application protocols in the order of its preference. */
  readonly alpn: readonly string[];
  /** Cipher suites in the order of its preference. */
  readonly cipherSuites: readonly number[];
  /** Types of the extensions in the order in which it sent them. */
  readonly extensions: readonly number[];
  /** Versions it supports (`supported_versions`); empty with clients older than TLS 1.3. */
  readonly supportedVersions: readonly number[];
  /** Key exchange groups (`supported_groups`). */
  readonly supportedGroups: readonly number[];
  /** Elliptic curve point formats (`ec_point_formats`). */
  readonly pointFormats: readonly number[];
  /** Signature schemes (`signature_algorithms`). */
  readonly signatureAlgorithms: readonly number[];
}

/** What a client says when it opens a TLS connection: the subject of the hook `tlsClientHello`. */
export interface ClientHello extends ClientHelloFields {
  /** Who says it. */
  readonly client: Peer;
  /** Its JA3 fingerprint: an MD5 in hex. Clients that shuffle their extensions, as browsers do, have a new one each time. */
  readonly ja3: string;
  /** Its JA4 fingerprint, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`: the same in whatever order the extensions come. */
  readonly ja4: string;
}
