/**
 * The JSON-RPC 2.0 calls of a request.
 *
 * @module
 */
import { jsonOf } from "../flow/matcher/body_part.ts";
import type { FlowRequest } from "../flow/request.ts";

/** One call. */
export interface JsonRpcCall {
  /** The method. */
  readonly method: string;
  /** An array or an object; `undefined` when there are none. */
  readonly params: unknown;
  /** The id; `undefined` for a notification, which gets no reply. */
  readonly id: string | number | null | undefined;
}

/** What a request says. */
export interface JsonRpcCalls {
  readonly calls: readonly JsonRpcCall[];
  /** How many members of a batch are no calls. */
  readonly invalid: number;
  readonly batch: boolean;
  /** Why it is no JSON-RPC request at all. */
  readonly problem?: "not JSON" | "no call";
}

/**
 * Reads the calls of a request.
 *
 * @throws {BodyIncompleteError} before the request is complete
 */
export function readCalls(request: FlowRequest): JsonRpcCalls {
  const body = jsonOf(request);
  if (body.problem !== undefined) return { calls: [], invalid: 0, batch: false, problem: "not JSON" };
  const batch = Array.isArray(body.value);
  const members: unknown[] = batch ? body.value as unknown[] : [body.value];
  const calls = members.filter(isCall).map(({ method, params, id }) => ({ method, params, id }));
  const none = members.length === 0 || !batch && calls.length === 0;
  return { calls, invalid: members.length - calls.length, batch, ...(none ? { problem: "no call" as const } : {}) };
}

function isCall(value: unknown): value is JsonRpcCall {
  if (typeof value !== "object" || value === null) return false;
  const { jsonrpc, method, params, id } = value as Record<string, unknown>;
  return jsonrpc === "2.0" && typeof method === "string" &&
    (params === undefined || typeof params === "object" && params !== null) &&
    (id === undefined || id === null || typeof id === "string" || typeof id === "number");
}
