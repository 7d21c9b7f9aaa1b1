/**
 * The certificate authority, and taking TLS connections with its certificates.
 *
 * @module
 */
export type { CertificateAuthority, Leaf } from "./authority.ts";
export { leftAfterHandshake } from "./handshake_error.ts";
export { acceptTls, type AcceptTlsOptions, connectionBelow } from "./interceptor.ts";
export { type CaOptions, openCa } from "./open.ts";
export type { SecureServerOptions } from "./secure_server.ts";
