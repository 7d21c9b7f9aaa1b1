import { describe, expect, test } from "vitest";
import {
  always,
  delay,
  edit,
  once,
  respond,
  rule,
  RuleEngine,
  scenario,
  sequence,
  steps,
  times,
  when,
} from "../../src/rules/mod.ts";
import { FlowResponse } from "../../src/flow/response.ts";

/** Values that TypeScript would refuse. */
// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;
const ok: Wrong = ["/", "drop"];
const handler = { info: { header: "GET /" }, run: () => Promise.resolve(null) };

describe("rules are refused where they are given", () => {
  test.each([
    ["no array", { a: 1 }, "rules is an array of rules, not { a: 1 }"],
    [
      "a matcher and an action without brackets",
      ["POST /a", "drop"],
      'rules[0] is "POST /a"; a rule is [matcher, action]',
    ],
    ["a RegExp alone", [ok, /a/], "are the brackets of the pair missing?"],
    ["a request shape alone", [ok, { path: "/" }], 'rules[1] is { path: "/" }; a rule is'],
    ["nothing", [ok, ok, undefined], "rules[2] is undefined; a rule is"],
    ["an empty array", [[]], "rules[0] is []; a rule is"],
    ["one thing in an array", [["/"]], 'rules[0] is ["/"]; a rule is'],
    [
      "three things in an array",
      [["GET", "/", "drop"]],
      'rules[0] is ["GET", "/", "drop"]; a rule is [matcher, action]',
    ],
    ["an array of rules", [[["/", "drop"], ["/a", "drop"]]], "rules[0] is an array of rules: give them one by one"],
    ["a method apart", [["GET|HEAD", "/", "drop"]], 'a method and a URL are one string: "GET|HEAD /"'],
    [
      "a Response as an action",
      [["/", new Response()]],
      "the action is a Response, which respond(() => ...) can return",
    ],
    ["four", [["/", "drop", {}, {}]], "rules[0] is ["],
    [
      "settings that are null",
      [ok, ["/", "drop", null]],
      "the settings of rules[1] are an object with name, priority",
    ],
    ["an unknown setting", [["/", "drop", { prio: 1 }]], 'the settings of rules[0] do not know "prio"'],
    ["a misspelt setting", [["/", "drop", { priorty: 1 }]], 'did you mean "priority"?'],
    [
      "a priority that is none",
      [["/", "drop", { priority: "1" }]],
      'priority in the settings of rules[0] is "1": a number is',
    ],
    ["a priority beyond all", [["/", "drop", { priority: NaN }]], "priority in the settings of rules[0] is NaN"],
    [
      "a switch that is none",
      [["/", "drop", { enabled: 1 }]],
      "enabled in the settings of rules[0] is 1: true or false",
    ],
    ["a name that is none", [["/", "drop", { name: "" }]], 'name in the settings of rules[0] is ""'],
    [
      "no number of times",
      [["/", "drop", { times: 0 }]],
      "times in the settings of rules[0] is 0: a whole number from 1",
    ],
    [
      "a bad action in rule()",
      [rule("/", "dorp" as Wrong)],
      'rules[0]: the action "dorp" is not known; did you mean "drop"?',
    ],
    ["a bad matcher in rule()", [ok, rule(7 as Wrong, "drop")], "the matcher of rules[1] is 7"],
    ["an addon", [ok, { request() {} }], "rules[1] is an addon: give it to `addons` or to proxy.use()"],
    ["a handler with an action", [[handler, "drop"]], "rules[0] pairs an MSW handler with an action"],
    ["a bad matcher", [ok, [7, "drop"]], "the matcher of rules[1] is 7, which is not a matcher"],
    ["a bad shape", [[{ methd: "GET" }, "drop"]], 'did you mean "method"?'],
    ["an unknown action", [["/", "frward"]], 'rules[0]: the action "frward" is not known; did you mean "forward"?'],
    ["an action of the object", [["/", "toString"]], 'rules[0]: the action "toString" is not known'],
    ["no action", [["/", undefined]], "rules[0]: the action is undefined (accepted are"],
    [
      "a response for an action",
      [["/", { status: 500 }]],
      "rules[0]: the action is { status: 500 }, which respond() takes",
    ],
  ] as [string, Wrong, string][])("%s", (_, rules, message) => {
    expect(() => new RuleEngine({ rules })).toThrow(message);
    try {
      new RuleEngine({ rules });
    } catch (error) {
      expect(error).toMatchObject({ code: "BAD_OPTION" });
    }
  });

  test("by use(), which then adds none of them", () => {
    const engine = new RuleEngine();
    expect(() => engine.use(ok, ["/", "drp"] as Wrong)).toThrow(
      'rules[1] of use(): the action "drp" is not known; did you mean "drop"?',
    );
  });

  test("by setDefault(), which then changes nothing", () => {
    expect(() => new RuleEngine({ defaultAction: 1 as Wrong })).toThrow("defaultAction: the action is 1");
    const engine = new RuleEngine();
    expect(() => engine.setDefault("aks" as Wrong)).toThrow(
      'defaultAction: the action "aks" is not known; did you mean "ask"',
    );
    expect(() => engine.reset()).not.toThrow();
  });
});

