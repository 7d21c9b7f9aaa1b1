import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import { type Edit, edit, RuleEngine } from "../../src/rules/mod.ts";
import { encode, pass, type Sent } from "./pass.ts";

const passing = (changes: Edit, sent: Sent = {}) =>
  pass(new RuleEngine({ rules: [[() => true, edit(changes)]] }), sent);

describe("of a request", () => {
  const sent: Sent = {
    method: "POST",
    url: "http://a.test/p?x=1&y=2&y=3",
    headers: { "X-One": "1", "x-two": ["a", "b"], "content-encoding": "identity" },
    body: '{"a":1}',
  };
  const lines = (flow: HttpFlow) => flow.request.headers.raw.map((pair) => pair.join(": "));

  test("of the head is made at the head", async () => {
    const { flow, hooks, forwarded } = await passing({
      request: {
        method: "PUT",
        path: "/q",
        query: { x: null, y: ["7", "8"], z: 9 },
        headers: { "x-one": "2", "x-two": null, "x-three": ["c", "d"] },
      },
    }, sent);
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
    expect(forwarded).toBe(true);
    expect(`${flow.request.method} ${flow.request.url}`).toBe("PUT http://a.test/q?y=7&y=8&z=9");
    expect(lines(flow)).toEqual(["X-One: 2", "content-encoding: identity", "Host: a.test", "x-three: c", "x-three: d"]);
    expect(flow.request.text()).toBe('{"a":1}');
  });

  test("of the URL moves it, with Host", async () => {
    const { flow } = await passing({ request: { url: new URL("https://b.test:8443/z"), query: { a: true } } }, sent);
    expect(flow.request.url).toBe("https://b.test:8443/z?a=true");
    expect(flow.request.host).toBe("b.test:8443");
  });

  test("of the body is made when it is there", async () => {
    const { flow, hooks } = await passing({ request: { body: "new" } }, sent);
    expect(hooks).toContain("request");
    expect(flow.request.text()).toBe("new");
    expect(flow.request.bodyEdited).toBe(true);
    expect(flow.request.headers.has("content-encoding")).toBe(false);
  });

  test("of the body as JSON names its type", async () => {
    const { flow } = await passing({ request: { json: [1], headers: { "content-encoding": "mine" } } }, sent);
    expect([...flow.request.content.bytes()]).toEqual([...encode("[1]")]);
    expect(flow.request.headers.get("content-type")).toBe("application/json");
    expect(flow.request.headers.get("content-encoding")).toBe("mine");
  });

  test("by a function that changes it, or returns changes", async () => {
    const changed = await passing({
      request: async (request, flow) => {
        await undefined;
        request.headers.set("x-id", `${flow.id.length > 0}`);
        request.body = request.text().replace("1", "2");
      },
    }, sent);
    expect(changed.flow.request.text()).toBe('{"a":2}');
    expect(changed.flow.request.headers.get("x-id")).toBe("true");
    const returned = await passing({ request: (request) => ({ json: [request.json()] }) }, sent);
    expect(returned.flow.request.text()).toBe('[{"a":1}]');
  });
});

describe("of a response", () => {
  const upstream = { status: 200, headers: { "X-A": "1", "content-type": "text/plain" }, body: "hello" };

  test("of the head is made at the head", async () => {
    const { response, hooks } = await passing({ response: { status: 404, headers: { "x-a": null, "x-b": "2" } } }, {
      upstream,
    });
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
    expect([response!.status, response!.reason, response!.text()]).toEqual([404, "Not Found", "hello"]);
    expect(response!.headers.raw).toEqual([["content-type", "text/plain"], ["x-b", "2"]]);
  });

  test("of the reason", async () => {
    const { response } = await passing({ response: { status: 500, reason: "Oops" } }, { upstream });
    expect([response!.status, response!.reason]).toEqual([500, "Oops"]);
  });

  test("of the body is made when it is there, although somebody let it stream", async () => {
    const before = [{ responseHeaders: (flow: HttpFlow) => void (flow.response!.stream = true) }];
    const { response, hooks } = await passing({ response: { json: { a: 1 } } }, { upstream, addons: { before } });
    expect(hooks).toEqual(["requestHeaders", "responseHeaders", "response"]);
    expect(response!.stream).toBe(false);
    expect(response!.text()).toBe('{"a":1}');
    expect(response!.headers.get("content-type")).toBe("application/json");
  });

  test("by a function", async () => {
    const { response } = await passing({
      response: (response, flow) => ({ status: 201, body: `${response.text()} from ${flow.request.path}` }),
    }, { upstream });
    expect([response!.status, response!.text()]).toEqual([201, "hello from /"]);
  });

  test("together with the request", async () => {
    const { flow, hooks } = await passing({
      request: { body: encode("up") },
      response: { body: encode("down") },
    }, { method: "POST", body: "1", upstream });
    expect(hooks).toEqual(["requestHeaders", "request", "responseHeaders", "response"]);
    expect([flow.request.text(), flow.response!.text()]).toEqual(["up", "down"]);
  });

  test("that a later addon made", async () => {
    const after = [{ requestHeaders: (flow: HttpFlow) => void (flow.error = { code: "GONE", message: "" }) }];
    expect((await passing({ response: { status: 404 } }, { addons: { after } })).flow.error?.code).toBe("GONE");
  });
});

test("a function that returns something of no use changes nothing", async () => {
  let calls = 0;
  const { response } = await passing({ response: (() => ++calls) as () => void }, { upstream: { body: "x" } });
  expect([calls, response!.text()]).toEqual([1, "x"]);
});
