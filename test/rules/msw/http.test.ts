import { gzipSync } from "node:zlib";
import { bypass, delay, http, HttpResponse, passthrough, type RequestHandler } from "msw";
import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../../src/flow/http_flow.ts";
import { respond, RuleEngine, type RuleLike, ruleOf } from "../../../src/rules/mod.ts";
import { VERSIONS } from "./versions.ts";
import { answer, encode, newFlow, pass, type Sent, streamOf } from "../pass.ts";

const engineOf = (...rules: RuleLike[]) => new RuleEngine({ rules });
const text = (value: string) => () => HttpResponse.text(value);

/** What a resolver sees of a request. */
async function seen<T>(sent: Sent, look: (request: Request) => T | Promise<T>): Promise<T> {
  let result: T | undefined;
  const engine = engineOf(http.all("*", async ({ request }) => {
    result = await look(request);
    return new HttpResponse(null);
  }));
  await pass(engine, sent);
  return result!;
}

describe("a handler is a rule", () => {
  test("beside tuples, in the same order", async () => {
    const engine = engineOf(
      http.get("https://api.test/users/:id", ({ params }) => HttpResponse.json({ id: params.id })),
      ["https://api.test/users/*", respond({ body: "tuple" })],
      http.all("https://api.test/*", text("all")),
    );
    expect(await answer(engine, "https://api.test/users/7?x=1")).toBe('{"id":"7"}');
    expect(await answer(engine, "https://api.test/users/7/posts")).toBe("tuple");
    expect(await answer(engine, { method: "DELETE", url: "https://api.test/" })).toBe("all");
    expect(await answer(engine, "https://other.test/")).toBe("forwarded");
  });

  test("also in an array", async () => {
    const engine = engineOf([http.get("http://a.test/", text("one")), http.post("http://a.test/", text("two"))]);
    expect(await answer(engine)).toBe("one");
    expect(await answer(engine, { method: "POST" })).toBe("two");
  });

  test("with a path of any host, a pattern, a predicate, or in another case", async () => {
    const engine = engineOf(
      http.get("/relative", text("relative")),
      http.get(/\/reg[a-z]+$/, text("regexp")),
      http.get("*/end", text("wildcard")),
      http.get("http://:tenant.b.test/", ({ params }) => HttpResponse.text(`tenant ${params.tenant}`)),
      http.get("HTTP://A.test:8080/port", text("port")),
      http.get("http://a.test/a/:x*", text("repeated")),
      http.get("http://a.test/users/:id?", text("optional")),
    );
    expect(await answer(engine, "https://any.test/relative")).toBe("relative");
    expect(await answer(engine, "http://a.test/regexp")).toBe("regexp");
    expect(await answer(engine, "http://a.test/the/end")).toBe("wildcard");
    expect(await answer(engine, "http://x.b.test/")).toBe("tenant x");
    expect(await answer(engine, "http://a.test:8080/port")).toBe("port");
    expect(await answer(engine, "http://a.test/port")).toBe("forwarded");
    expect(await answer(engine, "http://a.test/a/b/c")).toBe("repeated");
    expect(await answer(engine, "http://a.test/users")).toBe("optional");
  });

  test("its response is sent as it is", async () => {
    const { response, flow } = await pass(engineOf(http.get("*", () => {
      const response = HttpResponse.text("x", { status: 201, statusText: "Made" });
      response.headers.append("set-cookie", "a=1; HttpOnly");
      response.headers.append("set-cookie", "b=2");
      return response;
    })));
    expect([response!.status, response!.reason, response!.text()]).toEqual([201, "Made", "x"]);
    expect(response!.headers.getAll("set-cookie")).toEqual(["a=1; HttpOnly", "b=2"]);
    expect(flow.source).toBe("rule");
    expect(ruleOf(flow)).toEqual({ place: "rules[0]", description: "GET *", forwarded: false });
  });

  test("its body streams", async () => {
    const engine = engineOf(http.get("*", () => new HttpResponse(streamOf("a", "b", "c"))));
    const flow = newFlow();
    await engine.requestHeaders(flow);
    expect(flow.response!.content.complete).toBe(false);
    const pieces: string[] = [];
    for await (const piece of flow.response!.source!) pieces.push(new TextDecoder().decode(piece));
    expect(pieces).toEqual(["a", "b", "c"]);
  });
});

