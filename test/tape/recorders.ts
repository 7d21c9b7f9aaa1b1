/**
 * Processes that record on a tape.
 *
 * @module
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { runtime, runtimePath } from "../support/runtime.ts";
import type { Work } from "./recorder_process.ts";

/** What a process has come to. */
export interface Recorded {
  /** What it was answered. */
  readonly done: string[];
  /** It closed its proxy, after so many steps of the store; `undefined` when it died before. */
  readonly steps: number | undefined;
}

/** A process that records. */
export interface RecorderProcess {
  /** What it has said so far. */
  readonly lines: string[];
  /** Resolves once it has said this. */
  said(line: RegExp): Promise<void>;
  /** Lets one that waits close its proxy. */
  go(): void;
  /** Kills it: the process itself, whatever it was started by. */
  kill(): void;
  /** Resolves when it is over. */
  readonly over: Promise<Recorded>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const script = fileURLToPath(new URL("recorder_process.ts", import.meta.url));

/** Starts one, in the runtime of this test. */
export function startRecorder(work: Work): RecorderProcess {
  const flags = ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`];
  const args = [...(runtime === "deno" ? flags : []), script, JSON.stringify(work)];
  const env = { ...process.env };
  delete env.CI;
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(runtimePath(runtime), args, {
    cwd: root,
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let rest = "";
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    for (const listener of listeners) listener();
  });
  const said = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!lines.some((line) => pattern.test(line))) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      child.once("close", () => reject(new Error(`it ended before it said ${pattern}: ${lines.join(", ")}`)));
      look();
    });
  const over = new Promise<Recorded>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () =>
      resolve({
        done: lines.flatMap((line) => line.startsWith("done ") ? [line.slice(5)] : []),
        steps: lines.flatMap((line) => line.startsWith("closed ") ? [Number(line.slice(7))] : [])[0],
      }));
  });
  return {
    lines,
    said,
    go: () => void child.stdin.write("go\n"),
    kill: () => process.kill(Number(lines[0]!.slice(4)), "SIGKILL"),
    over,
  };
}
