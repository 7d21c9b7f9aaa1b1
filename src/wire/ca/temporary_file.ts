/**
 * Files that live as long as the process.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FlowtapeError } from "../../flow/error.ts";
import { systemClock } from "./clock.ts";

/** Others may share the temporary folder but not our process ids, as containers do, so this must be old to be removed. */
const STALE_MS = 3_600_000;

let folder: string | undefined;
let files = 0;

/**
 * Writes a file into a folder that only this user can enter, removed when the process exits.
 *
 * @param name its name; a number is put in front of it
 * @returns the path of the file
 * @throws {FlowtapeError} `CA_FILE` when it cannot be written
 */
export function temporaryFile(name: string, content: string | Uint8Array): string {
  try {
    folder ??= makeFolder();
    const file = join(folder, `${++files}-${name}`);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlowtapeError(
      "CA_FILE",
      `The certificate of the certificate authority could not be written to the temporary folder ${tmpdir()}: ${why}. ` +
        `Make that folder writable (TMPDIR names another one), or give https.ca a dir.`,
      { cause },
    );
  }
}

function makeFolder(): string {
  const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  const prefix = `flowtape-ca-${machine}-`;
  removeStale(prefix);
  const made = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  process.once("exit", () => remove(made));
  // `deno test` ends without "exit".
  if ("Deno" in globalThis) globalThis.addEventListener("unload", () => remove(made));
  return made;
}

/** Test runners kill their workers, and then there is no "exit": whoever comes next cleans up after the dead. */
function removeStale(prefix: string): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    try {
      const pid = Number.parseInt(name.slice(prefix.length), 10);
      if (systemClock() - statSync(path).mtimeMs > STALE_MS && !isAlive(pid)) remove(path);
    } catch {
      // Somebody else was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Somebody holds the file open: leaving a public certificate behind beats failing the process at its exit.
  }
}
