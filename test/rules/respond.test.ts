import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FlowResponse } from "../../src/flow/response.ts";
import { type Respond, respond, type RespondResult, RuleEngine } from "../../src/rules/mod.ts";
import { encode, pass, streamOf } from "./pass.ts";

const engineOf = (...args: Parameters<typeof respond>) => new RuleEngine({ rules: [[() => true, respond(...args)]] });

async function answerTo(...args: Parameters<typeof respond>): Promise<FlowResponse> {
  const { response } = await pass(engineOf(...args));
  return response!;
}

const forms: [string, () => Respond, { status?: number; reason?: string; type?: string | null; text?: string }][] = [
  ["nothing", () => ({}), { type: null, text: "" }],
  ["status", () => ({ status: 404 }), { status: 404, reason: "Not Found", type: null, text: "" }],
  ["reason", () => ({ status: 200, reason: "Fine" }), { reason: "Fine" }],
  ["json", () => ({ json: { a: [1] } }), { type: "application/json", text: '{"a":[1]}' }],
  ["json null", () => ({ json: null }), { type: "application/json", text: "null" }],
  ["own type", () => ({ json: {}, headers: { "Content-Type": "application/hal+json" } }), {
    type: "application/hal+json",
  }],
  ["string", () => ({ body: "höi" }), { type: "text/plain;charset=UTF-8", text: "höi" }],
  ["bytes", () => ({ body: encode("abc") }), { type: null, text: "abc" }],
  ["stream", () => ({ body: streamOf("a", "b") }), { type: null, text: "ab" }],
];

describe.each(forms)("%s", (_, make, expected) => {
  test.each([
    ["fixed", () => make()],
    ["from a function", () => () => make()],
    ["from an async function", () => () => Promise.resolve(make())],
  ] as [string, () => Respond | (() => Respond | Promise<Respond>)][])("%s", async (_, form) => {
    const response = await answerTo(form());
    expect(response.status).toBe(expected.status ?? 200);
    expect(response.reason).toBe(expected.reason ?? "OK");
    if (expected.type !== undefined) expect(response.headers.get("content-type")).toBe(expected.type);
    if (expected.text !== undefined) expect(response.text()).toBe(expected.text);
  });
});

test("header fields repeat and keep their case", async () => {
  const response = await answerTo({ headers: { "X-Id": "7", "set-cookie": ["a=1", "b=2"] } });
  expect(response.headers.raw).toEqual([["X-Id", "7"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
});

test("each flow has a response of its own", async () => {
  const engine = engineOf({ json: { a: 1 } });
  const first = (await pass(engine)).response!;
  first.status = 500;
  first.headers.set("x", "1");
  first.body = "changed";
  const second = (await pass(engine)).response!;
  expect(second.status).toBe(200);
  expect(second.headers.raw).toEqual([["content-type", "application/json"]]);
  expect(second.text()).toBe('{"a":1}');
});

describe("a function", () => {
  test("sees the whole request", async () => {
    const engine = engineOf(({ request }) => ({ json: request.json() }));
    const { response, hooks } = await pass(engine, { method: "POST", body: "[1]" });
    expect(hooks[1]).toBe("request");
    expect(response!.text()).toBe("[1]");
  });

  test.each([
    ["string", () => "text", "text/plain;charset=UTF-8", "text"],
    ["bytes", () => encode("bytes"), null, "bytes"],
    ["FlowResponse", () => FlowResponse.create({ body: "flow" }), null, "flow"],
    ["Response", () => new Response("platform", { headers: { "content-type": "a/b" } }), "a/b", "platform"],
    ["Response without body", () => new Response(null), null, ""],
    ["Response of a stream", () => new Response(streamOf("x", "y")), null, "xy"],
  ] as [string, () => RespondResult, string | null, string][])("may return a %s", async (_, make, type, text) => {
    const response = await answerTo(make);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.text()).toBe(text);
  });

  test("may return a Response with everything on it", async () => {
    const response = await answerTo(() =>
      new Response("no", { status: 418, statusText: "Short", headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] })
    );
    expect([response.status, response.reason]).toEqual([418, "Short"]);
    expect(response.headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
  });

  test("may leave the reason of a Response out", async () => {
    expect((await answerTo(() => new Response(null, { status: 404 }))).reason).toBe("Not Found");
  });

  test("may cut the connection", async () => {
    const { flow } = await pass(engineOf(() => Response.error()));
    expect(flow.error?.code).toBe("DROPPED");
    expect(flow.source).toBe("rule");
  });

  const used = new Response("x");
  test.each([
    [() => undefined, "the function of respond() returned undefined: return a Response"],
    [() => 404, "the function of respond() returned 404: return a Response"],
    [() => ({ code: 1 }), 'respond() does not know "code"'],
    [() => ({ status: 99 }), "status 99 is not valid"],
    [async () => (await used.text().catch(() => ""), used), "the body of the Response has been read already"],
  ] as [() => RespondResult, string][])("%s is refused", async (make, message) => {
    await expect(pass(engineOf(make))).rejects.toThrow(message);
  });
});

test("a fixed stream serves one flow", async () => {
  const engine = engineOf({ body: streamOf("a") });
  await pass(engine);
  await expect(pass(engine)).rejects.toThrow("the stream of respond() has been sent to an earlier flow");
});

describe("file", () => {
  test("is read each time, with a type by its extension", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flowtape-"));
    try {
      const file = join(folder, "page.HTML");
      const engine = engineOf({ file, status: 203 });
      await expect(pass(engine)).rejects.toThrow(`cannot read its file ${file}`);
      for (const text of ["one", "two"]) {
        await writeFile(file, text);
        const { response, hooks } = await pass(engine, { method: "POST", body: "" });
        expect([response!.status, response!.text()]).toEqual([203, text]);
        expect(response!.headers.get("content-type")).toBe("text/html; charset=utf-8");
        expect(hooks).not.toContain("request");
      }
      const unknown = join(folder, "data");
      await writeFile(unknown, new Uint8Array([0, 255]));
      const bytes = await answerTo(() => ({ file: unknown, headers: { "x-a": "1" } }));
      expect([...bytes.body]).toEqual([0, 255]);
      expect(bytes.headers.get("x-a")).toBe("1");
      expect(bytes.headers.get("content-type")).toBe("application/octet-stream");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
