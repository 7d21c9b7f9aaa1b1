/**
 * A program behind a proxy: what `record`, `replay` and `run` have in common.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import type { ProxyOptions } from "../../options/proxy_options.ts";
import type { Proxy } from "../../proxy.ts";
import { startProxy } from "../../proxy.ts";
import type { TapeOptions } from "../../tape/options.ts";
import { EXIT, exitCodeOf } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { proxyOptions } from "../proxy_options.ts";
import { inRules } from "../rules_file.ts";
import type { Terminal } from "../terminal.ts";
import { forwardPaused } from "./forward_paused.ts";
import { type Ended, runProgram } from "./run_program.ts";
import { countFlows, lineOf, problemsOf, type Summary } from "./summary.ts";

/** How a command differs from the others. */
export interface SessionOptions {
  /** What it makes of the tape. */
  readonly tape: Partial<TapeOptions>;
  /** The tape when neither the command line nor the file of rules names one. */
  readonly defaultTape?: string;
  /** Looks at what the proxy is to be started with. */
  readonly check?: (options: ProxyOptions) => Promise<void>;
  /** Whether the tape stays as it was when the program fails. */
  readonly discardOnFailure: (ended: Ended) => boolean;
}

/** Runs the program of the command line behind a proxy, and gives the exit code. */
export async function runSession(given: Given, terminal: Terminal, options: SessionOptions): Promise<number> {
  const signals: NodeJS.Signals[] = [];
  const stopListening = terminal.onSignal((signal) => void signals.push(signal));
  try {
    const { proxy, tape } = await startFor(given, terminal, options.tape, async (chosen) => {
      const path = options.defaultTape;
      const complete = path === undefined || tapePath(chosen) !== null
        ? chosen
        : { ...chosen, tape: { ...options.tape, path } };
      await options.check?.(complete);
      return complete;
    });
    if (signals.length > 0) {
      await proxy.close({ failed: true }).catch(() => {});
      return exitCodeOf(signals[0]!);
    }
    void forwardPaused(proxy, terminal);
    const ended = await runProgram(given.program, proxy.env({ ...terminal.env }), terminal).catch(async (error) => {
      await proxy.close({ failed: true }).catch(() => {});
      throw error;
    });
    return await finish(proxy, given, terminal, { ended, tape, failed: options.discardOnFailure(ended) });
  } finally {
    stopListening();
  }
}

/** A proxy, and the path of its tape. */
export interface Started {
  readonly proxy: Proxy;
  readonly tape: string | null;
}

/**
 * Starts the proxy of a command line.
 *
 * @param complete adds what the command itself wants
 */
export async function startFor(
  given: Given,
  terminal: Terminal,
  tape: Partial<TapeOptions>,
  complete: (options: ProxyOptions) => ProxyOptions | Promise<ProxyOptions>,
): Promise<Started> {
  const options = await complete(await proxyOptions(given, terminal, tape));
  // Who says `flowtape record` means it. The program keeps the variable: it may use flowtape itself.
  if (tape.mode !== undefined) delete process.env["FLOWTAPE_MODE"];
  const rules = given.text("rules");
  try {
    const proxy = await startProxy(options);
    return { proxy, tape: tapePath(options) };
  } catch (error) {
    throw rules === undefined ? error : inRules(rules, error);
  }
}

/** The path of the tape in the options of a proxy. */
export function tapePath({ tape }: ProxyOptions): string | null {
  return typeof tape === "string" ? tape : tape?.path ?? null;
}

/** What is known when a proxy is to be closed. */
export interface Finish {
  readonly ended: Ended;
  readonly tape: string | null;
  /** Whether what was recorded is not to be written. */
  readonly failed: boolean;
  /** Codes of problems that are none here. */
  readonly expected?: readonly string[];
}

/** Closes the proxy, says what was, and gives the exit code. */
export async function finish(proxy: Proxy, given: Given, terminal: Terminal, finish: Finish): Promise<number> {
  // The first one may be what has ended the program. Who sends another one does not want to wait any longer: what was recorded is in
  // the journal of the tape.
  let signals = 0;
  const stopListening = terminal.onSignal((signal) => {
    if (++signals > 1) process.exit(exitCodeOf(signal));
  });
  const counted = countFlows(proxy);
  const problems: ReturnType<typeof problemsOf> = [];
  const during = (step: () => Promise<unknown>) =>
    step().catch((error) => {
      problems.push(...problemsOf(error).filter(({ code }) => !finish.expected?.includes(code)));
    });
  const path = given.text("report");
  let report: string | null = null;
  if (path !== undefined) {
    await during(async () => report = await proxy.report(path, { title: `flowtape ${given.command}` }));
  }
  await during(() => proxy.close({ failed: finish.failed }));
  stopListening();

  for (const { code, message } of problems) {
    terminal.tell(`flowtape: ${message}\n`);
    if (code === "UNMATCHED_REQUEST") terminal.tell(`Or add it: ${howToAdd(given, finish.tape)}\n`);
  }
  const own = problems.find(({ exitCode }) => exitCode !== EXIT.told)?.exitCode ?? problems[0]?.exitCode ?? EXIT.ok;
  const exitCode = finish.ended.exitCode === 0 ? own : finish.ended.exitCode;
  const { tape, ended: { signal } } = finish;
  await tellSummary(given, terminal, {
    command: given.command,
    exitCode,
    signal,
    ...counted,
    tape,
    problems: problems.map(({ code, message }) => ({ code, message })),
    report,
  });
  return exitCode;
}

/** The error speaks of options in code. */
function howToAdd({ program }: Given, tape: string | null): string {
  const command = program.length === 0 ? "<command>" : program.length > 6 ? `${program[0]} ...` : program.join(" ");
  return `flowtape record --missing${tape === null ? "" : ` --tape ${tape}`} -- ${command}`;
}

async function tellSummary(given: Given, terminal: Terminal, summary: Summary): Promise<void> {
  const path = given.text("summary");
  const line = `${JSON.stringify(summary)}\n`;
  if (path !== undefined) await writeFile(path, line);
  if (given.command === "proxy" && given.flag("json")) {
    terminal.write(`${JSON.stringify({ type: "closed", ...summary })}\n`);
  } else if (given.flag("json")) terminal.tell(line);
  else if (!given.flag("quiet")) {
    terminal.tell(`flowtape: ${lineOf(summary)}\n`);
    if (summary.report !== null) terminal.tell(`flowtape: report: ${summary.report}\n`);
  }
}
