/**
 * Places in a JSON document, as the options name them.
 *
 * @module
 */

/** Whether a place, given by the keys and indexes that lead to it, is one of those named. */
export type PathTest = (path: readonly string[]) => boolean;

/** A path, taken apart: a name anywhere in the document, or steps from its top. */
export type JsonPath = { readonly name: string } | { readonly steps: readonly string[] };

/**
 * Takes a name or a simple path apart. `nonce` is a field of that name anywhere; `$.nonce`, `meta.time`, `items.*.id` and
 * `items[0].id` are counted from the top, and `*` stands for any one key or index. A key with dots is written `$["a.b"]`.
 */
export function parseJsonPath(path: string): JsonPath {
  const quoted: string[] = [];
  const plain = path.replace(/\["((?:[^"\\]|\\["\\])*)"\]/g, (_, key: string) => {
    quoted.push(key.replace(/\\(.)/g, "$1"));
    return `.\0${quoted.length - 1}`;
  });
  const steps = plain.replace(/\[(\d+|\*)\]/g, ".$1").split(".").map((step) =>
    step.startsWith("\0") ? quoted[Number(step.slice(1))]! : step
  );
  if (steps.length === 1 && path !== "$") return { name: path };
  return { steps: steps[0] === "$" || steps[0] === "" ? steps.slice(1) : steps };
}

/** A place from the top in the form that {@linkcode parseJsonPath} takes. */
export function printJsonPath(steps: readonly string[]): string {
  const shown = steps.map((step) =>
    /^(?:\d+|\*)$/.test(step) ? `[${step}]` : /^[^.[\]"\\\0]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  );
  return `$${shown.join("")}`;
}

/** Compiles names and paths, in the form that {@linkcode parseJsonPath} takes. */
export function pathTest(paths: readonly string[]): PathTest {
  const names = new Set<string>();
  const fromTop: (readonly string[])[] = [];
  for (const path of paths.map(parseJsonPath)) {
    if ("name" in path) names.add(path.name);
    else fromTop.push(path.steps);
  }
  return (path) => names.has(path.at(-1)!) || fromTop.some((steps) => leadsTo(steps, path));
}

function leadsTo(steps: readonly string[], path: readonly string[]): boolean {
  return steps.length === path.length && steps.every((step, i) => step === "*" || step === path[i]);
}
