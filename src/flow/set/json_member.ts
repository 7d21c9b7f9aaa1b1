/**
 * One value in a JSON document.
 *
 * @module
 */

/**
 * The value at a place: `qty`, `lines[0].qty`, `meta["a b"]`; a key of that very name at the top goes first. `undefined` when there is
 * none.
 */
export function jsonMember(document: unknown, path: string): unknown {
  if (hasOwn(document, path)) return document[path];
  let value = document;
  for (const step of stepsOf(path) ?? []) {
    if (!hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value === document ? undefined : value;
}

const STEP = /\.?([^.[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

function stepsOf(path: string): string[] | undefined {
  const steps: string[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (match === null) return undefined;
    steps.push(match[1] ?? match[2] ?? JSON.parse(match[3]!));
  }
  return steps;
}

function hasOwn(value: unknown, key: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
