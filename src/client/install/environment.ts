/**
 * Keeps the environment from naming another proxy.
 *
 * @module
 */
import process from "node:process";
import { takeProxyVariables } from "../without_env.ts";

/**
 * Takes the variables away that name proxies, or servers without one: axios and others read them for each request, and in Deno and Bun
 * `NO_PROXY` goes before any option.
 */
export function clearEnvironment(): () => void {
  const taken = takeProxyVariables();
  return () => {
    // What was set meanwhile stays.
    for (const [name, value] of taken) process.env[name] ??= value;
  };
}
