/**
 * A request as it passes: where it goes, what it says.
 *
 * @module
 */
import { getCookies } from "@std/http/cookie";
import { BodyBuffer } from "./body_buffer.ts";
import { OptionsError } from "./error.ts";
import { FlowHeaders, type HeadersLike } from "./headers.ts";
import { type HttpVersion, Message } from "./message.ts";
import { LiveSearchParams } from "./search_params.ts";
import { defaultPort, formatAuthority, parseAuthority } from "./authority.ts";

/** The schemes of a request. */
export type Scheme = "http" | "https" | "ws" | "wss";

/** What {@linkcode FlowRequest.create} takes. */
export interface RequestInit {
  /** `"GET"` by default. */
  method?: string;
  /** Absolute URL. */
  url: string | URL;
  /** Header fields; `host` is added when it is missing. */
  headers?: HeadersLike;
  /** The body; empty by default. */
  body?: Uint8Array | string;
  /** `"1.1"` by default. */
  httpVersion?: HttpVersion;
}

/** Where a request goes: the parts that the wire reads from the request line, the Host field and the connection. */
export interface RequestAddress {
  /** `http` or `https`. */
  scheme: Scheme;
  /** Name or address as in a URL (IPv6 in brackets), in lower case. */
  hostname: string;
  /** Port number. */
  port: number;
  /** Path and query as on the wire. */
  target: string;
}

/** The request of a flow. Everything can be edited until it is sent. */
export class FlowRequest extends Message {
  /** The method, case-sensitive (RFC 9110 section 9.1). */
  method: string;

  #scheme: Scheme;
  #hostname: string;
  #port: number;
  #target: string;
  #url: string | undefined;
  #originalUrl: string | undefined;
  #query: LiveSearchParams | undefined;

  /** For the wire and the tape; everybody else uses {@linkcode FlowRequest.create}. */
  constructor(
    method: string,
    address: RequestAddress,
    httpVersion: HttpVersion,
    headers: FlowHeaders,
    content: BodyBuffer,
  ) {
    super(httpVersion, headers, content);
    this.method = method;
    this.#scheme = address.scheme;
    this.#hostname = address.hostname;
    this.#port = address.port;
    this.#target = address.target;
  }

  /** A request made by hand. */
  static create(init: RequestInit): FlowRequest {
    const headers = FlowHeaders.from(init.headers ?? []);
    const url = parseUrl(init.url);
    if (!headers.has("host")) headers.append("Host", url.host);
    const body = typeof init.body === "string" ? new TextEncoder().encode(init.body) : init.body;
    const request = new FlowRequest(
      init.method ?? "GET",
      addressOf(url),
      init.httpVersion ?? "1.1",
      headers,
      BodyBuffer.of(body ?? new Uint8Array(0)),
    );
    // In the place of the request of a client, this body is to be sent and not the client's.
    request.replaceBody();
    return request;
  }

  /** `request`. */
  protected override readonly what: string = "request";

