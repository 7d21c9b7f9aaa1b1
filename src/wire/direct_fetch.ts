/**
 * The `fetch` of flowtape itself, for what it asks on its own behalf.
 *
 * @module
 */

let direct: typeof fetch | undefined;

/** `fetch` that goes past every proxy that this process's own clients are pointed at. */
export const directFetch: typeof fetch = (input, init) => (direct ?? fetch)(input, init);

/** What it is from now on; `undefined`: the global one. */
export function setDirectFetch(fetch: typeof globalThis.fetch | undefined): void {
  direct = fetch;
}
