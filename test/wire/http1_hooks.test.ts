/**
 * The hooks of an HTTP flow in a running proxy: their order, what waits for them, and what happens when they fail.
 */
import { describe, expect, test } from "vitest";
import { type Addon, FlowResponse, HookError, type HttpFlow, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { exchange, PATIENTLY, readResponse, requestTo } from "./http1_client.ts";

const HOOKS = ["requestHeaders", "request", "responseHeaders", "response"] as const;
type Hook = typeof HOOKS[number];

/** An addon that writes down which hooks fire. */
function scribe(log: string[], also: Addon = {}): Addon {
  const write = (name: Hook | "error") => (flow: HttpFlow) => {
    log.push(name);
    return also[name]?.(flow);
  };
  return {
    requestHeaders: write("requestHeaders"),
    request: write("request"),
    responseHeaders: write("responseHeaders"),
    response: write("response"),
    error: write("error"),
  };
}

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("order", () => {
  for (const kind of ["sync", "async"] as const) {
    const also: Addon = kind === "sync"
      ? {}
      : { requestHeaders: later, request: later, responseHeaders: later, response: later };

    test(`requestHeaders, request, responseHeaders, response: ${kind} hooks`, async () => {
      await using origin = await startOrigin();
      const log: string[] = [];
      await using proxy = await startProxy({ addons: [scribe(log, also)] });

      await exchange(proxy.port, requestTo(origin.url, { method: "POST", body: "hello" }));
      await exchange(proxy.port, requestTo(origin.url));

      expect(log).toEqual([...HOOKS, ...HOOKS]);
    });

    test(`the same with streamed bodies, each hook when its body has passed: ${kind} hooks`, async () => {
      await using origin = await startOrigin(() => ({ body: chunks("a", "b") }));
      const log: string[] = [];
      const addon = scribe(log, {
        ...also,
        requestHeaders: (flow) => {
          flow.request.stream = true;
          return also.requestHeaders?.(flow);
        },
        request: (flow) => {
          log.push(flow.request.text());
          return also.request?.(flow);
        },
        responseHeaders: (flow) => {
          flow.response!.stream = true;
          return also.responseHeaders?.(flow);
        },
        response: (flow) => {
          log.push(flow.response!.text());
          return also.response?.(flow);
        },
      });
      await using proxy = await startProxy({ addons: [addon] });

      const response = await exchange(proxy.port, requestTo(origin.url, { method: "POST", body: "hello" }));
      await proxy.waitFor({ method: "POST" });

      expect(response.text).toBe("ab");
      expect(log).toEqual(["requestHeaders", "request", "hello", "responseHeaders", "response", "ab"]);
    });
  }

  test("an answer of requestHeaders skips request, one of request does not", async () => {
    const log: string[] = [];
    const answer = (flow: HttpFlow) => void (flow.response = FlowResponse.create({ status: 201 }));
    await using proxy = await startProxy({
      addons: [
        scribe(log, {
          requestHeaders: (flow) => flow.request.path === "/early" ? answer(flow) : undefined,
          request: (flow) => answer(flow),
        }),
      ],
    });

    expect((await exchange(proxy.port, requestTo("http://a.invalid/early"))).status).toBe(201);
    expect((await exchange(proxy.port, requestTo("http://a.invalid/late"))).status).toBe(201);

    expect(log).toEqual(["requestHeaders", "responseHeaders", "response", ...HOOKS]);
    expect(Array.from(proxy.flows, (flow) => flow.type === "http" && flow.source)).toEqual(["addon", "addon"]);
  });

  test("a failure has an error hook and no response hook", async () => {
    const log: string[] = [];
    await using proxy = await startProxy({ addons: [scribe(log)] });

    await exchange(proxy.port, requestTo("http://a.invalid/"));

    expect(log).toEqual(["requestHeaders", "request", "error"]);
  });

  test("addons are called one after the other, each waiting for the one before", async () => {
    await using origin = await startOrigin();
    const log: string[] = [];
    const addon = (name: string): Addon => ({
      async requestHeaders() {
        log.push(`${name} in`);
        await later();
        log.push(`${name} out`);
      },
    });
    await using proxy = await startProxy({ addons: [addon("a"), addon("b")] });

    await exchange(proxy.port, requestTo(origin.url));

    expect(log).toEqual(["a in", "a out", "b in", "b out"]);
  });

  test("requestHeaders cannot read a body that has not arrived, and may read none", async () => {
    await using origin = await startOrigin();
    const seen: unknown[] = [];
    await using proxy = await startProxy({
      addons: [{
        requestHeaders(flow) {
          try {
            seen.push(flow.request.body.length);
          } catch (error) {
            seen.push((error as { code: string }).code);
          }
        },
      }],
    });

    await exchange(proxy.port, requestTo(origin.url));
    await exchange(proxy.port, requestTo(origin.url, { method: "POST", body: "x" }));

    expect(seen).toEqual([0, "BODY_INCOMPLETE"]);
  });
});

describe("async hooks", () => {
  for (const hook of HOOKS) {
    test(`a slow ${hook} hook delays its flow alone`, async () => {
      await using origin = await startOrigin();
      let reached = () => {};
      const waiting = new Promise<void>((resolve) => reached = resolve);
      let go = () => {};
      const gate = new Promise<void>((resolve) => go = resolve);
      await using proxy = await startProxy({
        addons: [{
          [hook](flow: HttpFlow) {
            if (flow.request.path !== "/slow") return;
            reached();
            return gate;
          },
        }],
      });

      const slow = exchange(proxy.port, requestTo(`${origin.url}/slow`));
      await waiting;
      expect((await exchange(proxy.port, requestTo(`${origin.url}/fast`))).text).toBe("ok");
      expect(proxy.flows.first()!.done).toBe(false);
      go();
      expect((await slow).text).toBe("ok");
    });
  }

  test("a client that hangs up while a hook waits is an aborted flow, and the server hears nothing", async () => {
    await using origin = await startOrigin();
    let reached = () => {};
    const waiting = new Promise<void>((resolve) => reached = resolve);
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    const log: string[] = [];
    await using proxy = await startProxy({
      addons: [scribe(log, {
        request() {
          reached();
          return gate;
        },
      })],
    });

    const client = await connectRaw(proxy.port);
    await client.write(requestTo(origin.url));
    await waiting;
    await client[Symbol.asyncDispose]();
    const flow = (await proxy.waitFor({ method: "GET" })).first()!;
    go();
    await later();

    expect(flow.error!.code).toBe("CLIENT_ABORTED");
    expect(log).toEqual(["requestHeaders", "request", "error"]);
    expect(origin.connections).toBe(0);
  });
});

describe("a hook of a streamed response", () => {
  test("the client has its answer and may go: the flow has not failed, and is done when the hook is", async () => {
    await using origin = await startOrigin(() => ({ body: chunks("a") }));
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    await using proxy = await startProxy({
      addons: [{ responseHeaders: (flow) => void (flow.response!.stream = true), response: () => gate }],
    });

    expect((await exchange(proxy.port, requestTo(origin.url))).text).toBe("a");
    await later();
    expect(proxy.flows.first()!.done).toBe(false);
    go();
    const flow = (await proxy.waitFor({ method: "GET" })).first()!;

    expect(flow.error).toBe(undefined);
  });
});

describe("a hook that throws", () => {
  for (const hook of HOOKS) {
    for (const kind of ["throws", "rejects"] as const) {
      test(`${hook} ${kind}: a 502 that names addon and hook; close() rejects; the proxy goes on`, async () => {
        await using origin = await startOrigin();
        const log: string[] = [];
        const lines: string[] = [];
        const proxy = await startProxy({
          addons: [
            {
              name: "faulty",
              [hook](flow: HttpFlow) {
                if (flow.request.path !== "/bad") return;
                if (kind === "throws") throw new Error("no such luck");
                return Promise.reject(new Error("no such luck"));
              },
              log: (entry) => lines.push(`${entry.level} ${entry.message}`),
            },
            scribe(log),
          ],
        });

        const bad = await exchange(proxy.port, requestTo(`${origin.url}/bad`, { method: "POST", body: "x" }));
        const after = [...log];
        const good = await exchange(proxy.port, requestTo(`${origin.url}/good`));
        const closing = await proxy.close().then(() => undefined, (error) => error);

        expect(bad.status).toBe(502);
        expect(bad.header("x-flowtape-error")).toBe("HOOK_FAILED");
        expect(bad.text).toContain(`hook ${hook} of addon "faulty" threw`);
        expect(bad.text).toContain("no such luck");
        // The addon behind it is spared the hook, and told of the error.
        expect(after).toEqual([...HOOKS.slice(0, HOOKS.indexOf(hook)), "error"]);
        expect(proxy.flows.first()!.error).toMatchObject({ code: "HOOK_FAILED", status: 502 });
        expect(good.text).toBe("ok");
        expect(closing).toBeInstanceOf(HookError);
        expect(closing.message).toContain(`hook ${hook} of addon "faulty" threw`);
        expect(lines.filter((line) => line.startsWith("error")).length).toBe(1);
      });
    }
  }

  test("a response hook of a streamed response comes too late for a 502", async () => {
    await using origin = await startOrigin(() => ({ body: chunks("a") }));
    const log: string[] = [];
    const proxy = await startProxy({
      addons: [scribe(log, {
        responseHeaders: (flow) => void (flow.response!.stream = true),
        response: () => {
          throw new Error("too late");
        },
      })],
    });

    await exchange(proxy.port, requestTo(origin.url));
    const flow = (await proxy.waitFor({ method: "GET" })).first()!;

    expect(flow.error!.code).toBe("HOOK_FAILED");
    // It has heard how the flow ends already.
    expect(log.at(-1)).toBe("response");
    await expect(proxy.close()).rejects.toThrow("too late");
  });

  test("an error hook that throws is reported, and the client still gets its answer", async () => {
    const proxy = await startProxy({
      addons: [{
        error() {
          throw new Error("worse");
        },
      }],
    });

    const response = await exchange(proxy.port, requestTo("http://a.invalid/"));

    expect(response.header("x-flowtape-error")).toBe("UPSTREAM_UNRESOLVED");
    await expect(proxy.close()).rejects.toThrow("worse");
  });

  test("needs() that throws fails its flow, and close()", async () => {
    await using origin = await startOrigin();
    const proxy = await startProxy({
      addons: [{
        name: "faulty",
        request: () => {},
        needs(_hook, flow) {
          if (flow.request.path === "/bad") throw new Error("no idea");
          return false;
        },
      }],
    });

    const bad = await exchange(proxy.port, requestTo(`${origin.url}/bad`));
    const good = await exchange(proxy.port, requestTo(`${origin.url}/good`));

    expect(bad.status).toBe(502);
    expect(bad.text).toContain("no idea");
    expect(good.text).toBe("ok");
    expect(proxy.flows.first()!.error!.code).toBe("HOOK_FAILED");
    await expect(proxy.close()).rejects.toThrow("no idea");
  });

  const nonsense: Record<string, (flow: HttpFlow) => unknown> = {
    "a response that is none": (flow) => flow.response = { status: 200 } as FlowResponse,
    "a method that is no token": (flow) => flow.request.method = "GET / HTTP/1.1\r\nX:",
    "a body stream that is taken": (flow) => {
      const body = new ReadableStream<Uint8Array>();
      body.getReader();
      flow.response = FlowResponse.create({ body });
    },
    "a reason that splits the head": (flow) => flow.response = FlowResponse.create({ reason: "OK\r\nX-Injected: 1" }),
    "a status that is none": (flow) => {
      flow.response = FlowResponse.create();
      flow.response.status = 99;
    },
    "a status that announces another one": (flow) => {
      flow.response = FlowResponse.create();
      flow.response.status = 100;
    },
  };
  for (const [name, edit] of Object.entries(nonsense)) {
    for (const hook of ["requestHeaders", "request"] as const) {
      test(`a ${hook} hook that leaves ${name} behind fails its flow, and close()`, async () => {
        await using origin = await startOrigin();
        const proxy = await startProxy({
          addons: [{ [hook]: (flow: HttpFlow) => flow.request.path === "/bad" ? void edit(flow) : undefined }],
        });

        const bad = await exchange(proxy.port, requestTo(`${origin.url}/bad`));
        const good = await exchange(proxy.port, requestTo(`${origin.url}/good`));

        expect(bad.status).toBe(502);
        expect(proxy.flows.first()!.error!.code).toBe("HOOK_FAILED");
        expect(good.text).toBe("ok");
        expect(origin.requests.map((it) => it.target)).toEqual(["/good"]);
        await expect(proxy.close()).rejects.toThrow(`${origin.url}/bad cannot go on as its addons left it`);
      });
    }
  }

  test("what cannot even be made text is told too", async () => {
    const proxy = await startProxy({
      addons: [{
        name: "odd",
        requestHeaders: () => {
          throw Object.create(null, { toString: { get: () => expect.unreachable() } });
        },
      }],
    });

    expect((await exchange(proxy.port, requestTo("http://a.invalid/"))).status).toBe(502);
    await expect(proxy.close()).rejects.toThrow('hook requestHeaders of addon "odd" threw for GET http://a.invalid/');
  });

  test.each([
    { code: "A\r\nX-Injected: 1", message: "in the code" },
    { code: "ODD", message: "no status", status: 99 },
    { code: "ODD", message: "no number", status: "200 OK\r\nX-Injected: 1" as unknown as number },
  ])("an error that cannot be told cuts the connection: $message", async (error) => {
    await using proxy = await startProxy({ addons: [{ requestHeaders: (flow) => void (flow.error = error) }] });
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo("http://a.invalid/"));
    await client.closed;

    expect(client.received.length).toBe(0);
    expect(proxy.flows.first()).toMatchObject({ done: true, error });
  });
});

