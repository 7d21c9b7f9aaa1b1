import { respond, sequence } from "flowtape";
import { expect, test } from "flowtape/vitest";
import { checkout } from "./checkout.ts";

// Where the shop is while tapes are recorded.
test.override({ proxyOptions: { upstream: { hosts: { "api.shop.test": "127.0.0.1:4820" } } } });

const cart = { lines: [{ product: 2, quantity: 3 }], card: "4000 0000 0000 0001" };

test("orders and pays", async ({ proxy }) => {
  expect(await checkout(cart, proxy)).toMatchObject({ cents: 1050, paid: true });
  expect(proxy).toHaveReceivedInOrder(["POST /orders", { path: "/payments", json: { card: cart.card } }]);
});

test("sends the token of the customer, which no tape holds", async ({ proxy }) => {
  await checkout(cart, { fetch: proxy.fetch, token: "of the customer" });
  expect(proxy).toHaveReceivedTimes({ headers: { authorization: "Bearer of the customer" } }, 2);
});

test("says that a card was declined", async ({ proxy }) => {
  const { paid } = await checkout({ ...cart, card: "4000 0000 0000 0002" }, proxy);
  expect(paid).toBe(false);
  expect(proxy.flows.last()).toHaveResponded({ status: 402, json: { error: "declined" } });
});

test("asks a busy shop again", async ({ proxy }) => {
  const busy = respond({ status: 503 });
  proxy.use(["POST /orders", sequence(busy, busy, "forward")]);
  expect(await checkout(cart, proxy)).toMatchObject({ paid: true });
  expect(proxy).toHaveReceivedTimes("POST /orders", 3);
});

test("does not pay where nothing was ordered", async ({ proxy }) => {
  proxy.use(["POST /orders", respond({ status: 500 })]);
  await expect(checkout(cart, proxy)).rejects.toThrow("the shop is closed: 500");
  expect(proxy).not.toHaveReceived("/payments");
});
