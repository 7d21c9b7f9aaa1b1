/**
 * The shape of JSON values: which members there are, and of which type. What differs between two answers of one API is mostly values;
 * what breaks its clients is mostly shape.
 *
 * @module
 */
import type { PathTest } from "../../flow/json_path.ts";
import type { Comparison } from "../../flow/matcher/types.ts";

interface Shape {
  /** How many values it was made of. */
  count: number;
  readonly types: Set<string>;
  /** Of objects. */
  readonly members: Map<string, Shape>;
  /** How many of the values are objects. */
  objects: number;
  /** Of all elements of arrays. */
  items?: Shape;
}

/** A document that nests deeper than this is not compared further down. */
const MAX_DEPTH = 60;
const MAX_DIFFERENCES = 100;

/**
 * Where the shape of the second value differs. `null` fits every type, an empty array every array, and a member that is missing in some
 * elements of an array may be missing in others.
 */
export function compareShapes(recorded: unknown, live: unknown, ignored?: PathTest): Comparison[] {
  const found: Comparison[] = [];
  compare(shapeOf([recorded]), shapeOf([live]), { path: [], shown: "json", ignored, found });
  return found;
}

function shapeOf(values: readonly unknown[], depth = 0): Shape {
  const shape: Shape = { count: values.length, types: new Set(values.map(typeOf)), members: new Map(), objects: 0 };
  if (depth === MAX_DEPTH) return shape;
  const elements: unknown[] = [];
  const members = new Map<string, unknown[]>();
  for (const value of values) {
    if (Array.isArray(value)) { for (const element of value) elements.push(element); }
    else if (typeof value === "object" && value !== null) {
      shape.objects++;
      for (const [key, member] of Object.entries(value)) {
        // Where keys are identifiers, the object is a list.
        const name = isIdentifier(key) ? "*" : key;
        const list = members.get(name);
        if (list === undefined) members.set(name, [member]);
        else list.push(member);
      }
    }
  }
  if (elements.length > 0) shape.items = shapeOf(elements, depth + 1);
  for (const [key, list] of members) shape.members.set(key, shapeOf(list, depth + 1));
  return shape;
}

interface Place {
  readonly path: readonly string[];
  readonly shown: string;
  readonly ignored: PathTest | undefined;
  readonly found: Comparison[];
}

function compare(recorded: Shape, live: Shape, place: Place): void {
  const { found } = place;
  if (found.length >= MAX_DIFFERENCES) return;
  const before = typesOf(recorded);
  const now = typesOf(live);
  if (before.length === 0 || now.length === 0) return;
  if (now.some((type) => !before.includes(type))) {
    found.push({ field: place.shown, expected: before.join(" or "), actual: now.join(" or "), matches: false });
    return;
  }
  if (recorded.items && live.items) compare(recorded.items, live.items, inner(place, "*"));
  if (recorded.objects === 0 || live.objects === 0) return;
  for (const [key, shape] of recorded.members) {
    const next = inner(place, key);
    if (next.ignored?.(next.path)) continue;
    const other = live.members.get(key);
    if (other !== undefined) compare(shape, other, next);
    else if (shape.count >= recorded.objects && key !== "*") {
      found.push({ field: next.shown, expected: describe(shape), actual: undefined, matches: false });
    }
  }
  for (const [key, shape] of live.members) {
    const next = inner(place, key);
    if (recorded.members.has(key) || key === "*" || next.ignored?.(next.path)) continue;
    found.push({ field: next.shown, expected: "absent", actual: describe(shape), matches: false });
  }
}

function inner(place: Place, key: string): Place {
  const shown = key === "*" ? "[*]" : /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  return { ...place, path: [...place.path, key], shown: place.shown + shown };
}

function describe(shape: Shape): string {
  return typesOf(shape).join(" or ") || "null";
}

function typesOf({ types }: Shape): string[] {
  return [...types].filter((type) => type !== "null").sort();
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

/** Numbers, UUIDs, hashes and days. */
function isIdentifier(key: string): boolean {
  return /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-f]*\d)[0-9a-f]{16,}|\d{4}-\d\d-\d\d)$/i.test(key);
}
