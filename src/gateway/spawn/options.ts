/**
 * The options of `spawn()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { list, record, refuse, secret, shape, text, whole } from "../../options/schema.ts";

/** What {@linkcode spawn} takes. */
export interface SpawnOptions {
  /**
   * The program and its arguments. `__PORT__` in them stands for the port that it is to listen on; the environment variable `PORT` has it
   * too. It must stay in the foreground, and be no shell that starts another program (`exec` in a shell script helps).
   */
  command: readonly string[];
  /** The folder it runs in. That of this process by default. */
  cwd?: string;
  /** Environment variables besides those of this process; `__PORT__` stands for the port here too. */
  env?: Readonly<Record<string, string>>;
  /** The port that it listens on, on 127.0.0.1, where nobody else may listen. A free one by default, chosen at each start. */
  port?: number;
  /**
   * How it says that it is ready: a path that it answers with a status below 500 (`"/health"`), or what a line of its output has, a text or a
   * regular expression. By default it is ready when it accepts connections.
   */
  ready?: string | RegExp;
  /** Milliseconds until it must be ready. 30,000 by default. */
  readyTimeout?: number;
  /** Milliseconds without a request after which it is stopped, until the next one. By default it is not. */
  idleTimeout?: number;
  /** Milliseconds that it has to end by itself (SIGTERM) before it is killed (SIGKILL). 5,000 by default. */
  stopTimeout?: number;
  /** Milliseconds that it has to answer, and between two pieces of its answer. 60,000 by default. */
  timeout?: number;
  /** Shared with {@linkcode forwarded}: what the server is told of clients is signed with it. None by default. */
  secret?: string;
  /** Gets each line that it writes, and what happens to it. By default the log of the proxy whose request has started it; else nobody. */
  log?: (line: string) => void;
}

/** With defaults. */
export type SpawnSettings = SpawnOptions & Required<Pick<SpawnOptions, "readyTimeout" | "stopTimeout">>;

const MAX_MS = 2 ** 31 - 1;

const check = shape({
  command: (value, where) => {
    if (!Array.isArray(value) || value.length === 0) {
      refuse(value, where, 'a program and its arguments, ["python3", "app.py"],');
    }
    list((one, place) => typeof one === "string" && !one.includes("\0") || refuse(one, place, "a string"))(
      value,
      where,
    );
    text(value[0], `${where}[0]`);
  },
  cwd: text,
  env: record((value, where) => typeof value === "string" || refuse(value, where, "a string")),
  port: whole(1, 65535),
  ready: (value, where) => {
    if (!(value instanceof RegExp) && (typeof value !== "string" || value === "")) {
      refuse(value, where, 'a path ("/health"), or what a line of the output has, a text or a regular expression,');
    }
  },
  readyTimeout: whole(1, MAX_MS),
  idleTimeout: whole(1, MAX_MS),
  stopTimeout: whole(1, MAX_MS),
  timeout: whole(1, MAX_MS),
  secret,
  log: (value, where) => typeof value === "function" || refuse(value, where, "a function"),
});

/** @throws {OptionsError} something is not accepted */
export function checkSpawn(options: SpawnOptions): SpawnSettings {
  check(options, "");
  if (options.command === undefined) throw new OptionsError(`spawn() needs a command, not ${describeValue(options)}`);
  return { ...options, readyTimeout: options.readyTimeout ?? 30_000, stopTimeout: options.stopTimeout ?? 5_000 };
}
