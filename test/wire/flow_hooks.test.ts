// What addons leave behind in a flow: whatever it is, it fails that flow and nothing else.
import { describe, expect, test } from "vitest";
import { type Addon, FlowRequest, type HttpFlow, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";

const HOOKS = ["requestHeaders", "request", "responseHeaders", "response"] as const;
/** Values that TypeScript would refuse. */
const JUNK: readonly unknown[] = [null, undefined, 42, "x", {}, () => {}];

/** What a client sees, what the flow says, and what close() says. */
async function outcome(addon: Addon, path = "/") {
  await using origin = await startOrigin(() => ({ body: "hello" }));
  const proxy = await startProxy({ addons: [addon, { error: (flow) => void flow.request.url }] });
  const answer = await rawRequest(
    proxy.port,
    `POST ${origin.url}${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc`,
  );
  const flow = proxy.flows.first() as HttpFlow;
  const complaint = await proxy.close().then(() => "", (error: Error) => error.message);
  return { status: answer.slice(9, 12), code: flow.error?.code, flow, complaint };
}

/** An addon that puts something in the place of a part of the flow. */
function put(hook: string, part: string, value: unknown): Addon {
  return {
    name: "careless",
    [hook]: (flow: HttpFlow) => void ((flow as unknown as Record<string, unknown>)[part] = value),
  };
}

describe.each(HOOKS)("what %s leaves behind", (hook) => {
  test("a request that is none", async () => {
    for (const value of JUNK) {
      const { status, code, flow, complaint } = await outcome(put(hook, "request", value));
      expect([status, code]).toEqual(["502", "HOOK_FAILED"]);
      expect(flow.request).toBeInstanceOf(FlowRequest);
      expect(complaint).toMatch(/flow.request is no FlowRequest: .* FlowRequest.create\(\)|addon "careless"/);
    }
  });

  test("an error that is none", async () => {
    for (const value of JUNK.filter((it) => it !== undefined)) {
      const { status, code, complaint } = await outcome(put(hook, "error", value));
      expect([status, code]).toEqual(["502", "HOOK_FAILED"]);
      expect(complaint).toContain("{ code, message } is accepted");
    }
  });

  test("times that are none", async () => {
    const { code, complaint } = await outcome(put(hook, "timings", null));
    expect(code).toBe("HOOK_FAILED");
    expect(complaint).toContain(`hook ${hook} of addon "careless" threw`);
  });
});

test("another request takes the place of the one that came", async () => {
  await using origin = await startOrigin(({ method, target }) => ({ body: `${method} ${target}` }));
  await using proxy = await startProxy({
    addons: [{ requestHeaders: (flow) => void (flow.request = FlowRequest.create({ url: `${origin.url}/other` })) }],
  });
  const answer = await rawRequest(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  expect(answer).toContain("GET /other");
});

test("what the hook error leaves behind concerns nobody", async () => {
  await using proxy = await startProxy({ addons: [put("error", "request", null)], defaultAction: "drop" });
  await expect(rawRequest(proxy.port, "GET http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n")).rejects.toThrow();
  await proxy.waitFor({ host: "a.test" }, { timeout: 5000 });
  expect(proxy.flows.summary()).toContain("a.test");
});
