/**
 * `fetch` of this process through a proxy, with the means of each runtime.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { Dispatcher } from "undici";
import { type ProxyAddress, upstreamOf } from "./address.ts";
import { tunnelDispatcher, WITHOUT_CLOCKS } from "./dispatcher.ts";
import { bunOptions, denoOptions } from "./runtime_options.ts";
import { trustedWith } from "./tunnel.ts";
import { withoutProxyVariables } from "./without_env.ts";

/** A `fetch` with a proxy of its own. */
export interface ProxyFetch {
  /** As the global `fetch`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes its connections. */
  close(): void | Promise<void>;
}

/** How a proxy is asked. */
export interface ProxyFetchOptions {
  /**
   * Whose the proxy is. One of flowtape opens tunnels for everything, and what clients tell it about themselves goes no further. Of
   * others less is expected: on Node plain `http` is asked for as a URL, as many open no tunnels for it; on Deno credentials are kept from
   * `https` servers, to which its own client tells them too, and told to `https` proxies, to which it does not always tell them (2.9.5). Default: `"flowtape"`.
   */
  whose?: "flowtape" | "others";
}

/**
 * A `fetch` that goes through a proxy and trusts its authority besides the well-known ones. Without a proxy it goes to the servers, whatever
 * the environment says.
 *
 * @throws {OptionsError} the URL of the proxy cannot be read
 */
export async function proxyFetch(
  address: Partial<ProxyAddress>,
  { whose = "flowtape" }: ProxyFetchOptions = {},
): Promise<ProxyFetch> {
  if (address.proxy !== undefined) upstreamOf(address as ProxyAddress);
  if ("Deno" in globalThis) return await denoFetch(address, whose);
  if (process.versions["bun"] !== undefined) return bunFetch(address);
  return await nodeFetch(address, whose);
}

// undici is Node's own fetch as a package: the one that is built in takes no dispatcher of another version for granted.
async function nodeFetch(address: Partial<ProxyAddress>, whose: "flowtape" | "others"): Promise<ProxyFetch> {
  const undici = await import("undici");
  const dispatcher = await dispatcherFor(address);
  const forwarder = whose === "others" ? await forwarderFor(address) : undefined;
  return {
    fetch: async (input, init) => {
      const [target, options] = await unpack(input, init);
      const by = new URL(target).protocol === "http:" ? forwarder ?? dispatcher : dispatcher;
      const request = { ...options, dispatcher: by } as Parameters<typeof undici.fetch>[1];
      return repack(await undici.fetch(target, request) as unknown as Response);
    },
    close: async () => void await Promise.all([dispatcher.destroy(), forwarder?.destroy()]),
  };
}

/** What asks an HTTP proxy for a URL; the fields of the request have the credentials. */
async function forwarderFor({ proxy, ca }: Partial<ProxyAddress>): Promise<Dispatcher | undefined> {
  const upstream = proxy === undefined ? undefined : upstreamOf({ proxy });
  // undici names an https proxy by its address too, which Deno does not allow (2.9.5).
  const schemes = "Deno" in globalThis ? ["http"] : ["http", "https"];
  if (upstream === undefined || !schemes.includes(upstream.scheme)) return undefined;
  const { ProxyAgent } = await import("undici");
  const token = upstream.authorization();
  return new ProxyAgent({
    ...WITHOUT_CLOCKS,
    uri: `${upstream}`,
    proxyTunnel: false,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { proxyTls: { ca: trustedWith(ca) } }),
  });
}

async function dispatcherFor({ proxy, ca }: Partial<ProxyAddress>): Promise<Dispatcher> {
  if (proxy !== undefined) return await tunnelDispatcher(() => ({ proxy, ca }));
  const { Agent } = await import("undici");
  return new Agent({ connect: ca === undefined ? {} : { ca: trustedWith(ca) } });
}

async function denoFetch(address: Partial<ProxyAddress>, whose: "flowtape" | "others"): Promise<ProxyFetch> {
  const { proxy, ca } = address;
  const options = proxy === undefined ? { caCerts: ca === undefined ? [] : [ca] } : denoOptions({ proxy, ca });
  const upstream = proxy === undefined ? undefined : upstreamOf({ proxy });
  const isKnown = whose === "others" && upstream?.credentials() !== undefined;
  const other = isKnown ? await nodeFetch(address, whose) : undefined;
  const client = withoutProxyVariables(() => Deno.createHttpClient(options));
  return {
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      const isOwn = other === undefined || (upstream!.scheme === "http" && url.startsWith("http:"));
      return isOwn ? fetch(input, { ...init, client } as RequestInit) : other.fetch(input, init);
    },
    close: () => {
      client.close();
      return other?.close();
    },
  };
}

function bunFetch(address: Partial<ProxyAddress>): ProxyFetch {
  const { proxy, ca } = address;
  const options = proxy === undefined ? (ca === undefined ? {} : { tls: { ca } }) : bunOptions({ proxy, ca });
  return {
    fetch: (input, init) => withoutProxyVariables(() => fetch(input, { ...init, ...options })),
    close: () => {},
  };
}

// The package has classes of its own: a Request or FormData of the runtime is taken apart for it, its Response put together again.
async function unpack(input: string | URL | Request, init: RequestInit = {}): Promise<[string | URL, RequestInit]> {
  if (!(input instanceof Request)) return [input, await withPlainBody(init)];
  const { method, headers, redirect, signal, credentials, referrer } = input;
  const body = input.body === null || init.body !== undefined ? undefined : Buffer.from(await input.arrayBuffer());
  const own = { method, headers: [...headers], redirect, signal, credentials, referrer };
  return [input.url, await withPlainBody({ ...own, ...(body === undefined ? {} : { body }), ...init })];
}

async function withPlainBody(init: RequestInit): Promise<RequestInit> {
  if (!(init.body instanceof FormData)) return init;
  const encoded = new Response(init.body);
  const headers = new Headers(init.headers);
  headers.set("content-type", encoded.headers.get("content-type")!);
  return { ...init, headers: [...headers], body: Buffer.from(await encoded.arrayBuffer()) };
}

function repack(response: Response): Response {
  const { status, statusText, headers, url, redirected } = response;
  const body = NULL_BODY.has(status) ? null : response.body;
  const own = new Response(body, { status, statusText, headers: [...headers] });
  return Object.defineProperties(own, { url: { value: url }, redirected: { value: redirected } });
}

/** A Response with one of these must not have a body (Fetch standard, "null body status"). */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);
