/**
 * What a process has open: sockets, servers, timers, files.
 *
 * @module
 */
import process from "node:process";

/** How many there are of each kind. Bun does not tell: there it is always empty. */
export function openResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo?.() ?? []) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** What is open beyond what was open before, as soon as there is nothing of it any more, or after ten seconds. */
export async function leftOpen(before: Record<string, number>): Promise<Record<string, number>> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const more = Object.entries(openResources()).filter(([kind, count]) => count > (before[kind] ?? 0));
    if (more.length === 0 || performance.now() > deadline) return Object.fromEntries(more);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
