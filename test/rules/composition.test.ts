// Actions made of actions, priorities, switches, scenarios: without sockets.
import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowResponse } from "../../src/flow/response.ts";
import type { Addon } from "../../src/hooks/addon.ts";
import {
  type Action,
  always,
  delay,
  edit,
  once,
  respond,
  rule,
  RuleEngine,
  type RuleLike,
  ruleOf,
  scenario,
  sequence,
  steps,
  times,
  when,
} from "../../src/rules/mod.ts";
import { answer, newFlow, pass } from "./pass.ts";

const say = (text: string) => respond({ body: text });
const engineOf = (...rules: RuleLike[]) => new RuleEngine({ rules });

async function answers(engine: RuleEngine, count: number): Promise<string> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(await answer(engine));
  return all.join(" ");
}

test.each<[string, Action, string]>([
  ["once", once(say("a")), "a forwarded forwarded"],
  ["always in a sequence", sequence(say("a"), always(say("b")), say("c")), "a b b b"],
  ["always of a sequence that ends", always(sequence(times(2, say("a")), once(say("b")))), "a a b a a b a"],
  ["always of times", always(times(2, say("a"))), "a a a a a"],
  ["always of what always says no", always(scenario("s").whenState("never", say("a"))), "forwarded forwarded"],
  ["when, as it matches", when("/", say("a"), say("b")), "a a"],
  ["when, as it does not", when("/x", say("a"), say("b")), "b b"],
  ["when without otherwise", when("/x", say("a")), "forwarded"],
  ["when with what is used up", when("/", once(say("a")), say("b")), "a forwarded"],
  ["steps end at an answer", steps(say("a"), say("b")), "a a"],
  ["steps without those that are used up", steps(once(say("a")), say("b")), "a b b"],
  ["steps that are all used up", steps(once(say("a")), once(say("b"))), "a forwarded"],
  ["times of steps", times(1, steps("forward", say("a"))), "a forwarded"],
  ["delayed steps", steps(delay(1), delay(1), say("a")), "a a"],
])("%s", async (_, action, expected) => {
  const engine = engineOf([() => true, action]);
  expect(await answers(engine, expected.split(" ").length)).toBe(expected);
});

describe("steps", () => {
  const mark = (name: string) => edit({ request: (request) => request.headers.append("x-step", name) });

  test("are done in order to one flow", async () => {
    const engine = engineOf([
      "/",
      steps(mark("1"), delay(1), mark("2"), edit({ response: { headers: { "x-r": "1" } } })),
    ]);
    const { flow, response } = await pass(engine);
    expect(flow.request.headers.getAll("x-step")).toEqual(["1", "2"]);
    expect(response!.headers.get("x-r")).toBe("1");
  });

  test("a step that finds out that it needs the body does not make those before it be done twice", async () => {
    const head = edit({ request: { query: { n: "1" } } });
    const count: string[] = [];
    const once = Object.assign(head, {});
    const engine = engineOf([
      "POST /",
      steps(once, when({ json: { a: 1 } }, (flow) => void count.push(flow.request.text()), say("other"))),
    ]);
    const { flow, forwarded, hooks } = await pass(engine, { method: "POST", body: '{"a":1}' });
    expect([forwarded, flow.request.target, count]).toEqual([true, "/?n=1", ['{"a":1}']]);
    expect(hooks.slice(0, 2)).toEqual(["requestHeaders", "request"]);
    expect(await answer(engine, { method: "POST", body: '{"a":2}' })).toBe("other");
  });

  test("an edit of the response before an answer changes the answer", async () => {
    const engine = engineOf(["/", steps(edit({ response: { headers: { "x-r": "1" } } }), say("a"))]);
    expect((await pass(engine)).response!.headers.get("x-r")).toBe("1");
  });
});

describe("when", () => {
  test("does not wait for a body that its matcher does not look at", async () => {
    const engine = engineOf(["POST /", when({ headers: { "x-a": "1" } }, say("a"), say("b"))]);
    const { hooks } = await pass(engine, { method: "POST", body: "1" });
    expect(hooks).not.toContain("request");
  });

  test("waits for one that it does, and takes a branch once", async () => {
    const engine = engineOf(["POST /", when({ body: "1" }, once(say("a")), say("b"))]);
    const sent = { method: "POST", body: "1" };
    expect([await answer(engine, sent), await answer(engine, sent)]).toEqual(["a", "forwarded"]);
  });

  test("waits for one that a branch needs", async () => {
    const engine = engineOf([
      "POST /",
      when("/", (flow) => void (flow.response = FlowResponse.create({ body: flow.request.text() }))),
    ]);
    expect(await answer(engine, { method: "POST", body: "xyz" })).toBe("xyz");
  });
});

