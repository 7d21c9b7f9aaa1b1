import type { Proxy } from "flowtape";
import { describe, expect, test } from "flowtape/bun";
import { startApp } from "./app.ts";

// Where the shop is while tapes are recorded.
const upstream = { hosts: { "api.shop.test": "127.0.0.1:4820" } };

async function order(proxy: Proxy, form: Record<string, string>): Promise<Response> {
  await using app = startApp({ fetch: proxy.fetch });
  const response = await fetch(new URL("/order", app.url), { method: "POST", body: new URLSearchParams(form) });
  return new Response(await response.text(), response);
}

describe("orders", () => {
  test("are passed on as JSON", { upstream }, async ({ proxy }) => {
    const response = await order(proxy, { product: "2", quantity: "3" });
    expect(await response.text()).toBe("That makes 10.50 EUR.");
    expect(proxy).toHaveReceived({ method: "POST", json: { lines: [{ product: 2, quantity: 3 }] } });
  });

  test("are for one piece when nothing else is said", { upstream }, async ({ proxy }) => {
    await order(proxy, { product: "3" });
    expect(proxy).toHaveReceivedLast({ json: { lines: [{ product: 3, quantity: 1 }] } });
  });

  test("of what there is not are refused", { upstream }, async ({ proxy }) => {
    expect((await order(proxy, { product: "99" })).status).toBe(404);
    expect(proxy.flows.last()).toHaveResponded(404);
  });
});
