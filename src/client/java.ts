/**
 * The options of a Java virtual machine that is to use the proxy.
 *
 * @module
 */
import { TRUST_STORE_PASSWORD } from "../wire/ca/authority.ts";
import type { UpstreamProxy } from "../wire/outbound/proxy/mod.ts";

/**
 * System properties, one for each element: where the proxy is, that loopback addresses go through it too, and whom to trust. Java
 * takes no credentials for a proxy from its options: the program has an `Authenticator` for that, or not.
 *
 * @param trustStore the path of a PKCS#12 file
 */
export function javaOptions({ hostname, port }: UpstreamProxy, trustStore: string): string[] {
  return [
    `-Dhttp.proxyHost=${hostname}`,
    `-Dhttp.proxyPort=${port}`,
    `-Dhttps.proxyHost=${hostname}`,
    `-Dhttps.proxyPort=${port}`,
    "-Dhttp.nonProxyHosts=",
    // Otherwise an Authenticator is not asked for what opens a tunnel.
    "-Djdk.http.auth.tunneling.disabledSchemes=",
    `-Djavax.net.ssl.trustStore=${trustStore}`,
    "-Djavax.net.ssl.trustStoreType=PKCS12",
    `-Djavax.net.ssl.trustStorePassword=${TRUST_STORE_PASSWORD}`,
  ];
}
