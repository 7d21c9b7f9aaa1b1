import { describe, expect as base, test } from "vitest";
import { type FlowtapeMatchers, matchers } from "../../src/expect/matchers.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { httpFlow } from "../flow/flows.ts";

base.extend(matchers);
const expect = base as unknown as (value: unknown) => FlowtapeMatchers & { not: FlowtapeMatchers };

const flows = new FlowSet([httpFlow("http://a.test/x"), httpFlow("http://a.test/x")]);
const proxy = { flows, unmatched: new FlowSet() };
const broken = { flows, unmatched: flows };

describe("expect.extend(matchers)", () => {
  test("toHaveReceived", () => {
    expect(proxy).toHaveReceived("GET /x");
    expect(flows).toHaveReceived("GET /x", { times: 2 });
    expect(proxy).not.toHaveReceived("/y");
    base(() => expect(proxy).toHaveReceived("/y")).toThrow("expected at least 1 request matching /y");
    base(() => expect(proxy).not.toHaveReceived("/x")).toThrow("expected no request matching /x\nreceived 2");
  });

  test("toHaveReceivedTimes", () => {
    expect(proxy).toHaveReceivedTimes("/x", 2);
    expect(proxy).toHaveReceivedTimes("/y", 0);
    expect(proxy).not.toHaveReceivedTimes("/x", 1);
    base(() => expect(proxy).toHaveReceivedTimes("/x", 1)).toThrow(
      "expected exactly 1 request matching /x\nreceived 2",
    );
    base(() => expect(proxy).not.toHaveReceivedTimes("/x", 2)).toThrow("expected anything but exactly 2 requests");
    base(() => expect(proxy).not.toHaveReceivedTimes("/y", 0)).toThrow("expected at least 1 request matching /y");
  });

  test("toHaveNoUnmatched", () => {
    expect(proxy).toHaveNoUnmatched();
    expect(broken).not.toHaveNoUnmatched();
    base(() => expect(broken).toHaveNoUnmatched()).toThrow("received 2 requests that nothing matches");
    base(() => expect(proxy).not.toHaveNoUnmatched()).toThrow("expected requests that nothing on the tape matches");
  });

  test("say what is wanted instead of another value", () => {
    base(() => expect(7).toHaveReceived("/x")).toThrow("a proxy or a FlowSet is wanted");
    base(() => expect(undefined).toHaveNoUnmatched()).toThrow("a proxy is wanted");
  });

  test("also in the form of @std/expect, which gives a context", async () => {
    const context = { value: proxy, isNot: false };
    base((await matchers.toHaveReceived(context, "/x")).pass).toBe(true);
    const times = await matchers.toHaveReceivedTimes(context, "/x", 3);
    base(times.pass).toBe(false);
    base(times.details()).toMatchObject({ actual: "2 requests", expected: "exactly 3 requests" });
    base(matchers.toHaveNoUnmatched({ value: broken, isNot: true }).pass).toBe(false);
  });
});
