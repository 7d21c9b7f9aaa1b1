/**
 * A certificate authority that outlives the process: two files in a folder.
 *
 * `ca.key.pem` holds the private key AND its certificate, and comes into being in one step that only one process can
 * win, so that no two processes can end up with halves of different pairs. `ca.pem` is a copy of the certificate to be
 * handed to clients.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { chmod, constants, copyFile, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { FlowtapeError } from "../../flow/error.ts";
import type { KeyPair } from "./issuer.ts";
import { pemBlocks } from "./pem.ts";

/** The file that clients are given. */
export const CERT_FILE = "ca.pem";
/** The file that holds the private key and its certificate. */
export const KEY_FILE = "ca.key.pem";

/**
 * Reads the pair in a folder; makes folder and pair when there is none. Files that exist are never overwritten.
 *
 * @param dir an absolute path
 * @param create makes a new pair
 * @throws {FlowtapeError} `CA_FILE`, `CA_INCOMPLETE`, `CA_KEY_MISMATCH`, `CA_KEY_PERMISSIONS`
 */
export async function readOrCreatePair(dir: string, create: () => KeyPair): Promise<KeyPair> {
  const keyFile = join(dir, KEY_FILE);
  const certFile = join(dir, CERT_FILE);
  try {
    // In this order: a key that another process makes between the two steps is found by the second look for it.
    const key = await readText(keyFile) ?? await refuseLoneCert(certFile, keyFile) ??
      await createKey(dir, keyFile, create);
    await tighten(keyFile);
    return { key, cert: await readOrCopyCert(certFile, keyFile, key) };
  } catch (cause) {
    if (cause instanceof FlowtapeError) throw cause;
    throw new FlowtapeError(
      "CA_FILE",
      `The certificate authority in the folder ${dir} cannot be read or made: ${
        (cause as Error).message
      }. Give https.ca ` +
        `a dir that this user can read and write.`,
      { cause },
    );
  }
}

async function refuseLoneCert(certFile: string, keyFile: string): Promise<string | undefined> {
  if (await readText(certFile) === undefined) return undefined;
  const key = await readText(keyFile);
  if (key !== undefined) return key;
  throw new FlowtapeError(
    "CA_INCOMPLETE",
    `${certFile} is there, but its private key ${keyFile} is not. Put the key back, or delete the certificate to have a ` +
      `new pair made (clients must then trust the new one).`,
  );
}

async function createKey(dir: string, keyFile: string, create: () => KeyPair): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const pair = create();
  const text = pair.key + pair.cert;
  return await publish(keyFile, text, { mode: 0o600, existing: "keep" }) ? text : await readFile(keyFile, "utf8");
}

async function readOrCopyCert(certFile: string, keyFile: string, key: string): Promise<string> {
  const own = certificates(key);
  const cert = await readText(certFile);
  if (cert === undefined && own !== "") {
    // Every process would write the same, so it does not matter which of them is the last.
    await publish(certFile, own, { mode: 0o644, existing: "replace" });
    return own;
  }
  if (cert === undefined) {
    throw new FlowtapeError(
      "CA_INCOMPLETE",
      `${keyFile} is there, but holds no certificate, and there is no ${certFile}. Put the certificate back, or delete ` +
        `the key to have a new pair made.`,
    );
  }
  if (own !== "" && !certificates(cert).startsWith(own)) {
    throw new FlowtapeError(
      "CA_KEY_MISMATCH",
      `${certFile} does not hold the certificate that ${keyFile} holds. Delete ${certFile} to have it written again, or ` +
        `put back the files that were made together.`,
    );
  }
  return cert;
}

async function tighten(keyFile: string): Promise<void> {
  // Windows has no such modes: every file looks as if anybody could read it.
  if (process.platform === "win32" || ((await stat(keyFile)).mode & 0o077) === 0) return;
  try {
    await chmod(keyFile, 0o600);
  } catch (cause) {
    throw new FlowtapeError(
      "CA_KEY_PERMISSIONS",
      `The private key ${keyFile} can be read by other users, and its mode could not be changed. Run chmod 600 on it as ` +
        `its owner, or give https.ca the PEM texts { cert, key } instead.`,
      { cause },
    );
  }
}

/** Brings a file into being with all of its text at once. Returns false when it was there and is to be kept. */
async function publish(
  file: string,
  text: string,
  options: { mode: number; existing: "keep" | "replace" },
): Promise<boolean> {
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", options.mode);
    try {
      await handle.writeFile(Buffer.from(text));
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (options.existing === "keep") return await linkNew(temporary, file);
    await rename(temporary, file);
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (code(error) === "EEXIST") return false;
    // FAT and some network file systems have no links; there, a process that starts in the same instant may fail.
    if (!/^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test(code(error))) throw error;
  }
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (code(error) === "EEXIST") return false;
    throw error;
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (code(error) === "ENOENT") return undefined;
    throw error;
  }
}

function certificates(pem: string): string {
  return pemBlocks(pem).filter(({ label }) => label === "CERTIFICATE").map(({ text }) => `${text}\n`).join("");
}

function code(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
