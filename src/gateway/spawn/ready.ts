/**
 * Waits until a server answers.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { listens } from "../../wire/once/ports.ts";
import { exact } from "../exact.ts";

/** Where spawned servers listen. */
export const HOST = "127.0.0.1";

/** Milliseconds between two attempts. */
const PAUSE_MS = 25;
/** Milliseconds for one. */
const ATTEMPT_MS = 2000;

/**
 * Resolves when a server accepts connections on a port of this machine, or answers a path with a status below 500; with `false` when the signal
 * aborts before.
 */
export async function answers(port: number, path: string | undefined, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    if (await attempt(port, path, signal).catch(() => false)) return true;
    if (signal.aborted) return false;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

async function attempt(port: number, path: string | undefined, signal: AbortSignal): Promise<boolean> {
  if (path === undefined) return await listens(HOST, port, ATTEMPT_MS);
  const response = await exact(new Request(`http://${HOST}:${port}${path}`, { signal }), { timeout: ATTEMPT_MS });
  await response.body?.cancel();
  // Nobody listens yet: that is no answer of the server's own.
  return !response.headers.has("x-flowtape-error") && response.status < 500;
}
