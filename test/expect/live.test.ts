/** Assertions on a proxy that works. */
import { describe, expect, test } from "vitest";
import {
  assertNotReceived,
  assertNoUnmatched,
  assertReceived,
  assertReceivedInOrder,
  assertReceivedLast,
  assertReceivedNth,
  assertUsedWholeTape,
} from "../../src/expect/assertions.ts";
import { failureDetailsOf } from "../../src/expect/details.ts";
import { assertMatchesRequest, assertResponded } from "../../src/expect/flow_assertions.ts";
import { type FlowtapeMatchers, matchers } from "../../src/expect/matchers.ts";
import { delay, respond } from "../../src/rules/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { startProxy } from "../tape/proxies.ts";
import { failure, lateFailure } from "./failure.ts";

expect.extend(matchers);
type Matchers = FlowtapeMatchers & { not: FlowtapeMatchers; toHaveLength(length: number): void };
const poll = (read: () => unknown) => expect.poll(read, { timeout: 10_000 }) as unknown as Matchers;
const check = expect as unknown as (value: unknown) => Matchers;

const WAIT = { within: 10_000 };

async function get(proxy: { fetch: typeof fetch }, url: string, init?: RequestInit): Promise<void> {
  await (await proxy.fetch(url, init)).text();
}

const anything = ["*", respond({ json: {} })] as const;

describe("within a time", () => {
  test("what comes later holds as soon as it is there", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    const start = performance.now();
    const pending = assertReceived(proxy, "/orders", WAIT);
    const twice = assertReceived(proxy, "/orders", { times: 2, ...WAIT });
    const place = assertReceivedNth(proxy, 2, "/orders", WAIT);
    const order = assertReceivedInOrder(proxy, ["/cart", "/orders", "/orders"], WAIT);
    const last = assertReceivedLast(proxy, "/done", WAIT);
    for (const path of ["/cart", "/orders", "/orders", "/done"]) await get(proxy, `http://shop.test${path}`);
    await Promise.all([pending, twice, place, order, last]);
    expect(performance.now() - start).toBeLessThan(9000);
  });

  test("matchers wait, too", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    // Bun's expect waits where it stands: what is waited for must have begun.
    const fetched = get(proxy, "http://shop.test/orders");
    await check(proxy).toHaveReceived("/orders", WAIT);
    await check(proxy).not.toHaveReceived("/other", { within: 60 });
    await fetched;
    await check(proxy.flows.first()).toHaveResponded(200, WAIT);
    await expect((async () => await check(proxy).toHaveReceived("/x", { within: 30 }))()).rejects.toThrow(
      "expected at least 1 request matching /x",
    );
  });

  test("what does not come fails when the time is up", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    const start = performance.now();
    const { message } = await lateFailure(() => assertReceived(proxy, "/orders", { within: 80 }));
    expect(performance.now() - start).toBeGreaterThan(70);
    expect(message).toContain("Nothing came through the proxy.");
    // Who has asked is known although the time has passed since.
    const { stack } = await lateFailure(() => assertReceived(proxy, "/orders", { within: 1 }));
    expect(stack).toContain("live.test.ts");
    expect(stack).not.toContain("eventually.ts");
  });

  test("what must not come is looked for until the time is up", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    const pending = lateFailure(() => assertNotReceived(proxy, "/tracking", WAIT));
    await get(proxy, "http://shop.test/tracking");
    expect((await pending).message).toContain("expected no request matching /tracking\nreceived 1");
    await assertNotReceived(proxy, "/beacon", { within: 30 });
    await assertReceived(proxy, "/tracking", { times: { atMost: 1 }, within: 30 });
    // Too many stay too many: nobody waits for that.
    await get(proxy, "http://shop.test/tracking");
    expect((await lateFailure(() => assertReceived(proxy, "/tracking", { times: 1, ...WAIT }))).message).toContain(
      "received 2",
    );
  });

  test("one flow is waited for until it is answered", async () => {
    await using proxy = await startProxy({ rules: [["*", delay(100, respond({ status: 202 }))]] });
    const fetched = get(proxy, "http://shop.test/slow");
    await assertReceived(proxy, "/slow", WAIT);
    const flow = proxy.flows.first();
    expect(failure(() => assertResponded(flow)).message).toContain("it has not been answered yet");
    await assertResponded(flow, 202, WAIT);
    await assertMatchesRequest(flow, { path: "/slow" }, WAIT);
    await fetched;
  });

  test("a wrong option is told at once", async () => {
    await using proxy = await startProxy();
    expect(() => assertReceived(proxy, "/x", { within: -1 })).toThrow("option within is -1");
  });
});

describe("a test that waits in its own way", () => {
  test("expect.poll", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    const fetched = get(proxy, "http://shop.test/orders", { method: "POST", body: "{}" });
    await poll(() => proxy).toHaveReceived({ method: "POST", json: {} });
    await poll(() => proxy.flows.first()).toHaveResponded(200);
    await poll(() => proxy.flows).toHaveLength(1);
    await fetched;
  });

  test("proxy.waitFor", async () => {
    await using proxy = await startProxy({ rules: [anything] });
    const pending = proxy.waitFor({ method: "POST", response: { status: 200 } }, { timeout: 10_000 });
    await get(proxy, "http://shop.test/orders", { method: "POST", body: "{}" });
    assertMatchesRequest((await pending).first(), "/orders");
  });
});

