/**
 * What is left to chance can be repeated; faults compose with the other actions; what is not accepted is refused when it is given.
 */
import { describe, expect, test } from "vitest";
import {
  type Action,
  delay,
  type Distribution,
  fault,
  type FaultKind,
  type FaultOptions,
  respond,
  RuleEngine,
  sequence,
  throttle,
  times,
} from "../../../src/mod.ts";
import { timeOf } from "../../../src/rules/faults/distribution.ts";
import { seededRandom } from "../../../src/flow/random.ts";
import { answer, newFlow, pass } from "../pass.ts";

const engineOf = (action: Action) => new RuleEngine({ rules: [[() => true, action]] });

async function answers(action: Action, count: number): Promise<string[]> {
  const engine = engineOf(action);
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(await answer(engine));
  return all;
}

describe("probability", () => {
  const flaky = (seed: number) => fault("reset", { probability: 0.3, seed });

  test("hits about as many flows as it says, the same ones for the same seed", async () => {
    const first = await answers(flaky(1), 200);
    const hits = first.filter((it) => it === "error FAULT_RESET").length;
    expect([hits > 35 && hits < 85, new Set(first)]).toEqual([true, new Set(["error FAULT_RESET", "forwarded"])]);
    expect(await answers(flaky(1), 200)).toEqual(first);
    expect(await answers(flaky(2), 200)).not.toEqual(first);
  });

  test("begins again when the rules do", async () => {
    const engine = engineOf(flaky(1));
    const run = async () => {
      const all: string[] = [];
      for (let i = 0; i < 30; i++) all.push(await answer(engine));
      return all;
    };
    const first = await run();
    engine.reset();
    expect(await run()).toEqual(first);
  });

  test("0 is never, 1 is always", async () => {
    expect(new Set(await answers(fault("empty", { probability: 0 }), 50))).toEqual(new Set(["forwarded"]));
    expect(new Set(await answers(fault("empty", { probability: 1 }), 50))).toEqual(new Set(["error FAULT_EMPTY"]));
  });

  test("those that are spared get what comes after it", async () => {
    const engine = engineOf(fault("limit", { bytes: 1, probability: 0, then: respond({ body: "whole" }) }));
    const { flow } = await pass(engine);
    expect([flow.response?.text(), flow.shape, flow.faults]).toEqual(["whole", undefined, []]);
  });
});

test.each(
  [
    ["times", times(2, fault("reset")), ["error FAULT_RESET", "error FAULT_RESET", "forwarded"]],
    ["sequence", sequence(fault("empty"), fault("reset"), respond({ body: "ok" })), [
      "error FAULT_EMPTY",
      "error FAULT_RESET",
      "ok",
    ]],
    ["times of a fault in a sequence", sequence(times(2, fault("reset")), respond({ body: "ok" })), [
      "error FAULT_RESET",
      "error FAULT_RESET",
      "ok",
    ]],
    ["a sequence behind a fault", throttle({ bytesPerSecond: 9, then: sequence("drop", respond({ body: "ok" })) }), [
      "error DROPPED",
      "ok",
      "ok",
    ]],
    ["times behind a fault", fault("slice", { size: 1, then: times(1, respond({ body: "ok" })) }), ["ok", "forwarded"]],
    ["delay before a fault", delay(1, fault("reset")), ["error FAULT_RESET"]],
  ] as [string, Action, string[]][],
)("%s", async (_, action, expected) => {
  expect(await answers(action, expected.length)).toEqual(expected);
});

test("one behind the other: both are done", async () => {
  const engine = engineOf(
    throttle({ bytesPerSecond: 1000, then: fault("slice", { size: 10, then: fault("latency", { ms: 5 }) }) }),
  );
  const { flow } = await pass(engine);
  expect(flow.faults).toEqual(["throttle 1000 bytes/s", "slice 10 bytes, 0 ms", "latency 5 ms"]);
  expect(flow.shape?.response.map(({ kind }) => kind)).toEqual(["rate", "slice", "latency"]);
  expect(flow.shape?.request.map(({ kind }) => kind)).toEqual(["rate"]);
});

