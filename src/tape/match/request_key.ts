/**
 * What a request is looked up by: method, URL with its query in order, and the header fields that were asked for.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import type { MatchOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";

/** Makes keys. Equal keys: the same request, but for its body. */
export class RequestKeys {
  readonly #method: boolean;
  readonly #query: boolean;
  readonly #ignored: readonly string[];
  readonly #headers: readonly string[];
  readonly #redactor: Redactor;

  /** @param redactor recorded and live requests are redacted alike */
  constructor({ method = true, query = true, headers = [] }: MatchOptions, redactor: Redactor) {
    this.#method = method;
    this.#query = query !== false;
    this.#ignored = typeof query === "object" ? query.ignore : [];
    this.#headers = headers;
    this.#redactor = redactor;
  }

  /** The key of a request. `headers` is only asked for when it counts. */
  keyOf(method: string, url: string, headers: () => FlowHeaders): string {
    const key = `${this.#method ? method : "*"} ${this.#normalUrl(this.#redactor.url(url))}`;
    return this.#headers.length === 0 ? key : `${key}\n${this.#headerPart(headers())}`;
  }

  #normalUrl(url: string): string {
    const hash = url.indexOf("#");
    if (hash >= 0) url = url.slice(0, hash);
    const mark = url.indexOf("?");
    const address = normalAddress(mark < 0 ? url : url.slice(0, mark));
    if (mark < 0 || mark === url.length - 1 || !this.#query) return address;
    const query = new URLSearchParams(url.slice(mark + 1));
    for (const name of this.#ignored) query.delete(name);
    query.sort();
    return query.size === 0 ? address : `${address}?${query}`;
  }

  #headerPart(headers: FlowHeaders): string {
    return this.#headers.map((name) => {
      const values = headers.getAll(name).map((value) => this.#redactor.header(name, value));
      return `${name.toLowerCase()}: ${values.join("\n ")}`;
    }).join("\n");
  }
}

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
