/**
 * Talking to the processes of the bench. Every load generator, origin and contender is a child process of its own, so that
 * its processor time and memory are read exactly; this is the small request/answer protocol over their IPC channels.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The methods that a child offers: each takes one argument and may be slow. */
// deno-lint-ignore no-explicit-any -- each child names its own methods; `Remote` below gives callers the exact types
export type Methods = Record<string, (argument: any) => unknown>;

/** The same methods as the parent calls them. */
export type Remote<M extends Methods> = {
  [K in keyof M]: (
    ...argument: Parameters<M[K]> extends [] ? [] : [Parameters<M[K]>[0]]
  ) => Promise<Awaited<ReturnType<M[K]>>>;
};

export interface Child<M extends Methods> {
  readonly call: Remote<M>;
  /** Asks the process to leave, and ends it when it does not. */
  end(): Promise<void>;
}

export interface SpawnOptions {
  readonly args?: string[];
  /** Options for Node itself, such as `--expose-gc`. */
  readonly nodeOptions?: string[];
}

interface Call {
  id: number;
  method: string;
  argument: unknown;
}

interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}

/** No measurement takes longer; a child that is silent for so long is broken. */
const PATIENCE = 300_000;

/** Starts a module as a child process and resolves when it serves. */
export async function spawn<M extends Methods>(module: URL, options: SpawnOptions = {}): Promise<Child<M>> {
  const name = module.pathname.split("/").at(-1);
  const child = fork(fileURLToPath(module), options.args ?? [], {
    execArgv: ["--disable-warning=ExperimentalWarning", ...options.nodeOptions ?? []],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  child.on("message", (answer: Answer) => {
    const waiting = open.get(answer.id);
    if (answer.error !== undefined) {
      waiting?.reject(new Error(`${name} ${options.args ?? ""}: ${answer.error}`));
    } else waiting?.resolve(answer.value);
  });
  child.once("exit", (code, signal) => {
    for (const waiting of open.values()) {
      waiting.reject(new Error(`${name} ended early (${signal ?? code})`));
    }
  });

  let lastId = 0;
  const request = async (method: string, argument: unknown): Promise<unknown> => {
    const id = ++lastId;
    const waiting = Promise.withResolvers<unknown>();
    open.set(id, waiting);
    const timer = setTimeout(() => waiting.reject(new Error(`${name} did not answer "${method}" in time`)), PATIENCE);
    try {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`${name} is not running`);
      }
      child.send({ id, method, argument } satisfies Call);
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      open.delete(id);
    }
  };
  const call = new Proxy({} as Remote<M>, {
    get: (_target, method) => (argument: unknown) => request(String(method), argument),
  });
  try {
    await request("ready", undefined);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { call, end: () => end(child) };
}

/** Serves methods to the parent; the process leaves when the parent disconnects. */
export function serve(methods: Methods): void {
  const all: Methods = { ...methods, ready: () => true };
  process.on("message", async (call: Call) => {
    const answer: Answer = { id: call.id };
    try {
      const method = all[call.method];
      if (!method) throw new Error(`no method "${call.method}"`);
      answer.value = await method(call.argument);
    } catch (error) {
      answer.error = error instanceof Error ? error.stack ?? error.message : String(error);
    }
    if (process.connected) process.send?.(answer);
  });
  process.once("disconnect", () => process.exit());
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  const force = setTimeout(() => child.kill("SIGKILL"), 5_000);
  if (child.connected) child.disconnect();
  await exit;
  clearTimeout(force);
}
