/**
 * The request of SOCKS 4 and 4a. No RFC: "SOCKS: A protocol for TCP proxy across firewalls" (Ying-Da Lee), and "SOCKS 4A: A
 * Simple Extension to SOCKS 4 Protocol".
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { hostnameOfAddress, hostnameOfName, type SocksRequest } from "./destination.ts";
import { socks4Reply, SocksError } from "./socks_error.ts";

/** VN, CD, DSTPORT, DSTIP. */
const FIXED = 8;
/** Neither field has a length: without a limit a client could send for ever. */
const MAX_FIELD = 255;
const CONNECT = 1;

/**
 * Reads `VN CD DSTPORT DSTIP USERID NUL`, in 4a followed by `HOSTNAME NUL`.
 *
 * @returns the request and how many bytes it took; `undefined`: more bytes are needed
 * @throws {SocksError} it is refused
 */
export function readSocks4(bytes: Uint8Array): { request: SocksRequest; length: number } | undefined {
  if (bytes.length < FIXED) return undefined;
  const userEnd = fieldEnd(bytes, FIXED, "user");
  if (userEnd === undefined) return undefined;
  // 4a: an impossible address 0.0.0.x, x not 0, says that a name follows.
  const named = bytes[4] === 0 && bytes[5] === 0 && bytes[6] === 0 && bytes[7] !== 0;
  const end = named ? fieldEnd(bytes, userEnd + 1, "host name") : userEnd;
  if (end === undefined) return undefined;

  if (bytes[1] !== CONNECT) {
    throw refused(
      "SOCKS_COMMAND",
      `asked for ${bytes[1] === 2 ? "BIND, " : ""}command ${bytes[1]} of SOCKS 4: only CONNECT (1) is supported`,
    );
  }
  const hostname = named ? hostnameOfName(bytes.subarray(userEnd + 1, end)) : hostnameOfAddress(bytes.subarray(4, 8));
  if (hostname === undefined) {
    throw refused("SOCKS_ADDRESS", "sent a host name that is none: letters, digits, dots and hyphens are expected");
  }
  const port = (bytes[2]! << 8) | bytes[3]!;
  if (port === 0) throw refused("SOCKS_ADDRESS", "asked for port 0: a port from 1 to 65535 is expected");
  const username = Buffer.from(bytes.subarray(FIXED, userEnd)).toString();
  return { request: { hostname, port, ...(username === "" ? {} : { username }) }, length: end + 1 };
}

/** Where the NUL is that ends a field. */
function fieldEnd(bytes: Uint8Array, start: number, what: string): number | undefined {
  const end = bytes.indexOf(0, start);
  const length = (end === -1 ? bytes.length : end) - start;
  if (length > MAX_FIELD) {
    throw refused("SOCKS_MALFORMED", `sent a ${what} of more than ${MAX_FIELD} bytes, or forgot the NUL after it`);
  }
  return end === -1 ? undefined : end;
}

function refused(code: "SOCKS_COMMAND" | "SOCKS_ADDRESS" | "SOCKS_MALFORMED", what: string): SocksError {
  return new SocksError(code, `The SOCKS 4 client ${what}.`, socks4Reply("general"));
}
