// A webhook tells of flows, and does nothing to them.
import { describe, expect, test } from "vitest";
import { only, webhook, type WebhookOptions, type WebhookReport } from "../../src/addons/mod.ts";
import { respond, startProxy, steps } from "../../src/mod.ts";
import { type OriginHandler, startOrigin } from "../support/origin.ts";
import { pollWith } from "../support/poll.ts";

const poll = pollWith(expect as never) as unknown as (
  read: () => unknown,
  options?: { timeout: number },
) => { toBe(value: unknown): Promise<void> };

async function hooked(handler: OriginHandler, options: WebhookOptions = {}) {
  const collector = await startOrigin(handler);
  const failures: string[] = [];
  const told = webhook(`${collector.url}/told`, { onFailure: (message) => void failures.push(message), ...options });
  const reports = () => collector.requests.map((request) => JSON.parse(request.text()) as WebhookReport);
  return { collector, told, failures, reports, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

describe("what it tells", () => {
  test("request and response, without credentials; as an addon and as an action", async () => {
    for (const form of ["addon", "action"]) {
      await using it = await hooked(() => ({ status: 204 }), { headers: { "X-Suite": "a" } });
      await using origin = await startOrigin(() => ({
        headers: [["Content-Type", "application/json"], ["Set-Cookie", "sid=SECRET1"]],
        body: '{"ok":true,"access_token":"SECRET2"}',
      }));
      await using proxy = await startProxy(form === "addon" ? { addons: [it.told] } : { rules: [["*", it.told]] });
      await (await proxy.fetch(`${origin.url}/x?token=SECRET3&a=1`, {
        method: "POST",
        headers: { authorization: "Bearer SECRET4", "content-type": "application/x-www-form-urlencoded" },
        body: "user=me&password=SECRET5",
      })).text();
      await poll(() => it.told.delivered).toBe(1);
      const [request] = it.collector.requests;
      expect([request!.method, request!.target, request!.header("x-suite"), request!.header("content-type")]).toEqual(
        ["POST", "/told", "a", "application/json"],
      );
      const [report] = it.reports();
      expect(request!.text()).not.toContain("SECRET");
      expect(report).toMatchObject({
        event: "response",
        source: "upstream",
        request: {
          method: "POST",
          url: `${origin.url}/x?token=[redacted]&a=1`,
          bodySize: 24,
          body: "user=me&password=[redacted]",
        },
        response: { status: 200, reason: "OK", body: '{"ok":true,"access_token":"[redacted]"}' },
      });
      expect(new Date(report!.time).getTime()).toBeGreaterThan(1e12);
      expect(report!.request.headers.find(([name]) => name.toLowerCase() === "authorization")![1]).toBe("[redacted]");
    }
  });

  test("flows that fail", async () => {
    await using it = await hooked(() => ({ status: 204 }));
    await using proxy = await startProxy({ addons: [it.told], rules: [["*", "drop"]] });
    await proxy.fetch("http://a.test/").catch(() => {});
    await poll(() => it.told.delivered).toBe(1);
    expect(it.reports()[0]).toMatchObject({
      event: "error",
      error: { code: "DROPPED" },
      request: { url: "http://a.test/" },
    });
  });

  test("no bodies that are long, binary, or not wanted", async () => {
    for (
      const [maxBody, body, type, told] of [[4, "12345", "text/plain", false], [5, "12345", "text/plain", true], [
        9,
        "1",
        "image/png",
        false,
      ], [0, "1", "text/plain", false]] as const
    ) {
      await using it = await hooked(() => ({ status: 204 }), { maxBody });
      await using proxy = await startProxy({
        addons: [it.told],
        rules: [["*", respond({ body, headers: { "content-type": type } })]],
      });
      await (await proxy.fetch("http://a.test/")).text();
      await poll(() => it.told.delivered).toBe(1);
      expect([it.reports()[0]!.response!.body, it.reports()[0]!.response!.bodySize]).toEqual([
        told ? body : undefined,
        body.length,
      ]);
    }
  });
});

describe("the flow", () => {
  test("does not wait: not for the end of its body, and not for the delivery", async () => {
    const gate = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    await using it = await hooked(async () => (await gate.promise, { status: 204 }));
    await using origin = await startOrigin(() => ({
      body: (async function* () {
        yield "first";
        await answered.promise;
        yield "second";
      })(),
    }));
    await using proxy = await startProxy({ addons: [it.told] });
    const response = await proxy.fetch(origin.url);
    const reader = response.body!.getReader();
    // It would never come if the response were held back.
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
    answered.resolve();
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      rest += new TextDecoder().decode(piece.value);
    }
    expect(rest).toBe("second");
    expect(it.told.delivered).toBe(0);
    gate.resolve();
    await poll(() => it.told.delivered).toBe(1);
    expect(it.reports()[0]!.response!.bodySize).toBe(11);
  });

  test("knows nothing of what goes wrong", async () => {
    await using it = await hooked(() => ({ status: 500 }));
    await using proxy = await startProxy({
      addons: [
        it.told,
        webhook("http://127.0.0.1:1/?key=SECRET", { onFailure: (message) => void it.failures.push(message) }),
      ],
      defaultAction: respond({ body: "ok" }),
    });
    expect(await (await proxy.fetch("http://a.test/?token=SECRET")).text()).toBe("ok");
    await poll(() => it.failures.length).toBe(2);
    expect(it.failures.join()).toContain("was not told of GET http://a.test/?token=[redacted]: it answered 500");
    expect(it.failures.join()).not.toContain("SECRET");
    expect([it.told.delivered, it.told.failures.length]).toEqual([0, 1]);
    await proxy.close();
  });
});

test("deliveries are bounded: in number, in time, and by the end of the proxy", async () => {
  const gate = Promise.withResolvers<{ status: number }>();
  await using many = await hooked(() => gate.promise, { maxPending: 2 });
  await using slow = await hooked(() => gate.promise, { timeout: 50 });
  await using proxy = await startProxy({ addons: [many.told, slow.told], defaultAction: respond({ body: "ok" }) });
  for (let i = 0; i < 3; i++) await (await proxy.fetch("http://a.test/")).text();
  await poll(() => slow.failures.length).toBe(3);
  expect(slow.failures[0]).toContain("no answer in 50 ms");
  expect(many.failures).toEqual([expect.stringContaining("2 others are under way (maxPending)")]);
  await proxy.close();
  expect(many.failures.slice(1)).toEqual([
    expect.stringContaining("the proxy was closed"),
    expect.stringContaining("the proxy was closed"),
  ]);
  gate.resolve({ status: 204 });
});

test("close() waits for what is being delivered", async () => {
  await using it = await hooked(async () => (await new Promise((resolve) => setTimeout(resolve, 50)), { status: 204 }));
  for (const form of ["addon", "action"]) {
    const before = it.told.delivered;
    const ok = respond({ body: "ok" });
    const proxy = await startProxy(
      form === "addon" ? { addons: [it.told], defaultAction: ok } : { rules: [["*", steps(it.told, ok)]] },
    );
    await (await proxy.fetch("http://a.test/")).text();
    await proxy.close();
    expect(it.told.delivered).toBe(before + 1);
  }
});

test("it does not tell of its own telling, and not of what only() leaves out", async () => {
  await using it = await hooked(() => ({ status: 204 }));
  await using proxy = await startProxy({ addons: [only("/yes", it.told)], defaultAction: respond({ body: "ok" }) });
  for (const url of [`${it.collector.url}/told`, "http://a.test/no", "http://a.test/yes"]) {
    await (await proxy.fetch(url)).text();
  }
  await poll(() => it.told.delivered).toBe(1);
  await proxy.close();
  expect(it.reports().map(({ request }) => request.url)).toEqual(["http://a.test/yes"]);
});
