/** The matchers in the `expect` of @std/expect, built from its own source (npm's deno-std). */
// @ts-expect-error -- it comes without types
import { expect as stdExpect } from "deno-std/expect/mod.js";
import { describe, expect, test } from "vitest";
import { type FlowtapeMatchers, matchers } from "../../src/expect/matchers.ts";
import { failureDetailsOf } from "../../src/expect/details.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { httpFlow } from "../flow/flows.ts";
import { chat, shop } from "./shop.ts";

type Asymmetric = "any" | "anything" | "stringContaining" | "stringMatching" | "objectContaining" | "arrayContaining";
type StdExpect =
  & ((value: unknown) => FlowtapeMatchers & { not: FlowtapeMatchers })
  & Record<Asymmetric, (value?: unknown) => unknown>
  & { extend(matchers: object): void };

const std = stdExpect as unknown as StdExpect;
std.extend(matchers);

const proxy = { flows: shop(), unmatched: new FlowSet(), unused: [] };

describe("the expect of @std/expect", () => {
  test("knows every matcher, and its opposite", () => {
    std(proxy).toHaveReceived("POST https://shop.test/orders", { times: 2 });
    std(proxy).not.toHaveReceived("/nothing");
    std(proxy).toHaveReceivedTimes("/cart", 1);
    std(proxy).toHaveReceivedNth(1, "/cart");
    std(proxy.flows).toHaveReceivedLast("/app.js");
    std(proxy).not.toHaveReceivedLast("/cart");
    std(proxy).toHaveReceivedInOrder(["/cart", "/orders", "/graphql"]);
    std(proxy).toHaveNoUnmatched();
    std(proxy).toHaveUsedWholeTape();
    std(proxy.flows.first()).toMatchRequest({ query: { page: 1 } });
    std(proxy.flows.at(1)).toHaveResponded({ status: 201 });
    std(proxy.flows.at(4)).not.toHaveResponded();
    std(chat()).toHaveSentMessage({ json: { type: "ping" } }, { times: 1 });
  });

  test("fails with the same messages", () => {
    const errors: Error[] = [];
    try {
      std(proxy).toHaveReceived("POST https://shop.test/order");
    } catch (error) {
      errors.push(error as Error);
    }
    expect(errors[0]?.message).toContain("expected at least 1 request matching POST https://shop.test/order\n");
    expect(errors[0]?.message).toContain("path: /order");
    expect(failureDetailsOf(errors[0])?.nearest).toHaveLength(2);
    expect(() => std(proxy).not.toHaveReceived("/cart")).toThrow("expected no request matching /cart");
  });

  test("its asymmetric matchers stand anywhere", () => {
    const flow = httpFlow({
      method: "POST",
      url: "http://a.test/?page=12",
      json: { id: 7, tags: ["a", "b"], user: { name: "Ann", age: 7 } },
    });
    std(flow).toMatchRequest({
      query: { page: std.stringMatching(/^\d+$/) as RegExp },
      json: {
        id: std.any(Number),
        tags: std.arrayContaining(["b"]),
        user: std.objectContaining({ name: std.stringContaining("nn") }),
      },
    });
    std(flow).not.toMatchRequest({ json: { id: std.any(String) } });
    std(flow).not.toMatchRequest({ json: { user: std.objectContaining({ age: 8 }) } });
  });

  test("cannot wait, and says what can", () => {
    expect(() => std(proxy).toHaveReceived("/x", { within: 10 })).toThrow(
      "the expect() of @std/expect cannot wait: write await assertReceived(proxy, …, { within })",
    );
  });
});
