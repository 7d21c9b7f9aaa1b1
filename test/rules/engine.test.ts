import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowResponse } from "../../src/flow/response.ts";
import { edit, respond, RuleEngine, type RuleLike, ruleOf, sequence, times } from "../../src/rules/mod.ts";
import { answer, newFlow, pass } from "./pass.ts";

const say = (text: string) => respond({ body: text });
const engineOf = (...rules: RuleLike[]) => new RuleEngine({ rules });

describe("which rule", () => {
  test("the first that matches", async () => {
    const engine = engineOf(["/a", say("one")], [/a\.test/, say("two")], ["/a", say("three")]);
    expect(await answer(engine, "http://a.test/a")).toBe("one");
    expect(await answer(engine, "http://a.test/b")).toBe("two");
    expect(await answer(engine, "http://b.test/")).toBe("forwarded");
  });

  test("what none matches is forwarded, or has the default action", async () => {
    const engine = new RuleEngine({ rules: [["/a", say("one")]], defaultAction: "drop" });
    expect(await answer(engine, "http://a.test/b")).toBe("error DROPPED");
    engine.setDefault(say("nothing here"));
    expect(await answer(engine, "http://a.test/b")).toBe("nothing here");
    engine.setDefault("forward");
    expect(await answer(engine, "http://a.test/b")).toBe("forwarded");
  });

  test('"forward" keeps the rules below it away', async () => {
    const engine = engineOf(["/a", "forward"], [() => true, "drop"]);
    expect(await answer(engine, "http://a.test/a")).toBe("forwarded");
    expect(await answer(engine, "http://a.test/b")).toBe("error DROPPED");
  });

  test("a flow that an earlier addon has answered is left alone", async () => {
    const before = [{
      requestHeaders: (flow: HttpFlow) => void (flow.response = FlowResponse.create()),
    }];
    const { flow } = await pass(engineOf([() => true, "drop"]), { addons: { before } });
    expect(flow.error).toBe(undefined);
    expect(flow.source).toBe("upstream");
  });

  test("is kept for reports, with what became of the flow", async () => {
    const engine = engineOf(["POST /a", "drop"], ["/a", say("one")], ["/b", "forward"]);
    const report = async (url: string) => ruleOf((await pass(engine, { url })).flow);
    expect(await report("http://a.test/a")).toEqual({ place: "rules[1]", description: "/a", forwarded: false });
    expect(await report("http://a.test/b")).toEqual({ place: "rules[2]", description: "/b", forwarded: true });
    expect(await report("http://a.test/c")).toBe(undefined);
    engine.setDefault("drop");
    expect(await report("http://a.test/c")).toEqual({ place: "defaultAction", description: "drop", forwarded: false });
  });

  test("answers have the source rule", async () => {
    const engine = engineOf(["/a", say("one")], ["/b", "drop"], ["/c", edit({ request: { method: "POST" } })]);
    const source = async (url: string) => (await pass(engine, { url })).flow.source;
    expect(await source("http://a.test/a")).toBe("rule");
    expect(await source("http://a.test/b")).toBe("rule");
    expect(await source("http://a.test/c")).toBe("upstream");
  });
});

describe("when", () => {
  const POST = { method: "POST", body: '{"qty":2}' };

  test("at the head, when nobody has to read the body", async () => {
    const engine = engineOf([{ method: "POST", json: { qty: 3 }, host: "other.test" }, "drop"], [
      "POST /",
      say("at once"),
    ]);
    const { flow, hooks } = await pass(engine, POST);
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
    expect(flow.request.content.size).toBe(0);
  });

  test("after the body, when a matcher reads it; the rules below it then wait too", async () => {
    const asked: string[] = [];
    const engine = engineOf(
      [() => asked.push("first") === 0, "drop"],
      [{ json: { qty: 3 } }, say("three")],
      [() => asked.push("second") === 0, "drop"],
      [{ json: { qty: 2 } }, say("two")],
    );
    const { hooks, response } = await pass(engine, POST);
    expect(hooks).toEqual(["requestHeaders", "request", "responseHeaders"]);
    expect(response?.text()).toBe("two");
    expect(asked).toEqual(["first", "second"]);
  });

  test("after the body, when the action is a function", async () => {
    const engine = engineOf([
      "POST /",
      (flow) => void (flow.response = FlowResponse.create({ body: flow.request.text() })),
    ]);
    expect((await pass(engine, POST)).hooks).toEqual(["requestHeaders", "request", "responseHeaders"]);
    expect(await answer(engine, POST)).toBe('{"qty":2}');
  });

  test("at the head, when there is no body to wait for", async () => {
    const engine = engineOf([(flow) => flow.request.text() === "", (flow) => void flow.request.headers.set("x", "1")]);
    const { flow, hooks } = await pass(engine);
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
    expect(flow.request.headers.get("x")).toBe("1");
  });

  test("a body is not waited for on behalf of a flow that goes by", async () => {
    const engine = engineOf(["PUT /", (flow) => void flow.request.text()], [{ path: "/x", json: 1 }, "drop"]);
    expect((await pass(engine, POST)).hooks).toEqual(["requestHeaders", "responseHeaders"]);
  });

  test("a body that somebody lets stream is waited for all the same", async () => {
    const before = [{ requestHeaders: (flow: HttpFlow) => void (flow.request.stream = true) }];
    const { flow } = await pass(engineOf([{ json: { qty: 2 } }, "drop"]), { ...POST, addons: { before } });
    expect(flow.request.stream).toBe(false);
    expect(flow.error?.code).toBe("DROPPED");
  });

  test("not at all, when another addon has answered meanwhile", async () => {
    const after = [{
      requestHeaders: (flow: HttpFlow) => void (flow.response = FlowResponse.create()),
    }];
    const { flow } = await pass(engineOf([{ json: { qty: 2 } }, "drop"]), { ...POST, addons: { after } });
    expect(flow.error).toBe(undefined);
  });
});

