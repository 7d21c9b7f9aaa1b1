/**
 * From flows to the data of a report: heads first, in order; then bodies, those of requests that went wrong before all others.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { shape, whole } from "../options/schema.ts";
import { TapeEntry } from "../tape/entry.ts";
import { flowOfEntry } from "../tape/flow_of_entry.ts";
import { addBodies } from "./bodies.ts";
import { Cleaner } from "./clean.ts";
import type { FlowData, ReportData } from "./data.ts";
import { failureOf } from "./failure.ts";
import { flowData } from "./flow_data.ts";
import type { ReportInput } from "./input.ts";
import { Budget, LIMITS, shortened } from "./limits.ts";
import { Peers } from "./peers.ts";
import { Turns } from "./turns.ts";

/** What a report shows, redacted and bounded. */
export async function collect(input: ReportInput): Promise<ReportData> {
  checkInput(input);
  const limits = { ...LIMITS, ...input.limits };
  const cleaner = new Cleaner(input.redact);
  const given = Array.from(input.flows);
  const unmatched = new Set<unknown>(input.unmatched ?? []);
  const kept = newest(given, limits.flows, unmatched);
  const peers = new Peers(cleaner);
  const turns = new Turns();
  const pairs: (readonly [Flow, FlowData])[] = [];
  const places = new Map<unknown, number>(given.map((flow, i) => [flow, i]));
  for (const one of kept) {
    const flow = one instanceof TapeEntry ? await flowOfEntry(one) : one;
    await turns.next();
    pairs.push([flow, flowData(flow, { cleaner, peers, unmatched: unmatched.has(one), place: places.get(one)! })]);
  }
  const budget = new Budget(limits.total);
  const flows = await addBodies(pairs, { cleaner, budget, most: limits.body });
  return {
    format: 1,
    title: cleaner.text(shortened(input.title ?? "flowtape report", 500)),
    made: new Date().toISOString(),
    flows,
    peers: peers.list,
    ...(input.failure !== undefined && { failure: failureOf(input.failure, cleaner) }),
    left: { dropped: droppedOf(input.flows), flows: given.length - kept.length, bodies: budget.cut },
  };
}

function checkInput(input: ReportInput): void {
  const flows: unknown = (input as Partial<ReportInput> | null | undefined)?.flows;
  const wanted = "renderReport() takes { flows }: a FlowSet such as proxy.flows, an array of flows, or a tape";
  if (typeof (flows as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] !== "function") {
    throw new OptionsError(`${wanted}, and not ${describeValue(input)}`);
  }
  if (input.limits !== undefined) checkLimits(input.limits, "limits");
  for (const flow of flows as Iterable<unknown>) {
    const type: unknown = (flow as Partial<Flow> | null | undefined)?.type;
    if (type === "http" || type === "tcp" || flow instanceof TapeEntry) continue;
    throw new OptionsError(`${wanted}: in it is ${describeValue(flow)}, which is no flow`);
  }
}

const checkLimits = shape({ body: whole(0), total: whole(0), flows: whole(1) });

/** Older flows go first, but none that nothing has matched while there are others. */
function newest<T>(flows: readonly T[], most: number, important: ReadonlySet<unknown>): readonly T[] {
  if (flows.length <= most) return flows;
  const first = new Set(flows.filter((flow) => important.has(flow)).slice(-most));
  const room = most - first.size;
  const others = room === 0 ? [] : flows.filter((flow) => !first.has(flow)).slice(-room);
  const all = new Set([...first, ...others]);
  return flows.filter((flow) => all.has(flow));
}

function droppedOf(flows: ReportInput["flows"]): number {
  const { dropped } = flows as { readonly dropped?: unknown };
  return typeof dropped === "number" ? dropped : 0;
}
