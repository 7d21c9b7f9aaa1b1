/**
 * The environment of a child process that is to use the proxy.
 *
 * @module
 */
import { parseProxyUrl } from "../wire/outbound/proxy/mod.ts";
import { javaOptions } from "./java.ts";

/** The files that clients are pointed at. */
export interface CaFiles {
  /** The certificate of the authority, PEM. */
  readonly pem: string;
  /** The same as a PKCS#12 trust store with the password `changeit`, for Java; without it Java is not pointed at the proxy. */
  readonly trustStore?: string;
  /** Start-up file for wget, which reads no variable for certificates; without it wget does not trust the proxy. */
  readonly wgetrc?: string;
}

/**
 * Variables that point clients at a proxy and make them trust its authority. Every one is set, also those that one client alone
 * reads: one inherited from the parent would win otherwise. `base` comes first and is overridden; Java's options are added to.
 *
 * @param url of the proxy
 * @throws {OptionsError} the URL cannot be read
 */
export function childEnv(
  url: string,
  { pem, trustStore, wgetrc }: CaFiles,
  base: Record<string, string | undefined> = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) if (value !== undefined) env[name] = value;
  // curl and Python read the lower-case names only (the upper-case HTTP_PROXY could be set by a CGI client); others the upper-case.
  for (const name of ["http_proxy", "https_proxy", "all_proxy"]) env[name] = env[name.toUpperCase()] = url;
  // Whatever the parent leaves out of its proxy, the test wants to see.
  env["no_proxy"] = env["NO_PROXY"] = "";
  env["NODE_USE_ENV_PROXY"] = "1";
  for (const name of CA_VARIABLES) env[name] = pem;
  if (wgetrc !== undefined) env["WGETRC"] = wgetrc;
  if (trustStore !== undefined) {
    const own = javaOptions(parseProxyUrl(url, "proxy"), trustStore).map(quoted);
    // Of options that are given twice Java takes the last.
    env["JAVA_TOOL_OPTIONS"] = [...(env["JAVA_TOOL_OPTIONS"] ? [env["JAVA_TOOL_OPTIONS"]] : []), ...own].join(" ");
  }
  return env;
}

/** Each holds the path of a PEM file: Node and Bun, Deno, OpenSSL and Python, requests, curl, git, and those who use libcurl. */
const CA_VARIABLES = [
  "NODE_EXTRA_CA_CERTS",
  "DENO_CERT",
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  // Those of tools that come before the others: pip, the AWS tools, cargo, gRPC.
  "PIP_CERT",
  "AWS_CA_BUNDLE",
  "CARGO_HTTP_CAINFO",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];

/** As JAVA_TOOL_OPTIONS is read: white space divides it, but for what is in quotes. */
function quoted(option: string): string {
  return /\s/.test(option) ? `"${option}"` : option;
}
