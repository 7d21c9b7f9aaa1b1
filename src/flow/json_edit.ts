/**
 * Changes of a JSON document at the places that paths lead to.
 *
 * @module
 */
import { parseJsonPath } from "./json_path.ts";

/** A new value, a function of the old one, or `undefined`, which removes. */
export type JsonChange = unknown | ((value: unknown) => unknown);

/**
 * Changes a copy of a document. A path from the top adds a member that is not there to an object that is; a name, and a path with `*`,
 * change what is there.
 *
 * @param changes by path, in the form that `match.body.ignore` of a tape takes: `price`, `$.total`, `items.*.price`, `items[0].price`
 */
export function editJson(document: unknown, changes: Readonly<Record<string, JsonChange>>): unknown {
  const root: Record<string, unknown> = { "": structuredClone(document) };
  for (const [path, change] of Object.entries(changes)) {
    const parsed = parseJsonPath(path);
    if ("name" in parsed) everywhere(root[""], parsed.name, change);
    else follow(root, ["", ...parsed.steps], change);
  }
  return root[""];
}

function everywhere(value: unknown, name: string, change: JsonChange): void {
  if (!isHolder(value)) return;
  // The inner ones first: what a change puts there is not changed again.
  for (const key of keysOf(value)) everywhere(value[key], name, change);
  if (!Array.isArray(value) && Object.hasOwn(value, name)) set(value, name, change);
}

function follow(holder: Holder, [step = "", ...rest]: readonly string[], change: JsonChange): void {
  // From the end: removing an element moves those behind it.
  const keys = step === "*" ? keysOf(holder).reverse() : [step];
  for (const key of keys) {
    if (rest.length === 0) set(holder, key, change);
    else if (Object.hasOwn(holder, key) && isHolder(holder[key])) follow(holder[key], rest, change);
  }
}

type Holder = Record<string, unknown>;

function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null;
}

function keysOf(holder: Holder): string[] {
  return Object.keys(holder);
}

function set(holder: Holder, key: string, change: JsonChange): void {
  const isElement = Array.isArray(holder);
  if (isElement && !Object.hasOwn(holder, key)) return;
  const old = Object.hasOwn(holder, key) ? holder[key] : undefined;
  const value = typeof change === "function" ? change(old) : structuredClone(change);
  if (value === undefined && isElement) holder.splice(Number(key), 1);
  else if (value === undefined) delete holder[key];
  // Also where the name is __proto__.
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}
