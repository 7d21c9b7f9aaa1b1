/**
 * The static table of HPACK (RFC 7541 appendix A).
 *
 * @module
 */

/** Names and values; the first entry has index 1. */
export const STATIC_TABLE: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  ...["200", "204", "206", "304", "400", "404", "500"].map((status) => [":status", status] as const),
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...[
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
  ].map((name) => [name, ""] as const),
];

const byName = new Map<string, number>();
// Few names have values there, so that for most fields one look is enough.
const byValue = new Map<string, Map<string, number>>();
STATIC_TABLE.forEach(([name, value], i) => {
  if (!byName.has(name)) byName.set(name, i + 1);
  if (value === "") return;
  if (!byValue.has(name)) byValue.set(name, new Map());
  byValue.get(name)!.set(value, i + 1);
});

/** The index of the first entry with this name, or 0. */
export function indexOfName(name: string): number {
  return byName.get(name) ?? 0;
}

/** The index of the entry with this name and value, or 0. */
export function indexOfField(name: string, value: string): number {
  return byValue.get(name)?.get(value) ?? 0;
}