test("a function may call them", async () => {
  const engine = engineOf(async (flow) => {
    await throttle({ bytesPerSecond: 1000 })(flow);
    if (flow.request.path === "/reset") await fault("reset")(flow);
  });
  const { flow } = await pass(engine);
  expect([flow.faults, flow.error]).toEqual([["throttle 1000 bytes/s"], undefined]);
  expect(await answer(engine, "http://a.test/reset")).toBe("error FAULT_RESET");
});

test("a flow that passes again is shaped once", async () => {
  const engine = engineOf(throttle({ bytesPerSecond: 1000 }));
  const flow = newFlow();
  await pass(engine, {}, flow);
  delete flow.response;
  await pass(engine, {}, flow);
  expect(flow.shape?.response.length).toBe(1);
});

describe("distributions", () => {
  const draw = (given: number | Distribution, count = 4000) => {
    const time = timeOf(given, "delay()");
    const random = seededRandom(7);
    return Array.from({ length: count }, () => time.draw(random)).sort((a, b) => a - b);
  };
  const middle = (all: number[]) => all[all.length / 2]!;

  test("fixed, and uniform", () => {
    expect(new Set(draw(80))).toEqual(new Set([80]));
    const all = draw({ min: 20, max: 60 });
    expect([all[0]! >= 20, all.at(-1)! <= 60, Math.abs(middle(all) - 40) < 2]).toEqual([true, true, true]);
  });

  test("jitter", () => {
    const all = draw({ ms: 100, jitter: 30 });
    expect([all[0]! >= 70, all[0]! < 75, all.at(-1)! <= 130, all.at(-1)! > 125]).toEqual([true, true, true, true]);
    expect(draw({ ms: 10, jitter: 30 })[0]).toBe(0);
  });

  test("normal: two of three are within the deviation", () => {
    const all = draw({ mean: 100, deviation: 10 });
    const within = all.filter((ms) => Math.abs(ms - 100) <= 10).length / all.length;
    expect([within > 0.65, within < 0.72]).toEqual([true, true]);
    const cut = draw({ mean: 100, deviation: 50, min: 90, max: 110 });
    expect([cut[0], cut.at(-1)]).toEqual([90, 110]);
    expect(draw({ mean: 5, deviation: 50 })[0]).toBe(0);
  });

  test("log-normal: half below the median, and a long tail", () => {
    const all = draw({ median: 90, sigma: 0.5 });
    expect(Math.abs(middle(all) - 90)).toBeLessThan(4);
    // 97.7 of 100 are below median * exp(2 * sigma).
    const tail = all.filter((ms) => ms > 90 * Math.E).length / all.length;
    expect([tail > 0.015, tail < 0.032, all[0]! > 0]).toEqual([true, true, true]);
    expect(draw({ median: 90, sigma: 3, max: 500 }).at(-1)).toBe(500);
  });

  test("draws for a seed are the same in every run", async () => {
    const drawn = async (seed: number) => {
      const engine = engineOf(fault("latency", { ms: { median: 80, sigma: 1 }, seed }));
      const all: number[] = [];
      for (let i = 0; i < 5; i++) {
        const { flow } = await pass(engine);
        for (const stage of flow.shape!.response) if (stage.kind === "latency") all.push(stage.draw(), stage.draw());
      }
      return all;
    };
    expect(await drawn(3)).toEqual(await drawn(3));
    expect(await drawn(3)).not.toEqual(await drawn(4));
    expect(new Set(await drawn(3)).size).toBe(10);
  });
});

