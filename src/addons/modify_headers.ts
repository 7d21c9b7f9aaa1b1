/**
 * Header fields that are set, added and removed.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkObject } from "../rules/check.ts";
import { checkSides } from "./sides.ts";

/** What becomes of the header fields of a message: first fields are removed, then set, then added. */
export interface HeaderChanges {
  /** Names of fields to remove; a RegExp removes every field whose name (in lower case) it is found in. */
  remove?: readonly (string | RegExp)[];
  /** Fields to set: what was there of that name goes. */
  set?: { readonly [name: string]: string | number };
  /** Fields to add: what is there of that name stays. */
  add?: { readonly [name: string]: string | number | readonly string[] };
}

/** What {@linkcode modifyHeaders} takes. */
export interface ModifyHeaders {
  /** Changes of the request, before it is sent on. */
  request?: HeaderChanges;
  /** Changes of the response, wherever it comes from. */
  response?: HeaderChanges;
}

/**
 * Changes header fields of requests, responses or both. Bodies stream.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { modifyHeaders } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [
 *     modifyHeaders({
 *       request: { set: { "user-agent": "test/1.0" }, remove: [/^x-debug-/] },
 *       response: { add: { "access-control-allow-origin": "*" }, remove: ["content-security-policy"] },
 *     }),
 *   ],
 * });
 * ```
 *
 * @throws {OptionsError} a name or a value cannot be sent
 */
export function modifyHeaders(changes: ModifyHeaders): Addon {
  checkSides(changes, "modifyHeaders()");
  const { request, response } = changes as ModifyHeaders;
  if (request !== undefined) checkChanges(request, "the request of modifyHeaders()");
  if (response !== undefined) checkChanges(response, "the response of modifyHeaders()");
  return {
    name: "modifyHeaders",
    ...(request && { requestHeaders: (flow) => change(flow.request.headers, request) }),
    ...(response && { responseHeaders: (flow) => flow.response && change(flow.response.headers, response) }),
  };
}

function change(headers: FlowHeaders, { remove = [], set = {}, add = {} }: HeaderChanges): void {
  for (const name of remove) {
    if (typeof name === "string") headers.delete(name);
    else for (const [found] of [...headers.raw]) if (found.toLowerCase().search(name) >= 0) headers.delete(found);
  }
  for (const [name, value] of Object.entries(set)) headers.set(name, String(value));
  for (const [name, value] of Object.entries(add)) {
    for (const one of [value].flat()) headers.append(name, String(one));
  }
}

function checkChanges(changes: unknown, where: string): asserts changes is HeaderChanges {
  checkObject(changes, ["remove", "set", "add"], where);
  const { remove = [], set = {}, add = {} } = changes as HeaderChanges;
  if (!Array.isArray(remove)) {
    throw new OptionsError(`remove in ${where} is ${describeValue(remove)}: an array of names is accepted`);
  }
  for (const [key, record] of Object.entries({ set, add })) {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new OptionsError(
        `${key} in ${where} is ${describeValue(record)}: an object of names and values is accepted`,
      );
    }
    for (const [name, value] of Object.entries(record as Record<string, unknown>)) {
      const values = key === "add" ? [value].flat() : [value];
      if (values.every((one) => typeof one === "string" || typeof one === "number")) continue;
      throw new OptionsError(
        `${name} in ${key} in ${where} is ${describeValue(value)}: a string or number is accepted`,
      );
    }
  }
  // A trial on fields that nobody sends finds the rest: characters that cannot be sent.
  change(FlowHeaders.from([]), { set, add, remove: [] });
}
