/**
 * Sends exactly one request.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { checkSendOptions, send, type SendOptions } from "./send.ts";

/** What {@linkcode exact} takes. */
export type ExactOptions = SendOptions;

/**
 * Sends exactly this request: method, path, query, fields and body as they are, and no forwarding fields. Where it goes is apart from what it
 * says: the URL has the scheme and the address, `connect` another address, the field `host` whatever it likes. The answer is given as it comes:
 * no redirect is followed, nothing is decoded. Only the fields of the connection itself (RFC 9110 section 7.6.1) are not passed on.
 *
 * A server that cannot be reached is a 502, one that does not answer in time a 504; their `X-Flowtape-Error` has the code.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { exact, mount } from "flowtape/gateway";
 *
 * await using server = await startProxy({ app: mount((request) => new Response(request.headers.get("host"))) });
 * const request = new Request("http://shop.test/cart", { headers: { host: "www.shop.test" } });
 * const response = await exact(request, { connect: `127.0.0.1:${server.port}` });
 * console.log(await response.text()); // www.shop.test
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 * @throws the reason of the request's signal
 */
export async function exact(request: Request, options: ExactOptions = {}): Promise<Response> {
  checkSendOptions(options, "");
  const url = new URL(request.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new OptionsError(`exact() sends requests to http: and https: URLs, not to ${url.href}`);
  }
  return await send(request, { url, headers: request.headers }, options);
}
