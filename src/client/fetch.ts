/**
 * `fetch` of this process through a proxy, with the means of each runtime.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";

/** A `fetch` with a proxy of its own. */
export interface ProxyFetch {
  /** As the global `fetch`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes its connections. */
  close(): void | Promise<void>;
}

/**
 * A `fetch` that goes through the proxy at `url` and trusts `ca` (PEM) besides the well-known authorities.
 */
export function proxyFetch(url: string, ca: string): Promise<ProxyFetch> {
  if ("Deno" in globalThis) return Promise.resolve(denoFetch(url, ca));
  if (process.versions["bun"] !== undefined) return Promise.resolve(bunFetch(url, ca));
  return nodeFetch(url, ca);
}

// undici is Node's own fetch as a package: the one that is built in cannot be given a proxy of its own.
async function nodeFetch(url: string, ca: string): Promise<ProxyFetch> {
  const undici = await import("undici");
  const dispatcher = new undici.ProxyAgent({ uri: url, requestTls: { ca } });
  return {
    fetch: async (input, init) => {
      const [target, options] = await unpack(input, init);
      const response = await undici.fetch(target, { ...options, dispatcher } as Parameters<typeof undici.fetch>[1]);
      return response as unknown as Response;
    },
    close: () => dispatcher.destroy(),
  };
}

function denoFetch(url: string, ca: string): ProxyFetch {
  const client = Deno.createHttpClient({ proxy: { url }, caCerts: [ca] });
  return {
    fetch: (input, init) => fetch(input, { ...init, client } as RequestInit),
    close: () => client.close(),
  };
}

function bunFetch(url: string, ca: string): ProxyFetch {
  const options = { proxy: url, tls: { ca } };
  return {
    fetch: (input, init) => fetch(input, { ...init, ...options }),
    close: () => {},
  };
}

// The package does not know the Request of the runtime: it is taken apart.
async function unpack(input: string | URL | Request, init: RequestInit = {}): Promise<[string | URL, RequestInit]> {
  if (!(input instanceof Request)) return [input, init];
  const { method, headers, redirect, signal, credentials, referrer } = input;
  const body = input.body === null || init.body !== undefined ? undefined : Buffer.from(await input.arrayBuffer());
  return [input.url, {
    method,
    headers: [...headers],
    redirect,
    signal,
    credentials,
    referrer,
    ...(body === undefined ? {} : { body }),
    ...init,
  }];
}
