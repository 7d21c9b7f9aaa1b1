/**
 * Tells a person who waits how far long work is: on the standard error stream, and only where that is a terminal.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import type { Terminal } from "./terminal.ts";

/** A line that changes, and is gone in the end. */
export interface Progress extends Disposable {
  /** What is being done now. */
  step(text: string): void;
}

/** What is done sooner is not worth a line, in milliseconds. */
const PATIENCE_MS = 500;

/** Begins to tell. */
export function progress(terminal: Terminal, text: string): Progress {
  if (!terminal.isTerminal.errors) return { step: () => {}, [Symbol.dispose]: () => {} };
  const start = performance.now();
  let now = text;
  let shown = false;
  const show = () => {
    const waited = performance.now() - start;
    if (waited < PATIENCE_MS) return;
    shown = true;
    terminal.status(`${now} (${Math.round(waited / 1000)} s)`.slice(0, terminal.width - 1));
  };
  const timer = setInterval(show, PATIENCE_MS);
  return {
    step(next) {
      now = next;
      show();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      if (shown) terminal.status("");
      shown = false;
    },
  };
}
