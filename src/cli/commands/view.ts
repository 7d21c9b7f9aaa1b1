/**
 * `flowtape view`: shows a recording, in the browser or in the terminal.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { basename, extname, join } from "node:path";
import process from "node:process";
import type { Flow } from "../../flow/flow.ts";
import { filter } from "../../flow/filter/filter.ts";
import type { FlowSet } from "../../flow/flow_set.ts";
import { lengthOf } from "../../flow/set/measure.ts";
import { describeFlow, summarize } from "../../flow/summary.ts";
import { writeReport } from "../../report/mod.ts";
import { importTape } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import { CliError } from "../failure.ts";
import type { Given } from "../given.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const [path = ""] = given.args;
  const expression = given.text("filter");
  const wanted = expression === undefined ? undefined : filter(expression);
  using telling = progress(terminal, `reading ${path}`);
  const tape = await importTape(path, { inexact: "leave" });
  const all = await tape.flows();
  const flows = wanted === undefined ? all : all.filter(wanted);
  for (const note of given.flag("json") ? [] : tape.notes) terminal.tell(`flowtape: ${note}\n`);
  const asText = given.flag("text");
  const asJson = given.flag("json");
  if (asText && !asJson) {
    telling[Symbol.dispose]();
    terminal.write(`${summarize(flows, { width: terminal.width })}\n`);
    return EXIT.ok;
  }
  telling.step("writing the report");
  const makesPage = !asJson || given.text("output") !== undefined || given.flag("open");
  const report = makesPage
    ? await writeReport(given.text("output") ?? join("flowtape-report", `${nameOf(path)}.html`), {
      flows,
      title: basename(path),
    })
    : null;
  telling[Symbol.dispose]();
  if (asJson) terminal.write(`${JSON.stringify(listOf(path, tape.description, flows, report))}\n`);
  else terminal.write(`${report}\n`);
  if (given.flag("open") && report !== null) await openInBrowser(report, terminal);
  return EXIT.ok;
}

function listOf(recording: string, description: string, flows: FlowSet, report: string | null): object {
  return { recording, description, flows: [...flows].map(rowOf), report };
}

function rowOf(flow: Flow): object {
  const type = flow.type === "tcp" ? "tcp" : flow.websocket === undefined ? "http" : "websocket";
  return { type, ...describeFlow(flow), bytes: lengthOf(flow) ?? 0 };
}

function nameOf(path: string): string {
  const name = basename(path);
  return name.slice(0, name.length - extname(name).length) || "report";
}

/** Starts the browser and leaves it alone. */
async function openInBrowser(file: string, { env }: Terminal): Promise<void> {
  const [program, ...args] = openerOf(env["BROWSER"]);
  const child = spawn(program!, [...args, file], { stdio: "ignore", detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      const hint = `open ${file} yourself, or set BROWSER`;
      reject(new CliError(EXIT.unavailable, `no browser could be started with ${program}: ${hint}`, { cause }));
    });
  });
  child.unref();
}

function openerOf(browser: string | undefined): readonly string[] {
  if (browser !== undefined && browser !== "") return [browser];
  if (process.platform === "darwin") return ["open"];
  // start is a word of the shell; what stands first in quotes is a title.
  return process.platform === "win32" ? ["cmd", "/c", "start", '""'] : ["xdg-open"];
}