describe("priorities", () => {
  test("go before places; places decide among equals", async () => {
    const engine = engineOf(
      ["/", say("zero")],
      ["/", say("low"), { priority: -1 }],
      ["/", once(say("high")), { priority: 5 }],
      rule("/", once(say("higher")), { priority: 5.5 }),
      ["/", once(say("high too")), { priority: 5 }],
    );
    expect([await answer(engine), await answer(engine), await answer(engine)]).toEqual(["higher", "high", "high too"]);
    expect(await answer(engine)).toBe("zero");
    expect(ruleOf((await pass(engine)).flow)!.place).toBe("rules[0]");
  });

  test("rules of use() come before others of the same priority only", async () => {
    const engine = engineOf(["/", once(say("important")), { priority: 1 }], ["/", say("first")]);
    engine.use(["/", say("used")]);
    expect([await answer(engine), await answer(engine)]).toEqual(["important", "used"]);
  });

  test("hold for indexed rules and others alike", async () => {
    const many = Array.from(
      { length: 200 },
      (_, i): RuleLike => [`GET http://a.test/${i}`, say(`exact ${i}`), { priority: i % 3 }],
    );
    const engine = engineOf(...many, rule(/\/1\d\d$/, say("pattern"), { priority: 1.5 }));
    expect(await answer(engine, "http://a.test/100")).toBe("pattern"); // 100 % 3 = 1
    expect(await answer(engine, "http://a.test/101")).toBe("exact 101"); // 2
  });
});

describe("rule()", () => {
  test("can be turned off and on, while it is in several engines", async () => {
    const outage = rule("/", say("outage"), { name: "outage", enabled: false });
    const [one, two] = [engineOf(outage), engineOf(outage, ["/", say("below")])];
    const both = async () => [await answer(one), await answer(two)];
    expect(await both()).toEqual(["forwarded", "below"]);
    outage.enabled = true;
    expect(await both()).toEqual(["outage", "outage"]);
    outage.enabled = false;
    expect(await both()).toEqual(["forwarded", "below"]);
    expect(outage.calls.length).toBe(2);
  });

  test("a flow that waits for its body sees the switch as it was", async () => {
    const defined = rule({ body: "1" }, say("on"));
    const engine = engineOf(defined);
    const turnOff = [{ requestHeaders: () => void (defined.enabled = false) }];
    expect(await answer(engine, { method: "POST", body: "1", addons: { after: turnOff } })).toBe("on");
    expect(await answer(engine, { method: "POST", body: "1" })).toBe("forwarded");
  });

  test("has a name in reports and errors", async () => {
    const engine = engineOf(
      ["/", say("a"), { name: "greeting" }],
      rule("/b", () => {
        throw new Error("boom");
      }, { name: "broken" }),
    );
    expect(ruleOf((await pass(engine)).flow)).toEqual({ place: "rules[0]", description: "greeting", forwarded: false });
    await expect(pass(engine, { url: "http://a.test/b" })).rejects.toThrow("rules[1] (broken): boom");
  });

  test("takes a number of flows", async () => {
    expect(await answers(engineOf(["/", say("a"), { times: 2 }]), 3)).toBe("a a forwarded");
  });

  test("reset() brings back its switch, its count and its calls", async () => {
    const defined = rule("/", say("a"), { times: 1 });
    const engine = engineOf(defined);
    expect(await answers(engine, 2)).toBe("a forwarded");
    defined.enabled = false;
    engine.reset();
    expect([defined.enabled, defined.calls.length]).toEqual([true, 0]);
    expect(await answers(engine, 2)).toBe("a forwarded");
  });

  test("counts for the handle of use(), too", async () => {
    const engine = engineOf();
    const defined = rule("/", say("a"));
    const handle = engine.use(defined, ["/b", say("b")]);
    await answer(engine);
    await answer(engine, "http://a.test/b");
    expect([handle.calls.length, defined.calls.length]).toEqual([2, 1]);
    handle.enabled = false;
    expect(await answer(engine)).toBe("forwarded");
    handle.enabled = true;
    defined.enabled = false;
    expect(await answer(engine)).toBe("forwarded");
  });
});

