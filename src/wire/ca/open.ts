/**
 * Where certificate authorities come from: memory, a folder, or the user.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { OptionsError } from "../../flow/error.ts";
import { loadAsn1 } from "./asn1.ts";
import { Authority, type CertificateAuthority } from "./authority.ts";
import { systemClock } from "./clock.ts";
import { Der } from "./der.ts";
import { CERT_FILE, KEY_FILE, readOrCreatePair } from "./directory.ts";
import { createKeyPair, type KeyPair, readIssuer } from "./issuer.ts";
import { LruMap } from "./lru.ts";

/**
 * Which certificate authority to use.
 *
 * - `undefined`: one in memory, the same for the whole process
 * - `{ dir }`: the one in a folder, made there if need be: clients that were told to trust it once keep trusting it
 * - `{ cert, key }`: your own, as PEM texts (RSA, ECDSA or Ed25519); a chain may follow the certificate
 */
export type CaOptions = undefined | { dir: string } | { cert: string; key: string };

const MEMORY_DAYS = 365;
/** Trust is given by hand to an authority in a folder, so it lasts; limits on days concern leaves only. */
const DIRECTORY_DAYS = 3650;

let inMemory: Promise<Authority> | undefined;
const opening = new Map<string, Promise<Authority>>();
const opened = new LruMap<string, Authority>(32);

/**
 * Opens a certificate authority. Opening the same one again gives the same object.
 *
 * @throws {OptionsError} for options of another form
 * @throws {FlowtapeError} `CA_UNREADABLE`, `CA_KEY_MISMATCH`, `CA_NOT_AN_AUTHORITY`, `CA_EXPIRED`, `CA_UNSUPPORTED_KEY`; with a
 * folder also `CA_FILE`, `CA_INCOMPLETE`, `CA_KEY_PERMISSIONS`
 */
export async function openCa(options?: CaOptions): Promise<CertificateAuthority> {
  if (options === undefined) return await (inMemory ??= openMemory());
  if (typeof options !== "object" || options === null) throw badOptions(options);
  const { dir, cert, key } = options as { dir?: unknown; cert?: unknown; key?: unknown };
  if (typeof dir === "string" && dir !== "" && cert === undefined && key === undefined) return await openDirectory(dir);
  if (dir === undefined && typeof cert === "string" && typeof key === "string") {
    return openPair(await loadDer(), { cert, key }, { cert: "https.ca.cert", key: "https.ca.key" });
  }
  throw badOptions(options);
}

async function openMemory(): Promise<Authority> {
  try {
    const der = await loadDer();
    const pair = createKeyPair(der, { clock: systemClock, days: MEMORY_DAYS });
    const source = { cert: "memory", key: "memory" };
    return new Authority(der, readIssuer(der, pair, source, systemClock));
  } catch (error) {
    inMemory = undefined; // the next proxy may be luckier
    throw error;
  }
}

async function openDirectory(dir: string): Promise<Authority> {
  const path = resolve(dir);
  // Proxies that start together share one look at the folder; later ones look again, because files can change.
  const pending = opening.get(path) ?? readDirectory(path).finally(() => opening.delete(path));
  opening.set(path, pending);
  return await pending;
}

async function readDirectory(dir: string): Promise<Authority> {
  const der = await loadDer();
  const pair = await readOrCreatePair(dir, () => createKeyPair(der, { clock: systemClock, days: DIRECTORY_DAYS }));
  return openPair(der, pair, { cert: join(dir, CERT_FILE), key: join(dir, KEY_FILE) }, join(dir, CERT_FILE));
}

function openPair(der: Der, pair: KeyPair, source: KeyPair, path?: string): Authority {
  const id = createHash("sha256").update(JSON.stringify([pair.cert, pair.key, path])).digest("base64");
  const known = opened.get(id);
  if (known !== undefined) return known;
  const issuer = readIssuer(der, pair, source, systemClock);
  const authority = new Authority(der, issuer, path === undefined ? {} : { path });
  opened.set(id, authority);
  return authority;
}

async function loadDer(): Promise<Der> {
  return new Der(await loadAsn1());
}

function badOptions(options: unknown): OptionsError {
  const given = typeof options === "object" && options !== null
    ? `an object with the keys ${Object.keys(options)}`
    : typeof options;
  return new OptionsError(
    `https.ca is ${given}. Give { dir: "a/folder" }, or { cert, key } with the PEM texts of a certificate authority, or ` +
      `leave it out to have one in memory.`,
  );
}
