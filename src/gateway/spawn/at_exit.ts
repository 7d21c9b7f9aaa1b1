/**
 * Processes that must not outlive this one.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import process from "node:process";

const running = new Set<ChildProcess>();

/** Ends a process with this one, however this one comes to its end by itself. */
export function killAtExit(child: ChildProcess): void {
  if (running.size === 0) process.on("exit", killAll);
  running.add(child);
}

/** It is gone. */
export function letGo(child: ChildProcess): void {
  if (running.delete(child) && running.size === 0) process.off("exit", killAll);
}

function killAll(): void {
  for (const child of running) child.kill("SIGTERM");
}