describe("scenarios", () => {
  const order = () => {
    const it = scenario("order");
    return engineOf(
      ["GET /", it.whenState("started", say("new"))],
      ["GET /", it.whenState("paid", say("paid"))],
      ["POST /", it.whenState("started", say("thanks"), { willSetState: "paid" })],
      ["DELETE /", it.inAnyState(say("gone"), { willSetState: "cancelled" })],
    );
  };
  const ask = (engine: RuleEngine, method: string) => answer(engine, { method });

  test("begin as started and go on as the rules say", async () => {
    const engine = order();
    const said: string[] = [];
    for (const method of ["GET", "POST", "GET", "POST", "DELETE", "GET"]) said.push(await ask(engine, method));
    expect(said).toEqual(["new", "thanks", "paid", "forwarded", "gone", "forwarded"]);
  });

  test("can be looked at, set and reset", async () => {
    const engine = order();
    const state = engine.scenarios.get("order");
    expect([state.state, state.states]).toEqual(["started", ["started", "paid", "cancelled"]]);
    await ask(engine, "POST");
    expect(JSON.stringify(engine.scenarios)).toBe('{"order":"paid"}');
    state.state = "started";
    expect(await ask(engine, "GET")).toBe("new");
    expect(() => state.state = "paied").toThrow('scenario "order" has no state "paied"; did you mean "paid"?');
    expect(() => engine.scenarios.get("oder")).toThrow(
      'no rule of this proxy has a scenario "oder"; did you mean "order"?',
    );
    expect(() => engineOf().scenarios.get("order")).toThrow("(none has one)");
    await ask(engine, "DELETE");
    engine.reset();
    expect([state.state, await ask(engine, "GET")]).toEqual(["started", "new"]);
  });

  test("of one name are one in an engine, and nothing to each other in two", async () => {
    const rules = (): RuleLike[] => [
      ["POST /", scenario("s").inAnyState(say("ok"), { willSetState: "b" })],
      ["GET /", delay(0, times(9, scenario("s").whenState("b", say("b"))))],
    ];
    const shared = rules();
    const [one, two] = [engineOf(...shared), engineOf(...shared)];
    await ask(one, "POST");
    expect([await ask(one, "GET"), await ask(two, "GET")]).toEqual(["b", "forwarded"]);
    two.use(["PUT /", scenario("s").whenState("started", say("used"))]);
    expect(await ask(two, "PUT")).toBe("used");
  });

  test("flows at once take one step each", async () => {
    const it = scenario("s");
    const engine = engineOf(
      ["/", it.whenState("started", delay(20, say("first")), { willSetState: "second" })],
      ["/", it.whenState(["second", "third"], say("later"))],
    );
    expect(await Promise.all([answer(engine), answer(engine), answer(engine)])).toEqual(["first", "later", "later"]);
  });

  test("an action that is used up does not go on to the next state", async () => {
    const it = scenario("s");
    const engine = engineOf(["/", it.inAnyState(once(say("a")), { willSetState: "b" })]);
    await answer(engine);
    engine.scenarios.get("s").reset();
    expect([await answer(engine), engine.scenarios.get("s").state]).toEqual(["forwarded", "started"]);
  });
});

describe("an addon as an action", () => {
  function recorder(hooks: (keyof Addon)[], needs?: Addon["needs"]) {
    const called: string[] = [];
    const addon = Object.fromEntries(
      hooks.map((hook) => [hook, (flow?: HttpFlow) => void called.push(`${hook} ${flow?.request.path}`)]),
    );
    return { called, addon: { name: "recorder", ...addon, ...(needs && { needs }) } as Addon };
  }

  test("has its http hooks called for the flows of its rule alone", async () => {
    const { called, addon } = recorder(["requestHeaders", "request", "responseHeaders", "response"]);
    const engine = engineOf(["POST /a", addon]);
    for (const url of ["http://a.test/a", "http://a.test/b"]) await pass(engine, { method: "POST", url, body: "1" });
    expect(called).toEqual(["requestHeaders /a", "request /a", "responseHeaders /a", "response /a"]);
  });

  test("does not wait for bodies that it does not need", async () => {
    const { called, addon } = recorder(["requestHeaders", "responseHeaders", "response"], () => false);
    const { hooks } = await pass(engineOf(["POST /", addon]), { method: "POST", body: "1" });
    expect(hooks).toEqual(["requestHeaders", "responseHeaders"]);
    expect(called).toEqual(["requestHeaders /", "responseHeaders /"]);
  });

  test("stands within other actions", async () => {
    const addon: Addon = { requestHeaders: (flow) => void (flow.response = FlowResponse.create({ body: "addon" })) };
    expect(await answers(engineOf(["/", sequence(once(addon), delay(1, say("b")))]), 3)).toBe("addon b b");
    expect(await answers(engineOf(["/", steps(addon, say("b"))]), 1)).toBe("addon");
  });

  test("is told of an error, and of the end", async () => {
    const { called, addon } = recorder(["requestHeaders", "error", "done"]);
    const engine = engineOf(["/", steps(addon, "drop")]);
    await pass(engine);
    await engine.done();
    expect(called).toEqual(["requestHeaders /", "error /", "done undefined"]);
  });

  test("what it throws names the rule", async () => {
    const boom = () => Promise.reject(new Error("boom"));
    for (const hook of ["requestHeaders", "request", "responseHeaders", "response"]) {
      await expect(pass(engineOf(["/", { [hook]: boom }]))).rejects.toThrow("rules[0] (/): boom");
    }
  });

  test("with hooks that a rule cannot call is refused", () => {
    expect(() => engineOf(["/", { name: "mine", request() {}, websocketMessage() {} }])).toThrow(
      'rules[0]: the action is the addon "mine", whose hook websocketMessage a rule cannot call',
    );
    expect(() => engineOf(["/", { tick() {} }])).toThrow("whose hook tick a rule cannot call");
  });
});

test("an action that an earlier addon calls does its work on the response", async () => {
  const before = [{ requestHeaders: (flow: HttpFlow) => edit({ response: { headers: { "x-r": "1" } } })(flow) }];
  const engine = engineOf(["/", edit({ response: { headers: { "x-rule": "1" } } })]);
  const flow = newFlow();
  // As the wire does, which tells the rules when a head has arrived.
  engine.begin(flow);
  const { response } = await pass(engine, { addons: { before } }, flow);
  expect([response!.headers.get("x-r"), response!.headers.get("x-rule")]).toEqual(["1", "1"]);
});
