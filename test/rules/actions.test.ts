import process from "node:process";
import { describe, expect, test } from "vitest";
import { type Action, delay, drop, respond, RuleEngine, sequence, times } from "../../src/rules/mod.ts";
import { answer, newFlow, pass } from "./pass.ts";

const say = (text: string) => respond({ body: text });
const engineOf = (action: Action) => new RuleEngine({ rules: [[() => true, action]] });

async function answers(engine: RuleEngine, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(await answer(engine));
  return all;
}

test.each([
  ["times", times(2, say("a")), ["a", "a", "forwarded", "forwarded"]],
  ["once", times(1, "drop"), ["error DROPPED", "forwarded"]],
  ["sequence", sequence(say("a"), "drop", say("b")), ["a", "error DROPPED", "b", "b"]],
  ["sequence of times", sequence(times(2, say("a")), say("b")), ["a", "a", "b", "b"]],
  ["sequence that ends", sequence(say("a"), times(2, say("b"))), ["a", "b", "b", "forwarded", "forwarded"]],
  ["sequence in a sequence is one step", sequence(sequence(say("a"), say("b")), say("c")), ["a", "c", "c"]],
  ["sequence that ends, in a sequence", sequence(sequence(say("a"), times(2, say("b"))), say("c")), [
    "a",
    "b",
    "b",
    "c",
  ]],
  ["times of a sequence", times(3, sequence(say("a"), say("b"))), ["a", "b", "b", "forwarded"]],
  ["delay of a sequence", delay(0, sequence(say("a"), say("b"))), ["a", "b", "b"]],
  ["delay of times", sequence(delay(0, times(2, say("a"))), say("b")), ["a", "a", "b"]],
])("%s", async (_, action, expected) => {
  expect(await answers(engineOf(action), expected.length)).toEqual(expected);
});

test("each step of a sequence waits for the body only if it must", async () => {
  const engine = engineOf(sequence(say("a"), (flow) => void flow.request.text(), "forward"));
  const hooks = async () => (await pass(engine, { method: "POST", body: "1" })).hooks.includes("request");
  expect([await hooks(), await hooks(), await hooks()]).toEqual([false, true, false]);
});

test("flows that overlap take different steps", async () => {
  const engine = engineOf(sequence(delay(20, say("a")), say("b")));
  expect(await Promise.all([answer(engine), answer(engine), answer(engine)])).toEqual(["a", "b", "b"]);
});

test("a function may call actions", async () => {
  const engine = engineOf(async (flow) => {
    await delay(1)(flow);
    await (flow.request.path === "/" ? say("root") : drop)(flow);
  });
  expect(await answer(engine)).toBe("root");
  expect(await answer(engine, "http://a.test/a")).toBe("error DROPPED");
});

describe("delay", () => {
  test("waits, then forwards", async () => {
    const start = performance.now();
    const { forwarded } = await pass(engineOf(delay(30)));
    expect(forwarded).toBe(true);
    expect(performance.now() - start).toBeGreaterThan(25);
  });

  test("does not wait for a body that nobody needs", async () => {
    const { hooks } = await pass(engineOf(delay(1, say("late"))), { method: "POST", body: "1" });
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
  });

  test("draws a time between the least and the most", async () => {
    const random = Math.random;
    const waited = async (drawn: number) => {
      Math.random = () => drawn;
      const start = performance.now();
      await pass(engineOf(delay({ min: 20, max: 60 })));
      return performance.now() - start;
    };
    try {
      expect(await waited(0)).toBeGreaterThan(15);
      expect(await waited(1)).toBeGreaterThan(55);
    } finally {
      Math.random = random;
    }
  });

  test("ends when the flow is killed, and does nothing more", async () => {
    const flow = newFlow();
    let told = 0;
    const wire = () => void told++;
    flow.onKill = wire;
    const passing = pass(engineOf(delay(60_000, say("late"))), {}, flow);
    await undefined;
    flow.kill();
    expect((await passing).flow.error?.code).toBe("KILLED");
    expect(flow.response).toBe(undefined);
    expect(told).toBe(1);
    expect(flow.onKill).toBe(wire);
  });

  test("ends when the client is gone", async () => {
    const flow = newFlow();
    const engine = engineOf(delay(60_000, say("late")));
    const passing = pass(engine, {}, flow);
    flow.error = { code: "CLIENT_ABORTED", message: "gone" };
    engine.error(flow);
    expect((await passing).flow.error?.code).toBe("CLIENT_ABORTED");
    expect(flow.response).toBe(undefined);
  });
});

describe("when the proxy closes", () => {
  // Bun does not tell.
  const timers = () => process.getActiveResourcesInfo().filter((name) => /timer|timeout/i.test(name)).length;

  test("no timer is left", async () => {
    const before = timers();
    const engine = engineOf(delay(60_000));
    const passing = pass(engine);
    engine.close();
    await passing;
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test.each([
    ["delay", delay(60_000)],
    ["delay in a function", (flow) => delay(60_000)(flow)],
    ["a function that never settles", () => new Promise<void>(() => {})],
    ["respond that never settles", respond(() => new Promise<string>(() => {}))],
  ] as [string, Action][])("%s ends", async (_, action) => {
    const engine = engineOf(action);
    const passing = pass(engine);
    engine.close();
    expect((await passing).flow.error?.code).toBe("PROXY_CLOSED");
    // What comes late has no time left either.
    expect((await pass(engine)).flow.error?.code).toBe("PROXY_CLOSED");
  });
});
