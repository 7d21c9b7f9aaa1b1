/**
 * The proxy's certificate, for whoever is to trust it.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { FlowResponse } from "../flow/response.ts";
import { trustStore } from "../wire/ca/trust_store.ts";

type Made = Uint8Array | string | Promise<Uint8Array | string>;

interface Download {
  readonly type: string;
  readonly name: string;
  make(pem: string): Made;
}

const DOWNLOADS: Readonly<Record<string, Download>> = {
  "/download/pem": { type: "application/x-x509-ca-cert", name: "flowtape-ca.pem", make: (pem) => pem },
  "/download/der": { type: "application/x-x509-ca-cert", name: "flowtape-ca.cer", make: derOf },
  "/download/p12": { type: "application/x-pkcs12", name: "flowtape-ca.p12", make: pkcs12Of },
  "/download/mobileconfig": {
    type: "application/x-apple-aspen-config",
    name: "flowtape-ca.mobileconfig",
    make: profileOf,
  },
};

/**
 * The answer to a request of the download host; `undefined`: nothing to download is there.
 *
 * @param pem the certificate of the authority; its key is nowhere in what is downloaded
 */
export async function downloadOf(path: string, method: string, pem: string): Promise<FlowResponse | undefined> {
  const download = Object.hasOwn(DOWNLOADS, path) ? DOWNLOADS[path] : undefined;
  if (download === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  return FlowResponse.create({
    headers: {
      "content-type": download.type,
      "content-disposition": `attachment; filename="${download.name}"`,
      "cache-control": "no-store",
    },
    body: await download.make(pem),
  });
}

function derOf(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

// The one certificate, no key, no password: what Windows imports among its trusted authorities.
function pkcs12Of(pem: string): Promise<Uint8Array> {
  return trustStore(pem, "");
}

// What Apple's systems install: developer.apple.com, "Configuration Profile Reference".
function profileOf(pem: string): string {
  const certificate = new X509Certificate(pem);
  const id = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const uuid = (at: number) => [8, 4, 4, 4, 12].map((n) => id.slice(at, at += n)).join("-");
  const payload = (type: string, uuidOf: string, more: string) =>
    `<dict><key>PayloadType</key><string>${type}</string><key>PayloadVersion</key><integer>1</integer>` +
    `<key>PayloadIdentifier</key><string>flowtape.${uuidOf}</string><key>PayloadUUID</key><string>${uuidOf}</string>` +
    `<key>PayloadDisplayName</key><string>flowtape certificate authority</string>${more}</dict>`;
  const data = `<key>PayloadContent</key><data>${certificate.raw.toString("base64")}</data>`;
  const content = payload("com.apple.security.root", uuid(0), data);
  return '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
    `<plist version="1.0">${
      payload("Configuration", uuid(32), `<key>PayloadContent</key><array>${content}</array>`)
    }</plist>\n`;
}
