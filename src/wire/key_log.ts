/**
 * The secrets of TLS connections in a file, as Wireshark reads them (the NSS key log format).
 *
 * @module
 */
import { closeSync, fchmodSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { FlowtapeError } from "../flow/error.ts";

/** An open key log. */
export interface KeyLog {
  /** Appends a line. */
  write(line: Uint8Array): void;
  /** Closes the file. Lines that come later are dropped. */
  close(): void;
}

/**
 * Opens a key log, and appends to what is in it. Whoever reads it can decrypt the connections: only this user may.
 *
 * @throws {FlowtapeError} `KEY_LOG_UNSUPPORTED` on Deno, whose TLS gives no secrets away; `KEY_LOG_FILE` when it cannot be written
 */
export function openKeyLog(path: string): KeyLog {
  if ("Deno" in globalThis) {
    throw new FlowtapeError(
      "KEY_LOG_UNSUPPORTED",
      "option https.keyLogFile: the TLS of Deno gives no key log. Run the test on Node or Bun, or leave the option out",
    );
  }
  let file: number | undefined;
  try {
    file = openSync(path, "a", 0o600);
    // It may have been there, with another mode. Windows has no such modes.
    if (process.platform !== "win32") fchmodSync(file, 0o600);
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    throw new FlowtapeError(
      "KEY_LOG_FILE",
      `option https.keyLogFile: ${path} cannot be written: ${(cause as Error).message}`,
      { cause },
    );
  }
  return {
    // At once and whole: the file is read while the proxy runs, and other processes may append to it too.
    write: (line) => void (file !== undefined && writeSync(file, line)),
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
