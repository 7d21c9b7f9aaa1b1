import { deepStrictEqual as equal, rejects } from "node:assert";
import { assertNotReceived, assertReceived, respond } from "flowtape";
import { proxyTest } from "flowtape/deno";
import { priceList } from "./price_list.ts";

// Where the shop is while tapes are recorded.
const upstream = { hosts: { "api.shop.test": "127.0.0.1:4820" } };

proxyTest("prices are in the currency that is asked for", { upstream }, async (t) => {
  await t.step("the cheapest comes first", async ({ proxy }) => {
    const list = await priceList("CHF", proxy.fetch);
    equal(list[0], "Compact cassette, 60 minutes: 2.73 CHF");
    equal(list.length, 3);
  });
  await t.step("an unknown currency is refused", async ({ proxy }) => {
    await rejects(priceList("XXX", proxy.fetch), /no rate for XXX: there are EUR, USD, CHF/);
  });
  assertReceived(t.proxy, "/rates", { times: 2 });
});

proxyTest("products and rates are fetched at the same time", { upstream }, async ({ proxy }) => {
  proxy.use(["*", "ask"]);
  const list = priceList("EUR", proxy.fetch);
  // The second request comes while the first still waits for the test.
  const paused = [await proxy.nextPaused(), await proxy.nextPaused()];
  for (const one of paused) one.forward();
  equal((await list).length, 3);
});

proxyTest("a shop without products has an empty list", {
  tape: false,
  rules: [["/products", respond({ json: [] })], ["/rates", respond({ json: { EUR: 1 } })]],
}, async ({ proxy }) => {
  equal(await priceList("EUR", proxy.fetch), []);
  assertNotReceived(proxy, "POST *");
});
