/**
 * A lock in a storage that has nothing but values. Redis can set a value only where there is none; elsewhere whoever finds their own
 * name there after a while has it.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { clearInterval, setInterval, setTimeout } from "node:timers";

/** The values. */
export interface LockItems {
  /** A value, if there is one. */
  read(key: string): Promise<string | undefined>;
  /** Sets a value. */
  write(key: string, text: string): Promise<void>;
  /** Removes a value. */
  remove(key: string): Promise<void>;
}

/** Milliseconds until a lock whose owner says nothing is nobody's, how often the owner says something, and how long a claim must hold. */
const FORGOTTEN = 20_000;
const BEAT = 4_000;
const SETTLED = 40;

/** What Redis does for a lock, by the shape of its clients. */
interface Redis {
  set(key: string, value: string, ...options: (string | number)[]): Promise<unknown>;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
}

/** Waits for the lock. What is returned gives it back. */
export async function lockItem(
  key: string,
  items: LockItems,
  mount?: { driver: unknown },
): Promise<() => Promise<void>> {
  const redis = redisOf(mount?.driver);
  return redis === undefined ? await byWaiting(key, items) : await inRedis(`flowtape:${key}`, redis);
}

function redisOf(driver: unknown): Redis | undefined {
  const { name, getInstance } = (driver ?? {}) as { name?: unknown; getInstance?: () => unknown };
  if (name !== "redis" || typeof getInstance !== "function") return undefined;
  const client = getInstance() as Partial<Redis> | undefined;
  return typeof client?.set === "function" && typeof client.eval === "function" ? client as Redis : undefined;
}

const IF_MINE = "if redis.call('get', KEYS[1]) == ARGV[1] then";

async function inRedis(key: string, redis: Redis): Promise<() => Promise<void>> {
  const token = randomBytes(8).toString("hex");
  for (let wait = 2; await redis.set(key, token, "PX", FORGOTTEN, "NX") === null; wait = Math.min(wait * 2, 100)) {
    await sleep(wait + Math.random() * wait);
  }
  const renew = `${IF_MINE} return redis.call('pexpire', KEYS[1], ${FORGOTTEN}) end return 0`;
  const stop = beat(() => redis.eval(renew, 1, key, token));
  return async () => {
    stop();
    await redis.eval(`${IF_MINE} return redis.call('del', KEYS[1]) end return 0`, 1, key, token);
  };
}

async function byWaiting(key: string, items: LockItems): Promise<() => Promise<void>> {
  const token = randomBytes(8).toString("hex");
  let beats = 0;
  const mine = () => `${token} ${beats++}`;
  let seen: { readonly text: string; readonly since: number } | undefined;
  for (;;) {
    const there = await items.read(key);
    // Clocks of machines differ: only how long it has not changed here counts.
    if (there !== undefined && seen?.text !== there) seen = { text: there, since: performance.now() };
    if (there === undefined || performance.now() - seen!.since > FORGOTTEN) {
      const claim = mine();
      await items.write(key, claim);
      await sleep(SETTLED + Math.random() * SETTLED);
      if (await items.read(key) === claim) break;
    }
    await sleep(SETTLED + Math.random() * SETTLED);
  }
  const stop = beat(() => items.write(key, mine()));
  return async () => {
    stop();
    if ((await items.read(key))?.startsWith(token)) await items.remove(key);
  };
}

function beat(action: () => Promise<unknown>): () => void {
  const timer = setInterval(() => void action().catch(() => {}), BEAT);
  timer.unref?.();
  return () => clearInterval(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
