/**
 * SOCKS 4, 4a and 5 for clients (RFC 1928, RFC 1929): CONNECT, with and without a name and password.
 *
 * @module
 */
export { acceptSocks, type AcceptSocksOptions, isSocksStart, type SocksTunnel } from "./accept_socks.ts";
export type { SocksCredentials } from "./credentials.ts";
export type { SocksRequest } from "./destination.ts";
export { SocksHandshake, type SocksHandshakeOptions } from "./handshake.ts";
export { SocksError, type SocksErrorCode, type SocksRefusal, socksRefusalFor } from "./socks_error.ts";