describe("what it answers", () => {
  test("passthrough() forwards, and keeps the rules below away", async () => {
    const engine = engineOf(http.get("*", () => passthrough()), [() => true, "drop"]);
    const { flow, forwarded } = await pass(engine);
    expect(forwarded).toBe(true);
    expect(ruleOf(flow)?.forwarded).toBe(true);
  });

  test("nothing leaves the flow to the next rule", async () => {
    const engine = engineOf(http.get("*", () => undefined), http.get("*", text("next")));
    expect(await answer(engine)).toBe("next");
  });

  test("HttpResponse.error() cuts the connection", async () => {
    expect(await answer(engineOf(http.get("*", () => HttpResponse.error())))).toBe("error DROPPED");
  });

  test("a thrown Response is an answer", async () => {
    const engine = engineOf(http.get("*", () => {
      throw HttpResponse.text("thrown", { status: 400 });
    }));
    expect(await answer(engine)).toBe("thrown");
  });

  test("anything else thrown fails the flow, and names the handler", async () => {
    const engine = engineOf(http.get("http://a.test/", () => {
      throw new Error("boom");
    }));
    await expect(pass(engine)).rejects.toThrow("rules[0] (GET http://a.test/): boom");
  });

  test("once answers once, again after reset", async () => {
    const engine = engineOf(http.get("*", text("once"), { once: true }), http.get("*", text("then")));
    expect([await answer(engine), await answer(engine)]).toEqual(["once", "then"]);
    engine.reset();
    expect([await answer(engine), await answer(engine)]).toEqual(["once", "then"]);
  });

  test("generators answer step by step", async () => {
    const engine = engineOf(http.get("*", function* () {
      yield HttpResponse.text("1");
      yield HttpResponse.text("2");
      return HttpResponse.text("end");
    }));
    const all = [await answer(engine), await answer(engine), await answer(engine), await answer(engine)];
    expect(all).toEqual(["1", "2", "end", "end"]);
  });

  test("generators begin again after reset, where MSW can do that", async () => {
    const handler = http.get("*", function* () {
      yield HttpResponse.text("1");
      return HttpResponse.text("2");
    });
    const engine = engineOf(handler);
    await answer(engine);
    engine.reset();
    expect(await answer(engine)).toBe("reset" in handler ? "1" : "2");
  });

  test("after a delay", async () => {
    const engine = engineOf(http.get("*", async () => {
      await delay(10);
      return HttpResponse.text("late");
    }));
    expect(await answer(engine)).toBe("late");
  });

  test("never, when the proxy closes first", async () => {
    let aborted = false;
    const engine = engineOf(http.get("*", ({ request }) => {
      request.signal.addEventListener("abort", () => aborted = true);
      return new Promise<never>(() => {});
    }));
    const passing = pass(engine);
    await delay(5);
    engine.close();
    expect((await passing).flow.error?.code).toBe("PROXY_CLOSED");
    expect(aborted).toBe(true);
  });
});

describe("the request it sees", () => {
  test("has all that was sent", async () => {
    const sent: Sent = {
      method: "POST",
      url: "https://a.test/p?q=1",
      headers: { cookie: "a=1; b=2", connection: "keep-alive", origin: "https://b.test", "x-two": ["1", "2"] },
      body: '{"a":1}',
    };
    expect(
      await seen(sent, async (request) => ({
        line: `${request.method} ${request.url}`,
        headers: ["cookie", "host", "connection", "origin", "x-two"].map((name) => request.headers.get(name)),
        json: await request.json(),
      })),
    ).toEqual({
      line: "POST https://a.test/p?q=1",
      headers: ["a=1; b=2", "a.test", "keep-alive", "https://b.test", "1, 2"],
      json: { a: 1 },
    });
  });

  test("has its cookies apart", async () => {
    const engine = engineOf(http.get("*", ({ cookies }) => HttpResponse.json(cookies)));
    expect(await answer(engine, { headers: { cookie: "a=1; b=2" } })).toBe('{"a":"1","b":"2"}');
  });

  test("has no cookies of a store: those that a mock has set are the client's to send", async () => {
    for (const [, { http, HttpResponse }] of VERSIONS) {
      const engine = engineOf(
        http.get("http://a.test/login", () => new HttpResponse(null, { headers: { "set-cookie": "token=1; Path=/" } })),
        http.get("http://a.test/me", ({ cookies }) => HttpResponse.json(cookies)),
      );
      await pass(engine, { url: "http://a.test/login" });
      expect(await answer(engine, "http://a.test/me")).toBe("{}");
    }
  });

  test("has a decoded body", async () => {
    const zipped = gzipSync("zipped");
    const sent: Sent = { method: "PUT", headers: { "content-encoding": "gzip", "content-length": "99" }, body: zipped };
    const look = async (request: Request) => [await request.text(), request.headers.get("content-encoding")];
    expect(await seen(sent, look)).toEqual(["zipped", null]);
    expect(await seen({ ...sent, body: "damaged" }, look)).toEqual(["damaged", "gzip"]);
  });

  test("has binary bodies as they were", async () => {
    const bytes = new Uint8Array([0, 255, 128, 10]);
    expect([...await seen({ method: "POST", body: bytes }, (request) => request.bytes())]).toEqual([...bytes]);
  });

  test.each(["GET", "HEAD"])("has no body for %s", async (method) => {
    expect(await seen({ method, body: "x" }, (request) => request.body)).toBe(null);
  });

  test.each(["PATCH", "patch", "OPTIONS", "QUERY", "PURGE", "TRACE"])("has the method %s", async (method) => {
    expect(await seen({ method }, (request) => request.method)).toBe(method);
  });

  test("can be read by each of several handlers", async () => {
    const heard: string[] = [];
    const listen = http.post("*", async ({ request }) => void heard.push(await request.text()));
    const engine = engineOf(listen, http.post("*", async ({ request }) => HttpResponse.text(await request.text())));
    expect(await answer(engine, { method: "POST", body: "body" })).toBe("body");
    expect(heard).toEqual(["body"]);
  });

  test("can be sent on with bypass()", async () => {
    const engine = engineOf(http.post("*", async ({ request }) => {
      const onward = bypass(request, { method: "PUT" });
      return HttpResponse.text(`${onward.method} ${await onward.text()}`);
    }));
    expect(await answer(engine, { method: "POST", body: "body" })).toBe("PUT body");
  });

  test("is what an earlier addon has made of it", async () => {
    const before = [{ requestHeaders: (flow: HttpFlow) => void (flow.request.url = "http://b.test/edited") }];
    const engine = engineOf(http.get("http://b.test/:path", ({ params }) => HttpResponse.text(`${params.path}`)));
    const { response } = await pass(engine, { addons: { before } });
    expect(response?.text()).toBe("edited");
  });
});

