/**
 * Which tapes are in use in this process: a tape that one proxy writes may not be read or written by another.
 *
 * @module
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TapeError } from "../flow/error.ts";

interface Claim {
  readers: number;
  writer: boolean;
}

// Of the process, not of this module: the ESM and the CommonJS build may both be loaded.
const REGISTRY = Symbol.for("flowtape.tapes");
const holder = globalThis as { [REGISTRY]?: Map<string, Claim> };

/**
 * Claims a tape.
 *
 * @returns gives it back; may be called more than once
 * @throws {TapeError} `TAPE_IN_USE`
 */
export async function claimTape(path: string, use: "read" | "write"): Promise<() => void> {
  const claims = holder[REGISTRY] ??= new Map();
  const key = await identityOf(path);
  const claim = claims.get(key) ?? { readers: 0, writer: false };
  if (claim.writer || (use === "write" && claim.readers > 0)) {
    throw new TapeError(
      "TAPE_IN_USE",
      `the tape ${path} is in use by another proxy of this process, and one of the two records on it: ` +
        `give each its own tape, close the first one earlier, or use mode: "replay" in both`,
    );
  }
  claims.set(key, claim);
  if (use === "write") claim.writer = true;
  else claim.readers++;

  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (use === "write") claim.writer = false;
    else claim.readers--;
    if (!claim.writer && claim.readers === 0) claims.delete(key);
  };
}

/** One file has many names: links, "..", and the tape itself may not be there yet. */
async function identityOf(path: string): Promise<string> {
  const full = resolve(path);
  for (let folder = dirname(full), rest = basename(full);;) {
    try {
      return join(await realpath(folder), rest);
    } catch {
      const parent = dirname(folder);
      if (parent === folder) return full;
      rest = join(basename(folder), rest);
      folder = parent;
    }
  }
}
