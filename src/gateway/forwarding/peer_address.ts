/**
 * The address of a client, and which addresses are trusted.
 *
 * @module
 */
import { isIP } from "node:net";
import { bareHost } from "../../flow/authority.ts";
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { compileNoProxy } from "../../wire/outbound/proxy/no_proxy.ts";
import type { HandlerInfo } from "../handler.ts";

/** Whether an address is one of those that are trusted. */
export type Trusted = (address: string | undefined) => boolean;

/**
 * Compiles addresses and networks.
 *
 * @throws {OptionsError} one is neither
 */
export function compileTrusted(addresses: readonly string[], where: string): Trusted {
  for (const address of addresses) {
    if (typeof address === "string" && isIP(bareHost(address).replace(/\/\d{1,3}$/, "")) !== 0) continue;
    throw new OptionsError(
      `option ${where} has ${
        describeValue(address)
      }: an address ("127.0.0.1", "::1") or a network ("10.0.0.0/8") is accepted`,
    );
  }
  const matches = compileNoProxy(addresses.join(), where);
  return (address) => address !== undefined && matches(address, 0);
}

/** The address of the client of a request, as far as the server tells it: the proxy's own, Deno's, Bun's. */
export function addressOf(request: Request, info: Partial<HandlerInfo> & BunServer): string | undefined {
  const address = info.remoteAddr?.hostname ?? info.client?.address ?? info.requestIP?.(request)?.address;
  return address !== undefined && isIP(bareHost(address)) !== 0 ? bareHost(address) : undefined;
}

/** What `Bun.serve` gives a handler. */
interface BunServer {
  requestIP?(request: Request): { readonly address: string } | null;
}
