/**
 * The messages of a SOCKS 5 client (RFC 1928), and of its authentication by name and password (RFC 1929).
 *
 * @module
 */
import { hostnameOfAddress, hostnameOfName, type SocksRequest } from "./destination.ts";
import { socks5Reply, SocksError, type SocksErrorCode, type SocksRefusal } from "./socks_error.ts";

/** Ways to authenticate (RFC 1928 section 3). */
export const METHOD: { readonly NONE: 0; readonly PASSWORD: 2; readonly UNACCEPTABLE: 0xff } = {
  NONE: 0,
  PASSWORD: 2,
  UNACCEPTABLE: 0xff,
};

/** VER, CMD, RSV, ATYP. */
const FIXED = 4;
const CONNECT = 1;
const COMMANDS: Readonly<Record<number, string>> = { 2: "BIND", 3: "UDP ASSOCIATE" };
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** Reads `VER NMETHODS METHODS` (RFC 1928 section 3). `undefined`: more bytes are needed, as in all that follow. */
export function readGreeting(bytes: Uint8Array): { methods: Uint8Array; length: number } | undefined {
  const length = 2 + (bytes[1] ?? Infinity);
  return bytes.length < length ? undefined : { methods: bytes.subarray(2, length), length };
}

/** Reads `VER ULEN UNAME PLEN PASSWD` (RFC 1929 section 2). */
export function readPassword(
  bytes: Uint8Array,
): { version: number; username: Uint8Array; password: Uint8Array; length: number } | undefined {
  const nameEnd = 2 + (bytes[1] ?? Infinity);
  const length = nameEnd + 1 + (bytes[nameEnd] ?? Infinity);
  if (bytes.length < length) return undefined;
  return {
    version: bytes[0]!,
    username: bytes.subarray(2, nameEnd),
    password: bytes.subarray(nameEnd + 1, length),
    length,
  };
}

/**
 * Reads `VER CMD RSV ATYP DST.ADDR DST.PORT` (RFC 1928 section 4).
 *
 * @throws {SocksError} it is refused
 */
export function readRequest(bytes: Uint8Array): { request: SocksRequest; length: number } | undefined {
  if (bytes.length > 0 && bytes[0] !== 5) {
    throw refused("SOCKS_MALFORMED", "general", `began its request with ${bytes[0]} instead of the version 5`);
  }
  if (bytes.length <= FIXED) return undefined;
  const type = bytes[3]!;
  const start = type === NAME ? FIXED + 1 : FIXED;
  const end = start + addressLength(type, bytes[FIXED]!);
  if (bytes.length < end + 2) return undefined;

  // Asked only now: whoever is refused in the middle of a message may never read why.
  if (bytes[1] !== CONNECT) {
    const command = COMMANDS[bytes[1]!] ?? `command ${bytes[1]}`;
    throw refused("SOCKS_COMMAND", "commandNotSupported", `asked for ${command}: only CONNECT is supported`);
  }
  const address = bytes.subarray(start, end);
  const hostname = type === NAME ? hostnameOfName(address) : hostnameOfAddress(address);
  if (hostname === undefined) {
    throw refused(
      "SOCKS_ADDRESS",
      "general",
      "sent a host name that is none: letters, digits, dots and hyphens are expected",
    );
  }
  const port = (bytes[end]! << 8) | bytes[end + 1]!;
  if (port === 0) {
    throw refused("SOCKS_ADDRESS", "general", "asked for port 0: a port from 1 to 65535 is expected");
  }
  return { request: { hostname, port }, length: end + 2 };
}

function addressLength(type: number, first: number): number {
  switch (type) {
    case IPV4:
      return 4;
    case NAME:
      return first;
    case IPV6:
      return 16;
    default:
      throw refused(
        "SOCKS_ADDRESS",
        "addressTypeNotSupported",
        `sent an address of type ${type}: IPv4 (1), a name (3) and IPv6 (4) are supported`,
      );
  }
}

function refused(code: SocksErrorCode, refusal: SocksRefusal, what: string): SocksError {
  return new SocksError(code, `The SOCKS 5 client ${what}.`, socks5Reply(refusal));
}
