/**
 * The fields that tell a server behind a proxy what the client has asked for.
 *
 * @module
 */
import { isIPv6 } from "node:net";

/** What a client has asked for, and who it is. */
export interface Origin {
  /** The address of the client. */
  readonly address: string | undefined;
  /** Host and port as the client knows them. */
  readonly host: string;
  /** `http` or `https`. */
  readonly scheme: string;
  /** The path that the client sees before that of the request, without a slash at its end. */
  readonly prefix: string;
  /** The name with which the client has authenticated. */
  readonly username?: string | undefined;
  /** What the client itself has said of those before it, when it is trusted: values of X-Forwarded-For and Forwarded. */
  readonly before?: { readonly for: string | null; readonly forwarded: string | null };
}

/** What of the target was not in the request of the client. */
export interface Traversal {
  /** The path, without a slash at its end. */
  readonly path: string;
  /** The query, without the question mark. */
  readonly query: string;
}

/** The field with the signature. */
export const SIGNATURE = "x-flowtape-signature";

/** The fields that are signed, in this order. */
export const SIGNED: readonly string[] = [
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-server",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-forwarded-script-name",
  "x-forwarded-user",
  "x-traversal-path",
  "x-traversal-query-string",
];

const FORWARDING =
  /^(?:forwarded|x-forwarded|x-forwarded-.+|x-real-ip|x-script-name|x-traversal-.+|x-flowtape-signature)$/;

/**
 * Takes the fields out that Connection names, which are for us alone (RFC 9110 section 7.6.1): else a client could have what is told of it
 * dropped on the way.
 */
export function withoutNamed(headers: Headers): void {
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of named) {
    if (/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) && name !== "upgrade" && name !== "host") headers.delete(name);
  }
  headers.delete("connection");
  if (named.includes("upgrade")) headers.set("connection", "upgrade");
}

/**
 * Takes every field out that says something of a proxy; gives the names of those that were there. Underscores count as hyphens: CGI has one
 * variable for both (RFC 3875 section 4.1.18), and so have WSGI, Rack and PHP.
 */
export function withoutForwarding(headers: Headers): string[] {
  const names = [...headers.keys()].filter((name) => FORWARDING.test(name.replaceAll("_", "-")));
  for (const name of names) headers.delete(name);
  return names;
}

/** Writes them. */
export function setForwarding(headers: Headers, origin: Origin, traversal?: Traversal): void {
  const { address, host, scheme, prefix, username, before } = origin;
  const chain = [before?.for, address].filter(Boolean).join(", ");
  if (chain !== "") headers.set("x-forwarded-for", chain);
  headers.set("x-forwarded-host", host);
  headers.set("x-forwarded-server", host);
  headers.set("x-forwarded-proto", scheme);
  headers.set("x-forwarded-scheme", scheme);
  if (prefix !== "") headers.set("x-forwarded-script-name", prefix);
  if (username !== undefined) headers.set("x-forwarded-user", encodeURIComponent(username));
  headers.set("forwarded", [before?.forwarded, element(origin)].filter(Boolean).join(", "));
  if (traversal === undefined) return;
  if (traversal.path !== "") headers.set("x-traversal-path", traversal.path);
  if (traversal.query !== "") headers.set("x-traversal-query-string", traversal.query);
}

/** One element of Forwarded (RFC 7239 section 4). */
function element({ address, host, scheme }: Origin): string {
  const node = address === undefined ? "unknown" : isIPv6(address) ? `[${address}]` : address;
  return `for=${quoted(node)};host=${quoted(host)};proto=${scheme}`;
}

function quoted(value: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** The parameters of each element of Forwarded, the last proxy's last; `undefined` when it cannot be read. */
export function parseForwarded(value: string): Record<string, string>[] | undefined {
  const elements: Record<string, string>[] = [];
  for (const part of splitOutside(value, ",")) {
    const parameters: Record<string, string> = {};
    for (const pair of splitOutside(part, ";")) {
      if (pair.trim() === "") continue;
      const match = /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*$/.exec(pair);
      if (match === null) return undefined;
      parameters[match[1]!.toLowerCase()] = match[3] ?? match[2]!.replace(/\\(.)/g, "$1");
    }
    elements.push(parameters);
  }
  return elements;
}

function splitOutside(text: string, separator: "," | ";"): string[] {
  return text.match(separator === "," ? /(?:"(?:[^"\\]|\\.)*"|[^,"])+/g : /(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? [];
}
