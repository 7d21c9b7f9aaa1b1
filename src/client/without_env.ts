/**
 * Calls of the runtime that must not read the environment.
 *
 * @module
 */
import process from "node:process";

/**
 * Calls a function while no variable names a proxy or a server without one. Deno reads them when a client is made and Bun when `fetch` is
 * called, and both put `NO_PROXY` before any option. Everything else in the process runs before or after.
 */
export function withoutProxyVariables<T>(call: () => T): T {
  const taken = takeProxyVariables();
  try {
    return call();
  } finally {
    for (const [name, value] of taken) process.env[name] = value;
  }
}

/** Takes them away, and gives them. */
export function takeProxyVariables(): [string, string | undefined][] {
  const taken = Object.entries(process.env).filter(([name]) => /^(?:https?|wss?|all|no)_proxy$/i.test(name));
  for (const [name] of taken) delete process.env[name];
  return taken;
}
