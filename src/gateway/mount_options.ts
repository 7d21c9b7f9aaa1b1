/**
 * The options of `mount()`.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { parseAuthority } from "../flow/authority.ts";
import { compile } from "../flow/matcher/compile.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { CompiledMatcher, Matcher } from "../flow/matcher/types.ts";
import { isRecord, list, oneOf, refuse, shape } from "../options/schema.ts";
import type { Handler, HandlerInfo } from "./handler.ts";
import { fixedPrefix, needsName, type Resolver } from "./resolvers.ts";

/** A handler for one host. What it leaves to the main handler, it answers with `undefined`. */
export type HostHandler = (
  request: Request,
  info: HandlerInfo,
) => Response | undefined | Promise<Response | undefined>;

/** What `mount()` takes. */
export interface MountOptions {
  /**
   * What goes before the URL that the client has asked for, such as `"/prefix/"`: the path of the request is then
   * `/prefix/https://example.com/path`. Without it, and without `resolve`, the request has the URL that was asked for.
   */
  prefix?: string;
  /** Says what path (and query) the request is to have, from the URL that was asked for and the name of the client. Not together with `prefix`. */
  resolve?: Resolver;
  /**
   * Hosts of the proxy's own, without prefix, and the handlers for them (`null`: the main handler); a list is for the main handler alone.
   * `info.proxyHost` says which of them a request is for.
   */
  hosts?: Readonly<Record<string, Handler | HostHandler | null>> | readonly string[];
  /**
   * The host where clients can download the proxy's certificate, as `/download/pem`, `/download/p12`, `/download/der` or
   * `/download/mobileconfig`. What else is asked of it is for the main handler. `"flowtape"` by default; `false`: nowhere.
   */
  download?: string | false;
  /** Which requests the application gets; the others go to their servers. All by default. */
  only?: Matcher;
  /**
   * Whether clients must give the proxy a name, in `http://name:any@host:port`: a client that does not is answered with 407. With `resolve:
   * userPrefix()` they must. Where the option `auth` of the proxy is set, that says who may come.
   */
  user?: "required";
}

/** Checked. */
export interface Mount {
  readonly handler: Handler;
  readonly resolve: Resolver | undefined;
  readonly hosts: ReadonlyMap<string, HostHandler | null>;
  readonly download: string | undefined;
  readonly only: CompiledMatcher | undefined;
  readonly asksForName: string | undefined;
}

const check = shape({
  prefix: () => {},
  resolve: (value, where) => void (typeof value === "function" || refuse(value, where, "a function of the URL")),
  hosts: checkHosts,
  download: (value, where) => value === false ? undefined : checkHost(value, where),
  only: () => {},
  user: oneOf("required"),
});

/** @throws {OptionsError} something is not accepted */
export function checkMount(handler: Handler, options: MountOptions): Mount {
  if (typeof handler !== "function") {
    throw new OptionsError(
      `mount() takes a function (request, info) => Response, not ${describeValue(handler)}${hint(handler)}`,
    );
  }
  check(options, "");
  const { prefix, resolve, hosts = {}, download = "flowtape", only, user } = options;
  if (prefix !== undefined && resolve !== undefined) {
    throw new OptionsError(
      "options prefix and resolve of mount() exclude each other: resolve says where the prefix goes",
    );
  }
  const table: Readonly<Record<string, HostHandler | null>> = Array.isArray(hosts)
    ? Object.fromEntries((hosts as readonly string[]).map((host) => [host, null]))
    : hosts as Readonly<Record<string, HostHandler | null>>;
  const map = new Map(Object.entries(table).map(([host, own]) => [host.toLowerCase(), own]));
  const host = download === false ? undefined : download.toLowerCase();
  if (host !== undefined && !map.has(host)) map.set(host, null);
  const asks = resolve && needsName(resolve);
  return {
    handler,
    resolve: prefix === undefined ? resolve : fixedPrefix(prefix),
    hosts: map,
    download: host,
    only: only === undefined ? undefined : compile(only, "option only of mount()"),
    asksForName: asks ?? (user === "required" ? "flowtape: any name" : undefined),
  };
}

// Frameworks have their handler as a member.
function hint(handler: unknown): string {
  const { fetch } = (handler ?? {}) as { fetch?: unknown };
  return typeof fetch === "function"
    ? ": give it app.fetch"
    : typeof handler === "object"
    ? ": see node() for listeners of node:http"
    : "";
}

function checkHosts(value: unknown, where: string): void {
  if (Array.isArray(value)) return list(checkHost)(value, where);
  if (!isRecord(value)) refuse(value, where, "a list of host names, or an object of host names and handlers");
  for (const [host, handler] of Object.entries(value)) {
    const place = `${where}[${JSON.stringify(host)}]`;
    checkHost(host, place);
    if (handler !== null && typeof handler !== "function") {
      refuse(handler, place, "a handler, or null for the main one,");
    }
  }
}

function checkHost(value: unknown, where: string): void {
  const parsed = typeof value === "string" && !value.includes("*") ? parseAuthority(value, -1) : undefined;
  if (parsed === undefined || parsed.port !== -1) {
    refuse(value, where, 'a host name without scheme or port, such as "app.test",');
  }
}
