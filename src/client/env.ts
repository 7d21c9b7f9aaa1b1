/**
 * The environment of a child process that is to use the proxy.
 *
 * @module
 */

/**
 * Variables that point clients at a proxy and make them trust its authority. Every one is set, also those that one client alone
 * reads: one inherited from the parent would win otherwise. `base` comes first and is overridden.
 *
 * @param url of the proxy
 * @param caPath a PEM file with the certificate of the authority
 */
export function childEnv(
  url: string,
  caPath: string,
  base: Record<string, string | undefined> = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) if (value !== undefined) env[name] = value;
  // curl and Python read the lower-case names only (the upper-case HTTP_PROXY could be set by a CGI client); others the upper-case.
  for (const name of ["http_proxy", "https_proxy", "all_proxy"]) env[name] = env[name.toUpperCase()] = url;
  // Whatever the parent leaves out of its proxy, the test wants to see.
  env["no_proxy"] = env["NO_PROXY"] = "";
  env["NODE_USE_ENV_PROXY"] = "1";
  for (const name of CA_VARIABLES) env[name] = caPath;
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
];
