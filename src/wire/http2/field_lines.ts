/**
 * Field lines on their way into HTTP/2, and cookies on their way out.
 *
 * @module
 */
import { CONNECTION_FIELDS } from "./check_fields.ts";

/**
 * Adds the fields of lines to a section: names in lower case, without what belongs to a connection of HTTP/1.1 (RFC 9113 sections 8.2
 * and 8.2.2), each cookie in a field of its own (section 8.2.3).
 *
 * @param raw is added to: names and values in turn
 * @param lines each ends with CRLF
 * @returns the value of Host, which is not added
 */
export function addLines(raw: string[], lines: string): string | undefined {
  let host: string | undefined;
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf("\r\n", at);
    const colon = lines.indexOf(":", at);
    const name = lines.slice(at, colon).toLowerCase();
    const value = lines.slice(colon + 1, end).trim();
    at = end + 2;
    if (name === "host") host = value;
    else if (name === "cookie") { for (const one of value.split(/; */)) raw.push(name, one); }
    else if (name === "te" ? /^trailers$/i.test(value) : !CONNECTION_FIELDS.has(name)) raw.push(name, value);
  }
  return host;
}