describe("actions are refused when they are made", () => {
  test.each([
    [
      () => respond("text" as Wrong),
      'respond() takes an object with status, reason, headers, json, body, file, folder, strip, not "text"',
    ],
    [() => respond({ statsu: 200 } as Wrong), 'respond() does not know "statsu"; did you mean "status"?'],
    [() => respond({ json: 1, body: "x" }), "respond() takes one of json and body, not both"],
    [() => respond({ status: 1000 }), "status 1000 is not valid"],
    [() => respond({ status: 101 }), "status 101 is not valid"],
    [() => respond({ reason: "a\r\nb: c" }), "the reason of respond() cannot be sent"],
    [() => respond({ headers: { "a b": "c" } }), 'header name "a b" is not valid'],
    [
      () => respond({ body: { a: 1 } as Wrong }),
      "the body of respond() is a string, bytes or a stream, not { a: 1 }; use json",
    ],
    [() => respond({ json: () => 1 }), "the json of respond() is"],
    [() => respond({ json: { id: 1n } }), "which is not JSON: "],
    [() => respond({ file: 1 as Wrong }), "the file of respond() is a path, not 1"],
    [() => edit({}), "edit() takes a request, a response, or both"],
    [() => edit({ requst: {} } as Wrong), 'edit() does not know "requst"; did you mean "request"?'],
    [() => edit({ request: { status: 200 } as Wrong }), 'the edit of a request does not know "status"'],
    [() => edit({ request: { method: "A B" } }), 'the method in the edit of a request is not one: "A B"'],
    [() => edit({ request: { url: "/relative" } }), '"/relative" is not an absolute http or https URL'],
    [() => edit({ request: { path: "/a?b=1" } }), 'the path in the edit of a request starts with "/"'],
    [() => edit({ request: { headers: { a: "b\n" } } }), "the value of header a holds a character"],
    [() => edit({ request: { body: 1 as Wrong } }), "the body of an edit is a string or bytes, not 1"],
    [() => edit({ request: { body: "", json: 1 } }), "takes one of body and json, not both"],
    [() => edit({ response: { status: 99 } }), "status 99 is not valid"],
    [() => edit({ response: { reason: "\n" } }), "the reason of the edit of a response cannot be sent"],
    [() => edit({ response: { json: () => 1 } }), "which is not JSON"],
    [() => delay(-1), "delay() is -1: a number from 0 to 2147483647 is accepted"],
    [() => delay(2 ** 31), "delay() is 2147483648: a number from 0"],
    [() => delay(NaN), "delay() is NaN: a number from 0"],
    [
      () => delay("1" as Wrong),
      'delay() takes milliseconds, { min, max }, { ms, jitter }, { mean, deviation } or { median, sigma }, not "1"',
    ],
    [() => delay({ ms: 5 } as Wrong), "delay(): jitter is undefined: a number from 0 to 2147483647 is accepted"],
    [() => delay({ min: 1, max: 2, seed: "x" } as Wrong), 'delay(): seed is "x": a number is accepted'],
    [() => respond({ status: "200" } as Wrong), 'status "200" is not valid'],
    [() => respond({ headers: 5 } as Wrong), "headers are an object of names and values"],
    [() => respond({ headers: [["a", "b", "c"]] } as Wrong), "not something with an array of 3"],
    [() => respond({ headers: [5] } as Wrong), "not something with 5"],
    [() => respond(new Response("x") as Wrong), "respond() takes a Response from a function alone"],
    [() => respond(FlowResponse.create() as Wrong), "respond() takes a FlowResponse from a function alone"],
    [() => once("nope" as Wrong), 'once(): the action "nope" is not known'],
    [() => delay({ min: 5 } as Wrong), "delay(): max is undefined: a number from 0"],
    [() => delay({ min: 5, max: 4 }), "delay(): min 5 is more than max 4"],
    [() => delay(1, "dorp" as Wrong), 'delay(): the action "dorp" is not known'],
    [() => times(0, "drop"), "times() takes a whole number from 1 as its first argument, not 0"],
    [() => times(1.5, "drop"), "times() takes a whole number"],
    [() => times("drop" as Wrong, 2 as Wrong), 'times() takes a whole number from 1 as its first argument, not "drop"'],
    [() => times(1, undefined as Wrong), "times(): the action is undefined"],
    [
      () => rule("/", "drop", 1 as Wrong),
      "the settings of rule() are an object with name, priority, enabled, times, not 1",
    ],
    [() => once("dorp" as Wrong), 'once(): the action "dorp" is not known'],
    [() => always(undefined as Wrong), "always(): the action is undefined"],
    [() => steps(), "steps() takes at least one action"],
    [() => steps("drop", "nope" as Wrong), 'steps() argument 2: the action "nope" is not known'],
    [() => when(7 as Wrong, "drop"), "the matcher of when() is 7, which is not a matcher"],
    [() => when("/", "nope" as Wrong), 'when() argument 2: the action "nope" is not known'],
    [() => when("/", "drop", "nope" as Wrong), 'when() argument 3: the action "nope" is not known'],
    [() => scenario(""), 'scenario() takes a name, not ""'],
    [() => scenario("s").whenState([], "drop"), 'scenario("s").whenState() takes at least one state'],
    [() => scenario("s").whenState(1 as Wrong, "drop"), 'scenario("s").whenState() takes the name of a state, not 1'],
    [() => scenario("s").whenState("a", "dorp" as Wrong), 'scenario("s").whenState(): the action "dorp" is not known'],
    [
      () => scenario("s").inAnyState("drop", { willSetState: "" }),
      'willSetState of scenario("s").inAnyState() takes the name of a state, not ""',
    ],
    [
      () => scenario("s").inAnyState("drop", { setState: "a" } as Wrong),
      'the last argument of scenario("s").inAnyState() does not know "setState"',
    ],
    [() => sequence(), "sequence() takes at least one action"],
    [() => sequence("drop", "nope" as Wrong), 'sequence() argument 2: the action "nope" is not known'],
  ] as [() => unknown, string][])("%s", (make, message) => {
    expect(make).toThrow(message);
  });

  test("a function that returns a Response is not an action", async () => {
    const engine = new RuleEngine({ rules: [["/", (() => new Response()) as Wrong]] });
    const { newFlow } = await import("./pass.ts");
    expect(() => engine.requestHeaders(newFlow())).toThrow("wrap the function in respond(), or set flow.response");
  });

  test.each<[string, Wrong]>([
    ["drop", () => "drop"],
    ["respond({ status: 402 })", () => respond({ status: 402 })],
    ["drop", async () => await "drop"],
  ])("a function that returns the action %s has done nothing", async (name, action) => {
    const engine = new RuleEngine({ rules: [["/", action]] });
    const { newFlow } = await import("./pass.ts");
    await expect((async () => await engine.requestHeaders(newFlow()))()).rejects.toThrow(name);
  });
});
