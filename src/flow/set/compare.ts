/**
 * Many flows beside each other: what they have in common, and a table of what differs.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { type Part, requestParts, responseParts } from "./parts.ts";
import { textTable } from "./text_table.ts";

/** The longest table. */
const MAX_ROWS = 200;
/** The widest: parts beyond it are only named. */
const MAX_COLUMNS = 8;
const MAX_CELL = 40;
const MAX_NAMED = 20;

/** What differs between the requests of flows. */
export function compareRequestsOf(flows: readonly Flow[]): string {
  return compare(flows, requestParts);
}

/** What differs between the responses of flows. */
export function compareResponsesOf(flows: readonly Flow[]): string {
  return compare(flows, responseParts);
}

function compare(all: readonly Flow[], partsOf: (flow: Flow) => Map<string, Part>): string {
  if (all.length === 0) return "no flows";
  const flows = all.slice(0, MAX_ROWS);
  const parts = flows.map(partsOf);
  const names = inOrder(parts);
  const differing = names.filter((name) => new Set(parts.map((one) => one.get(name)?.raw)).size > 1);
  const common = names.filter((name) => !differing.includes(name));
  const columns = differing.slice(0, MAX_COLUMNS);
  const rows = parts.map((one, i) => [String(i), ...columns.map((name) => cell(name, one, parts))]);
  return [
    `the same in ${all.length === 1 ? "the only flow" : `all ${flows.length}`}: ${
      named(common.map((name) => `${name} ${parts[0]!.get(name)!.shown}`)) || "nothing"
    }`,
    ...(columns.length === 0 ? ["nothing differs"] : textTable([["#", ...columns], ...rows], { right: new Set([0]) })),
    ...(differing.length > MAX_COLUMNS ? [`also different: ${named(differing.slice(MAX_COLUMNS))}`] : []),
    ...(all.length > MAX_ROWS ? [`${all.length - MAX_ROWS} more flows were not compared`] : []),
  ].join("\n");
}

/** The names of all parts: those that only some flows have stand where those flows have them. */
function inOrder(parts: readonly Map<string, Part>[]): string[] {
  const names: string[] = [];
  const known = new Set<string>();
  for (const one of parts) {
    let at = 0;
    for (const name of one.keys()) {
      if (known.has(name)) {
        at = names.indexOf(name) + 1;
      } else {
        names.splice(at++, 0, name);
        known.add(name);
      }
    }
  }
  return names;
}

function cell(name: string, one: Map<string, Part>, all: readonly Map<string, Part>[]): string {
  const part = one.get(name);
  if (part === undefined) return "-";
  const { raw, shown } = part;
  const text = shown.length <= MAX_CELL ? shown : `${shown.slice(0, MAX_CELL - 1)}…`;
  // Values that look the same and are not are numbered.
  const alike = all.flatMap((other) => other.get(name) ?? []).filter((other) => other.shown === shown);
  const kinds = [...new Set(alike.map((other) => other.raw))];
  return kinds.length === 1 ? text : `${text} #${kinds.indexOf(raw) + 1}`;
}

function named(texts: readonly string[]): string {
  const more = texts.length - MAX_NAMED;
  return more <= 0 ? texts.join(", ") : `${texts.slice(0, MAX_NAMED).join(", ")} and ${more} more`;
}