  /** The absolute URL, without the default port of its scheme. Setting it sends the request there and rewrites `Host`. */
  get url(): string {
    return this.#url ??= `${this.#scheme}://${formatAuthority(this.#scheme, this.#hostname, this.#port)}${
      this.#target === "*" ? "" : this.#target
    }`;
  }

  set url(value: string | URL) {
    const url = parseUrl(value);
    const { scheme, hostname, port, target } = addressOf(url);
    const moved = hostname !== this.#hostname || port !== this.#port;
    this.#keepOriginal();
    this.#scheme = scheme;
    this.#hostname = hostname;
    this.#port = port;
    this.#change(target);
    if (moved) this.host = url.host;
  }

  /** The URL that the client asked for, whatever rules and addons have made of it. */
  get originalUrl(): string {
    return this.#originalUrl ?? this.url;
  }

  /** `http` or `https`; `ws` or `wss` when it asks for a WebSocket. */
  get scheme(): Scheme {
    return this.#scheme;
  }

  set scheme(value: Scheme) {
    // That it is a WebSocket is found out by the wire, and no change.
    if (value.replace("ws", "http") !== this.#scheme.replace("ws", "http")) this.#keepOriginal();
    this.#scheme = value;
    this.#url = undefined;
  }

  /** Name or address the request goes to, in lower case, as in a URL (IPv6 in brackets). */
  get hostname(): string {
    return this.#hostname;
  }

  set hostname(value: string) {
    if (parseAuthority(value, 0)?.hostname !== value.toLowerCase()) {
      throw new OptionsError(
        `${JSON.stringify(value)} is no host name: IPv6 addresses are in brackets, ports are apart`,
      );
    }
    this.#keepOriginal();
    this.#hostname = value.toLowerCase();
    this.#url = undefined;
  }

  /** Port the request goes to. */
  get port(): number {
    return this.#port;
  }

  set port(value: number) {
    if (!Number.isInteger(value) || value < 1 || value > 65535) {
      throw new OptionsError(`port ${value} is not valid: a whole number from 1 to 65535 is accepted`);
    }
    this.#keepOriginal();
    this.#port = value;
    this.#url = undefined;
  }

  /** The value of the `Host` field, as sent; where the request goes is `hostname` and `port`. */
  get host(): string {
    return this.headers.get("host") ?? formatAuthority(this.#scheme, this.#hostname, this.#port);
  }

  set host(value: string) {
    this.headers.set("Host", value);
  }

  /** Path and query as on the wire. */
  get target(): string {
    return this.#target;
  }

  set target(value: string) {
    this.#change(value);
  }

  /** The path without the query, as on the wire (not decoded). */
  get path(): string {
    const mark = this.#target.indexOf("?");
    return mark < 0 ? this.#target : this.#target.slice(0, mark);
  }

  set path(value: string) {
    const mark = this.#target.indexOf("?");
    this.#change(mark < 0 ? value : value + this.#target.slice(mark));
  }

  /** The query; changing it changes the request. */
  get query(): URLSearchParams {
    return this.#query ??= new LiveSearchParams(queryOf(this.#target), (query) => {
      this.#keepOriginal();
      this.#target = query === "" ? this.path : `${this.path}?${query}`;
      this.#url = undefined;
    });
  }

  /** Cookies of the `Cookie` fields by name. */
  override get cookies(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const pair of this.headers.getAll("cookie").join(";").split(";")) {
      // A pair without a name is no cookie (RFC 6265 section 5.2), and getCookies throws on it.
      if (/^\s*[^=\s]/.test(pair)) Object.assign(found, getCookies(new Headers({ cookie: pair })));
    }
    return found;
  }

  #change(target: string): void {
    // A request target holds visible ASCII only (RFC 9112 section 3.2)
    if (!/^(?:\/[\x21-\x7e]*|\*)$/.test(target)) {
      throw new OptionsError(
        `the request target ${
          JSON.stringify(target)
        } cannot be sent: begin it with "/", and percent-encode spaces and ` +
          "other characters",
      );
    }
    this.#keepOriginal();
    this.#target = target;
    this.#url = undefined;
    this.#query = undefined;
  }

  #keepOriginal(): void {
    this.#originalUrl ??= this.url;
  }
}

function parseUrl(value: string | URL): URL {
  const url = URL.parse(value);
  if (url === null || !/^(?:https?|wss?):$/.test(url.protocol)) {
    throw new OptionsError(`${JSON.stringify(String(value))} is not an absolute http or https URL`);
  }
  return url;
}

function addressOf(url: URL): RequestAddress {
  const scheme = url.protocol.slice(0, -1) as Scheme;
  return {
    scheme,
    hostname: url.hostname,
    port: url.port === "" ? defaultPort(scheme) : Number(url.port),
    target: url.pathname + url.search,
  };
}

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? "" : target.slice(mark + 1);
}
