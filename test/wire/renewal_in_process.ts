/**
 * A process of its own whose clock for certificates is moved on by 396 days; it tells what clients of one proxy were shown before and
 * after, as one line of JSON.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";
import { connectRaw } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";

const start = Date.now();
const now = Date.now;
let later = 0;
// Before the certificates' own clock is made of it.
Date.now = () => now() + later;
const { respond, startProxy } = await import("../../src/mod.ts");

// An authority in a folder lives for years, one in memory about as long as its certificates.
await using folder = await tempFolder();
await using proxy = await startProxy({ https: { ca: { dir: folder.path } }, defaultAction: respond({ body: "ok" }) });

/** The serial number, and the days from now until the certificate ends. */
async function shown(name: string): Promise<{ serial: string; days: number; body: string }> {
  await using client = await connectRaw(proxy.port);
  await client.write(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  await client.readHead();
  // This client has the time of the machine. Deno's would resume its session, in which no certificate is shown, but for the version.
  const maxVersion = later > 0 ? "TLSv1.2" : "TLSv1.3";
  await using secure = await client.startTls({ servername: name, rejectUnauthorized: false, maxVersion });
  await secure.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  await secure.readHead();
  const { serialNumber, valid_to } = (secure.socket as TLSSocket).getPeerCertificate();
  const body = await secure.readUntil("ok");
  return { serial: serialNumber, days: Math.round((Date.parse(valid_to) - start) / 86_400_000), body };
}

const first = await shown("shop.test");
const again = await shown("shop.test");
later = 396 * 86_400_000;
const renewed = await shown("shop.test");
console.log(JSON.stringify({ first, again, renewed }));