describe("the body of a request", () => {
  const engine = engineOf(
    http.post("https://api.test/users", text("users")),
    http.post("https://api.test/orders/:id", text("order")),
    http.get("https://api.test/users", text("list")),
    http.post("https://api.test/v1.2/:a/b", text("version")),
    http.post("HTTPS://API.test/Admin/X", text("upper")),
  );

  test.each([
    ["POST", "https://api.test/users", true],
    ["POST", "https://API.test/Users/", true],
    ["POST", "https://api.test/orders/1", true],
    ["POST", "https://other.test/users", false],
    ["POST", "http://api.test/users", false],
    ["PUT", "https://api.test/users", false],
    ["POST", "https://api.test/items/1", false],
    ["POST", "https://api.test/v1.2/a/b", true],
    ["POST", "https://api.test/v1/a/b", false],
    ["POST", "https://api.test/admin/x", true],
    ["POST", "https://api.test/root/x", false],
  ])("%s %s: waited for %s", async (method, url, waits) => {
    const { hooks } = await pass(engine, { method, url, body: encode("x") });
    expect(hooks.includes("request")).toBe(waits);
  });
});

test("a request that an addon sends elsewhere while its body arrives is no longer theirs", async () => {
  const after = [{ requestHeaders: (flow: HttpFlow) => void (flow.request.url = "http://b.test/") }];
  const engine = engineOf(http.post("http://a.test/", text("taken")));
  expect(await answer(engine, { method: "POST", body: "1", addons: { after } })).toBe("forwarded");
});

test("a request that an addon has sent elsewhere may be theirs", async () => {
  const after = [{ requestHeaders: (flow: HttpFlow) => void (flow.request.url = "http://b.test/") }];
  const engine = engineOf(
    http.post("http://a.test/x", text("x")),
    [{ body: "2" }, "drop"],
    http.post("http://b.test/", text("b")),
  );
  expect(await answer(engine, { method: "POST", body: "1", addons: { after } })).toBe("b");
});

test("the case of a method does not count for them", async () => {
  expect(await answer(engineOf(http.get("*", text("taken"))), { method: "gEt" })).toBe("taken");
});

test("a request for a WebSocket is not theirs", async () => {
  const flow = newFlow({ url: "ws://a.test/" });
  await pass(engineOf(http.get("*", text("taken"))), {}, flow);
  expect(flow.source).toBe("upstream");
});

test("handlers are only known by their shape", async () => {
  const handler = {
    info: { header: "homemade" },
    run: ({ request }: { request: Request }) =>
      Promise.resolve(request.url.endsWith("/a") ? { response: new Response("home") } : null),
  };
  expect(await answer(engineOf(handler), "http://a.test/a")).toBe("home");
  expect(await answer(engineOf(handler), "http://a.test/b")).toBe("forwarded");
  const typed: RequestHandler = http.get("*", text("x"));
  expect(engineOf(typed, [typed])).toBeInstanceOf(RuleEngine);
});
