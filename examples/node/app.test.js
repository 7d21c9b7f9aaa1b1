import { once } from "node:events";
import { describe } from "node:test";
import { delay, fault, respond } from "flowtape";
import { test } from "flowtape/node";
import { createApp } from "./app.js";

// Where the shop is while tapes are recorded.
const upstream = { hosts: { "api.shop.test": "127.0.0.1:4820" } };

/** Starts the application for a test, and asks it for its page. */
async function visit(t) {
  const app = createApp({ fetch: t.proxy.fetch }).listen(0, "127.0.0.1");
  t.after(() => app.close());
  await once(app, "listening");
  const response = await fetch(`http://127.0.0.1:${app.address().port}/`);
  return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() };
}

test("shows the products of the shop", { upstream }, async (t) => {
  const { text } = await visit(t);
  t.assert.match(text, /<li>Splicing block<\/li>/);
  t.assert.received(t.proxy, "GET http://api.shop.test/products", { times: 1 });
});

describe("when the shop is in trouble", { concurrency: true }, () => {
  const troubles = {
    "it fails": respond({ status: 500 }),
    "it hangs up": fault("reset"),
    "it is slow": delay(5000),
    "it sends rubbish": respond({ body: "<html>" }),
  };
  for (const [name, trouble] of Object.entries(troubles)) {
    test(name, { tape: false, rules: [["/products", trouble]], defaultAction: "drop" }, async (t) => {
      const { status, retryAfter, text } = await visit(t);
      t.assert.deepStrictEqual([status, retryAfter, text], [503, "10", "The shop takes a break."]);
    });
  }
});
