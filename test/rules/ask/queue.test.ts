// Who gets which paused flow, what is said when none comes, and what becomes of those that nobody decides about.
import { describe, expect, test } from "vitest";
import { ask, type FlowtapeError, type Proxy, respond, RuleEngine, startProxy } from "../../../src/mod.ts";
import { newFlow, pass } from "../pass.ts";
import { startOrigin } from "../../support/origin.ts";
import { exchange, PATIENTLY, requestTo } from "../../wire/http1_client.ts";

const get = (proxy: Proxy, path: string) => exchange(proxy.port, requestTo(`http://a.test${path}`));

/** Sends requests one after the other, so that they wait in this order. */
async function queue(proxy: Proxy, ...paths: string[]): Promise<Promise<{ text: string; status: number }>[]> {
  const answers = [];
  for (const path of paths) {
    const before = proxy.flows.length;
    answers.push(get(proxy, path));
    await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(before + 1);
  }
  return answers;
}

const asking = () => startProxy({ rules: [[() => true, ask()]], defaultAction: respond({ body: "default" }) });

describe("nextPaused()", () => {
  test("gives flows in the order in which they came, each once, before or after they came", async () => {
    await using proxy = await asking();
    const early = [proxy.nextPaused(), proxy.nextPaused()];
    const answers = await queue(proxy, "/1", "/2", "/3", "/4");
    const paused = [...await Promise.all(early), await proxy.nextPaused(), await proxy.nextPaused()];
    expect(paused.map(({ flow }) => flow.request.path)).toEqual(["/1", "/2", "/3", "/4"]);
    for (const one of paused.toReversed()) one.respond(`answer to ${one.flow.request.path}`);
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(
      ["/1", "/2", "/3", "/4"].map((path) => `answer to ${path}`),
    );
  });

  test("takes a matcher of any form: others keep their places", async () => {
    await using proxy = await asking();
    const later = proxy.nextPaused({ path: "/late" });
    const answers = await queue(proxy, "/1", "/2", "/late");
    (await proxy.nextPaused((flow) => flow.request.path === "/2")).respond("two");
    (await later).respond("late");
    (await proxy.nextPaused()).respond("one");
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(["one", "two", "late"]);
  });

  test("a matcher that throws is for its test to see", async () => {
    await using proxy = await asking();
    const thrown = proxy.nextPaused(() => {
      throw new Error("thrown by the test");
    }).catch((error) => error.message);
    const answer = get(proxy, "/1");
    expect(await thrown).toBe("thrown by the test");
    (await proxy.nextPaused()).respond("one");
    expect((await answer).text).toBe("one");
  });

  test("many at once", async () => {
    await using proxy = await asking();
    const answers = Array.from({ length: 50 }, (_, i) => get(proxy, `/${i}`));
    for (let i = 0; i < 50; i++) {
      const paused = await proxy.nextPaused();
      paused.respond(paused.flow.request.path);
    }
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(answers.map((_, i) => `/${i}`));
  });
});

test("no more than 1,000 flows wait at once: what comes beyond fails, and the others are released", async () => {
  const engine = new RuleEngine({ defaultAction: "ask" });
  const paused = Array.from({ length: 1000 }, () => pass(engine, {}));
  await expect(pass(engine, {})).rejects.toThrow("1000 flows wait at breakpoints already");
  for (let i = 0; i < 1000; i++) (await engine.breakpoints.next(undefined)).respond("ok");
  for (const { response } of await Promise.all(paused)) expect(response?.text()).toBe("ok");
});

test("a flow that is over is gone, whichever hooks have told", async () => {
  const engine = new RuleEngine({ defaultAction: "ask" });
  const first = newFlow();
  const over = pass(engine, {}, first);
  const next = pass(engine);
  engine.breakpoints.ended(first);
  expect((await over).flow.error?.code).toBe("PROXY_CLOSED");
  const paused = await engine.breakpoints.next(undefined);
  paused.drop();
  expect((await next).flow).toBe(paused.flow);
});

