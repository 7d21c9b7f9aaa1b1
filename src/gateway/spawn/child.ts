/**
 * One run of a server process: started, ready, ended.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import { killAtExit, letGo } from "./at_exit.ts";
import type { SpawnSettings } from "./options.ts";
import { readLines } from "./lines.ts";
import { answers, HOST } from "./ready.ts";

/** So many lines of its output are kept, for the errors of a start that fails. */
const MAX_LINES = 20;
/** A line is shown and kept up to here. */
const MAX_LINE = 2000;
/** So long the last lines of a process that is gone are waited for. */
const LAST_WORDS_MS = 500;

/** A server process that was started once. */
export class Child {
  /** The port that it is to listen on. */
  readonly port: number;
  /** Resolves when it is ready; rejects when it will not be, and then the process is gone. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone, with how it ended. */
  readonly ended: Promise<string>;

  readonly #process: ChildProcess;
  readonly #settings: SpawnSettings;
  readonly #log: (line: string) => void;
  readonly #lines: string[] = [];
  readonly #said = Promise.withResolvers<void>();
  #over = false;

  /** Starts it. */
  constructor(settings: SpawnSettings, port: number, log: (line: string) => void) {
    this.port = port;
    this.#settings = settings;
    this.#log = log;
    const filled = (text: string) => text.replaceAll("__PORT__", String(port));
    const [program = "", ...args] = settings.command.map(filled);
    const env = Object.fromEntries(Object.entries(settings.env ?? {}).map(([name, value]) => [name, filled(value)]));
    this.#process = spawn(program, args, {
      cwd: settings.cwd,
      env: { ...process.env, PORT: String(port), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.ended = this.#watchEnd();
    killAtExit(this.#process);
    if (this.#process.pid !== undefined) {
      for (const stream of [this.#process.stdout!, this.#process.stderr!]) this.#listen(stream);
      // The process alone does not keep this one alive.
      this.#process.unref();
    }
    this.ready = this.#waitUntilReady();
    // Whoever waits hears of it; nobody need.
    this.ready.catch(() => {});
  }

  /** Whether the process is gone. */
  get over(): boolean {
    return this.#over;
  }

  /** Asks it to end, and kills it when it does not. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#process.kill("SIGTERM");
    // Not by the child's own method: Deno's does nothing when it is called again.
    const timer = setTimeout(() => kill(this.#process.pid), this.#settings.stopTimeout);
    await this.ended;
    clearTimeout(timer);
  }

  #watchEnd(): Promise<string> {
    const child = this.#process;
    return new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#over) return;
        this.#over = true;
        letGo(child);
        this.#log(`${this.#name} ${how}`);
        resolve(how);
      };
      child.once("exit", (code, signal) => {
        const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
        // Its last words may still be on their way; a process that it has left behind may hold the pipe open for ever.
        const timer = setTimeout(() => end(how), LAST_WORDS_MS);
        child.once("close", () => {
          clearTimeout(timer);
          end(how);
        });
      });
      child.on("error", (error) => {
        // Also a signal that could not be sent is told here.
        if (child.pid === undefined) end(`could not be started: ${error.message}`);
      });
    });
  }

  #listen(stream: Readable): void {
    readLines(stream, MAX_LINE, (line) => {
      this.#lines.push(line);
      if (this.#lines.length > MAX_LINES) this.#lines.shift();
      this.#log(`${this.#name}: ${line}`);
      const { ready } = this.#settings;
      if (ready instanceof RegExp ? line.search(ready) >= 0 : ready !== undefined && line.includes(ready)) {
        this.#said.resolve();
      }
    });
    // A pipe may break with the process.
    stream.on("error", () => {});
    (stream as Readable & { unref?: () => void }).unref?.();
  }

  async #waitUntilReady(): Promise<void> {
    const { ready, readyTimeout } = this.#settings;
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), readyTimeout);
    const stop = new AbortController();
    const path = typeof ready === "string" && ready.startsWith("/") ? ready : undefined;
    const asked = ready === undefined || path !== undefined ? answers(this.port, path, stop.signal) : undefined;
    try {
      const first = await Promise.race([
        (asked ?? this.#said.promise).then(() => "ready" as const),
        this.ended.then(() => "over" as const),
        late.promise,
      ]);
      if (first === "ready" && !this.#over) return;
      await this.stop();
      if (first === "late") throw this.#error("SPAWN_NOT_READY", this.#lateMessage(path));
      throw this.#error("SPAWN_FAILED", await this.ended);
    } finally {
      clearTimeout(timer);
      stop.abort();
      await asked;
    }
  }

  #lateMessage(path: string | undefined): string {
    const { ready, readyTimeout } = this.#settings;
    const sign = path !== undefined
      ? `answer ${path} on ${HOST}:${this.port}`
      : ready === undefined
      ? `listen on ${HOST}:${this.port} (does the command have __PORT__, or read PORT?)`
      : `write a line with ${ready}`;
    return `did not ${sign} within ${readyTimeout} ms (readyTimeout), and was stopped`;
  }

  #error(code: string, what: string): FlowtapeError {
    const output = this.#lines.length === 0 ? "It has written nothing." : `Its last lines:\n${this.#lines.join("\n")}`;
    return new FlowtapeError(
      code,
      `the command ${JSON.stringify(this.#settings.command.join(" "))} of spawn() ${what}. ${output}`,
    );
  }

  get #name(): string {
    return `${this.#settings.command[0]}[${this.#process.pid ?? "?"}]`;
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself just now.
  }
}
