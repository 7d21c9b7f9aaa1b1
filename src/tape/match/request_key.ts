/**
 * What a request is looked up by: method, URL with its query in order, and the header fields that were asked for.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import { type PathTest, pathTest } from "../../flow/json_path.ts";
import type { Redactor } from "../redact/redactor.ts";
import { normalizeGraphqlQuery } from "./graphql.ts";
import type { MatchOptions, OriginPart } from "./match_options.ts";
import { withoutBoundary } from "./multipart_signature.ts";
import { isVolatileField, VOLATILE_PARAMETERS } from "./volatile.ts";

/** Makes keys. Equal keys: the same request, but for its body. */
export class RequestKeys {
  readonly #method: boolean;
  readonly #origin: ReadonlySet<OriginPart>;
  readonly #path: boolean;
  readonly #query: boolean;
  readonly #ignored: readonly string[];
  readonly #inVariables: PathTest | undefined;
  readonly #headers: readonly string[] | { readonly ignore: ReadonlySet<string> };
  readonly #redactor: Redactor;

  /** @param redactor recorded and live requests are redacted alike */
  constructor(options: MatchOptions, redactor: Redactor) {
    const { method = true, origin = true, path = true, query, headers = [], body } = options;
    this.#method = method;
    this.#origin = new Set(
      origin === true ? ALL : origin === false ? [] : ALL.filter((part) => !origin.ignore.includes(part)),
    );
    this.#path = path;
    this.#query = query !== false;
    this.#ignored = query === true ? [] : [...VOLATILE_PARAMETERS, ...typeof query === "object" ? query.ignore : []];
    this.#inVariables = typeof body === "object" && body.ignore ? pathTest(body.ignore) : undefined;
    this.#headers = "ignore" in headers
      ? { ignore: new Set(headers.ignore.map((name) => name.toLowerCase())) }
      : headers.map((name) => name.toLowerCase());
    this.#redactor = redactor;
  }

  /** The key of a request. `headers` is only asked for when it counts. */
  keyOf(method: string, url: string, headers: () => FlowHeaders): string {
    const key = `${this.#method ? method : "*"} ${this.#normalUrl(this.#redactor.url(url))}`;
    return "ignore" in this.#headers || this.#headers.length > 0 ? `${key}\n${this.#headerPart(headers())}` : key;
  }

  #normalUrl(url: string): string {
    const hash = url.indexOf("#");
    if (hash >= 0) url = url.slice(0, hash);
    const mark = url.indexOf("?");
    const address = this.#counting(normalAddress(mark < 0 ? url : url.slice(0, mark)));
    if (mark < 0 || mark === url.length - 1 || !this.#query) return address;
    const query = new URLSearchParams(url.slice(mark + 1));
    for (const name of this.#ignored) query.delete(name);
    normalizeGraphqlQuery(query, { ignored: this.#inVariables });
    query.sort();
    return query.size === 0 ? address : `${address}?${query}`;
  }

  /** Without the parts of an address that do not count. */
  #counting(address: string): string {
    if (this.#origin.size === ALL.length && this.#path) return address;
    const [, scheme, host, port = "", path] = /^([^:]*):\/\/(\[[^\]]*\]|[^/:]*)(:\d+)?(.*)$/.exec(address)!;
    const part = (name: OriginPart, value: string) => this.#origin.has(name) ? value : "";
    return `${part("scheme", scheme!)}://${part("host", host!)}${part("port", port)}${this.#path ? path : "/*"}`;
  }

  #headerPart(headers: FlowHeaders): string {
    const line = (name: string, values: readonly string[]) =>
      `${name}: ${values.map((value) => this.#redactor.header(name, withoutBoundary(value))).join("\n ")}`;
    if (!("ignore" in this.#headers)) {
      return this.#headers.map((name) => line(name, headers.getAll(name))).join("\n");
    }
    const { ignore } = this.#headers;
    const names = new Set(Array.from(headers, ([name]) => name.toLowerCase()));
    return [...names].filter((name) => !ignore.has(name) && !isVolatileField(name)).sort()
      .map((name) => line(name, headers.getAll(name))).join("\n");
  }
}

const ALL: readonly OriginPart[] = ["scheme", "host", "port"];

/** Scheme, authority and path. The usual form costs no parsing. */
function normalAddress(url: string): string {
  const start = url.indexOf("://") + 3;
  const slash = url.indexOf("/", start);
  const authority = slash < 0 ? url.slice(start) : url.slice(start, slash);
  if (slash >= 0 && /^[a-z\d.-]+(?::(?!80$|443$)\d+)?$/.test(authority)) return url;
  const scheme = url.slice(0, start - 3).toLowerCase();
  const port = scheme === "https" || scheme === "wss" ? /:443$/ : /:80$/;
  const host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase().replace(port, "");
  return `${scheme}://${host}${slash < 0 ? "/" : url.slice(slash)}`;
}