describe("when no flow comes, it is said", () => {
  const failure = async (proxy: Proxy, matcher?: Parameters<Proxy["nextPaused"]>[0]) => {
    const error = await proxy.nextPaused(matcher, { timeout: 20 }).catch((error) => error);
    expect((error as FlowtapeError).code).toBe("PAUSED_TIMEOUT");
    return (error as Error).message;
  };

  test("that nothing is there", async () => {
    await using proxy = await asking();
    expect(await failure(proxy, "POST /orders")).toBe(
      "nextPaused(POST /orders) got no flow in 20 ms: no flow is paused\n\nno flows",
    );
  });

  test("which ones wait, and the nearest of them", async () => {
    await using proxy = await asking();
    const [answer] = await queue(proxy, "/orders");
    const message = await failure(proxy, "POST /orders");
    expect(message).toContain(
      "none that it wants is paused, but 1 flow was paused:\n  GET http://a.test/orders (request, rules[0])",
    );
    expect(message).toContain("- method: POST\n  + method: GET");
    (await proxy.nextPaused()).respond("ok");
    await answer;
  });

  test("which ones match but passed, and what took them", async () => {
    await using proxy = await startProxy({ rules: [["/a", respond({ body: "a" })]], defaultAction: "drop" });
    await get(proxy, "/a");
    await get(proxy, "/b").catch(() => {});
    expect(await failure(proxy, "/a")).toContain(
      "These match, and passed without being asked about:\n  GET http://a.test/a (200, rules[0] /a)",
    );
    expect(await failure(proxy, "/b")).toContain("GET http://a.test/b (DROPPED, defaultAction drop)");
  });

  test("which ones match, and were taken before", async () => {
    await using proxy = await asking();
    const [answer] = await queue(proxy, "/orders");
    const taken = await proxy.nextPaused();
    const message = await failure(proxy, "/orders");
    expect(message).toContain(
      "These match, and were asked about before:\n  GET http://a.test/orders (pending, rules[0] ",
    );
    expect(message).not.toContain("without being asked");
    taken.respond("ok");
    await answer;
  });

  test("which one came nearest", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "a" }) });
    await get(proxy, "/a");
    expect(await failure(proxy, "POST /a")).toContain("no flow is paused. Nearest:\n\n  GET http://a.test/a");
  });
});

describe("continueAll()", () => {
  test("forwards this one, those that nobody has taken, and all that come, until reset()", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: `origin ${target}` }));
    await using proxy = await startProxy({
      rules: [[() => true, "ask"]],
      upstream: { hosts: { "a.test": `127.0.0.1:${origin.port}` } },
    });
    const answers = await queue(proxy, "/taken", "/first", "/second");
    const taken = await proxy.nextPaused();
    (await proxy.nextPaused()).continueAll();
    expect((await answers[1]!).text).toBe("origin /first");
    expect((await answers[2]!).text).toBe("origin /second");
    expect((await get(proxy, "/third")).text).toBe("origin /third");
    expect(taken.waiting).toBe(true);
    taken.respond("mine");
    expect((await answers[0]!).text).toBe("mine");
    await expect(proxy.nextPaused("/x", { timeout: 10 })).rejects.toThrow("since continueAll() every flow passes");

    proxy.reset();
    const [again] = await queue(proxy, "/fourth");
    (await proxy.nextPaused()).respond("asked again");
    expect((await again!).text).toBe("asked again");
  });
});

describe("what nobody decides about", () => {
  test("reset() forwards, and the next test starts afresh", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({
      rules: [[() => true, "ask"]],
      upstream: { hosts: { "a.test": `127.0.0.1:${origin.port}` } },
    });
    const answers = await queue(proxy, "/taken", "/waiting");
    const taken = await proxy.nextPaused();
    const waiter = proxy.nextPaused("/never").catch((error) => error.code);
    proxy.reset();
    expect(await waiter).toBe("PROXY_RESET");
    for (const answer of answers) expect((await answer).text).toBe("ok");
    expect(() => taken.drop()).toThrow("was already forwarded");
  });

  test("is forwarded when the proxy closes, whoever had taken it, and close() names it", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: `origin ${target}` }));
    const proxy = await startProxy({
      rules: [["/taken", "ask"]],
      defaultAction: ask({ on: ["request", "response"] }),
      upstream: { hosts: { "a.test": `127.0.0.1:${origin.port}` } },
    });
    const answers = await queue(proxy, "/taken", "/waiting?token=s3cret");
    await proxy.nextPaused();
    const error = await proxy.close().catch((error) => error) as FlowtapeError;
    expect(error.code).toBe("PAUSED_UNANSWERED");
    expect(error.message).toBe(
      "2 flows were paused when the proxy was closed, and nobody had decided, so they were forwarded:\n" +
        "  GET http://a.test/taken (request, rules[0])\n" +
        "  GET http://a.test/waiting?token=[redacted] (request, defaultAction)\n" +
        "take each with proxy.nextPaused() and forward, respond or drop it, or call continueAll()",
    );
    expect((await answers[0]!).text).toBe("origin /taken");
    expect((await answers[1]!).text).toBe("origin /waiting?token=s3cret");
    await expect(proxy.nextPaused()).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  });

  test("does not keep close() waiting when its server never answers", async () => {
    const never = Promise.withResolvers<object>();
    await using origin = await startOrigin(() => never.promise);
    const proxy = await startProxy({ rules: [[() => true, "ask"]] });
    const answer = exchange(proxy.port, requestTo(`${origin.url}/`)).catch(() => "cut");
    await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
    await expect(proxy.close()).rejects.toMatchObject({ code: "PAUSED_UNANSWERED" });
    expect(await answer).toBe("cut");
    expect(proxy.flows.first()?.error?.code).toBe("PROXY_CLOSED");
    never.resolve({});
  });

  test("who waits when the proxy closes is turned away", async () => {
    const proxy = await asking();
    const waiter = proxy.nextPaused().catch((error) => error.code);
    await proxy.close();
    expect(await waiter).toBe("PROXY_CLOSED");
  });
});
