/**
 * What is said when a breakpoint and a test have missed each other.
 *
 * @module
 */
import type { Flow } from "../../flow/flow.ts";
import { matchesNow } from "../../flow/matcher/matches_now.ts";
import type { CompiledMatcher } from "../../flow/matcher/types.ts";
import { nearest, renderNearMisses } from "../../flow/near_miss.ts";
import { describeFlow, summarize } from "../../flow/summary.ts";
import { stateOf } from "../flow_state.ts";
import type { Pause } from "./paused_flow.ts";

/** How many flows are named. */
const MAX_NAMED = 10;
/** How many lines the table of flows has. */
const MAX_LINES = 20;

/** What there was while somebody waited. */
export interface Seen {
  /** The flows that wait, and match not. */
  readonly paused: readonly Pause[];
  /** All flows of the proxy. */
  readonly flows: Iterable<Flow>;
  /** Nothing is asked about any more. */
  readonly off: boolean;
}

/** Why `nextPaused()` got nothing. */
export function explainTimeout(matcher: CompiledMatcher, timeout: number, { paused, flows, off }: Seen): string {
  const all = [...flows];
  return `nextPaused(${matcher.description}) got no flow in ${timeout} ms: ${why(matcher, paused, all, off)}\n\n` +
    summarize(all, { limit: MAX_LINES });
}

function why(matcher: CompiledMatcher, paused: readonly Pause[], flows: readonly Flow[], off: boolean): string {
  if (off) return "since continueAll() every flow passes, until proxy.reset()";
  if (paused.length > 0) {
    const near = nearest(matcher, paused.map(({ flow }) => flow));
    const closest = near.length === 0 ? "" : `\n\nNearest:\n\n${renderNearMisses(near)}`;
    return `none that it wants is paused, but ${counted(paused.length)}:\n${listed(paused)}${closest}`;
  }
  const missed = flows.filter((flow) => matches(matcher, flow));
  const [passed, given] = [false, true].map((asked) =>
    missed.filter((flow) => (stateOf(flow)?.asked ?? false) === asked)
  );
  if (missed.length > 0) {
    return "no flow is paused that nobody has taken." +
      named("These match, and passed without being asked about", passed!) +
      named("These match, and were asked about before", given!);
  }
  const near = nearest(matcher, flows);
  return near.length === 0 ? "no flow is paused" : `no flow is paused. Nearest:\n\n${renderNearMisses(near)}`;
}

function named(what: string, flows: readonly Flow[]): string {
  if (flows.length === 0) return "";
  const lines = flows.slice(-MAX_NAMED).map((flow) => {
    const { method, url, status } = describeFlow(flow);
    const rule = flow.type === "http" ? stateOf(flow)?.report : undefined;
    return `\n  ${method} ${url} (${status}, ${rule === undefined ? "no rule" : `${rule.place} ${rule.description}`})`;
  });
  return ` ${what}:${lines.join("")}\n`;
}

/** What `close()` says of flows that nobody has decided about. */
export function explainUnanswered(left: readonly Pause[]): string {
  return `${counted(left.length)} when the proxy was closed, and nobody had decided, so ` +
    `${left.length === 1 ? "it was" : "they were"} forwarded:\n${listed(left)}\n` +
    "take each with proxy.nextPaused() and forward, respond or drop it, or call continueAll()";
}

function counted(count: number): string {
  return count === 1 ? "1 flow was paused" : `${count} flows were paused`;
}

function listed(paused: readonly Pause[]): string {
  const lines = paused.slice(0, MAX_NAMED).map((pause) => `  ${pause.description}`);
  const more = paused.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

/** A predicate need not be able to judge every flow. */
function matches(matcher: CompiledMatcher, flow: Flow): boolean {
  try {
    return matchesNow(matcher, flow);
  } catch {
    return false;
  }
}
