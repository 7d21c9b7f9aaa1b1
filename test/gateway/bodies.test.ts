// Bodies between clients and applications: they pass as they come, wait for each other, and end when one side is gone.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Handler, mount } from "../../src/gateway/mod.ts";
import { type HttpFlow, type Proxy, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { readResponse, requestTo } from "../wire/http1_client.ts";
import { ask } from "./client.ts";

const URL_ = "http://example.com/path";

interface Logged {
  proxy: Proxy;
  log: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

async function start(handler: Handler, options: ProxyOptions = {}): Promise<Logged> {
  const log: string[] = [];
  const addons = [{
    log: ({ level, message }: { level: string; message: string }) => void log.push(`${level} ${message}`),
  }];
  const proxy = await startProxy({ app: mount(handler), addons, ...options });
  return { proxy, log, [Symbol.asyncDispose]: () => proxy.close() };
}

const flowOf = (proxy: Proxy) => proxy.flows.last() as HttpFlow;

describe("requests", () => {
  test("a body is read while it is still being sent", async () => {
    const got = Promise.withResolvers<string>();
    await using one = await start(async (request) => {
      const reader = request.body!.getReader();
      const first = await reader.read();
      got.resolve(Buffer.from(first.value!).toString());
      let size = 0;
      for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.length;
      return new Response(`${size} more`);
    });
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Content-Length: 10"] }));
    await client.write("first");
    expect(await got.promise).toBe("first");
    await client.write("other");
    expect((await readResponse(client)).text).toBe("5 more");
    expect(flowOf(one.proxy).request.text()).toBe("firstother");
  });

  test("a client waits for an application that does not read", async () => {
    const read = Promise.withResolvers<void>();
    await using one = await start(async (request) => {
      await read.promise;
      return new Response(String((await request.arrayBuffer()).byteLength));
    }, { capture: { maxBody: 1000 } });
    await using client = await connectRaw(one.proxy.port);
    const size = 32 * 1024 * 1024;
    let sent = false;
    await client.write(requestTo(URL_, { method: "POST", fields: [`Content-Length: ${size}`] }));
    const writing = client.write(new Uint8Array(size)).then(() => sent = true);
    let before = -1;
    await expect.poll(() => {
      const size = flowOf(one.proxy)?.request.content.size ?? 0;
      const same = size > 0 && size === before;
      before = size;
      return same;
    }, { timeout: 20_000, interval: 200 }).toBe(true);
    expect(sent).toBe(false);
    expect(before).toBeLessThan(size / 2);
    read.resolve();
    await writing;
    expect((await readResponse(client)).text).toBe(String(size));
  });

  test("Expect: 100-continue is answered when the application reads the body, and not before", async () => {
    const go = Promise.withResolvers<void>();
    await using one = await start(async (request) => {
      await go.promise;
      return new Response(await request.text());
    });
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Content-Length: 4", "Expect: 100-continue"] }));
    await expect.poll(() => one.proxy.flows.length, { timeout: 10_000 }).toBe(1);
    expect(client.received.length).toBe(0);
    go.resolve();
    expect((await readResponse(client)).status).toBe(100);
    await client.write("body");
    expect((await readResponse(client)).text).toBe("body");
  });

  test("Expect: 100-continue of a body that is not wanted is answered with the response alone", async () => {
    await using one = await start(() => new Response("no", { status: 413 }));
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Content-Length: 4", "Expect: 100-continue"] }));
    expect((await readResponse(client)).status).toBe(413);
  });

  test("an application may answer without reading: the connection goes on", async () => {
    await using one = await start(() => new Response("unread"));
    await using client = await connectRaw(one.proxy.port);
    for (const body of ["one", "x".repeat(500_000), "three"]) {
      await client.write(requestTo(URL_, { method: "POST", body }));
      expect((await readResponse(client)).text).toBe("unread");
    }
  });

  test("an application may cancel the body that it reads", async () => {
    await using one = await start(async (request) => {
      await request.body!.cancel();
      return new Response("cancelled");
    });
    const { text } = await ask(one.proxy, URL_, { method: "POST", body: "x".repeat(300_000) });
    expect(text).toBe("cancelled");
  });

  test("a hook has changed the body: that is what is read", async () => {
    await using proxy = await startProxy({
      app: mount(async (request) => new Response(`${request.headers.get("content-length")} ${await request.text()}`)),
      addons: [{ request: (flow) => void (flow.request.body = "changed") }],
    });
    expect((await ask(proxy, URL_, { method: "POST", body: "as it was" })).text).toBe("7 changed");
  });

  test("what an application does to the bytes it reads does not change what was captured", async () => {
    await using one = await start(async (request) => {
      for await (const piece of request.body!) piece.fill(0x78);
      return new Response();
    });
    // So large that it is kept as it was read.
    const body = "kept".repeat(50_000);
    await ask(one.proxy, URL_, { method: "POST", body });
    expect(flowOf(one.proxy).request.text() === body).toBe(true);
  });

  test.each(["GET", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "patch"])(
    "method %s arrives as it is",
    async (method) => {
      await using one = await start((request) => new Response(request.method));
      expect((await ask(one.proxy, URL_, { method })).text).toBe(method);
    },
  );

  test("a GET with a body is answered, though no platform has a body for it", async () => {
    await using one = await start((request) => new Response(String(request.body)));
    expect((await ask(one.proxy, URL_, { body: "in vain" })).text).toBe("null");
  });
});

describe("responses", () => {
  test("a body reaches the client piece by piece", async () => {
    const next = Promise.withResolvers<void>();
    await using one = await start(() =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(Buffer.from("one "));
            await next.promise;
            controller.enqueue(Buffer.from("two"));
            controller.close();
          },
        }),
      )
    );
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_));
    expect(await client.readUntil("one \r\n")).toContain("one ");
    next.resolve();
    expect(await client.readUntil("0\r\n\r\n")).toContain("two");
  });

  test("an application waits for a client that does not read", async () => {
    let given = 0;
    const piece = new Uint8Array(64 * 1024);
    const all = 1000;
    await using one = await start(() =>
      new Response(
        new ReadableStream({
          pull(controller) {
            if (given++ < all) controller.enqueue(piece.slice());
            else controller.close();
          },
        }),
      ), { capture: { maxBody: 1000 } });
    await using client = await connectRaw(one.proxy.port);
    client.socket.pause();
    await client.write(requestTo(URL_));
    let before = -1;
    await expect.poll(() => {
      const same = given > 0 && given === before;
      before = given;
      return same;
    }, { timeout: 20_000, interval: 200 }).toBe(true);
    expect(given).toBeLessThan(all);
    client.socket.resume();
    await expect.poll(() => given, { timeout: 20_000 }).toBeGreaterThan(before);
  });

  test("a stream of a client that has gone is cancelled, and the signal of the request aborts", async () => {
    const cancelled = Promise.withResolvers<unknown>();
    const aborted = Promise.withResolvers<string>();
    const completed = Promise.withResolvers<string>();
    await using one = await start((request, info) => {
      request.signal.addEventListener("abort", () => aborted.resolve((request.signal.reason as Error).name));
      info.completed.then(() => completed.resolve("resolved"), () => completed.resolve("rejected"));
      return new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(Buffer.alloc(1000)),
          cancel: (reason) => cancelled.resolve(reason),
        }),
      );
    });
    const client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_));
    await client.readHead();
    await client[Symbol.asyncDispose]();
    await cancelled.promise;
    expect(await aborted.promise).toBe("AbortError");
    expect(await completed.promise).toBe("rejected");
    await expect.poll(() => flowOf(one.proxy).error?.code, { timeout: 10_000 }).toBe("CLIENT_ABORTED");
  });

  test("info.completed resolves when the response has been handed over", async () => {
    const completed = Promise.withResolvers<string>();
    await using one = await start((_, info) => {
      info.completed.then(() => completed.resolve("resolved"), () => completed.resolve("rejected"));
      return new Response("ok");
    });
    await ask(one.proxy, URL_);
    expect(await completed.promise).toBe("resolved");
  });

  test("HEAD has the fields and no body, whose stream is cancelled", async () => {
    const cancelled = Promise.withResolvers<void>();
    await using one = await start(() =>
      new Response(new ReadableStream({ cancel: () => cancelled.resolve() }), { headers: { "content-length": "12" } })
    );
    const { header, text } = await ask(one.proxy, URL_, { method: "HEAD" });
    expect([header("content-length"), text]).toEqual(["12", ""]);
    await cancelled.promise;
  });

  test.each([204, 304])("%s has no body", async (status) => {
    await using one = await start(() => new Response(null, { status }));
    await using client = await connectRaw(one.proxy.port);
    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(URL_));
      const { header, ...response } = await readResponse(client);
      expect(response.status).toBe(status);
      expect(header("transfer-encoding")).toBeUndefined();
    }
  });

  test("fields pass: each cookie by itself; what concerns one connection is the proxy's", async () => {
    await using one = await start(() => {
      const headers = new Headers({ connection: "close", "transfer-encoding": "gzip, chunked", "x-own": "yes" });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response("ok", { headers, status: 201, statusText: "Made It" });
    });
    const { head, text, header } = await ask(one.proxy, URL_);
    expect(head).toContain("HTTP/1.1 201 Made It\r\n");
    expect(head).toContain("set-cookie: a=1\r\nset-cookie: b=2\r\n");
    expect([header("x-own"), header("connection"), text]).toEqual(["yes", undefined, "ok"]);
  });
});

