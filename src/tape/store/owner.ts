/**
 * Who has left a file behind, and whether that process still runs.
 *
 * @module
 */
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";

/** A process, told apart from others that had or will have its number. */
export interface Owner {
  readonly pid: number;
  /** When it began, as the system counts; empty where it does not tell. */
  readonly start: string;
  /** The machine or container; empty where it does not tell. */
  readonly host: string;
}

/** `unknown`: of another machine, or the runtime may not look. */
export type Fate = "alive" | "gone" | "unknown";

let self: Promise<Owner> | undefined;

interface DenoPermissions {
  readonly permissions?: { querySync(descriptor: { name: string }): { state: string } };
}

/** Deno would ask the user, or refuse: what is not allowed is not tried. */
function mayLook(): boolean {
  const { permissions } = (globalThis as { Deno?: DenoPermissions }).Deno ?? {};
  return permissions === undefined ||
    ["read", "sys", "run"].every((name) => permissions.querySync({ name }).state === "granted");
}

/** This process. */
export function thisProcess(): Promise<Owner> {
  return self ??= (async () => ({
    pid: process.pid,
    start: mayLook() ? (await statOf(process.pid))?.start ?? "" : "",
    host: mayLook() ? await hostOf() : "",
  }))();
}

/** Whether a process still runs. */
export async function fateOf(owner: Owner): Promise<Fate> {
  const own = await thisProcess();
  if (own.host === "" || owner.host !== own.host) return "unknown";
  if (own.start !== "") {
    const there = await statOf(owner.pid);
    if (there === undefined || there.state === "Z" || there.state === "X") return "gone";
    return there.start === owner.start ? "alive" : "gone";
  }
  if (owner.pid === own.pid) return "alive";
  try {
    process.kill(owner.pid, 0);
    return "alive";
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    return code === "ESRCH" ? "gone" : code === "EPERM" ? "alive" : "unknown";
  }
}

/** An owner as it was written; `undefined` when it is none. */
export function readOwner(value: unknown): Owner | undefined {
  const { pid, start, host } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(pid) && (pid as number) > 0 && typeof start === "string" && typeof host === "string"
    ? { pid: pid as number, start, host }
    : undefined;
}

/** Linux tells when a process began, so that a number which was given again is not mistaken. */
async function statOf(pid: number): Promise<{ state: string; start: string } | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0]!, start: fields[19]! };
  } catch {
    return undefined;
  }
}

async function hostOf(): Promise<string> {
  try {
    // Two containers of one machine count their processes apart.
    return `${hostname()} ${await readlink("/proc/self/ns/pid").catch(() => "")}`;
  } catch {
    return "";
  }
}
