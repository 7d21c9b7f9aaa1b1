/**
 * The launch options of a browser that is to use the proxy.
 *
 * @module
 */
import type { Credentials } from "./credentials.ts";

/** Launch options for Playwright's Chromium; `args` alone is enough for a Chromium that is started in another way. */
export interface BrowserOptions {
  /** For Playwright. */
  proxy: { server: string; username?: string; password?: string };
  /** The command line. */
  args: string[];
}

/**
 * Points a Chromium at a proxy and makes it accept the proxy's certificates, and those only. Outside of Playwright it also needs a
 * `--user-data-dir`: without one, Chromium ignores the list of keys.
 *
 * @param url of the proxy, without credentials
 * @param spki SHA-256 of the key of the proxy's certificates, base64
 */
export function browserOptions(url: string, spki: string, credentials?: Credentials): BrowserOptions {
  return {
    proxy: { server: url, ...credentials },
    args: [
      `--proxy-server=${url}`,
      // Loopback is left out by default: "<-loopback>" takes that back.
      "--proxy-bypass-list=<-loopback>",
      `--ignore-certificate-errors-spki-list=${spki}`,
      // What the browser does for itself is no traffic of the test.
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
    ],
  };
}
