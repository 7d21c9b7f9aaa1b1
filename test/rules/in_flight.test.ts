// B85: rules that change while flows are under way, through a proxy.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  type Addon,
  delay,
  type Handle,
  type Proxy,
  respond,
  rule,
  scenario,
  startProxy,
  times,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";

const say = (text: string) => respond({ body: text });

/** A request of which the head is sent, and the body when it is asked for. */
async function headOf(proxy: Proxy) {
  const client = await connectRaw(proxy.port);
  await client.write("POST http://a.test/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
  await seen(proxy);
  return {
    async finish(): Promise<string> {
      await client.write("1");
      const answer = Buffer.from(await client.readAll()).toString();
      await client[Symbol.asyncDispose]();
      return answer.split("\r\n\r\n")[1]!;
    },
  };
}

/** The proxy has seen the head of a request. */
async function seen(proxy: Proxy): Promise<void> {
  while (proxy.flows.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("B85: a flow sees the list as it was when its head arrived", () => {
  const changes: [string, (proxy: Proxy, handle: Handle) => unknown, string][] = [
    ["a rule is added", (proxy) => proxy.use(["*", say("new")]), "new"],
    ["its rule is taken away", (_, handle) => handle.dispose(), "fallback"],
    ["its rule is turned off", (_, handle) => void (handle.enabled = false), "fallback"],
    ["the proxy is reset", (proxy) => proxy.reset(), "fallback"],
    ["the rules are configured anew", (proxy) => proxy.configure({ rules: [["*", say("configured")]] }), "old"],
  ];

  test.each(changes)("%s while its body is awaited", async (_, change, later) => {
    await using proxy = await startProxy({ defaultAction: say("fallback") });
    const handle = proxy.use([{ body: "1" }, say("old")]);
    const request = await headOf(proxy);
    await change(proxy, handle);
    expect(await request.finish()).toBe("old");
    const next = await proxy.fetch("http://a.test/x", { method: "POST", body: "1" });
    expect(await next.text()).toBe(later);
  });

  test.each(changes.slice(0, 4))("%s while an addon in front of the rules takes its time", async (_, change, later) => {
    const gate = Promise.withResolvers<void>();
    const slow: Addon = { requestHeaders: () => gate.promise };
    await using proxy = await startProxy({ defaultAction: say("fallback"), addons: [slow] });
    const handle = proxy.use(["*", say("old")]);
    const answer = proxy.fetch("http://a.test/x");
    await seen(proxy);
    await change(proxy, handle);
    gate.resolve();
    expect(await (await answer).text()).toBe("old");
    expect(await (await proxy.fetch("http://a.test/x")).text()).toBe(later);
  });

  test("a rule that an addon adds for a flow that is under way is for the next", async () => {
    await using proxy = await startProxy({
      defaultAction: say("fallback"),
      addons: [{ requestHeaders: () => void proxy.use(["*", say("new")]) }],
    });
    const get = async () => await (await proxy.fetch("http://a.test/x")).text();
    expect([await get(), await get()]).toEqual(["fallback", "new"]);
  });
});

test(
  "rules come and go while hundreds of flows pass: every flow gets one whole answer, and every rule its count",
  async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({
      rules: [
        ...Array.from({ length: 50 }, (_, i) => [`GET http://a.test/${i}`, say(`${i}`)] as const),
        rule({ query: { wait: true } }, delay({ min: 0, max: 3 }, say("waited")), { name: "wait", priority: 1 }),
        ["http://a.test/count", times(20, say("counted"))],
        ["http://a.test/step", scenario("s").whenState("started", say("first"), { willSetState: "second" })],
      ],
      defaultAction: say("fallback"),
      upstream: { hosts: { "origin.test": `127.0.0.1:${origin.port}` } },
    });
    let stop = false;
    const churn = (async () => {
      while (!stop) {
        const some = proxy.use(["/7", say("used")], [{ body: "x" }, say("body")], ["/never", "drop"]);
        await new Promise((resolve) => setTimeout(resolve, 0));
        some.enabled = false;
        await Promise.resolve();
        some.enabled = true;
        some.dispose();
        some.dispose();
      }
    })();
    const get = async (path: string, init?: RequestInit) =>
      await (await proxy.fetch(`http://a.test${path}`, init)).text();
    const send = async (i: number): Promise<void> => {
      switch (i % 6) {
        case 0:
          return expect(await get(`/${i % 50}`)).toMatch(/^(?:\d+|used)$/);
        case 1:
          return expect(await get("/7")).toMatch(/^(?:7|used)$/);
        case 2:
          return expect(await get("/7?wait=1")).toBe("waited");
        case 3:
          return expect(await get("/post", { method: "POST", body: "x" })).toMatch(/^(?:fallback|body)$/);
        case 4:
          return expect(await get("/count")).toMatch(/^(?:counted|fallback)$/);
        default:
          return expect(await get("/step")).toMatch(/^(?:first|fallback)$/);
      }
    };
    // After fifty requests at once the fetch of Deno 2.9.5 sends no more in this process, whatever the proxy.
    for (let wave = 0; wave < 300; wave += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => send(wave + i)));
    stop = true;
    await churn;
    const took = (text: string) =>
      [...proxy.flows].filter((flow) => flow.type === "http" && flow.response?.text() === text).length;
    expect([took("counted"), took("first"), took("waited")]).toEqual([20, 1, 50]);
    expect(await get("/7")).toBe("7");
  },
  30_000,
);

test("a rule that takes itself away, adds others, or resets the proxy while it is at work", async () => {
  await using proxy = await startProxy({ defaultAction: say("fallback") });
  const handle = proxy.use(["*", async (flow) => {
    handle.dispose();
    proxy.use(["*", say("next")]);
    await Promise.resolve();
    if (flow.request.path === "/reset") proxy.reset();
    say("self")(flow);
  }]);
  const get = async (path: string) => await (await proxy.fetch(`http://a.test${path}`)).text();
  expect(await get("/")).toBe("self");
  expect(await get("/")).toBe("next");
  proxy.reset();
  const other = proxy.use(["*", (flow) => {
    proxy.reset();
    return say("reset")(flow);
  }]);
  expect([await get("/"), await get("/"), other.calls.length]).toEqual(["reset", "fallback", 1]);
});
