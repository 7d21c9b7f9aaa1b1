/**
 * `flowtape proxy`: a proxy that stands alone.
 *
 * @module
 */
import type { Alerter } from "../../alerters/mod.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { lengthOf, timeOf } from "../../flow/set/measure.ts";
import { describeFlow } from "../../flow/summary.ts";
import type { ProxyOptions } from "../../options/proxy_options.ts";
import type { Proxy } from "../../proxy.ts";
import { ask, type PausePhase } from "../../rules/mod.ts";
import type { TapeMode } from "../../tape/options.ts";
import { editText } from "../ask/editor.ts";
import { LineReader } from "../ask/line_reader.ts";
import { ask as askPerson } from "../ask/prompt.ts";
import { nextPaused } from "../child/forward_paused.ts";
import { finish, startFor } from "../child/session.ts";
import type { Given } from "../given.ts";
import type { Terminal } from "../terminal.ts";

const PORT = 8080;

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => stop = resolve);
  const stopListening = terminal.onSignal(() => stop());
  try {
    const path = given.text("tape");
    const mode = given.text("mode") as TapeMode | undefined;
    const tape = { ...(path === undefined ? {} : { path }), ...(mode === undefined ? {} : { mode }) };
    const started = await startFor(given, terminal, tape, (options) => complete(options, given, terminal));
    const { proxy } = started;
    if (given.flag("json")) tellMachine(proxy, terminal);
    else if (!given.flag("quiet")) terminal.write(howTo(proxy, given));
    const asking = askPerson({
      next: () => nextPaused(proxy),
      lines: new LineReader(terminal.input),
      // The standard output stream is for one kind of reader.
      write: (text) => given.flag("json") ? terminal.tell(text) : terminal.write(text),
      edit: (text) => editText(text, terminal),
    });
    await stopped;
    const code = await finish(proxy, given, terminal, {
      ended: { exitCode: 0, signal: null },
      tape: started.tape,
      failed: false,
      // Whoever presses Ctrl-C knows that something waits: it is forwarded.
      expected: ["PAUSED_UNANSWERED"],
    });
    await asking;
    return code;
  } finally {
    stopListening();
  }
}

function complete(options: ProxyOptions, given: Given, terminal: Terminal): ProxyOptions {
  const on = [...given.texts("ask-on") as PausePhase[], ...(given.flag("ask") ? ["request" as const] : [])];
  const quiet = given.flag("quiet") || given.flag("json");
  const watch: Alerter = (flow) => terminal.write(`${JSON.stringify({ type: "flow", ...rowOf(flow) })}\n`);
  const { alerter = [] } = options;
  return {
    ...options,
    port: options.port ?? PORT,
    verbose: options.verbose ?? (quiet ? 0 : 1),
    ...(on.length === 0 ? {} : { defaultAction: ask({ on: [...new Set(on)] }) }),
    ...(given.flag("json") ? { alerter: [...(typeof alerter === "function" ? [alerter] : alerter), watch] } : {}),
  };
}

function rowOf(flow: HttpFlow): object {
  return { ...describeFlow(flow), bytes: lengthOf(flow) ?? 0, ms: Math.round(timeOf(flow) ?? 0), alerts: flow.alerts };
}

function tellMachine(proxy: Proxy, terminal: Terminal): void {
  const { url, host, port, ca } = proxy;
  terminal.write(`${JSON.stringify({ type: "listening", url, host, port, ca: ca.path, env: proxy.env() })}\n`);
}

function howTo(proxy: Proxy, given: Given): string {
  const { url, ca, host } = proxy;
  const open = /^(?:127\.|localhost$|::1$)/.test(host) ? [] : ["", `Whoever can reach ${host} can use it.`];
  const kept = given.text("ca-dir") === undefined
    ? ["", "The certificate authority is of this run alone: --ca-dir <folder> keeps one (flowtape help ca).", ""]
    : [""];
  return [
    `flowtape listens at ${url}; Ctrl-C ends it`,
    ...open,
    "",
    "most programs, from a shell:",
    ...exports(proxy.env()),
    "one request:",
    `  curl --proxy ${url} --cacert ${ca.path} https://example.com/`,
    "a browser:",
    `  chromium --user-data-dir=/tmp/flowtape-chromium ${proxy.browser().args.map(quoted).join(" ")}`,
    ...kept,
  ].join("\n");
}

/** A line for each value: many variables have the same. */
function exports(env: Readonly<Record<string, string>>): string[] {
  const names = new Map<string, string[]>();
  for (const [name, value] of Object.entries(env)) names.set(value, [...names.get(value) ?? [], name]);
  return [...names].map(([value, some]) => `  export ${some.map((name) => `${name}=${quoted(value)}`).join(" ")}`);
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
