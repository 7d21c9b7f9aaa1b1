/**
 * Points the `fetch` and the `WebSocket` of Deno and Bun at a proxy.
 *
 * @module
 */
import { bunOptions } from "../runtime_options.ts";
import type { Installation } from "./installation.ts";
import { replace } from "./replace.ts";

/** What both have in common: options for one request that name the proxy. */
type Options = Record<string, unknown>;

/** How the options of a runtime point one request at a proxy. */
interface Pointing {
  /** Whether the options say already where the request goes. */
  isDecided(options: Options): boolean;
  /** What is put to them. */
  point(installation: Installation, options: Options): Options;
}

const DENO: Pointing = {
  isDecided: ({ client }) => client !== undefined,
  point: (installation, options) => ({ ...options, client: installation.denoClient() }),
};

const BUN: Pointing = {
  isDecided: ({ proxy, unix }) => proxy !== undefined || unix !== undefined,
  point: (installation, options) => {
    const { proxy, tls } = bunOptions(installation.address);
    const own = (options["tls"] ?? {}) as { ca?: unknown };
    const ca = own.ca === undefined ? tls.ca : [own.ca, tls.ca].flat();
    return { ...options, proxy, tls: { ...own, ca } };
  },
};

/** Replaces the global `fetch` and `WebSocket`. */
export function patchGlobalFetch(current: () => Installation | undefined): () => void {
  const pointing = "Deno" in globalThis ? DENO : BUN;
  const undo = [
    replace(globalThis, "fetch", (original) => {
      const through: typeof fetch = (input, init) => {
        const installation = current();
        const url = input instanceof Request ? input.url : String(input);
        if (installation === undefined || !passes(installation, url) || pointing.isDecided(init as Options ?? {})) {
          return original(input, init);
        }
        return original(input, pointing.point(installation, { ...init }) as RequestInit);
      };
      // Bun's has members of its own.
      return Object.defineProperties(through, { ...Object.getOwnPropertyDescriptors(original) }) as typeof fetch;
    }),
    replace(globalThis, "WebSocket", (original) =>
      new Proxy(original, {
        construct(target, [url, given, ...rest], newTarget) {
          const installation = current();
          const isOptions = typeof given === "object" && given !== null && !Array.isArray(given);
          const options: Options = isOptions ? given : given === undefined ? {} : { protocols: given };
          const isOurs = installation !== undefined && passes(installation, String(url)) &&
            !pointing.isDecided(options);
          const second = isOurs ? pointing.point(installation, options) : given;
          return Reflect.construct(target, second === undefined ? [url] : [url, second, ...rest], newTarget) as object;
        },
      })),
  ];
  return () => undo.forEach((it) => it());
}

/** What else `fetch` reads (`data:`, `file:`, `blob:`) has no server, and the proxy itself is reached directly. */
function passes(installation: Installation, text: string): boolean {
  const url = URL.parse(text, globalThis.location?.href);
  if (url === null || !/^(?:http|ws)s?:$/.test(url.protocol)) return false;
  return !installation.isProxy(url.hostname, Number(url.port || (/s:$/.test(url.protocol) ? 443 : 80)));
}
