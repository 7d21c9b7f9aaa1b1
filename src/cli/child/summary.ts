/**
 * What is said about what ran behind a proxy, when it is over.
 *
 * @module
 */
import { describeFlow } from "../../flow/summary.ts";
import type { FlowSet } from "../../flow/flow_set.ts";
import type { Proxy } from "../../proxy.ts";
import { type Failure, failureOf } from "../failure.ts";

/** What `--json` writes. */
export interface Summary {
  /** The command of flowtape: `record`, `replay`, `run` or `proxy`. */
  readonly command: string;
  /** That of flowtape. */
  readonly exitCode: number;
  /** The signal that has ended the program. */
  readonly signal: string | null;
  /** How many flows there were. */
  readonly flows: number;
  /** How many of them were answered by whom, without those that nothing on the tape matched. */
  readonly sources: Readonly<Record<string, number>>;
  /** The tape. */
  readonly tape: string | null;
  /** The requests that nothing on the tape matched, as `GET https://shop.test/`. */
  readonly unmatched: readonly string[];
  /** The entries of the tape that nothing has asked for. */
  readonly unused: readonly string[];
  /** What went wrong besides. */
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  /** The report that was written. */
  readonly report: string | null;
}

/** What there is to be said before the proxy is closed. */
export function countFlows(proxy: Proxy): Pick<Summary, "flows" | "sources" | "unmatched" | "unused"> {
  const sources: Record<string, number> = {};
  const unmatched = new Set(proxy.unmatched);
  for (const flow of proxy.flows) {
    if (!unmatched.has(flow)) sources[flow.source] = (sources[flow.source] ?? 0) + 1;
  }
  return {
    flows: proxy.flows.length,
    sources,
    unmatched: namesOf(proxy.unmatched),
    unused: proxy.unused.map(String),
  };
}

/** Everything that `close()` rejected with, one by one. */
export function problemsOf(error: unknown): Failure[] {
  return error instanceof AggregateError ? error.errors.flatMap(problemsOf) : [failureOf(error)];
}

/** One line for a person. */
export function lineOf({ command, flows, sources, unmatched, tape }: Summary): string {
  const parts = Object.entries(sources).map(([source, count]) => `${count} ${SOURCES[source] ?? `by ${source}`}`);
  if (unmatched.length > 0) parts.push(`${unmatched.length} matched nothing`);
  const what = flows === 0 ? "no traffic came" : `${flows === 1 ? "1 flow" : `${flows} flows`}: ${parts.join(", ")}`;
  const hint = flows === 0 && command !== "proxy"
    ? " (does the command read http_proxy and https_proxy?)"
    : tape === null
    ? ""
    : ` (${tape})`;
  return `${what}${hint}`;
}

const SOURCES: Readonly<Record<string, string>> = {
  upstream: "by the server",
  tape: "from the tape",
  rule: "by rules",
  app: "by the application",
  addon: "by addons",
};

function namesOf(flows: FlowSet): string[] {
  return [...flows].map((flow) => {
    const { method, url } = describeFlow(flow);
    return `${method} ${url}`;
  });
}
