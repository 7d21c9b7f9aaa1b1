/**
 * What becomes of flows at breakpoints where nobody can be asked.
 *
 * @module
 */
import type { Proxy } from "../../proxy.ts";
import type { Terminal } from "../terminal.ts";

/** Forwards every flow that waits, until the proxy closes: the program owns the terminal, and would wait for ever. */
export async function forwardPaused(proxy: Proxy, terminal: Terminal): Promise<void> {
  try {
    const paused = await nextPaused(proxy);
    terminal.tell(
      'flowtape: a rule says "ask", and a command that runs cannot be asked about: such flows are forwarded. flowtape proxy asks\n',
    );
    paused.continueAll();
  } catch {
    // The proxy was closed.
  }
}

/** The next flow that waits, however long that takes. */
export function nextPaused(proxy: Proxy): ReturnType<Proxy["nextPaused"]> {
  return proxy.nextPaused(undefined, { timeout: 2 ** 31 - 1 });
}