describe("what goes wrong", () => {
  const failing: [string, Handler, string][] = [
    ["throws", () => {
      throw new TypeError("no such order");
    }, "TypeError: no such order"],
    ["rejects", () => Promise.reject(new RangeError("too late")), "RangeError: too late"],
    ["throws what is no error", () => {
      throw "just text";
    }, "it threw just text"],
    [
      "returns nothing",
      (() => undefined) as unknown as Handler,
      "the handler returned undefined: a Response is expected",
    ],
    ["returns text", (() => "text") as unknown as Handler, 'the handler returned "text": a Response is expected'],
    ["returns Response.error()", () => Response.error(), "the handler returned Response.error()"],
    ["returns a body that was read", async () => {
      const response = new Response("once");
      await response.text();
      return response;
    }, "has been read already"],
    ["returns a body that somebody reads", () => {
      const response = new Response("once");
      response.body!.getReader();
      return response;
    }, "APP_FAILED"],
  ];

  test.each(failing)("a handler that %s: 500 with the reason, and the proxy goes on", async (_, handler, reason) => {
    await using one = await start(handler);
    const { status, text } = await ask(one.proxy, URL_);
    expect(status).toBe(500);
    expect(text).toContain(reason);
    const { error, source, response } = flowOf(one.proxy);
    expect(error).toMatchObject({ code: "APP_FAILED", status: 500 });
    expect(error!.message).toContain("the application could not answer GET http://example.com/path: ");
    expect([source, response]).toEqual(["app", undefined]);
    expect(one.log.find((line) => line.startsWith("error the application could not answer"))).toBeDefined();
    expect((await ask(one.proxy, URL_)).status).toBe(500);
  });

  const breaking: [string, () => Response, string][] = [
    [
      "fails",
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(Buffer.from("some"));
              controller.error(new Error("the disk is gone"));
            },
          }, { highWaterMark: 0 }),
        ),
      "the disk is gone",
    ],
    ["is shorter than its length", () => new Response("abc", { headers: { "content-length": "5" } }), "has 3 bytes"],
    [
      "is longer than its length",
      () => new Response("abcdefg", { headers: { "content-length": "5" } }),
      "is longer than its",
    ],
    [
      "is no stream of bytes",
      () => new Response(new ReadableStream({ start: (c) => (c.enqueue("text" as never), c.close()) })),
      "",
    ],
  ];

  test.each(breaking)("a body that %s: the client sees that it is not whole", async (_, make, reason) => {
    await using one = await start(() => make());
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_));
    const got = Buffer.from(await client.readAll()).toString("latin1");
    expect(got.startsWith("HTTP/1.1 200 ")).toBe(true);
    expect(got.endsWith("0\r\n\r\n")).toBe(false);
    await expect.poll(() => flowOf(one.proxy).error?.code, { timeout: 10_000 }).toBe("APP_FAILED");
    expect(flowOf(one.proxy).error!.message).toContain(reason);
    expect(flowOf(one.proxy).error!.message).toContain("in the middle of its answer");
  });

  test("a handler that never answers: 504 when timeouts.head is over, and its signal aborts", async () => {
    const aborted = Promise.withResolvers<void>();
    await using one = await start((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      return new Promise(() => {});
    }, { timeouts: { head: 100 } });
    const { status, text } = await ask(one.proxy, URL_);
    expect(status).toBe(504);
    expect(text).toContain("the application did not answer GET http://example.com/path within 100 ms (timeouts.head)");
    expect(flowOf(one.proxy).error?.code).toBe("APP_TIMEOUT");
    await aborted.promise;
  });

  test("a body that does not go on: the connection is cut when timeouts.idle is over", async () => {
    await using one = await start(
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("some")) })),
      { timeouts: { idle: 100 } },
    );
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_));
    expect(Buffer.from(await client.readAll()).toString()).toContain("some");
    await expect.poll(() => flowOf(one.proxy).error?.code, { timeout: 10_000 }).toBe("APP_TIMEOUT");
  });

  test("the time for the head does not run while the client is still sending", async () => {
    await using one = await start(async (request) => new Response(await request.text()), { timeouts: { head: 1500 } });
    await using client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Content-Length: 4"] }));
    for (const letter of "slow") {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await client.write(letter);
    }
    expect((await readResponse(client)).text).toBe("slow");
  });

  test("a client that goes before there is an answer: the signal aborts, and what comes of it is let go", async () => {
    const entered = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    await using one = await start(async (request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      entered.resolve();
      await aborted.promise;
      return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
    });
    const client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_));
    await entered.promise;
    await client[Symbol.asyncDispose]();
    await cancelled.promise;
    expect(flowOf(one.proxy).error?.code).toBe("CLIENT_ABORTED");
  });

  test("a client that goes in the middle of its body: reading it fails", async () => {
    const failed = Promise.withResolvers<string>();
    const entered = Promise.withResolvers<void>();
    await using one = await start(async (request) => {
      entered.resolve();
      await request.text().catch((error) => failed.resolve((error as Error).name));
      return new Response();
    });
    const client = await connectRaw(one.proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Content-Length: 100"] }));
    await client.write("part");
    await entered.promise;
    await client[Symbol.asyncDispose]();
    expect(await failed.promise).toBe("AbortError");
  });

  test("the proxy closes in the middle: nothing is left", async () => {
    const entered = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const one = await start((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      entered.resolve();
      return new Promise(() => {});
    });
    const waiting = one.proxy.fetch(URL_).then(() => "answered", () => "failed");
    await entered.promise;
    await one.proxy.close();
    await aborted.promise;
    expect(await waiting).toBe("failed");
    expect(flowOf(one.proxy).error?.code).toBe("PROXY_CLOSED");
  });

  test("a flow that is killed while the application works", async () => {
    const aborted = Promise.withResolvers<void>();
    await using one = await start((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      flowOf(one.proxy).kill();
      return new Promise(() => {});
    });
    await expect(one.proxy.fetch(URL_)).rejects.toThrow();
    await aborted.promise;
    expect(flowOf(one.proxy).error?.code).toBe("KILLED");
  });

  test("two hundred at once, some of which fail", async () => {
    await using one = await start(async (request) => {
      const { searchParams } = new URL(request.url);
      const body = await request.text();
      if (searchParams.get("fail") === "true") throw new Error("as asked");
      return new Response(body);
    });
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const response = await one.proxy.fetch(`${i % 2 ? "http" : "https"}://h${i % 7}.test/?fail=${i % 5 === 0}`, {
        method: "POST",
        body: `body ${i}`,
      });
      return `${response.status} ${
        response.status === 200 ? await response.text() : await response.text().then(() => "")
      }`;
    }));
    expect(answers).toEqual(answers.map((_, i) => i % 5 === 0 ? "500 " : `200 body ${i}`));
  });
});
