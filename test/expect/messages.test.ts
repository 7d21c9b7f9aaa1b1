/** What a failure says: kept as it looks, to be read by a person whenever it changes. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  assertNotReceived,
  assertReceived,
  assertReceivedInOrder,
  assertReceivedLast,
  assertReceivedNth,
  assertUsedWholeTape,
} from "../../src/expect/assertions.ts";
import { failureDetailsOf } from "../../src/expect/details.ts";
import { assertMatchesRequest, assertResponded, assertSentMessage } from "../../src/expect/flow_assertions.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { not } from "../../src/flow/matcher/combine.ts";
import type { Matcher } from "../../src/flow/matcher/types.ts";
import type { TapeEntry } from "../../src/tape/entry.ts";
import { arriving, httpFlow } from "../flow/flows.ts";
import { failure, message } from "./failure.ts";
import { answered, chat, SECRETS, shop } from "./shop.ts";

const TABLE = `received:
  #  method  url                                                status            source    size  ms
  0  GET     https://shop.test/cart?page=1&sort=price           200               upstream  12 B   1
  1  POST    https://shop.test/orders…=SUMMER&token=[redacted]  201               upstream  23 B   1
  2  POST    https://shop.test/orders?coupon=SUMMER             422               upstream  35 B   1
  3  POST    https://api.shop.test/graphql                      200               upstream  11 B   1
  4  GET     https://cdn.test/app.js                            UPSTREAM_REFUSED  upstream         1
  5 flows
`;

describe("nothing was received that matches", () => {
  test("a value in JSON differs", () => {
    const json = { customer: { password: "another" }, items: [{ sku: "A-1", qty: 2 }, { sku: "B-2", qty: 1 }] };
    expect(message(() => assertReceived(shop(), { method: "POST", path: "/orders", json }))).toBe(`
expected at least 1 request matching
  { method: "POST", path: "/orders", json: { customer: { password: [redacted] }, items: [{ sku: "A-1", qty: 2 }, { sku: "B-2", qty: 1 }] } }
received none: 5 other requests

nearest (- expected + received):
  #1 POST https://shop.test/orders?coupon=SUMMER&token=[redacted] (201, upstream)
    matches: method, path, json.items[0].sku, json.items[1].sku, json.items[1].qty
  - json.customer.password: [redacted]
  + json.customer.password: [redacted] (another one)
  - json.items[0].qty: 2
  + json.items[0].qty: 3

  #2 POST https://shop.test/orders?coupon=SUMMER (422, upstream)
    matches: method, path
  - json.customer.password: [redacted]
  + json.customer.password: absent
  - json.items.length: 2
  + json.items.length: 0

${TABLE}`);
  });

  test("a path is misspelt: those that differ in the same way are told once", () => {
    expect(message(() => assertReceived(shop(), "POST https://shop.test/order"))).toBe(`
expected at least 1 request matching POST https://shop.test/order
received none: 5 other requests

nearest (- expected + received):
  #1 POST https://shop.test/orders?coupon=SUMMER&token=[redacted] (201, upstream)
  #2 POST https://shop.test/orders?coupon=SUMMER (422, upstream)
    matches: method, scheme, host, port
  - path: /order
  + path: /orders

${TABLE}`);
  });

  test("a text of several lines differs in one", () => {
    const query = "query Cart {\n  cart {\n    items { sku }\n    total\n  }\n}";
    expect(message(() => assertReceived(shop(), { path: "/graphql", json: { query } }))).toContain(`
  #3 POST https://api.shop.test/graphql (200, upstream)
    matches: path
    json.query:
      query Cart {
        cart {
  -       items { sku }
  +       items { sku qty }
          total
        }
      …

`);
  });

  test("a schema does not accept it", () => {
    const json = z.object({ items: z.array(z.object({ qty: z.number().max(2) })).min(1) });
    expect(message(() => assertReceived(shop(), { path: "/orders", json }))).toContain(`
expected at least 1 request matching { path: "/orders", json: zod schema }
received none: 5 other requests

nearest (- expected + received):
  #1 POST https://shop.test/orders?coupon=SUMMER&token=[redacted] (201, upstream)
    matches: path
  - json.items[0].qty: Too big: expected number to be <=2 (zod schema)
  + json.items[0].qty: 3

  #2 POST https://shop.test/orders?coupon=SUMMER (422, upstream)
    matches: path
  - json.items: Too small: expected array to have >=1 items (zod schema)
  + json.items: []
`);
  });

  test("header fields differ", () => {
    const headers = { authorization: "Bearer x", "x-trace": 2, accept: /html/ };
    expect(message(() => assertReceived(shop().slice(1, 2), { headers }))).toContain(`
  - headers.authorization: [redacted]
  + headers.authorization: [redacted] (another one)
  - headers.x-trace: "2"
  + headers.x-trace: "1"
  - headers.accept: /html/
  + headers.accept: absent
`);
  });

  test("something was not to be: what it is instead", () => {
    expect(message(() => assertReceived(shop().slice(0, 1), not({ method: "GET" })))).toContain(`
  - not: { method: "GET" }
  + not: method GET
`);
  });

  test("what has nothing in common is no near miss", () => {
    const { message } = failure(() => assertReceived(shop(), (flow) => flow.request.path === "/nothing"));
    expect(message).not.toContain("nearest");
    expect(message).toContain(TABLE.trimEnd());
  });

  test("nothing came through the proxy at all", () => {
    expect(message(() => assertReceived(new FlowSet(), "/orders"))).toBe(`
expected at least 1 request matching /orders
received none

Nothing came through the proxy. Is the client pointed at it (proxy.fetch, proxy.env(), proxy.install(),
proxy.browser()), and was it waited for (await, or the option within)?
`);
  });

  test("it may be on its way", () => {
    const flows = new FlowSet([arriving({ method: "POST", url: "http://a.test/orders" }), httpFlow("http://a.test/")]);
    expect(message(() => assertReceived(flows, { path: "/orders", json: {} }))).toContain(`
  - body: to be compared
  + body: has not arrived
`);
    expect(failure(() => assertReceived(flows, { path: "/orders", json: {} })).message).toMatch(
      /\n\n1 request is still under way: with \{ within: 1000 \} the assertion waits$/,
    );
  });
});

describe("it was received too often", () => {
  test("what the requests differ in", () => {
    expect(message(() => assertReceived(shop(), { path: "/orders" }, { times: 1 }))).toBe(`
expected exactly 1 request matching { path: "/orders" }
received 2

matching:
  #  method  url                                                      status  source    size  ms
  1  POST    https://shop.test/orders?coupon=SUMMER&token=[redacted]  201     upstream  23 B   1
  2  POST    https://shop.test/orders?coupon=SUMMER                   422     upstream  35 B   1
  2 flows

#1 and #2 differ in query.token, json.customer.id, json.customer.password, json.items.length.
`);
  });

  test("a request that was sent twice", () => {
    const twice = ["/a", "/b", "/a", "/a"].map((path) => httpFlow(`http://a.test${path}`));
    expect(failure(() => assertReceived(new FlowSet(twice), "/a", { times: { atMost: 1 } })).message).toMatch(
      /\n\n#0, #2 and #3 are the same request\.$/,
    );
  });

  test("it was not to be received", () => {
    expect(message(() => assertNotReceived(shop(), "/cart"))).toBe(`
expected no request matching /cart
received 1

matching:
  #  method  url                                       status  source    size  ms
  0  GET     https://shop.test/cart?page=1&sort=price  200     upstream  12 B   1
  1 flow
`);
  });
});

describe("the place is wrong", () => {
  test("another request is there", () => {
    expect(message(() => assertReceivedNth(shop(), 2, "/cart"))).toBe(`
expected the 2nd request to match /cart
it is #1 POST https://shop.test/orders?coupon=SUMMER&token=[redacted]

differences (- expected + received):
  - path: /cart
  + path: /orders

What matches is the 1st (#0).

${TABLE}`);
  });

  test("there are not so many", () => {
    expect(message(() => assertReceivedNth(shop(), 12, "/cart"))).toContain(`
expected the 12th request to match /cart
received 5 requests only

received:
`);
    expect(message(() => assertReceivedLast(new FlowSet(), "/cart"))).toContain(`
expected the last request to match /cart
received none

Nothing came through the proxy.`);
  });

  test("the last one is another", () => {
    expect(message(() => assertReceivedLast(shop(), { method: "POST" }))).toContain(`
expected the last request to match { method: "POST" }
it is #4 GET https://cdn.test/app.js

differences (- expected + received):
  - method: POST
  + method: GET

What matches is the 2nd (#1), the 3rd (#2), the 4th (#3).
`);
    expect(message(() => assertReceivedLast(shop(), { method: "PUT" }))).toContain("No other request matches either.");
  });

  test("it is not kept any more", () => {
    const flows = new FlowSet(shop(), { max: 2 });
    expect(message(() => assertReceivedNth(flows, 2, "/cart"))).toContain(
      "it is not kept any more: 3 requests went, as no more than 2 are kept (capture.maxFlows)",
    );
    assertReceivedNth(flows, 4, "/graphql");
  });

  test("the order is another", () => {
    expect(message(() => assertReceivedInOrder(shop(), ["/graphql", "/cart", "/app.js"]))).toBe(`
expected these requests in this order
  1. /graphql: #3
  2. /cart: not received after #3, only at #0
  3. /app.js: not looked for

${TABLE}`);
  });
});

describe("one flow", () => {
  test("is another", () => {
    expect(message(() => assertMatchesRequest(shop().at(1), { method: "PUT", json: { customer: { id: 8 } } }))).toBe(`
expected POST https://shop.test/orders?coupon=SUMMER&token=[redacted]
to match { method: "PUT", json: { customer: { id: 8 } } }

differences (- expected + received):
  - method: PUT
  + method: POST
  - json.customer.id: 8
  + json.customer.id: 7
`);
  });

  test("is not there", () => {
    expect(message(() => assertMatchesRequest(new FlowSet().first(), { method: "PUT" }))).toBe(`
expected a flow that matches { method: "PUT" }
received undefined: there was no such flow
`);
  });

  test("was answered otherwise", () => {
    expect(message(() => assertResponded(shop().at(2), { status: 201, json: { id: 1 } }))).toBe(`
expected POST https://shop.test/orders?coupon=SUMMER
to be answered with { status: 201, json: { id: 1 } }
it was answered with 422 Unprocessable Entity by the server

differences (- expected + received):
  - status: 201
  + status: 422
  - json.id: 1
  + json.id: absent
`);
  });

  test("failed", () => {
    expect(message(() => assertResponded(shop().at(4), "2xx"))).toBe(`
expected GET https://cdn.test/app.js
to be answered with 2xx
it failed with UPSTREAM_REFUSED
`);
  });
});

describe("messages of a WebSocket", () => {
  test("one differs", () => {
    expect(message(() => assertSentMessage(chat(), { json: { type: "ping", n: 2 } }))).toBe(`
expected the client to send at least 1 message matching { json: { type: "ping", n: 2 } }
over wss://chat.test/socket
it sent 3 messages, of which none matches

nearest (- expected + received):
  #2 {"type":"ping","n":1}
    matches: json.type
  - json.n: 2
  + json.n: 1

messages:
  #  from    message
  0  client  {"type":"hello","token":"[redacted]"}
  1  server  {"type":"welcome"}
  2  client  {"type":"ping","n":1}
  3  server  {"type":"pong","n":1}
  4  client  4 bytes
  5 messages
`);
  });

  test("the other side has sent it", () => {
    expect(message(() => assertSentMessage(chat(), { json: { type: "pong" } }))).toContain(
      '\nThe server has sent one that matches: add from: "server" to look there.\n',
    );
  });

  test("text that is JSON is compared as JSON", () => {
    expect(message(() => assertSentMessage(chat(), '{"type":"ping","n":2}'))).toContain(
      "    matches: json.type\n  - json.n: 2\n  + json.n: 1\n",
    );
  });
});

test("entries of the tape that were not used are listed", () => {
  const unused = [
    { index: 0, method: "GET", url: "https://shop.test/cart" },
    { index: 3, method: "POST", url: `https://shop.test/orders?token=${SECRETS[1]}` },
  ] as TapeEntry[];
  expect(message(() => assertUsedWholeTape({ unused }))).toBe(`
expected every entry of the tape to be used
2 were not

unused:
  entry  method  url
      0  GET     https://shop.test/cart
      3  POST    https://shop.test/orders?token=[redacted]
`);
});

describe("a message is fit for a log", () => {
  test.each<[string, Matcher]>([
    ["JSON", { path: "/orders", json: { customer: { password: "x", id: 1 } } }],
    ["a whole object", { path: "/orders", json: { customer: "x" } }],
    ["headers", { path: "/orders", headers: { authorization: "x", cookie: "x" } }],
    ["cookies", { path: "/orders", cookies: { sid: "x" } }],
    ["query", { path: "/orders", query: { token: "x" } }],
    ["text", { path: "/orders", body: "x" }],
    ["url", /nothing/],
    ["secrets of the test", { path: "/x", headers: { authorization: SECRETS[1]! }, json: { password: SECRETS[0] } }],
  ])("no secret in it: %s", (_, matcher) => {
    const error = failure(() => assertReceived(shop(), matcher));
    const whole = error.message + JSON.stringify([error.actual, error.expected, failureDetailsOf(error)]);
    expect(whole).toContain("[redacted]");
    for (const secret of SECRETS) expect(whole).not.toContain(secret);
  });

  test("no body of more than 2 KB in full", () => {
    const long = "x".repeat(100_000);
    const big = answered({ method: "POST", url: "http://a.test/", json: { a: long, b: [long] } }, { body: long });
    for (
      const matcher of [{ json: { a: "b" } }, { json: { b: "c" } }, { body: "y" }, { json: { a: `y${long}` } }, {
        json: 1,
      }]
    ) {
      expect(failure(() => assertReceived(new FlowSet([big]), matcher)).message.length).toBeLessThan(4000);
    }
    expect(failure(() => assertResponded(big, { body: "y" })).message.length).toBeLessThan(2000);
    const said = chat({ from: "client", type: "text", data: long });
    expect(failure(() => assertSentMessage(said, "y")).message.length).toBeLessThan(2000);
  });

  test("no more than twenty lines of flows, and of differences", () => {
    const flows = new FlowSet(Array.from({ length: 500 }, (_, i) => httpFlow(`http://a.test/${i}`)));
    const { message } = failure(() => assertReceived(flows, "/x"));
    expect(message).toContain("500 flows (the last 20 shown)");
    expect(message.split("\n").length).toBeLessThan(50);
    const json = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`k${i}`, i]));
    const other = new FlowSet([httpFlow({ method: "POST", url: "http://a.test/", json: {} })]);
    expect(failure(() => assertReceived(other, { json })).message).toContain("and 70 more differences");
  });
});

describe("the data behind a failure", () => {
  test("is found by the error, or by what a runner has made of it", () => {
    const error = failure(() => assertReceived(shop(), { method: "POST", path: "/order" }));
    const details = failureDetailsOf(error)!;
    expect(details.summary).toBe(
      'expected at least 1 request matching { method: "POST", path: "/order" }\nreceived none: 5 other requests',
    );
    expect(details).toMatchObject({
      kind: "received",
      expected: { path: "/order" },
      actual: { path: "/orders" },
      advice: [],
    });
    expect(details.nearest.map(({ kind, title }) => [kind, title])).toEqual([
      ["request", "POST https://shop.test/orders?coupon=SUMMER&token=[redacted]"],
      ["request", "POST https://shop.test/orders?coupon=SUMMER"],
    ]);
    expect(JSON.parse(JSON.stringify(details))).toEqual(details);
    expect(failureDetailsOf({ message: `Error: my words: ${error.message}` })).toBe(details);
    expect(failureDetailsOf(new AggregateError([new Error("x"), error], "two"))).toBe(details);
    expect(failureDetailsOf(new Error("outer", { cause: error }))).toBe(details);
  });

  test("is not there for anything else", () => {
    const loop: { message: string; cause?: unknown } = { message: "x" };
    loop.cause = loop;
    for (const one of [undefined, null, 1, "x", new Error("x"), {}, loop]) {
      expect(failureDetailsOf(one)).toBeUndefined();
    }
  });

  test("names the flows that it is about", () => {
    const flows = shop();
    const details = failureDetailsOf(failure(() => assertNotReceived(flows, "/orders")))!;
    expect(details.flows.map(({ id, index, status }) => [id, index, status])).toEqual([
      [flows.at(1)!.id, 1, 201],
      [flows.at(2)!.id, 2, 422],
    ]);
  });
});
