/**
 * Bodies that are changed on their way.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { editJson, type JsonChange } from "../flow/json_edit.ts";
import { applyJsonPatch, checkJsonPatch, type JsonPatchOperation, PatchTestError } from "../flow/json_patch.ts";
import { describeValue, isRegExp } from "../flow/matcher/describe.ts";
import { isJson, parameter } from "../flow/media_type.ts";
import type { Message } from "../flow/message.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkObject } from "../rules/check.ts";
import { checkSides } from "./sides.ts";

/** One change of a body. */
export type BodyChange = TextChange | JsonMembersChange | JsonPatchChange;

/** Text that is replaced by other text. */
export interface TextChange {
  /** The text, wherever it stands; or an expression: the first place, with the flag `g` every place. */
  replace: string | RegExp;
  /** What stands there then; with `$1` for a group of an expression; or a function, as `String.prototype.replace` takes it. */
  with: string | ((match: string, ...groups: string[]) => string);
}

/** Members of JSON that are set or removed. */
export interface JsonMembersChange {
  /**
   * New values by path: `$.total`, `items.*.price`, `items[0].id` from the top, `price` anywhere. A function makes the new value from the old;
   * `undefined` removes.
   */
  json: { readonly [path: string]: JsonChange };
}

/** A JSON Patch. */
export interface JsonPatchChange {
  /** Operations (RFC 6902). When a `test` says no, the body stays as it is. */
  patch: readonly JsonPatchOperation[];
}

/** What {@linkcode modifyBody} takes. */
export interface ModifyBody {
  /** Changes of the request's body, one after the other. */
  request?: BodyChange | readonly BodyChange[];
  /** Changes of the response's body, one after the other. */
  response?: BodyChange | readonly BodyChange[];
}

/**
 * Changes the bodies of requests, responses or both, without their compression. What changes JSON leaves bodies of another media type alone, and
 * they stream. A body that is longer than what is kept of it (`capture.maxBody`) stays as it is; so do server-sent events, which have passed.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { modifyBody } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [
 *     modifyBody({
 *       response: [
 *         { replace: /https:\/\/(\w+)\.prod\.test/g, with: "https://$1.test" },
 *         { json: { "items.*.price": 0, "debug": undefined } },
 *         { patch: [{ op: "add", path: "/features/-", value: "beta" }] },
 *       ],
 *     }),
 *   ],
 * });
 * ```
 *
 * @throws {OptionsError} a change is of the wrong form
 */
export function modifyBody(changes: ModifyBody): Addon {
  checkSides(changes, "modifyBody()");
  const request = compileChanges((changes as ModifyBody).request, "request");
  const response = compileChanges((changes as ModifyBody).response, "response");
  return {
    name: "modifyBody",
    ...(request.length > 0 && { request: ({ request: message }: HttpFlow) => apply(request, message) }),
    ...(response.length > 0 && { response: ({ response: message }: HttpFlow) => message && apply(response, message) }),
    needs(hook, flow) {
      const message = flow[hook];
      const list = hook === "request" ? request : response;
      return message !== undefined && list.some((change) => change.concerns(message));
    },
  };
}

interface Change {
  concerns(message: Message): boolean;
  apply(message: Message): void;
}

function apply(changes: readonly Change[], message: Message): void {
  if (message.bodyTruncated || message.content.size === 0 || !isReadable(message)) return;
  for (const change of changes) if (change.concerns(message)) change.apply(message);
}

/** What cannot be decoded is left for the client to stumble over. */
function isReadable(message: Message): boolean {
  try {
    return message.body.length > 0;
  } catch {
    return false;
  }
}

const FORMS = "{ replace, with }, { json } or { patch }";

function compileChanges(given: ModifyBody["request"], side: string): Change[] {
  const list: unknown[] = given === undefined ? [] : [given].flat();
  return list.map((change, i) => {
    const where = `${Array.isArray(given) ? `${side}[${i}]` : side} of modifyBody()`;
    checkObject(change, ["replace", "with", "json", "patch"], where);
    const { replace, json, patch } = change as Record<string, unknown>;
    if ([replace, json, patch].filter((part) => part !== undefined).length !== 1) {
      throw new OptionsError(`${where} is ${describeValue(change)}: ${FORMS} is accepted`);
    }
    if (replace !== undefined) return textChange(change as TextChange, where);
    if (patch !== undefined) {
      checkJsonPatch(patch, `patch in ${where}`);
      return jsonChange((document) => patched(document, patch));
    }
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new OptionsError(`json in ${where} is ${describeValue(json)}: an object of paths and values is accepted`);
    }
    return jsonChange((document) => editJson(document, json as JsonMembersChange["json"]));
  });
}

function textChange({ replace, with: by }: TextChange, where: string): Change {
  if (!isRegExp(replace) && (typeof replace !== "string" || replace === "")) {
    throw new OptionsError(`replace in ${where} is ${describeValue(replace)}: text or a RegExp is accepted`);
  }
  if (typeof by !== "string" && typeof by !== "function") {
    throw new OptionsError(`with in ${where} is ${describeValue(by)}: text or a function is accepted`);
  }
  return {
    concerns: () => true,
    apply(message) {
      const { text, bytesOf } = textOf(message);
      // Only an expression has groups: in the place of text, "$1" is text.
      const changed = isRegExp(replace)
        ? text.replace(replace, by as string)
        : text.replaceAll(replace, typeof by === "string" ? () => by : by);
      if (changed !== text) message.body = bytesOf(changed);
    },
  };
}

/** Bytes that are no UTF-8 come back as they were: images, and text of other charsets. */
function textOf(message: Message): { text: string; bytesOf(text: string): Uint8Array } {
  const { body } = message;
  const charset = parameter(message.headers.get("content-type"), "charset") ?? "utf-8";
  if (/^(?:utf-?8|us-ascii)$/i.test(charset)) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
      return { text, bytesOf: (text) => Buffer.from(text) };
    } catch {
      // Told below.
    }
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  return { text, bytesOf: (text) => Buffer.from(text, "latin1") };
}

function jsonChange(change: (document: unknown) => unknown): Change {
  return {
    concerns: ({ headers }) => isJson(headers.get("content-type")),
    apply(message) {
      let document: unknown;
      try {
        document = message.json();
      } catch {
        // What says that it is JSON and is none is left for the client to stumble over.
        return;
      }
      const before = JSON.stringify(document);
      const after = JSON.stringify(change(document)) ?? "null";
      if (after !== before) message.body = after;
    },
  };
}

function patched(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  try {
    return applyJsonPatch(document, patch);
  } catch (error) {
    if (error instanceof PatchTestError) return document;
    throw error;
  }
}
