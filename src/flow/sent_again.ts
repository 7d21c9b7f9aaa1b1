/**
 * Flows whose request was sent before: by `play()` and `replayThroughHooks()`.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

const marked = new WeakSet<Flow>();

/** Notes that the request of a flow has been sent before: the filter `~replayq` finds it. */
export function noteSentAgain(flow: Flow): void {
  marked.add(flow);
}

/** Whether the request of a flow has been sent before. */
export function wasSentAgain(flow: Flow): boolean {
  return marked.has(flow);
}