/** An addon hears once how a flow ends: `response` is an end, too. */
function endingIn(hook: (typeof HOOKS)[number]): string[] {
  const heard = HOOKS.slice(0, HOOKS.indexOf(hook) + 1);
  return hook === "response" ? [...heard] : [...heard, "error"];
}

describe("flow.kill()", () => {
  for (const hook of HOOKS) {
    test(`in ${hook}: the client's connection is cut, the flow has an error, the rest goes on`, async () => {
      await using origin = await startOrigin();
      const log: string[] = [];
      await using proxy = await startProxy({
        addons: [scribe(log, { [hook]: (flow: HttpFlow) => flow.request.path === "/bad" ? flow.kill() : undefined })],
      });
      await using client = await connectRaw(proxy.port);

      await client.write(requestTo(`${origin.url}/bad`));
      await client.closed;
      const after = [...log];

      expect(client.received.length).toBe(0);
      expect(proxy.flows.first()).toMatchObject({ done: true, error: { code: "KILLED" } });
      expect(after).toEqual(endingIn(hook));
      expect((await exchange(proxy.port, requestTo(`${origin.url}/good`))).text).toBe("ok");
    });

    test(`flow.error set in ${hook} ends the flow with its status`, async () => {
      await using origin = await startOrigin();
      const log: string[] = [];
      await using proxy = await startProxy({
        addons: [
          scribe(log, {
            [hook]: (flow: HttpFlow) => void (flow.error = { code: "TEAPOT", message: "short and stout", status: 418 }),
          }),
        ],
      });

      const response = await exchange(proxy.port, requestTo(origin.url));

      expect(response.status).toBe(418);
      expect(response.text).toContain("short and stout");
      expect(log).toEqual(endingIn(hook));
      expect(proxy.flows.first()).toMatchObject({ done: true, error: { code: "TEAPOT", status: 418 } });
    });
  }

  test("from outside, while the server is silent: client and server are cut", async () => {
    await using origin = await startRawServer((connection) => connection.closed);
    let killed: HttpFlow | undefined;
    await using proxy = await startProxy({ addons: [{ requestHeaders: (flow) => void (killed = flow) }] });
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    await expect.poll(() => origin.received.length, PATIENTLY).toBeGreaterThan(0);
    killed!.kill("MY_CODE");
    await client.closed;

    expect(client.received.length).toBe(0);
    expect(killed!.error!.code).toBe("MY_CODE");
    await expect.poll(() => origin.received.length, PATIENTLY).toBeGreaterThan(0);
  });

  test("of a flow that is done has no effect", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(origin.url));
      await readResponse(client);
      const flow = proxy.flows.last()! as HttpFlow;
      flow.kill();
      expect(flow.error).toBe(undefined);
    }
  });
});

async function* chunks(...pieces: string[]): AsyncIterable<string> {
  yield* pieces;
}
