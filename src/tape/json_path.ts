/**
 * Places in a JSON document, as the options name them.
 *
 * @module
 */

/** Whether a place, given by the keys and indexes that lead to it, is one of those named. */
export type PathTest = (path: readonly string[]) => boolean;

/**
 * Compiles names and simple paths. `nonce` is a field of that name anywhere; `$.nonce`, `meta.time`, `items.*.id` and
 * `items[0].id` are counted from the top, and `*` stands for any one key or index.
 */
export function pathTest(paths: readonly string[]): PathTest {
  const names = new Set<string>();
  const fromTop: string[][] = [];
  for (const path of paths) {
    const steps = path.replace(/\[(\d+|\*)\]/g, ".$1").split(".");
    if (steps.length === 1) names.add(path);
    else fromTop.push(steps[0] === "$" || steps[0] === "" ? steps.slice(1) : steps);
  }
  return (path) => names.has(path.at(-1)!) || fromTop.some((steps) => leadsTo(steps, path));
}

function leadsTo(steps: readonly string[], path: readonly string[]): boolean {
  return steps.length === path.length && steps.every((step, i) => step === "*" || step === path[i]);
}
