import { AssertionError } from "node:assert";
import { describe, expect, test } from "vitest";
import {
  assertNotReceived,
  assertNoUnmatched,
  assertReceived,
  assertReceivedInOrder,
} from "../../src/expect/assertions.ts";
import { paintFor } from "../../src/expect/colors.ts";
import { matchers } from "../../src/expect/matchers.ts";
import type { ReceivedOptions, Times } from "../../src/expect/times.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { httpFlow } from "../flow/flows.ts";

const order = { method: "POST", url: "https://shop.test/orders", json: { qty: 3, password: "hunter2" }, status: 201 };
const received = () =>
  new FlowSet([httpFlow({ url: "https://shop.test/cart", status: 200 }), httpFlow(order), httpFlow(order)]);
const proxyOf = (flows: FlowSet, unmatched = new FlowSet()) => ({ flows, unmatched });

/** The error of an assertion that must fail. */
function failure(assertion: () => void): AssertionError {
  try {
    assertion();
  } catch (error) {
    // deno-lint-ignore no-control-regex -- colours depend on where the tests run
    if (error instanceof Error) error.message = error.message.replace(/\x1b\[\d+m/g, "");
    expect(error).toBeInstanceOf(AssertionError);
    return error as AssertionError;
  }
  throw new Error("the assertion holds");
}

describe("assertReceived", () => {
  test("takes a proxy or a FlowSet", () => {
    assertReceived(received(), "POST https://shop.test/orders");
    assertReceived(proxyOf(received()), { json: { qty: 3 } });
    expect(() => assertReceived({} as FlowSet, "*")).toThrow("a proxy or a FlowSet is wanted");
    expect(() => assertReceived(undefined as unknown as FlowSet, "*")).toThrow("not undefined");
  });

  test.each<[Times | undefined, boolean]>([
    [undefined, true],
    [2, true],
    [1, false],
    [3, false],
    [0, false],
    [{ atLeast: 2 }, true],
    [{ atLeast: 3 }, false],
    [{ atMost: 2 }, true],
    [{ atMost: 1 }, false],
    [{ atLeast: 1, atMost: 3 }, true],
    [{}, true],
  ])("two requests, times %j: %s", (times, holds) => {
    const attempt = () => assertReceived(received(), "/orders", { times });
    if (holds) attempt();
    else failure(attempt);
  });

  test.each<[unknown, string]>([
    [-1, "times -1 is not valid"],
    [1.5, "times 1.5 is not valid"],
    [{ atLeast: 3, atMost: 2 }, "with atLeast <= atMost"],
    [{ atleast: 3 }, 'times.atleast is not an option: atLeast and atMost are; did you mean "atLeast"?'],
  ])("times %j cannot be read", (times, message) => {
    expect(() => assertReceived(received(), "*", { times: times as Times })).toThrow(message);
  });

  test.each([
    [{ time: 1 }, 'option time is not known; did you mean "times"?'],
    [1, "the options are 1: { times: 1 } is accepted"],
  ])("options %j cannot be read", (options, message) => {
    const given = options as ReceivedOptions;
    expect(() => assertReceived(received(), "*", given)).toThrow(message);
    expect(() => matchers.toHaveReceived(received(), "*", given)).toThrow(message);
  });

  test("explains the nearest requests, and shows what was received", () => {
    const error = failure(() => assertReceived(received(), { method: "POST", json: { qty: 2, password: "x" } }));
    expect(`\n${error.message}\n`).toBe(`
expected at least 1 request matching { method: "POST", json: { qty: 2, password: [redacted] } }
received none: 3 other requests

nearest (- expected + received):
  #1 POST https://shop.test/orders (201, upstream)
  #2 POST https://shop.test/orders (201, upstream)
    matches: method
  - json.qty: 2
  + json.qty: 3
  - json.password: [redacted]
  + json.password: [redacted] (another one)

received:
  #  method  url                       status  source    size  ms
  0  GET     https://shop.test/cart    200     upstream   2 B   1
  1  POST    https://shop.test/orders  201     upstream   2 B   1
  2  POST    https://shop.test/orders  201     upstream   2 B   1
  3 flows
`);
    expect(error.actual).toEqual({ "json.qty": "3", "json.password": "[redacted]" });
    expect(error.expected).toEqual({ "json.qty": "2", "json.password": "[redacted]" });
    expect(error.operator).toBe("assertReceived");
  });

  test("shows those that match when they are too many or too few", () => {
    expect(`\n${failure(() => assertReceived(received(), "/orders", { times: 1 })).message}\n`).toBe(`
expected exactly 1 request matching /orders
received 2

matching:
  #  method  url                       status  source    size  ms
  1  POST    https://shop.test/orders  201     upstream   2 B   1
  2  POST    https://shop.test/orders  201     upstream   2 B   1
  2 flows

#1 and #2 are the same request.
`);
    expect(`\n${failure(() => assertReceived(received(), "/cart", { times: { atLeast: 2, atMost: 3 } })).message}\n`)
      .toContain(`
expected 2 to 3 requests matching /cart
received 1

matching:
  #  method  url                     status  source    size  ms
  0  GET     https://shop.test/cart  200     upstream   2 B   1
  1 flow

nearest (- expected + received):
`);
  });

  test("says what may be the reason when nothing was received", () => {
    expect(failure(() => assertReceived(new FlowSet(), "/orders")).message).toBe(
      `expected at least 1 request matching /orders
received none

Nothing came through the proxy. Is the client pointed at it (proxy.fetch, proxy.env(), proxy.install(),
proxy.browser()), and was it waited for (await, or the option within)?`,
    );
  });

  test("says that flows were dropped", () => {
    const flows = new FlowSet(received(), { max: 1 });
    expect(failure(() => assertReceived(flows, "/cart")).message).toContain("1 flow (2 older ones were dropped)");
  });

  test("is not in its own stack", () => {
    // Bun does not leave out frames for stackStartFn.
    if ("Bun" in globalThis) return;
    const { stack } = failure(() => assertReceived(new FlowSet(), "/orders"));
    expect(stack).not.toContain("demand.ts");
    expect(stack).toContain("assertions.test.ts");
  });
});

describe("assertNotReceived", () => {
  test("holds when nothing matches", () => assertNotReceived(received(), "DELETE *"));

  test("shows what matches", () => {
    const { message, operator } = failure(() => assertNotReceived(received(), "/cart"));
    expect(message).toMatch(
      /^expected no request matching \/cart\nreceived 1\n\nmatching:\n.*\n {2}0 {2}GET .*\n {2}1 flow$/,
    );
    expect(operator).toBe("assertNotReceived");
  });
});

describe("assertReceivedInOrder", () => {
  const flows = new FlowSet(
    ["a", "b", "c", "b"].map((name) => httpFlow({ url: `http://x.test/${name}`, status: 200 })),
  );

  test.each([[["/a", "/b", "/c", "/b"]], [["/a", "/c"]], [["/b", "/b"]], [[]]])("holds for %j", (matchers) => {
    assertReceivedInOrder(flows, matchers);
  });

  test("says which one is out of order", () => {
    const { message } = failure(() => assertReceivedInOrder(proxyOf(flows), ["/b", "/a", "/c"]));
    expect(`\n${message}\n`).toBe(`
expected these requests in this order
  1. /b: #1
  2. /a: not received after #1, only at #0
  3. /c: not looked for

received:
  #  method  url              status  source    size  ms
  0  GET     http://x.test/a  200     upstream   2 B   1
  1  GET     http://x.test/b  200     upstream   2 B   1
  2  GET     http://x.test/c  200     upstream   2 B   1
  3  GET     http://x.test/b  200     upstream   2 B   1
  4 flows
`);
  });

  test("says which one was not received, and what came near", () => {
    const { message } = failure(() => assertReceivedInOrder(flows, ["/a", "PUT /b", "/a"]));
    expect(message).toContain("  2. PUT /b: not received\n  3. /a: not looked for");
    expect(message).toContain("- method: PUT\n  + method: GET");
  });

  test("wants a request for each", () => {
    failure(() => assertReceivedInOrder(flows, ["/a", "/a"]));
    expect(() => assertReceivedInOrder(flows, ["/a", "b/c"])).toThrow("matchers[1]");
  });
});

describe("assertNoUnmatched", () => {
  test("holds without any", () => assertNoUnmatched(proxyOf(received())));

  test("shows each with its reason", () => {
    const miss = httpFlow({ method: "POST", url: "http://x.test/a", status: 502 });
    miss.response!.body = "nothing on the tape matches\nnearest: password=hunter2 /b";
    const { message } = failure(() => assertNoUnmatched(proxyOf(received(), new FlowSet([miss]))));
    expect(`\n${message}\n`).toMatch(
      /^\nexpected the tape to match every request\nreceived 1 request that nothing matches\n\nunmatched:\n/,
    );
    expect(message).toMatch(
      /POST http:\/\/x\.test\/a\n {2}nothing on the tape matches\n {2}nearest: password=\[redacted\] \/b$/,
    );
    expect(() => assertNoUnmatched(new FlowSet() as unknown as ReturnType<typeof proxyOf>)).toThrow(
      "a proxy is wanted",
    );
  });
});

describe("colours", () => {
  const isColored = (env: Record<string, string>, terminal: boolean) =>
    paintFor(env, terminal)("expected", "x") !== "x";
  test.each<[Record<string, string>, boolean, boolean]>([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
  ])("%j, terminal: %s: %s", (env, terminal, expected) => {
    expect(isColored(env, terminal)).toBe(expected);
  });

  test("green is wanted, red is what came", () => {
    const paint = paintFor({ FORCE_COLOR: "1" }, false);
    expect([paint("expected", "a"), paint("received", "b")]).toEqual(["\x1b[32ma\x1b[39m", "\x1b[31mb\x1b[39m"]);
  });
});
