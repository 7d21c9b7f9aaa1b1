// JSON-RPC 2.0, and series of responses.
import { describe, expect, test } from "vitest";
import { jsonRpc, type JsonRpcMethod, jsonRpcMethods, jsonRpcReply, responses } from "../../src/addons/mod.ts";
import { type Action, respond, RuleEngine, type RuleLike, startProxy } from "../../src/mod.ts";
import { answer, pass } from "../rules/pass.ts";
import { bothForms } from "./support.ts";

const call = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", method, params, id });
const note = (method: string) => ({ jsonrpc: "2.0", method });

async function send(rules: RuleLike[], body: unknown, method = "POST") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { response, forwarded } = await pass(new RuleEngine({ rules }), { method, body: text });
  if (forwarded) return "forwarded";
  return response!.status === 200 ? response!.json() : response!.status;
}

describe("jsonRpc()", () => {
  const matches = async (shape: Parameters<typeof jsonRpc>[0], body: unknown, method?: string) =>
    await send([[jsonRpc(shape), respond({ json: true })]], body, method) === true;

  test.each<[string, boolean, Parameters<typeof jsonRpc>[0], unknown]>([
    ["any call", true, {}, call("a")],
    ["the method", true, { method: "a" }, call("a")],
    ["another method", false, { method: "a" }, call("b")],
    ["an expression", true, { method: /^eth_/g }, call("eth_call")],
    ["some parameters by name", true, { params: { a: 1 } }, call("a", { a: 1, b: 2 })],
    ["parameters by place", false, { params: [1] }, call("a", [1, 2])],
    ["no parameters", false, { params: { a: 1 } }, call("a")],
    ["a notification", true, { method: "a" }, note("a")],
    ["a batch of such calls", true, { method: "a" }, [call("a"), note("a")]],
    ["a batch with another", false, { method: "a" }, [call("a"), call("b")]],
    ["a batch with what is no call", false, {}, [call("a"), 1]],
    ["an empty batch", false, {}, []],
    ["version 1", false, {}, { method: "a", id: 1 }],
    ["no JSON", false, {}, "{"],
    ["nothing", false, {}, ""],
    ["params that are none", false, {}, call("a", 1)],
  ])("%s: %s", async (_, expected, shape, body) => {
    expect(await matches(shape, body)).toBe(expected);
  });

  test("is about POST", async () => {
    expect(await matches({}, call("a"), "PUT")).toBe(false);
  });
});

describe("jsonRpcReply()", () => {
  test("has the id of its call, each in a batch; notifications get none", async () => {
    const rules: RuleLike[] = [["*", jsonRpcReply({ result: [1] })]];
    expect(await send(rules, call("a", undefined, "x"))).toEqual({ jsonrpc: "2.0", id: "x", result: [1] });
    expect(await send(rules, call("a", undefined, null))).toEqual({ jsonrpc: "2.0", id: null, result: [1] });
    expect(await send(rules, [call("a", [], 1), note("b"), call("c", [], 2)])).toEqual([
      { jsonrpc: "2.0", id: 1, result: [1] },
      { jsonrpc: "2.0", id: 2, result: [1] },
    ]);
    expect(await send(rules, note("a"))).toBe(204);
    expect(await send(rules, [note("a")])).toBe(204);
    expect(await send(rules, "{")).toBe("forwarded");
  });

  test("an error, and a function of the call", async () => {
    const error = { code: -32000, message: "no" };
    expect(await send([["*", jsonRpcReply({ error })]], call("a"))).toEqual({ jsonrpc: "2.0", id: 1, error });
    const reply = jsonRpcReply(async ({ method, params }) => ({ result: await Promise.resolve([method, params]) }));
    expect(await send([["*", reply]], call("a", { b: 1 }))).toEqual({ jsonrpc: "2.0", id: 1, result: ["a", { b: 1 }] });
    const nothing = jsonRpcReply((() => ({})) as never);
    await expect(send([["*", nothing]], call("a"))).rejects.toThrow(
      "takes a result or an error, not {}; a result of nothing is null",
    );
  });

  test("as an addon, for a real client", async () => {
    await using proxy = await startProxy({
      addons: [jsonRpcReply({ result: "ok" })],
      defaultAction: respond({ status: 404 }),
    });
    const post = (body: string) => proxy.fetch("http://rpc.test/", { method: "POST", body });
    expect(await (await post(JSON.stringify(call("a", [], 7)))).json()).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: "ok",
    });
    const other = await post("hello");
    expect([other.status, await other.text()]).toEqual([404, ""]);
  });
});

