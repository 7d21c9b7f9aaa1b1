/**
 * Hosts whose TLS a test need not open.
 *
 * @module
 */

/**
 * Hosts that browsers and systems talk to on their own: updates, telemetry, safe browsing, push messages, captive portals, OCSP and
 * CRL. Some of them trust one certificate alone, and nothing of it is the application under test. For `https.passthrough`; make it
 * longer with a spread.
 *
 * @example
 * ```ts
 * import { startProxy, tlsBypass } from "flowtape";
 *
 * await using proxy = await startProxy({ https: { passthrough: [...tlsBypass, "pinned.test"] } });
 * ```
 */
export const tlsBypass: readonly string[] = [
  // Chromium
  "update.googleapis.com",
  "safebrowsing.googleapis.com",
  "optimizationguide-pa.googleapis.com",
  "content-autofill.googleapis.com",
  "clients*.google.com",
  "safebrowsing.google.com",
  "sb-ssl.google.com",
  "mtalk.google.com",
  "*.gvt1.com",
  "*.gvt2.com",
  // Firefox
  "*.services.mozilla.com",
  "*.telemetry.mozilla.org",
  "*.cdn.mozilla.net",
  "aus5.mozilla.org",
  "detectportal.firefox.com",
  // Edge and Windows
  "edge.microsoft.com",
  "config.edge.skype.com",
  "*.smartscreen.microsoft.com",
  "*.events.data.microsoft.com",
  "*.update.microsoft.com",
  "*.windowsupdate.com",
  "www.msftconnecttest.com",
  // Safari and macOS
  "*.push.apple.com",
  "captive.apple.com",
  "configuration.apple.com",
  "swscan.apple.com",
  "mesu.apple.com",
  "ocsp*.apple.com",
  // OCSP and CRL of the large authorities
  "*.o.lencr.org",
  "*.c.lencr.org",
  "ocsp.digicert.com",
  "crl*.digicert.com",
  "ocsp.sectigo.com",
  "ocsp.globalsign.com",
  "ocsp.entrust.net",
  "o.pki.goog",
  "c.pki.goog",
];
