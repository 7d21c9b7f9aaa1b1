/**
 * By how much the stages of a direction hold it up.
 *
 * @module
 */
import type { Stage } from "../../flow/shape.ts";

/** How late the next bytes are, in milliseconds: drawn anew each time. */
export function lateOf(stages: readonly Stage[]): number {
  let late = 0;
  for (const stage of stages) if (stage.kind === "latency") late += stage.draw();
  return late;
}

/** How long the head, or the end, is to take, in milliseconds. */
export function slownessOf(stages: readonly Stage[], kind: "slow-head" | "slow-close"): number {
  let ms = 0;
  for (const stage of stages) if (stage.kind === kind) ms += stage.ms;
  return ms;
}
