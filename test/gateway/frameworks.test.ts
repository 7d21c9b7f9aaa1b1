// Handlers of frameworks and runtimes, as they are.
import { Hono } from "hono";
import { H3 } from "h3";
import { describe, expect, test } from "vitest";
import { forwarded, type Handler, type HandlerInfo, mount } from "../../src/gateway/mod.ts";
import { startProxy } from "../../src/mod.ts";
import { runtime } from "../support/runtime.ts";
import { ask } from "./client.ts";

test("Hono: app.fetch, with info as its bindings", async () => {
  const app = new Hono<{ Bindings: HandlerInfo }>();
  app.get("/items/:id", (context) => context.json({ id: context.req.param("id"), to: context.env.url?.host }));
  app.post("/echo", async (context) => context.text(await context.req.text()));
  app.use("/guarded", async (context, next) => {
    await next();
    context.header("x-guard", "passed");
  });
  app.get("/guarded", (context) => context.text("in"));
  await using proxy = await startProxy({ app: mount(app.fetch) });
  expect(JSON.parse((await ask(proxy, "https://shop.test/items/7?a=b")).text)).toEqual({ id: "7", to: "shop.test" });
  expect((await ask(proxy, "http://shop.test/echo", { method: "POST", body: "hello" })).text).toBe("hello");
  const { header, text } = await ask(proxy, "http://shop.test/guarded");
  expect([header("x-guard"), text]).toEqual(["passed", "in"]);
  expect((await ask(proxy, "http://shop.test/missing")).status).toBe(404);
});

test("Hono routes by prefix and host", async () => {
  const app = new Hono().basePath("/live").get("/*", (context) => context.text(`live ${context.req.path}`));
  await using proxy = await startProxy({ app: mount(app.fetch, { prefix: "/live/" }) });
  expect((await ask(proxy, "https://shop.test/a")).text).toBe("live /live/https://shop.test/a");
});

test("h3: app.fetch", async () => {
  const app = new H3({ silent: true });
  app.get("/items/:id", (event) => ({ id: event.context.params!["id"] }));
  app.post("/echo", async (event) => await event.req.text());
  app.get("/fails", () => {
    throw new Error("as asked");
  });
  await using proxy = await startProxy({ app: mount((request) => app.fetch(request)) });
  expect(JSON.parse((await ask(proxy, "https://shop.test/items/7")).text)).toEqual({ id: "7" });
  expect((await ask(proxy, "http://shop.test/echo", { method: "POST", body: "hello" })).text).toBe("hello");
  expect((await ask(proxy, "http://shop.test/fails")).status).toBe(500);
});

describe("the handlers of runtimes and of @std/http", () => {
  test("a handler of Deno.serve is one of these: types", () => {
    // What route() of @std/http gives has the second type, and what serveDir() is called in the first.
    const handler: Deno.ServeHandler<Deno.NetAddr> = (_, info) => new Response(`${info.remoteAddr.hostname}`);
    const routed: (request: Request, info?: Deno.ServeHandlerInfo) => Response | Promise<Response> = () =>
      new Response();
    for (const one of [handler, routed] satisfies Handler[]) expect(mount(one)).toBeDefined();
  });

  test.runIf(runtime !== "node")("the same application under Deno.serve or Bun.serve, without a proxy", async () => {
    const gateway = mount(
      (request, info) => new Response(`${new URL(request.url).pathname} ${info.url} ${info.proxyHost}`),
      {
        prefix: "/p/",
      },
    );
    const fetch_ = (request: Request) => gateway.fetch(request);
    const server = await serve(fetch_);
    try {
      const response = await fetch(`http://127.0.0.1:${server.port}/path`);
      expect(await response.text()).toBe("/path undefined undefined");
      const refused = await fetch(`http://127.0.0.1:${server.port}/path`, { method: "POST", body: "x" });
      expect(await refused.text()).toBe("/path undefined undefined");
    } finally {
      await server.stop();
    }
  });
});

describe.runIf(runtime !== "node")("servers of the runtime tell who the client is, without a proxy", () => {
  const show: Handler = (_, info) => Response.json([info.remoteAddr.hostname, info.client?.host]);
  const trusting = forwarded(show, { trustIps: ["127.0.0.1"] });

  test.each<[string, Handler, string]>([
    ["mount()", (request, info) => mount(show).fetch(request, info), "127.0.0.1"],
    ["mount(forwarded())", (request, info) => mount(trusting).fetch(request, info), "192.0.2.9"],
    ["forwarded()", trusting, "192.0.2.9"],
  ])("%s", async (_, handler, expected) => {
    const server = await serve(handler as (request: Request) => Promise<Response>);
    try {
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { "x-forwarded-for": "192.0.2.9" } });
      expect((await response.json() as string[])[0]).toBe(expected);
    } finally {
      await server.stop();
    }
  });
});

interface Running {
  port: number;
  stop(): unknown;
}

async function serve(handler: (request: Request) => Promise<Response>): Promise<Running> {
  if (runtime === "deno") {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    return await Promise.resolve({ port: server.addr.port, stop: () => server.shutdown() });
  }
  const { Bun } = globalThis as unknown as {
    Bun: { serve(options: object): { port: number; stop(now: true): unknown } };
  };
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler });
  return { port: server.port, stop: () => server.stop(true) };
}
