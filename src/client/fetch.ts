/**
 * `fetch` of this process through a proxy, with the means of each runtime.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { basicToken, type Credentials, withCredentials } from "./credentials.ts";

/** A `fetch` with a proxy of its own. */
export interface ProxyFetch {
  /** As the global `fetch`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes its connections. */
  close(): void | Promise<void>;
}

/**
 * A `fetch` that goes through the proxy at `url` and trusts `ca` (PEM) besides the well-known authorities.
 *
 * @param auth what the proxy asks of its clients
 */
export function proxyFetch(url: string, ca: string, auth?: Credentials): Promise<ProxyFetch> {
  if ("Deno" in globalThis) return Promise.resolve(denoFetch(url, ca, auth));
  if (process.versions["bun"] !== undefined) return Promise.resolve(bunFetch(url, ca, auth));
  return nodeFetch(url, ca, auth);
}

// undici is Node's own fetch as a package: the one that is built in cannot be given a proxy of its own.
async function nodeFetch(url: string, ca: string, auth?: Credentials): Promise<ProxyFetch> {
  const undici = await import("undici");
  const token = auth && { token: basicToken(auth) };
  const dispatcher = new undici.ProxyAgent({ uri: url, requestTls: { ca }, ...token });
  return {
    fetch: async (input, init) => {
      const [target, options] = await unpack(input, init);
      const response = await undici.fetch(target, { ...options, dispatcher } as Parameters<typeof undici.fetch>[1]);
      return repack(response as unknown as Response);
    },
    close: () => dispatcher.destroy(),
  };
}

function denoFetch(url: string, ca: string, auth?: Credentials): ProxyFetch {
  const client = Deno.createHttpClient({ proxy: { url, ...(auth && { basicAuth: auth }) }, caCerts: [ca] });
  return {
    fetch: (input, init) => fetch(input, { ...init, client } as RequestInit),
    close: () => client.close(),
  };
}

function bunFetch(url: string, ca: string, auth?: Credentials): ProxyFetch {
  const options = { proxy: withCredentials(url, auth), tls: { ca } };
  return {
    fetch: (input, init) => fetch(input, { ...init, ...options }),
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