describe("a tape that does not hold everything", () => {
  test("each request is explained: nearest entry, nearest rule, what to do", async () => {
    await using folder = await tempFolder();
    const path = folder.file("shop.har");
    await using origin = await startOrigin(() => ({ body: "ok" }));
    {
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        upstream: { hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
      });
      await get(proxy, "http://shop.test/orders", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ qty: 1, at: 1 }),
      });
      await get(proxy, "http://shop.test/cart?page=1");
    }
    const proxy = await startProxy({
      tape: { path, mode: "replay" },
      rules: [["POST http://shop.test/order", respond({ status: 201 })], ["/health", respond({})]],
    });
    const explanation = await (await proxy.fetch("http://shop.test/orders", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ qty: 1, at: 2 }),
    })).text();
    await get(proxy, "http://shop.test/cart?page=1");
    await get(proxy, "http://127.0.0.1:4999/login?token=tok_live_51H8xQ2eZvKYlo2C");

    const error = failure(() => assertNoUnmatched(proxy));
    // Sizes and times are others each time, and so is the width of their columns.
    const message = error.message.replace(/^( {2}[#\d] .*?(?:source|tape)) .*$/gm, "$1");
    expect(`\n${message}\n`).toBe(`
expected the tape to match every request
received 2 requests that nothing matches

unmatched:
  #  method  url                                           status  source
  0  POST    http://shop.test/orders                       502     tape
  1  GET     http://127.0.0.1:4999/login?token=[redacted]  502     tape
  2 flows

#0 POST http://shop.test/orders

  nearest on the tape: entry 0, POST http://shop.test/orders (- recorded + received)
    matches: method, scheme, host, port, path, json.qty
  - json.at: 1
  + json.at: 2

  nearest rule: rules[0], POST http://shop.test/order (- wanted + received)
    matches: method, scheme, host, port
  - path: /order
  + path: /orders

  if that difference does not matter: match: { body: { ignore: ["$.at"] } }
  to record it:                       mode: "record"
  to answer it with a rule:           ["POST http://shop.test/orders", respond({ json: {} })]

#1 GET http://127.0.0.1:4999/login?token=[redacted]

  nearest on the tape: entry 1, GET http://shop.test/cart?page=1 (- recorded + received)
    matches: method, scheme
  - host: shop.test
  + host: 127.0.0.1
  - port: 80
  + port: 4999
  - path: /cart
  + path: /login
  - query.page: "1"
  + query.page: absent
  - query.token: absent
  + query.token: [redacted]

  to record it:             mode: "record"
  to answer it with a rule: ["GET /login", respond({ json: {} })]
`);
    const details = failureDetailsOf(error)!;
    expect(details.nearest.map(({ kind }) => kind)).toEqual(["entry", "rule", "entry"]);
    expect(details.advice[0]).toEqual({
      text: "if that difference does not matter",
      code: 'match: { body: { ignore: ["$.at"] } }',
      flow: proxy.unmatched.first()!.id,
    });
    expect(failure(() => assertUsedWholeTape(proxy)).message).toContain("      0  POST    http://shop.test/orders");

    // The client is told the same, and so is who closes the proxy.
    const rule = "The nearest rule is rules[0], POST http://shop.test/order (- wanted, + received):";
    expect(explanation).toContain(rule);
    expect(explanation).toContain(
      'To answer it with a rule: ["POST http://shop.test/orders", respond({ json: {} })]\n',
    );
    await expect(proxy.close()).rejects.toThrow(rule);
  });

  test("without a tape, and when all was replayed", async () => {
    await using folder = await tempFolder();
    const missing = await startProxy({ tape: { path: folder.file("none.har"), mode: "replay" } });
    await get(missing, "http://shop.test/a");
    expect(failure(() => assertNoUnmatched(missing)).message).toContain(
      'none.har yet\n\n  to record it:             mode: "record"\n  to answer it with a rule: ["GET http://shop.test/a", ',
    );
    await missing.close().catch(() => {});
  });
});

describe("secrets", () => {
  test("what the tape's options name is in no message", async () => {
    await using folder = await tempFolder();
    const redact = { json: ["$.user.name"], headers: ["x-tenant"], query: ["card"], patterns: [/ACME-\d+/] };
    const proxy = await startProxy({ tape: { path: folder.file("a.har"), mode: "record", redact }, rules: [anything] });
    await get(proxy, "http://shop.test/ACME-77?card=4242", {
      method: "POST",
      headers: { "x-tenant": "north", "content-type": "application/json" },
      body: JSON.stringify({ user: { name: "Ann" }, note: "of ACME-78" }),
    });
    const { message } = failure(() =>
      assertReceived(proxy, {
        method: "PUT",
        query: { card: "1" },
        headers: { "x-tenant": "south" },
        json: { user: { name: "Bob" }, note: "x" },
      })
    );
    for (const secret of ["ACME-7", "4242", "north", "Ann"]) expect(message).not.toContain(secret);
    expect(message).toContain("- json.user.name: [redacted]\n  + json.user.name: [redacted] (another one)");
    await proxy.close();
  });
});
