/**
 * Colours for people at a terminal.
 *
 * @module
 */
import process from "node:process";
import { styleText } from "node:util";
import type { Paint } from "../flow/near_miss.ts";

/** Colours where they are wanted: at a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` has the last word. */
export function paintFor(
  env: Record<string, string | undefined> = process.env,
  terminal: boolean = process.stdout.isTTY === true,
): Paint {
  return wantsColors(env, terminal) ? colored : plain;
}

function wantsColors(env: Record<string, string | undefined>, terminal: boolean): boolean {
  try {
    if (env.FORCE_COLOR !== undefined) return !["0", "false"].includes(env.FORCE_COLOR);
    return terminal && (env.NO_COLOR ?? "") === "";
  } catch {
    // Deno without the permission to read the environment.
    return false;
  }
}

const STYLES = { expected: "green", received: "red", note: "dim" } as const;

const colored: Paint = (role, text) => styleText(STYLES[role], text, { validateStream: false });
const plain: Paint = (_, text) => text;
