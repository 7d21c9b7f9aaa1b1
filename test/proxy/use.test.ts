// What a test adds while the proxy runs, and how it waits for what it wants to see.
import { http, HttpResponse } from "msw";
import { describe, expect, test } from "vitest";
import {
  type Addon,
  type FlowtapeError,
  type HttpFlow,
  OptionsError,
  type Proxy,
  respond,
  startProxy,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";

async function fetchText(proxy: Proxy, path: string): Promise<string> {
  return (await rawRequest(
    proxy.port,
    `GET http://a.test${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`,
  )).split("\r\n\r\n")[1]!;
}

describe("use()", () => {
  const base = { defaultAction: respond({ body: "default" }) };

  test("puts rules in front: the latest first, and a call in its own order", async () => {
    await using proxy = await startProxy({ ...base, rules: [["/x", respond({ body: "option" })]] });
    proxy.use(["/x", respond({ body: "first" })]);
    expect(await fetchText(proxy, "/x")).toBe("first");
    const second = proxy.use(["/x", respond({ body: "second a" })], ["/x", respond({ body: "second b" })]);
    expect(await fetchText(proxy, "/x")).toBe("second a");
    second.dispose();
    expect(await fetchText(proxy, "/x")).toBe("first");
  });

  test("handle.calls holds what its rules took, handle.enabled turns them off and on", async () => {
    await using proxy = await startProxy(base);
    const handle = proxy.use(["/x", respond({ body: "rule" })], ["/y", respond({ body: "rule" })]);
    await fetchText(proxy, "/x");
    await fetchText(proxy, "/y");
    await fetchText(proxy, "/z");
    expect(handle.calls.requests.map(({ path }) => path)).toEqual(["/x", "/y"]);
    expect(handle.enabled).toBe(true);
    handle.enabled = false;
    expect(await fetchText(proxy, "/x")).toBe("default");
    handle.enabled = true;
    expect(await fetchText(proxy, "/x")).toBe("rule");
    expect(handle.calls.length).toBe(3);
  });

  test("a handle is disposable, and may be disposed of twice", async () => {
    await using proxy = await startProxy(base);
    {
      using handle = proxy.use(["/x", respond({ body: "rule" })]);
      expect(await fetchText(proxy, "/x")).toBe("rule");
      handle.dispose();
    }
    expect(await fetchText(proxy, "/x")).toBe("default");
  });

  test("takes MSW handlers", async () => {
    await using proxy = await startProxy(base);
    const handle = proxy.use(
      http.get("http://a.test/users/:id", ({ params }) => HttpResponse.json({ id: params["id"] })),
    );
    expect(await fetchText(proxy, "/users/7")).toContain('{"id":"7"}');
    expect(handle.calls.length).toBe(1);
    handle.dispose();
    expect(await fetchText(proxy, "/users/7")).toBe("default");
  });

  test("after close() is refused, as everything else is", async () => {
    const proxy = await startProxy();
    await proxy.close();
    expect(() => proxy.use(["/", "drop"])).toThrow(expect.objectContaining({ code: "PROXY_CLOSED" }));
  });

  test("takes addons: they come behind those of the options, before rules, and go with the handle", async () => {
    const order: string[] = [];
    const named = (name: string): Addon => ({ name, requestHeaders: () => void order.push(name) });
    await using proxy = await startProxy({
      ...base,
      addons: [named("option")],
      rules: [[() => order.push("rule") < 0, "drop"]],
    });
    const one = proxy.use(named("one"));
    const two = proxy.use(named("two"), ["/x", respond({ body: "two" })]);
    expect(await fetchText(proxy, "/x")).toBe("two");
    expect(order).toEqual(["option", "one", "two"]);
    order.length = 0;
    one.enabled = false;
    two.enabled = false;
    expect(await fetchText(proxy, "/x")).toBe("default");
    expect(order).toEqual(["option", "rule"]);
    order.length = 0;
    two.enabled = true;
    one.enabled = true;
    await fetchText(proxy, "/x");
    expect(order).toEqual(["option", "one", "two"]);
    order.length = 0;
    one.dispose();
    // What is gone stays gone.
    one.enabled = true;
    two.dispose();
    await fetchText(proxy, "/x");
    expect(order).toEqual(["option", "rule"]);
  });

  test("an addon that is used twice goes with its handle only", async () => {
    let calls = 0;
    const addon: Addon = { requestHeaders: () => void calls++ };
    await using proxy = await startProxy(base);
    const one = proxy.use(addon);
    proxy.use(addon);
    one.dispose();
    await fetchText(proxy, "/");
    expect(calls).toBe(1);
  });

  test("refuses what is neither, and then adds none of it", async () => {
    await using proxy = await startProxy(base);
    const good = ["/x", respond({ body: "rule" })] as const;
    const bad: unknown[] = [null, "GET /x", {}, [], ["/x"], ["/x", "nothing"], { request: 1 }, { requst: () => {} }];
    for (const one of bad) {
      expect(() => proxy.use(good, one as Addon), JSON.stringify(one)).toThrow(OptionsError);
    }
    expect(await fetchText(proxy, "/x")).toBe("default");
  });

  test("B85 a rule added while a flow is in flight does not affect it", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using proxy = await startProxy({ ...base, addons: [{ response: () => gate }] });
    const first = fetchText(proxy, "/x");
    await expect.poll(() => proxy.flows.length).toBe(1);
    const handle = proxy.use(["/x", respond({ body: "late" })]);
    release();
    expect(await first).toBe("default");
    expect(await fetchText(proxy, "/x")).toBe("late");
    expect(handle.calls.length).toBe(1);
  });
});