describe("refused when it is given", () => {
  test.each([
    ["rest", {}, 'fault() does not know the kind "rest"; did you mean "reset"?'],
    [5, {}, "fault() does not know the kind 5"],
    ["toString", {}, 'fault() does not know the kind "toString"'],
    ["limit", {}, 'fault("limit") needs the option bytes'],
    ["latency", {}, 'fault("latency") needs the option ms'],
    ["dribble", { ms: 5 }, 'fault("dribble") needs the option chunks'],
    ["slice", {}, 'fault("slice") needs the option size'],
    ["limit", { bytes: -1 }, 'option bytes of fault("limit") is -1: a whole number of 0 or more is accepted'],
    ["limit", { bytes: 1.5 }, "is 1.5: a whole number"],
    ["limit", { byte: 1 }, 'fault("limit") does not know "byte"; did you mean "bytes"?'],
    ["reset", { bytes: 1 }, 'fault("reset") does not know "bytes"'],
    ["reset", { ms: { min: 1, max: 2 } }, 'option ms of fault("reset") is'],
    ["reset", { ms: Infinity }, "a number from 0 to 2147483647 is accepted"],
    ["reset", { probability: 1.1 }, 'option probability of fault("reset") is 1.1: a number from 0 to 1 is accepted'],
    ["reset", { seed: "x" }, 'option seed of fault("reset") is "x"'],
    ["reset", { on: "both" }, 'option on of fault("reset") is "both": "request" or "response" is accepted'],
    ["random-data", { on: "request" }, 'is "request": "response" is accepted'],
    ["latency", { ms: 1, on: "up" }, '"request" or "response" or "both" is accepted'],
    ["reset", { scope: "all" }, '"stream" or "connection" is accepted'],
    ["reset", { scope: "connection", resetCode: 8 }, "a resetCode is for one stream"],
    ["slice", { size: 10, variation: 10 }, 'option variation of fault("slice") is 10: less than size is accepted'],
    ["slice", { size: 0 }, "a whole number of 1 or more is accepted"],
    ["latency", { ms: { min: 5, max: 1 } }, "min 5 is more than max 1"],
    ["latency", { ms: { median: 5 } }, "sigma is undefined"],
    ["latency", { ms: "5" }, 'option ms of fault("latency") takes milliseconds, { min, max }'],
    ["reset", null, 'fault("reset") takes an object'],
  ] as unknown as [FaultKind, FaultOptions, string][])("fault(%j, %j)", (kind, options, message) => {
    expect(() => fault(kind, options)).toThrow(message);
  });

  test.each([
    [{}, "option bytesPerSecond of throttle() is undefined: a number above 0 is accepted"],
    [{ bytesPerSecond: 0 }, "is 0: a number above 0 is accepted"],
    [{ bytesPerSecond: NaN }, "a number above 0 is accepted"],
    [{ bytesPerSeconds: 1 }, 'did you mean "bytesPerSecond"?'],
    [{ bytesPerSecond: 1, on: "up" }, '"request" or "response" or "both" is accepted'],
  ] as unknown as [Parameters<typeof throttle>[0], string][])("throttle(%j)", (options, message) => {
    expect(() => throttle(options)).toThrow(message);
  });

  test.each([
    [-1, "delay() is -1: a number from 0 to 2147483647 is accepted"],
    [{ mean: 5 }, "delay(): deviation is undefined"],
    [{ mean: 5, deviation: 1, min: 3, max: 2 }, "delay(): min 3 is more than max 2"],
    [{ min: 1, max: 2, seed: "x" }, "delay(): seed is"],
    [{ min: 1, mx: 2 }, 'did you mean "max"?'],
  ] as unknown as [number, string][])("delay(%j)", (ms, message) => {
    expect(() => delay(ms)).toThrow(message);
  });

  test("an action behind it that is none", () => {
    expect(() => engineOf(fault("limit", { bytes: 1, then: "answer" as Action }))).toThrow(
      'option then of fault("limit"): the action "answer" is not known',
    );
  });
});
