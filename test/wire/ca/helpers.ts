/** What the tests of the certificate authority share. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { loadAsn1 } from "../../../src/wire/ca/asn1.ts";
import {
  authorityExtensions,
  distinguishedName,
  issueCertificate,
  keyIdentifier,
} from "../../../src/wire/ca/certificate.ts";
import { DAY } from "../../../src/wire/ca/clock.ts";
import { Der } from "../../../src/wire/ca/der.ts";
import type { KeyPair } from "../../../src/wire/ca/issuer.ts";
import { type KeyAlgorithm, type Signer, signerFor } from "../../../src/wire/ca/signer.ts";
import { run, type RunResult } from "../../support/run.ts";
import { hasCommand, runtime, runtimePath } from "../../support/runtime.ts";
import { tempFolder } from "../../support/temp.ts";

export const der: Der = new Der(await loadAsn1());

export const hasOpenssl: boolean = hasCommand("openssl");
export const hasCurl: boolean = hasCommand("curl");

/** The code of the error that a promise rejects with, or what it resolved to. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `resolved: ${await promise}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Runs something with a folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T> | T): Promise<T> {
  await using folder = await tempFolder();
  return await use(folder.path);
}

/** Runs a TypeScript file beside this one in a process of its own, on the runtime that runs the tests. */
export function runScript(name: string, ...args: string[]): Promise<RunResult> {
  const flags = { node: ["--no-warnings", "--experimental-strip-types"], deno: ["run", "-A"], bun: [] };
  return run(runtimePath(runtime), [...flags[runtime], join(import.meta.dirname, name), ...args]);
}

/** What openssl thinks of a leaf, with all the strictness it has. */
export function opensslVerify(authority: string, leaf: string, ...args: string[]): Promise<string> {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "ca.pem"), authority);
    writeFileSync(join(folder, "leaf.pem"), leaf);
    const files = ["-CAfile", join(folder, "ca.pem"), join(folder, "leaf.pem")];
    const { stdout, stderr } = await run("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslserver",
      ...args,
      ...files,
    ]);
    return (stdout + stderr).replaceAll(`${folder}/`, "").trim();
  });
}

const KINDS: Record<string, { algorithm: KeyAlgorithm; keys: () => { privateKey: KeyObject; publicKey: KeyObject } }> =
  {
    "P-256": {
      algorithm: { algorithm: "1.2.840.10045.2.1", curve: "1.2.840.10045.3.1.7" },
      keys: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    },
    "P-384": {
      algorithm: { algorithm: "1.2.840.10045.2.1", curve: "1.3.132.0.34" },
      keys: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    },
    RSA: {
      algorithm: { algorithm: "1.2.840.113549.1.1.1", curve: undefined },
      keys: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
    },
    Ed25519: {
      algorithm: { algorithm: "1.3.101.112", curve: undefined },
      keys: () => generateKeyPairSync("ed25519"),
    },
  };

/** A certificate authority as a user might bring it. */
export function userAuthority(
  options: { kind?: string; from?: number; to?: number; extensions?: "authority" | "none" } = {},
): KeyPair {
  const { kind = "P-256", from = Date.now() - DAY, to = Date.now() + 30 * DAY, extensions = "authority" } = options;
  const { algorithm, keys } = KINDS[kind] as (typeof KINDS)[string];
  const { privateKey, publicKey } = keys();
  const spki = publicKey.export({ type: "spki", format: "der" });
  const name = distinguishedName(der, { organization: "Somebody", commonName: `Some ${kind} authority` });
  const cert = issueCertificate(der, {
    issuer: name,
    subject: name,
    spki,
    notBefore: from,
    notAfter: to,
    extensions: extensions === "authority" ? authorityExtensions(der, keyIdentifier(der, spki)) : [],
  }, signerFor(der, algorithm, privateKey) as Signer);
  return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** Listens on a free port of the loopback and hands every connection to `accept`; closes everything afterwards. */
export async function withListener<T>(
  accept: (raw: Socket) => void,
  use: (port: number) => Promise<T>,
  options: { allowHalfOpen: boolean } = { allowHalfOpen: false },
): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer(options, (raw) => {
    sockets.add(raw);
    raw.on("error", () => {});
    accept(raw);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A TLS connection whose handshake is done. */
export function connectTls(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", ...options }, () => resolve(socket));
    socket.once("error", reject);
    socket.on("error", () => {});
  });
}

/** The next bytes of a stream as text. */
export function nextText(
  socket: { once(event: "data" | "end", listener: (chunk?: unknown) => void): unknown },
): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (chunk) => resolve(String(chunk)));
    socket.once("end", () => resolve("(end)"));
  });
}
