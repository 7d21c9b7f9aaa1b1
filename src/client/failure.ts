/**
 * What was wrong with the proxy, when a `fetch` through it has failed: the runtimes say little of it, and each something else.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import { type ProxyAddress, upstreamOf } from "./address.ts";
import { openTunnel } from "./tunnel.ts";

/** How long the proxy may take to say it again, in milliseconds. */
const PATIENCE = 5000;

/**
 * A response of the proxy itself is an error: 407 (RFC 9110 section 15.5.8) comes from no server.
 *
 * @throws {FlowtapeError} `PROXY_AUTH`
 */
export async function explainResponse(response: Response, address: ProxyAddress): Promise<Response> {
  if (response.status !== 407) return response;
  await response.body?.cancel();
  throw refusedCredentials(address);
}

/** The error that tells the reason, if it was the proxy: it is asked once more, for a tunnel alone. Otherwise the error itself. */
export async function explainFailure(
  error: unknown,
  url: string,
  address: ProxyAddress,
  signal: AbortSignal | null | undefined,
): Promise<unknown> {
  for (let it = error; it instanceof Error; it = it.cause) if (it instanceof FlowtapeError) return it;
  if (signal?.aborted) return error;
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === "https:";
  try {
    const socket = await openTunnel(address, { hostname, port: Number(port || (secure ? 443 : 80)) }, {
      timeout: PATIENCE,
      signal: signal ?? undefined,
    });
    socket.destroy();
    return error;
  } catch (reason) {
    if (!(reason instanceof FlowtapeError) || signal?.aborted) return error;
    // Many proxies open no tunnels to servers that do without TLS, where nobody has asked for one.
    if (reason.code === "PROXY_REFUSED" && !secure) return error;
    return new FlowtapeError(reason.code, reason.message, { cause: error });
  }
}

function refusedCredentials(address: ProxyAddress): FlowtapeError {
  const proxy = upstreamOf(address);
  const what = proxy.credentials() === undefined
    ? "it wants a name and a password: put them into its URL, http://user:password@host:port"
    : "it does not accept the name and password in its URL";
  return new FlowtapeError("PROXY_AUTH", `the proxy ${proxy} answered 407: ${what}`);
}