describe("waitFor()", () => {
  test("resolves with flows that are over, those before and those to come", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    await fetchText(proxy, "/a");
    expect((await proxy.waitFor("/a")).requests.map(({ path }) => path)).toEqual(["/a"]);
    const three = proxy.waitFor({ host: "a.test" }, { count: 3 });
    await fetchText(proxy, "/b");
    await fetchText(proxy, "/c");
    await fetchText(proxy, "/d");
    expect((await three).requests.map(({ path }) => path)).toEqual(["/a", "/b", "/c"]);
  });

  test("does not take a flow that is still under way", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using proxy = await startProxy({
      defaultAction: respond({ body: "ok" }),
      addons: [{ response: () => gate }],
    });
    const answer = fetchText(proxy, "/a");
    await expect.poll(() => proxy.flows.length).toBe(1);
    await expect(proxy.waitFor("/a", { timeout: 30 })).rejects.toMatchObject({
      code: "WAIT_TIMEOUT",
      message: expect.stringContaining("saw 0 of 1 flows in 30 ms; 1 more is still under way"),
    });
    // Nor is a predicate asked about it, which may count on a response.
    const strict = (flow: HttpFlow) => flow.server!.port === 1;
    await expect(proxy.waitFor(strict, { timeout: 10 })).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
    const found = proxy.waitFor("/a");
    release();
    expect(((await found).first() as HttpFlow).response!.status).toBe(200);
    await answer;
  });

  test("takes flows that failed", async () => {
    await using proxy = await startProxy({ defaultAction: "drop" });
    const found = proxy.waitFor("/a");
    await rawRequest(proxy.port, "GET http://a.test/a HTTP/1.1\r\nHost: a\r\n\r\n").catch(() => {});
    expect(((await found).first() as HttpFlow).error!.code).toBe("DROPPED");
  });

  test("that takes too long says what came near, and what there was", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ status: 404 }) });
    await fetchText(proxy, "/orders/7?token=s3cret");
    const error = await proxy.waitFor({ method: "POST", path: "/orders/7" }, { count: 2, timeout: 20 })
      .catch((thrown: unknown) => thrown) as FlowtapeError;
    expect(error.code).toBe("WAIT_TIMEOUT");
    expect(error.message).toMatch(/^waitFor\(.*POST.*\) saw 0 of 2 flows in 20 ms/);
    expect(error.message).toContain("- method: POST");
    expect(error.message).toContain("+ method: GET");
    expect(error.message).toContain("1 flow");
    expect(error.message).not.toContain("s3cret");
  });

  test("that takes too long without any flow", async () => {
    await using proxy = await startProxy();
    await expect(proxy.waitFor("/a", { timeout: 1 })).rejects.toThrow(/saw 0 of 1 flows in 1 ms\n\nno flows/);
  });

  test("is ended by close()", async () => {
    const proxy = await startProxy();
    const waiting = proxy.waitFor("POST /a").catch((error: unknown) => error);
    await proxy.close();
    expect(await waiting).toMatchObject({ code: "PROXY_CLOSED", message: expect.stringContaining("POST /a") });
  });

  test("after close() finds what was there, and waits for nothing else", async () => {
    const proxy = await startProxy({ defaultAction: respond({}) });
    await fetchText(proxy, "/a");
    await proxy.close();
    expect((await proxy.waitFor("/a")).length).toBe(1);
    await expect(proxy.waitFor("/b")).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  });

  test("hands on what a predicate throws, and the connection does not suffer", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    const waiting = proxy.waitFor(() => {
      throw new Error("my mistake");
    }).catch((error: unknown) => error);
    expect(await fetchText(proxy, "/a")).toBe("ok");
    expect(await waiting).toMatchObject({ message: "my mistake" });
  });

  test.each([
    [{ count: 0 }, "waitFor().count is 0"],
    [{ count: 1.5 }, "waitFor().count is 1.5"],
    [{ timeout: -1 }, "waitFor().timeout is -1"],
    [{ timeout: "1s" }, 'waitFor().timeout is "1s"'],
    [{ timout: 1 }, 'did you mean "timeout"'],
  ])("refuses %j", async (options, message) => {
    await using proxy = await startProxy();
    const error = await proxy.waitFor("/", options as object).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as Error).message).toContain(message);
  });

  test("rejects for a matcher that cannot be read", async () => {
    await using proxy = await startProxy();
    await expect(proxy.waitFor({ methd: "GET" } as object)).rejects.toThrow('did you mean "method"');
  });
});

