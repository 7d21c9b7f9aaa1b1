/**
 * JSON Patch (RFC 6902) and JSON Pointer (RFC 6901).
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";
import { matchesJson } from "./matcher/json.ts";

/** One step of a JSON Patch. */
export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly path: string; readonly from: string };

/** A `test` of a patch said no: nothing of the patch was done. */
export class PatchTestError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "PatchTestError";
}

const NEEDS: Readonly<Record<string, "value" | "from" | undefined>> = {
  add: "value",
  replace: "value",
  test: "value",
  remove: undefined,
  move: "from",
  copy: "from",
};

/**
 * Refuses what is not a patch.
 *
 * @param where for errors
 */
export function checkJsonPatch(patch: unknown, where: string): asserts patch is readonly JsonPatchOperation[] {
  if (!Array.isArray(patch)) {
    throw new OptionsError(`${where} is ${describeValue(patch)}: an array of operations (RFC 6902) is accepted`);
  }
  patch.forEach((operation: Record<string, unknown>, i) => {
    const wrong = (why: string) => new OptionsError(`${where}[${i}] is ${describeValue(operation)}: ${why}`);
    if (typeof operation !== "object" || operation === null) throw wrong("{ op, path, value } is accepted");
    const { op, path, from } = operation;
    if (typeof op !== "string" || !Object.hasOwn(NEEDS, op)) {
      throw wrong(`op is one of ${Object.keys(NEEDS).join(", ")}`);
    }
    if (!isPointer(path)) throw wrong('path is a JSON Pointer such as "/items/0/name"');
    if (NEEDS[op] === "value" && operation["value"] === undefined) throw wrong(`${op} wants a value`);
    if (NEEDS[op] === "from" && !isPointer(from)) throw wrong(`${op} wants from, a JSON Pointer such as "/items/0"`);
    if (op === "move" && `${path}/`.startsWith(`${from}/`) && path !== from) {
      throw wrong("nothing can be moved into itself");
    }
  });
}

/**
 * Applies a patch to a copy of a document.
 *
 * @throws {PatchTestError} `PATCH_TEST`: a `test` said no
 * @throws {FlowtapeError} `PATCH_FAILED`: a path leads nowhere
 */
export function applyJsonPatch(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  const root = { "": structuredClone(document) };
  for (const [i, operation] of patch.entries()) {
    const fail = (why: string): never => {
      throw new FlowtapeError(
        "PATCH_FAILED",
        `operation ${i + 1} of the JSON patch, ${describeValue(operation)}: ${why}`,
      );
    };
    apply(root, operation, fail);
  }
  return root[""];
}

type Fail = (why: string) => never;

function apply(root: object, operation: JsonPatchOperation, fail: Fail): void {
  const { path } = operation;
  switch (operation.op) {
    case "add":
      return add(root, path, structuredClone(operation.value), fail);
    case "remove":
      return void remove(root, path, fail);
    case "replace": {
      const place = find(root, path, fail);
      return put(place.holder, place.key, structuredClone(operation.value));
    }
    case "move":
      return add(root, path, remove(root, operation.from, fail), fail);
    case "copy": {
      const { holder, key } = find(root, operation.from, fail);
      return add(root, path, structuredClone((holder as Holder)[key]), fail);
    }
    case "test": {
      const { holder, key } = find(root, path, fail);
      const actual = (holder as Holder)[key];
      if (matchesJson(operation.value, actual, { keys: "exact" })) return;
      throw new PatchTestError(
        "PATCH_TEST",
        `the JSON patch wants ${describeValue(operation.value)} at ${path || "the top"}`,
      );
    }
  }
}

type Holder = Record<string, unknown>;

interface Place {
  /** The object or array that holds the value. */
  readonly holder: object;
  readonly key: string;
}

function isPointer(value: unknown): value is string {
  return typeof value === "string" && /^(?:\/(?:[^~/]|~[01])*)*$/.test(value);
}

/** The document itself is held by an object with an empty key, so that it can be replaced as well. */
function namesOf(pointer: string): string[] {
  return pointer.split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The place of a value that is there. */
function find(root: object, pointer: string, fail: Fail): Place {
  const place = holderOf(root, pointer, fail);
  if (!has(place.holder, place.key)) fail(`there is nothing at ${pointer || "the top"}`);
  return place;
}

function holderOf(root: object, pointer: string, fail: Fail): Place {
  const names = namesOf(pointer);
  const key = names.pop()!;
  let holder = root;
  for (const [i, name] of names.entries()) {
    const inner = has(holder, name) ? (holder as Holder)[name] : undefined;
    if (typeof inner !== "object" || inner === null) {
      return fail(`there is no object or array at ${names.slice(0, i + 1).join("/") || "the top"}`);
    }
    holder = inner;
  }
  return { holder, key };
}

function has(holder: object, key: string): boolean {
  return Array.isArray(holder) ? isIndex(key) && Number(key) < holder.length : Object.hasOwn(holder, key);
}

function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(key);
}

function add(root: object, pointer: string, value: unknown, fail: Fail): void {
  const { holder, key } = holderOf(root, pointer, fail);
  if (!Array.isArray(holder)) return put(holder, key, value);
  const at = key === "-" ? holder.length : isIndex(key) ? Number(key) : -1;
  if (at < 0 || at > holder.length) fail(`an array of ${holder.length} has no place ${key}`);
  holder.splice(at, 0, value);
}

function remove(root: object, pointer: string, fail: Fail): unknown {
  const { holder, key } = find(root, pointer, fail);
  const value = (holder as Holder)[key];
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (holder === root) put(root, key, null);
  else delete (holder as Holder)[key];
  return value;
}

/** Sets a member of its own, also one with the name `__proto__`. */
function put(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder)) holder[Number(key)] = value;
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}
