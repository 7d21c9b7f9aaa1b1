/**
 * A file that lives as long as the process.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FlowtapeError } from "../../flow/error.ts";

const folders = new Set<string>();

/**
 * Writes text to a file in a folder of its own that only this user can enter, removed when the process exits.
 *
 * @returns the path of the file
 * @throws {FlowtapeError} `CA_FILE` when it cannot be written
 */
export function temporaryFile(name: string, text: string): string {
  try {
    const folder = mkdtempSync(join(tmpdir(), "flowtape-"));
    if (folders.size === 0) process.once("exit", removeFolders);
    folders.add(folder);
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  } catch (cause) {
    throw new FlowtapeError(
      "CA_FILE",
      `The certificate of the certificate authority could not be written to the temporary folder ${tmpdir()}. ` +
        `Make that folder writable (TMPDIR names another one), or give https.ca a dir.`,
      { cause },
    );
  }
}

function removeFolders(): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody holds the file open: leaving a public certificate behind beats failing the process at its exit.
    }
  }
}