test("env() points a child at the proxy, whatever it inherited", async () => {
  await using proxy = await startProxy();
  const env = proxy.env({ HTTP_PROXY: "http://corporate.test", NO_PROXY: "*", PATH: "/bin", GONE: undefined });
  expect(env).toMatchObject({
    PATH: "/bin",
    HTTP_PROXY: proxy.url,
    https_proxy: proxy.url,
    NO_PROXY: "",
    SSL_CERT_FILE: proxy.ca.path,
  });
  expect("GONE" in env).toBe(false);
});

test("fetch takes what the global one takes", async () => {
  await using origin = await startOrigin(({ method, target, header, text }) => ({
    status: 201,
    headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
    body: `${method} ${target} ${header("x-a")} ${text()}`,
  }));
  await using proxy = await startProxy();
  const request = new Request(`${origin.url}/r`, { method: "PUT", headers: { "x-a": "1" }, body: "body" });
  const answers = await Promise.all([
    proxy.fetch(`${origin.url}/s`),
    proxy.fetch(new URL(`${origin.url}/u`), { method: "POST", body: "text", headers: { "x-a": "2" } }),
    proxy.fetch(request),
    proxy.fetch(new Request(`${origin.url}/o`), { method: "DELETE" }),
  ]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
    "GET /s undefined ",
    "POST /u 2 text",
    "PUT /r 1 body",
    "DELETE /o undefined ",
  ]);
  expect(answers[0]!.status).toBe(201);
  expect(answers[0]!.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  await expect(proxy.fetch(`${origin.url}/x`, { signal: AbortSignal.abort() })).rejects.toThrow();
});
