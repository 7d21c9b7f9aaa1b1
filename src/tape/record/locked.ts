/**
 * Alone at a tape.
 *
 * @module
 */
import type { TapeStore } from "../store/tape_store.ts";
import { notWritten } from "../store/why.ts";
import { inTurn } from "./live.ts";

/** Runs an action while nobody else, here or in another process, begins or finishes a recording on this tape. */
export async function locked<T>(
  store: TapeStore,
  path: string,
  action: (identity: string) => Promise<T>,
): Promise<T> {
  const identity = await identityOf(store, path);
  return await inTurn(identity, async () => {
    const unlock = await store.lock?.(path).catch((error: unknown) => {
      throw notWritten(path, error);
    });
    try {
      return await action(identity);
    } finally {
      await unlock?.().catch(() => {});
    }
  });
}

/** What is the same for every name of a tape. */
export async function identityOf(store: TapeStore, path: string): Promise<string> {
  return await store.identity?.(path) ?? path;
}
