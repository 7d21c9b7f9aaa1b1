/**
 * Which fields a message in HTTP/2 may have (RFC 9113 section 8.2).
 *
 * @module
 */
import { Http2Error } from "./http2_error.ts";

/** The pseudo-fields, without their colon. */
export type Pseudo = "method" | "scheme" | "authority" | "path" | "protocol" | "status";

const ALLOWED: Readonly<Record<"request" | "response" | "trailers", ReadonlySet<string>>> = {
  request: new Set([":method", ":scheme", ":authority", ":path", ":protocol"]),
  response: new Set([":status"]),
  trailers: new Set(),
};

/** Fields that concern one connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// Of the controls NUL, CR and LF are forbidden here, the others in HTTP/1.1, to which the message may go.
// deno-lint-ignore no-control-regex
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/;

/**
 * Checks a field section.
 *
 * @param raw names and values in turn
 * @returns the pseudo-fields
 * @throws {Http2Error} it is malformed
 */
export function checkRaw(
  raw: readonly string[],
  kind: "request" | "response" | "trailers",
  stream: number,
): Partial<Record<Pseudo, string>> {
  const pseudo: Partial<Record<Pseudo, string>> = {};
  let regular = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (BAD_VALUE.test(value)) {
      throw refuse(`has a value of ${quote(name)} with characters that it must not have`, stream);
    }
    if (name.startsWith(":")) {
      const key = name.slice(1) as Pseudo;
      if (!ALLOWED[kind].has(name)) throw refuse(`has the pseudo-field ${quote(name)}`, stream);
      if (regular) throw refuse(`has ${quote(name)} behind other fields`, stream);
      if (pseudo[key] !== undefined) throw refuse(`has ${quote(name)} twice`, stream);
      if (value === "" || /[ \t]/.test(value)) throw refuse(`has ${quote(value)} as ${name}`, stream);
      pseudo[key] = value;
      continue;
    }
    regular = true;
    if (!NAME.test(name)) throw refuse(`has a field name that is none: ${quote(name)}`, stream);
    if (CONNECTION_FIELDS.has(name)) throw refuse(`has the field ${name}, which belongs to HTTP/1.1`, stream);
    if (name === "te" && value.toLowerCase() !== "trailers") throw refuse(`has te: ${value}`, stream);
  }
  if (pseudo.method !== undefined && !METHOD.test(pseudo.method)) {
    throw refuse(`has the :method ${quote(pseudo.method)}`, stream);
  }
  return pseudo;
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The error for a message that is malformed (RFC 9113 section 8.1.1). */
export function refuse(what: string, stream: number): Http2Error {
  return new Http2Error("PROTOCOL_ERROR", `the message ${what} (RFC 9113 section 8)`, stream);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
