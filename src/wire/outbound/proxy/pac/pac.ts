/**
 * PAC files: a program that says through which proxy a URL is reached.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { FlowtapeError } from "../../../../flow/error.ts";
import type { PacEngine, PacHandle, PacMachine } from "./engine.ts";
import { PAC_HELPERS } from "./helpers.ts";
import { type PacRoute, parsePacRoutes } from "./route.ts";

/** How to run a PAC file. */
export interface PacOptions {
  /** Where it runs: `await loadPacEngine()`. */
  readonly engine: PacEngine;
  /** Resolves names for it; `null`: there is no such name. Default: the resolver of the system. */
  readonly resolve?: (hostname: string) => Promise<string | null>;
  /** The address of this machine. Default: the first one that is not loopback. */
  readonly address?: () => string;
  /** What it says with `alert`. Default: nobody hears it. */
  readonly alert?: (text: string) => void;
}

/**
 * The file may run so long, in milliseconds: it holds up the process meanwhile. A few functions of QuickJS itself do not ask
 * for leave while they run: a file that joins an array of a thousand million holes takes its time, and nothing else.
 */
const RUN_MS = 500;
const MEMORY_BYTES = 8 * 1024 * 1024;
const STACK_BYTES = 256 * 1024;
/** As in Chromium. */
const MAX_SOURCE = 1024 * 1024;
/** How often a file is run again with a name resolved that it had not asked for before. */
const MAX_ROUNDS = 20;

/** A PAC file. */
export class Pac {
  readonly #source: string;
  readonly #options: PacOptions;

  /** @throws {FlowtapeError} `PAC_FAILED`: it is too large */
  constructor(source: string, options: PacOptions) {
    if (source.length > MAX_SOURCE) throw failed(`is larger than ${MAX_SOURCE} characters`);
    this.#source = source.replace(/^\uFEFF/, "");
    this.#options = options;
  }

  /**
   * The ways to reach a URL, to be tried one after the other. Every call runs the file anew, so nothing that it keeps in
   * variables lasts. It sees neither credentials nor fragments, and of `https` and `wss` URLs neither path nor query, as
   * in browsers.
   *
   * @throws {FlowtapeError} `PAC_FAILED`: the file throws, does not end, or returns what is not understood
   */
  async find(url: string): Promise<PacRoute[]> {
    // Resolving takes time and the file cannot wait. So what it asks for is noted and resolved, and the file run again:
    // the way of Chromium's resolver.
    const names = new Map<string, string | null>();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const asked = new Set<string>();
      const outcome = await this.#run(url, names, asked);
      if (asked.size === 0) {
        if (outcome.error !== undefined) throw outcome.error;
        return parsePacRoutes(outcome.text);
      }
      const { resolve = resolveBySystem } = this.#options;
      await Promise.all([...asked].map(async (name) => names.set(name, await resolve(name).catch(() => null))));
    }
    throw failed(`asks dnsResolve for more than ${MAX_ROUNDS} names that depend on one another`);
  }

  async #run(
    url: string,
    names: ReadonlyMap<string, string | null>,
    asked: Set<string>,
  ): Promise<{ text: string; error?: FlowtapeError }> {
    const deadline = performance.now() + RUN_MS;
    let late = false;
    const machine = await this.#options.engine.create({
      memoryLimit: MEMORY_BYTES,
      maxStackSize: STACK_BYTES,
      interruptHandler: () => late ||= performance.now() > deadline,
    });
    try {
      this.#furnish(machine, names, asked);
      return { text: this.#call(machine, url) };
    } catch (error) {
      if (late) return { text: "", error: failed(`did not end within ${RUN_MS} ms`) };
      if (error instanceof FlowtapeError) return { text: "", error };
      return { text: "", error: failed(`threw: ${error instanceof Error ? error.message : String(error)}`) };
    } finally {
      machine.dispose();
    }
  }

  /** All that a PAC file can reach of the world: three functions that take and give strings. */
  #furnish(machine: PacMachine, names: ReadonlyMap<string, string | null>, asked: Set<string>): void {
    const { address = addressOfSystem, alert } = this.#options;
    const define = (name: string, call: (text: string) => string | null | undefined) =>
      machine.setProp(
        machine.global,
        name,
        machine.newFunction(name, (argument?: PacHandle) => {
          const result = call(argument?.toString() ?? "");
          if (typeof result === "string") return machine.newString(result);
          return result === null ? machine.null : machine.undefined;
        }),
      );
    define("dnsResolve", (name) => {
      const known = names.get(name);
      if (known === undefined) asked.add(name);
      return known ?? null;
    });
    define("myIpAddress", () => address());
    define("alert", (text) => void alert?.(text));
    machine.evalCode(PAC_HELPERS, "helpers.js");
  }

  #call(machine: PacMachine, url: string): string {
    machine.evalCode(this.#source, "proxy.pac");
    const find = machine.getProp(machine.global, machine.newString("FindProxyForURL"));
    if (machine.typeof(find) !== "function") throw failed("defines no function FindProxyForURL(url, host)");
    const { shown, host } = whatIsShown(url);
    const result = machine.callFunction(find, machine.undefined, machine.newString(shown), machine.newString(host));
    switch (machine.typeof(result)) {
      case "string":
        return result.toString();
      case "undefined":
        return "";
      case "object":
        if (result.toString() === "null") return "";
    }
    throw failed(`returned a value of type ${machine.typeof(result)} instead of a string`);
  }
}

/** What a PAC file is told of a URL: the same for many of them. */
export function whatIsShown(url: string): { shown: string; host: string } {
  const { protocol, host, hostname, pathname, search } = new URL(url);
  const secret = protocol === "https:" || protocol === "wss:";
  return {
    shown: `${protocol}//${host}${secret ? "/" : pathname + search}`,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
  };
}

// The functions of the standard know IPv4 alone.
async function resolveBySystem(hostname: string): Promise<string | null> {
  return (await lookup(hostname, { family: 4 })).address;
}

function addressOfSystem(): string {
  const all = Object.values(networkInterfaces()).flatMap((it) => it ?? []);
  return all.find((it) => it.family === "IPv4" && !it.internal)?.address ?? "127.0.0.1";
}

function failed(what: string): FlowtapeError {
  return new FlowtapeError("PAC_FAILED", `The PAC file ${what}.`);
}
