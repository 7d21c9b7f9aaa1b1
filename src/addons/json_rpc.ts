/**
 * JSON-RPC 2.0 over HTTP: which calls, and what is answered.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue, isRegExp } from "../flow/matcher/describe.ts";
import { matchesJson } from "../flow/matcher/json.ts";
import type { CompiledMatcher } from "../flow/matcher/types.ts";
import { FlowResponse } from "../flow/response.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkObject } from "../rules/check.ts";
import { type JsonRpcCall, readCalls } from "./json_rpc_call.ts";
import { Waiting } from "./waiting.ts";

/** Calls described by some of their parts. */
export interface JsonRpcShape {
  /** The method; by default any. */
  method?: string | RegExp;
  /** The parameters, as `json` of a request shape: objects when every given key matches, arrays element by element. */
  params?: unknown;
}

/** A result, or an error. */
export type JsonRpcReply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } };

/** What makes the reply to a call. */
export type JsonRpcReplier = (call: JsonRpcCall, flow: HttpFlow) => JsonRpcReply | Promise<JsonRpcReply>;

/** What makes the result of a call; what it throws is an error reply with the code -32603. */
export type JsonRpcMethod = (params: never, call: JsonRpcCall, flow: HttpFlow) => unknown;

/**
 * A matcher for JSON-RPC 2.0 calls. A batch matches when every call in it does.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { jsonRpc, jsonRpcReply } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     [jsonRpc({ method: "eth_getBalance" }), jsonRpcReply({ result: "0x10" })],
 *     [jsonRpc({ method: "sum", params: [1, 2] }), jsonRpcReply({ error: { code: -32000, message: "cannot count" } })],
 *   ],
 * });
 * const body = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "eth_getBalance", params: [] });
 * await (await proxy.fetch("http://node.test/", { method: "POST", body })).json(); // { jsonrpc: "2.0", id: 7, result: "0x10" }
 * ```
 */
export function jsonRpc(shape: JsonRpcShape = {}): CompiledMatcher {
  checkObject(shape, ["method", "params"], "jsonRpc()");
  const { method, params } = shape as JsonRpcShape;
  if (method !== undefined && typeof method !== "string" && !isRegExp(method)) {
    throw new OptionsError(`the method of jsonRpc() is ${describeValue(method)}: a string or a RegExp is accepted`);
  }
  const fits = (call: JsonRpcCall) =>
    (method === undefined || (isRegExp(method) ? call.method.search(method) >= 0 : call.method === method)) &&
    (params === undefined || matchesJson(params, call.params));
  return {
    description: `JSON-RPC ${describeValue(shape)}`,
    key: { method: "POST" },
    matches(flow: Flow) {
      if (flow.type !== "http" || flow.request.method !== "POST") return false;
      const { calls, invalid } = readCalls(flow.request);
      return calls.length > 0 && invalid === 0 && calls.every(fits);
    },
  };
}

/**
 * Answers JSON-RPC calls, each with its own id; every call of a batch gets the reply, notifications get none. Requests that are no JSON-RPC
 * pass.
 *
 * @param reply a result, an error, or a function of the call
 */
export function jsonRpcReply(reply: JsonRpcReply | JsonRpcReplier): Addon {
  if (typeof reply !== "function") checkReply(reply, "jsonRpcReply()");
  const replier: JsonRpcReplier = typeof reply === "function" ? reply : () => reply;
  return answering("jsonRpcReply", async (flow) => {
    const { calls, invalid, batch } = readCalls(flow.request);
    if (calls.length === 0 || invalid > 0) return;
    flow.response = await responseOf(
      calls,
      batch,
      async (call) => checkReply(await replier(call, flow), "jsonRpcReply()"),
    );
  });
}

/**
 * A JSON-RPC 2.0 server: functions by the names of their methods. A call of another method, and what is no call, gets the error that the
 * specification says; so does what a function throws.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { jsonRpcMethods } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   rules: [["POST http://rpc.test/", jsonRpcMethods({ sum: (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) })]],
 * });
 * ```
 */
export function jsonRpcMethods(methods: { readonly [name: string]: JsonRpcMethod }): Addon {
  if (typeof methods !== "object" || methods === null) {
    throw new OptionsError(`jsonRpcMethods() takes an object of functions, not ${describeValue(methods)}`);
  }
  for (const [name, method] of Object.entries(methods as Record<string, unknown>)) {
    if (typeof method === "function") continue;
    throw new OptionsError(`${name} of jsonRpcMethods() is ${describeValue(method)}: a function is accepted`);
  }
  const reply = async (call: JsonRpcCall, flow: HttpFlow): Promise<JsonRpcReply> => {
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (method === undefined) return { error: { code: -32601, message: "Method not found", data: call.method } };
    try {
      const result = await method(call.params as never, call, flow) ?? null;
      // What is no JSON throws here, while there is somebody to tell. A function is not even that.
      return { result: JSON.parse(JSON.stringify(result) ?? "null") };
    } catch (cause) {
      const data = cause instanceof Error ? cause.message : describeValue(cause);
      return { error: { code: -32603, message: "Internal error", data } };
    }
  };
  return answering("jsonRpcMethods", async (flow) => {
    const { calls, invalid, batch, problem } = readCalls(flow.request);
    if (problem !== undefined) {
      const [code, message] = problem === "not JSON" ? [-32700, "Parse error"] : [-32600, "Invalid Request"];
      flow.response = FlowResponse.create({ json: { jsonrpc: "2.0", id: null, error: { code, message } } });
      return;
    }
    const invalidReply = { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } };
    flow.response = await responseOf(calls, batch, (call) => reply(call, flow), Array(invalid).fill(invalidReply));
  });
}

/** An addon that may answer POST requests when they are complete; what comes behind it waits. */
function answering(name: string, answer: (flow: HttpFlow) => Promise<void>): Addon {
  const waiting = new Waiting();
  return {
    name,
    requestHeaders(flow) {
      if (flow.request.method !== "POST" || flow.response !== undefined || flow.error !== undefined) return;
      return waiting.whenComplete(flow, () => answer(flow));
    },
    request: (flow) => waiting.decide(flow),
    needs: (hook, flow) => hook === "request" && waiting.has(flow),
  };
}

/** The response to calls; 204 when there is nothing to say, because all are notifications. */
async function responseOf(
  calls: readonly JsonRpcCall[],
  batch: boolean,
  reply: (call: JsonRpcCall) => Promise<JsonRpcReply>,
  more: readonly unknown[] = [],
): Promise<FlowResponse> {
  const made = await Promise.all(calls.map(async (call) => ({ call, reply: await reply(call) })));
  const replies = made.filter(({ call }) => call.id !== undefined)
    .map(({ call, reply }) => ({ jsonrpc: "2.0", id: call.id, ...reply }));
  const all = [...replies, ...more];
  if (all.length === 0) return FlowResponse.create({ status: 204 });
  return FlowResponse.create({ json: batch ? all : all[0] });
}

function checkReply(reply: unknown, where: string): JsonRpcReply {
  checkObject(reply, ["result", "error"], where);
  const { result, error } = reply as { result?: unknown; error?: { code?: unknown; message?: unknown } };
  if ((result === undefined) === (error === undefined)) {
    throw new OptionsError(
      `${where} takes a result or an error, not ${describeValue(reply)}; a result of nothing is null`,
    );
  }
  if (error !== undefined && (!Number.isInteger(error?.code) || typeof error?.message !== "string")) {
    throw new OptionsError(`the error of ${where} is ${describeValue(error)}: { code, message } is accepted`);
  }
  return reply as JsonRpcReply;
}
