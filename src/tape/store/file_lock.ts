/**
 * A lock that is a file. Whoever makes it has it; one that a dead process has left is taken away.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { clearInterval, setInterval, setTimeout } from "node:timers";
import { fateOf, readOwner, thisProcess } from "./owner.ts";

/** How often who has a lock says so, in milliseconds; and how long it is believed where nobody can look whether the process runs. */
const BEAT = 2_000;
const BELIEVED = 15_000;

/** Waits for the lock. What is returned gives it back, and may be called more than once. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const folder = dirname(path);
  const token = randomBytes(8).toString("hex");
  const text = JSON.stringify({ ...await thisProcess(), token });
  const own = `${path}.${token}.tmp`;
  try {
    for (let wait = 1;; wait = Math.min(wait * 2, 100)) {
      if (await make(own, path, folder, text)) break;
      if (!await takeAway(path)) {
        await new Promise<void>((resolve) => setTimeout(resolve, wait + Math.random() * wait));
      }
    }
  } finally {
    await rm(own, { force: true }).catch(() => {});
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT);
  beat.unref?.();
  let held = true;
  return async () => {
    if (!held) return;
    held = false;
    clearInterval(beat);
    // Somebody may have taken it for that of a dead process.
    if ((await readFile(path, "utf8").catch(() => "")) === text) await rm(path, { force: true });
    await rmdir(folder).catch(() => {});
  };
}

/** A link appears with all it holds, which a file that is made and then written does not. */
async function make(own: string, path: string, folder: string, text: string): Promise<boolean> {
  for (let attempt = 0;; attempt++) {
    try {
      await writeFile(own, text);
      await link(own, path);
      return true;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === "EEXIST") return false;
      if (code === "ENOENT" && attempt < 100) {
        await mkdir(folder, { recursive: true });
        continue;
      }
      if (code !== "EPERM" && code !== "ENOSYS" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    }
    // No links here.
    return await writeFile(path, text, { flag: "wx" }).then(() => true, (error) => {
      if ((error as { code?: unknown }).code === "EEXIST") return false;
      throw error;
    });
  }
}

/**
 * Removes a lock whose owner is gone. `true`: try at once.
 *
 * Only one at a time does so, or somebody would remove the new lock of somebody who was quicker.
 */
async function takeAway(path: string): Promise<boolean> {
  const before = await readFile(path).catch(() => undefined);
  if (before === undefined) return true;
  if (!await isStale(path, before)) return false;
  const guard = `${path}.away`;
  try {
    await mkdir(guard);
  } catch {
    const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Infinity }));
    // Who has made it has died in the very moment.
    if (Date.now() - mtimeMs > BELIEVED) await rmdir(guard).catch(() => {});
    return false;
  }
  try {
    const now = await readFile(path).catch(() => undefined);
    if (now !== undefined && Buffer.compare(now, before) === 0) await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => {});
  }
  return true;
}

async function isStale(path: string, bytes: Uint8Array): Promise<boolean> {
  let owner: ReturnType<typeof readOwner>;
  try {
    owner = readOwner(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    owner = undefined;
  }
  const fate = owner === undefined ? "unknown" : await fateOf(owner);
  if (fate !== "unknown") return fate === "gone";
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
  return Date.now() - mtimeMs > BELIEVED;
}