test("a flow that an earlier addon answers when it is complete is left alone", async () => {
  const before = [{ request: (flow: HttpFlow) => void (flow.response = FlowResponse.create()) }];
  const { flow } = await pass(engineOf([{ body: "1" }, "drop"]), { method: "POST", body: "1", addons: { before } });
  expect(flow.error).toBe(undefined);
});

test("a flow may pass a second time", async () => {
  let edits = 0;
  const engine = engineOf([() => edits === 0, edit({ response: () => void edits++ })]);
  const flow = newFlow();
  for (const _ of [1, 2]) {
    flow.response = undefined;
    await pass(engine, {}, flow);
  }
  expect(edits).toBe(1);
  expect(ruleOf(flow)).toBe(undefined);
});

describe("rules that change", () => {
  test("newer ones come first and keep their order", async () => {
    const engine = engineOf(["/a", say("initial")]);
    engine.use(["/a", say("first")], ["/a", say("second")]);
    expect(await answer(engine, "http://a.test/a")).toBe("first");
    engine.use(["/a", say("newest")]);
    expect(await answer(engine, "http://a.test/a")).toBe("newest");
  });

  test("a handle counts, disables and disposes", async () => {
    const engine = engineOf(["/a", say("initial")]);
    const handle = engine.use(["/a", say("used")], ["/b", "drop"]);
    expect(await answer(engine, "http://a.test/a")).toBe("used");
    expect(await answer(engine, "http://a.test/b")).toBe("error DROPPED");
    expect([...handle.calls].map((flow) => flow.type === "http" && flow.request.path)).toEqual(["/a", "/b"]);
    handle.enabled = false;
    expect(handle.enabled).toBe(false);
    expect(await answer(engine, "http://a.test/a")).toBe("initial");
    handle.enabled = true;
    expect(await answer(engine, "http://a.test/a")).toBe("used");
    handle.dispose();
    handle.dispose();
    handle.enabled = true;
    expect(await answer(engine, "http://a.test/a")).toBe("initial");
    expect(handle.calls.length).toBe(3);
    {
      using _ = engine.use(["/a", say("scoped")]);
      expect(await answer(engine, "http://a.test/a")).toBe("scoped");
    }
    expect(await answer(engine, "http://a.test/a")).toBe("initial");
  });

  test("reset brings back the beginning, with its counters", async () => {
    const engine = engineOf(["/a", times(1, say("once"))], ["/a", sequence(say("one"), say("two"))]);
    async function answers() {
      const all: string[] = [];
      for (let i = 0; i < 4; i++) all.push(await answer(engine, "http://a.test/a"));
      return all;
    }
    expect(await answers()).toEqual(["once", "one", "two", "two"]);
    engine.use(["/a", "drop"]);
    engine.reset();
    expect(await answers()).toEqual(["once", "one", "two", "two"]);
  });

  test("a flow sees the list as it was when its head arrived", async () => {
    const sent = { method: "POST", url: "http://a.test/a", body: "1" };
    const engine = engineOf([{ body: "2" }, "drop"], ["/a", say("old")]);
    const changing = (change: () => void) => ({ ...sent, addons: { after: [{ requestHeaders: change }] } });
    expect(await answer(engine, changing(() => engine.use(["/a", "drop"])))).toBe("old");
    expect(await answer(engine, sent)).toBe("error DROPPED");
    expect(await answer(engine, changing(() => engine.reset()))).toBe("error DROPPED");
    const handle = engine.use([{ body: "1" }, say("body")]);
    expect(await answer(engine, changing(() => handle.dispose()))).toBe("body");
    expect(await answer(engine, changing(() => engine.setDefault("drop")))).toBe("old");
  });

  test("the same action in two places has two counters", async () => {
    const once = times(1, say("once"));
    const [first, second] = [engineOf(["/a", once], ["/a", once]), engineOf(["/a", once])];
    for (const text of ["once", "once", "forwarded"]) expect(await answer(first, "http://a.test/a")).toBe(text);
    for (const text of ["once", "forwarded"]) expect(await answer(second, "http://a.test/a")).toBe(text);
  });
});

describe("what a rule throws names the rule", () => {
  const boom = () => {
    throw new Error("boom");
  };
  const rejects = () => Promise.reject(new Error("boom"));

  test.each([
    ["matcher", { rules: [["/a", "drop"], [boom, "drop"]] }, "rules[1] (boom): boom"],
    ["action", { rules: [["GET http://a.test/", boom]] }, "rules[0] (GET http://a.test/): boom"],
    ["async action", { rules: [["GET http://a.test/", rejects]] }, "rules[0] (GET http://a.test/): boom"],
    ["respond", { rules: [["GET http://a.test/", respond(boom)]] }, "rules[0] (GET http://a.test/): boom"],
    [
      "response edit",
      { rules: [["GET http://a.test/", edit({ response: boom })]] },
      "rules[0] (GET http://a.test/): boom",
    ],
    ["default action", { defaultAction: boom }, "defaultAction (boom): boom"],
  ] as [string, ConstructorParameters<typeof RuleEngine>[0], string][])("%s", async (_, options, message) => {
    const error: unknown = await pass(new RuleEngine(options)).catch((error) => error);
    expect(error).toMatchObject({ name: "HookError", cause: { code: "RULE_FAILED", message } });
  });

  test("also a rule that was added later", async () => {
    const engine = engineOf(["/", "forward"]);
    engine.use(["/a", "drop"], ["GET /", boom]);
    await expect(pass(engine)).rejects.toThrow("rules[1] of use() (GET /): boom");
  });
});