// The examples of the specification, section 7.
test.each<[string, unknown, unknown]>([
  ["positional parameters", call("subtract", [42, 23]), { jsonrpc: "2.0", result: 19, id: 1 }],
  ["named parameters", call("subtract", { subtrahend: 23, minuend: 42 }), { jsonrpc: "2.0", result: 19, id: 1 }],
  ["a notification", note("update"), 204],
  ["a method that is not there", call("foobar"), {
    jsonrpc: "2.0",
    error: { code: -32601, message: "Method not found", data: "foobar" },
    id: 1,
  }],
  ["a method of objects", call("toString"), {
    jsonrpc: "2.0",
    error: { code: -32601, message: "Method not found", data: "toString" },
    id: 1,
  }],
  ["no JSON", '{"jsonrpc": "2.0", "method": "foobar, "params"', {
    jsonrpc: "2.0",
    error: { code: -32700, message: "Parse error" },
    id: null,
  }],
  ["no call", { jsonrpc: "2.0", method: 1, params: "bar" }, {
    jsonrpc: "2.0",
    error: { code: -32600, message: "Invalid Request" },
    id: null,
  }],
  ["an empty batch", [], { jsonrpc: "2.0", error: { code: -32600, message: "Invalid Request" }, id: null }],
  [
    "a batch of nonsense",
    [1, 2],
    [1, 2].map(() => ({ jsonrpc: "2.0", error: { code: -32600, message: "Invalid Request" }, id: null })),
  ],
  ["what throws", call("boom"), {
    jsonrpc: "2.0",
    error: { code: -32603, message: "Internal error", data: "boom" },
    id: 1,
  }],
  ["a result that is no JSON", call("big"), {
    jsonrpc: "2.0",
    error: { code: -32603, message: "Internal error", data: expect.any(String) },
    id: 1,
  }],
  ["what throws no Error", call("strange"), {
    jsonrpc: "2.0",
    error: { code: -32603, message: "Internal error", data: expect.any(String) },
    id: 1,
  }],
  ["a result that is not even null", call("nothing"), { jsonrpc: "2.0", result: null, id: 1 }],
  [
    "a batch",
    [call("subtract", [42, 23], "2"), note("update"), { foo: "boo" }],
    [{ jsonrpc: "2.0", result: 19, id: "2" }, {
      jsonrpc: "2.0",
      error: { code: -32600, message: "Invalid Request" },
      id: null,
    }],
  ],
])("a JSON-RPC server: %s", async (_, body, expected) => {
  const methods: Record<string, JsonRpcMethod> = {
    subtract: (params: number[] | { minuend: number; subtrahend: number }) => {
      const [a, b] = Array.isArray(params) ? params : [params.minuend, params.subtrahend];
      return a! - b!;
    },
    update: () => {},
    boom: () => Promise.reject(new Error("boom")),
    big: () => 10n,
    // deno-lint-ignore no-throw-literal -- whatever users throw
    strange: () => {
      throw { toString: () => Promise.reject() };
    },
    nothing: () => () => {},
  };
  for (const form of bothForms(jsonRpcMethods(methods))) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { response } = await form.send({ method: "POST", body: text });
    expect(response!.status === 200 ? response!.json() : response!.status).toEqual(expected);
  }
});

describe("responses()", () => {
  const list = [{ body: "a" }, { status: 202, body: "b" }, { body: "c" }];

  test.each<["repeat" | "loop" | "forward" | undefined, string]>([
    [undefined, "a b c c c"],
    ["repeat", "a b c c c"],
    ["loop", "a b c a b"],
    ["forward", "a b c forwarded forwarded"],
  ])("afterLast %s", async (afterLast, expected) => {
    const got = async (action: Action) => {
      const engine = new RuleEngine({ rules: [["/", action]] });
      const all: string[] = [];
      for (let i = 0; i < 5; i++) all.push(await answer(engine));
      return all.join(" ");
    };
    expect(await got(responses(list, { afterLast }))).toBe(expected);
  });

  test("a function sees the whole request", async () => {
    for (const form of [0, 1]) {
      const { send } = bothForms(responses([(flow) => ({ body: `1 ${flow.request.text()}` }), { body: "2" }]))[form]!;
      const text = async () => (await send({ method: "POST", body: "x" })).response!.text();
      expect([await text(), await text()]).toEqual(["1 x", "2"]);
    }
  });
});
