// In which order the hooks of a flow fire, and that each addon hears once how it ended, however it ends.
import { describe, expect, test } from "vitest";
import {
  type Addon,
  drop,
  FlowResponse,
  type HookName,
  type HttpFlow,
  type ProxyOptions,
  respond,
  startProxy,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { startRawServer } from "../support/raw_server.ts";
import { tempFolder } from "../support/temp.ts";
import { endings, record } from "./recorder.ts";

const POST = (url: string, body = "hello") =>
  `POST ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n${body}`;

const WHOLE = ["requestHeaders", "request", "responseHeaders", "response"];

/** Lets a client talk to a server through a proxy with recorders before and behind the addons of a case. */
async function run(
  options: ProxyOptions,
  {
    server = (connection) => connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    client = async (connection, url) => {
      await connection.write(POST(url));
      await connection.readAll();
    },
  }: {
    server?: (connection: RawConnection) => unknown;
    client?: (connection: RawConnection, url: string) => Promise<unknown>;
  } = {},
): Promise<{ first: string[]; last: string[]; flow: HttpFlow; closed: unknown }> {
  const [first, last] = [record(), record()];
  await using origin = await startRawServer(async (connection) => {
    await connection.readUntil("\r\n\r\n");
    await server(connection);
    await connection.closed;
  });
  const proxy = await startProxy({ ...options, addons: [first.addon, ...options.addons ?? [], last.addon] });
  {
    await using connection = await connectRaw(proxy.port);
    await client(connection, `http://127.0.0.1:${origin.port}/`).catch(() => {});
    connection.socket.destroy();
  }
  await expect.poll(() => [...proxy.flows].every(({ done }) => done) && proxy.flows.length).toBe(1);
  const flow = proxy.flows.first() as HttpFlow;
  const closed = await proxy.close().catch((error: unknown) => error);
  return { first: first.only, last: last.only, flow, closed };
}

describe("the order", () => {
  test("of a whole exchange", async () => {
    const { first, last } = await run({});
    expect(first).toEqual(WHOLE);
    expect(last).toEqual(WHOLE);
  });

  test("addon by addon: a hook of the next begins when that of the one before has ended", async () => {
    const seen: string[] = [];
    const addon = (name: string): Addon =>
      Object.fromEntries(WHOLE.map((hook) => [hook, async () => {
        seen.push(`${name} ${hook} begins`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        seen.push(`${name} ${hook} ends`);
      }]));
    await run({ addons: [addon("a"), addon("b")] });
    expect(seen).toEqual(
      WHOLE.flatMap((hook) => ["a", "b"].flatMap((name) => [`${name} ${hook} begins`, `${name} ${hook} ends`])),
    );
  });

  test("when the request streams: request follows what was sent of it", async () => {
    let received = "";
    const { first, flow } = await run({
      addons: [{
        requestHeaders: ({ request }) => void (request.stream = true),
        request: ({ request }) => void (received += `${request.text()} is complete`),
      }],
    }, {
      async server(connection) {
        await connection.readUntil("hel");
        received += "some of ";
        await connection.readUntil("lo");
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      },
      async client(connection, url) {
        await connection.write(POST(url, "hel"));
        await expect.poll(() => received).toBe("some of ");
        await connection.write("lo");
        await connection.readAll();
      },
    });
    expect(received).toBe("some of hello is complete");
    expect(flow.error).toBeUndefined();
    expect(first).toEqual(WHOLE);
  });

  test("when the response streams: response follows what the client has got", async () => {
    const seen: string[] = [];
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    const { first } = await run({
      addons: [{
        responseHeaders: ({ response }) => void (response!.stream = true),
        response: ({ response }) => void seen.push(`response ${response!.text()}`),
      }],
    }, {
      async server(connection) {
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
        await gate;
        await connection.write("lo");
      },
      async client(connection, url) {
        await connection.write(POST(url));
        await connection.readUntil("hel");
        seen.push("the client has hel");
        go();
        await connection.readAll();
      },
    });
    expect(seen).toEqual(["the client has hel", "response hello"]);
    expect(first).toEqual(WHOLE);
  });

  test("with an informational response", async () => {
    const { first } = await run({}, {
      server: (connection) =>
        connection.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    });
    expect(first).toEqual(["requestHeaders", "request", "informational", "responseHeaders", "response"]);
  });
});

/** How a flow may end; what an addon before and one behind that of the case hear; the error, if it fails. */
interface Case {
  options?: ProxyOptions;
  server?: (connection: RawConnection) => unknown;
  client?: (connection: RawConnection, url: string) => Promise<unknown>;
  first: string[];
  last?: string[];
  error?: string;
}

const thrower = (hook: HookName): ProxyOptions => ({
  addons: [{
    [hook]: () => {
      throw new Error("on purpose");
    },
  }],
});
const killer = (hook: HookName): ProxyOptions => ({ addons: [{ [hook]: (flow: HttpFlow) => flow.kill() }] });
const streaming: ProxyOptions = { addons: [{ responseHeaders: ({ response }) => void (response!.stream = true) }] };
const half = (connection: RawConnection) => connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
const leave = (connection: RawConnection) => connection.socket.destroy();

/** The proxy has the head of a request; the server has a request. */
const [begun, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];

const CASES: Record<string, Case> = {
  "a rule answers at the head": {
    options: { rules: [["*", respond({ body: "x" })]] },
    first: ["requestHeaders", "responseHeaders", "response"],
  },
  "a rule answers when the body is there": {
    options: { rules: [[{ body: "hello" }, respond({ body: "x" })]] },
    first: WHOLE,
  },
  "a rule drops": { options: { rules: [["*", "drop"]] }, first: ["requestHeaders", "error"], error: "DROPPED" },
  "a rule that sees the body drops": {
    options: { rules: [[{ body: "hello" }, drop]] },
    first: ["requestHeaders", "request", "error"],
    error: "DROPPED",
  },
  "an addon answers": {
    options: { addons: [{ request: (flow) => void (flow.response = FlowResponse.create({ body: "x" })) }] },
    first: WHOLE,
  },
  "an addon sets an error": {
    options: { addons: [{ requestHeaders: (flow) => void (flow.error = { code: "MINE", message: "mine" }) }] },
    first: ["requestHeaders", "error"],
    error: "MINE",
  },
  "requestHeaders throws": {
    options: thrower("requestHeaders"),
    first: ["requestHeaders", "error"],
    last: ["error"],
    error: "HOOK_FAILED",
  },
  "request throws": {
    options: thrower("request"),
    first: ["requestHeaders", "request", "error"],
    last: ["requestHeaders", "error"],
    error: "HOOK_FAILED",
  },
  "responseHeaders throws": {
    options: thrower("responseHeaders"),
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    last: ["requestHeaders", "request", "error"],
    error: "HOOK_FAILED",
  },
  "response throws": {
    options: thrower("response"),
    first: WHOLE,
    last: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "HOOK_FAILED",
  },
  "response throws, when it has streamed": {
    options: { addons: [...streaming.addons!, ...thrower("response").addons!] },
    first: WHOLE,
    last: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "HOOK_FAILED",
  },
  "kill() in requestHeaders": {
    options: killer("requestHeaders"),
    first: ["requestHeaders", "error"],
    last: ["error"],
    error: "KILLED",
  },
  "kill() in request": {
    options: killer("request"),
    first: ["requestHeaders", "request", "error"],
    last: ["requestHeaders", "error"],
    error: "KILLED",
  },
  "kill() in responseHeaders": {
    options: killer("responseHeaders"),
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    last: ["requestHeaders", "request", "error"],
    error: "KILLED",
  },
  "kill() in response": {
    options: killer("response"),
    first: WHOLE,
    last: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "KILLED",
  },
  "the server refuses": {
    options: { upstream: { hosts: { "a.test": "127.0.0.1:1" } } },
    first: ["requestHeaders", "request", "error"],
    client: async (connection) => {
      await connection.write(POST("http://a.test/"));
      await connection.readAll();
    },
    error: "UPSTREAM_",
  },
  "the server hangs up before its head": {
    server: leave,
    first: ["requestHeaders", "request", "error"],
    error: "UPSTREAM_",
  },
  "the server hangs up in its head": {
    server: async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nContent-");
      leave(connection);
    },
    first: ["requestHeaders", "request", "error"],
    error: "UPSTREAM_",
  },
  "the server hangs up in its body": {
    server: async (connection) => {
      await half(connection);
      leave(connection);
    },
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "UPSTREAM_",
  },
  "the server hangs up in its body, which streams": {
    options: streaming,
    server: async (connection) => {
      await half(connection);
      leave(connection);
    },
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "UPSTREAM_",
  },
  "the client hangs up in its body": {
    options: { addons: [{ requestHeaders: () => begun.resolve() }] },
    client: async (connection, url) => {
      await connection.write(POST(url, "hel"));
      await begun.promise;
    },
    first: ["requestHeaders", "error"],
    error: "CLIENT_ABORTED",
  },
  "the client hangs up while the server thinks": {
    server: (connection) => {
      asked.resolve();
      return connection.closed;
    },
    client: async (connection, url) => {
      await connection.write(POST(url));
      await asked.promise;
    },
    first: ["requestHeaders", "request", "error"],
    error: "CLIENT_ABORTED",
  },
  "the client hangs up while the response streams": {
    options: streaming,
    server: half,
    client: async (connection, url) => {
      await connection.write(POST(url));
      await connection.readUntil("hel");
    },
    first: ["requestHeaders", "request", "responseHeaders", "error"],
    error: "CLIENT_ABORTED",
  },
};

/** The client hangs up while a hook is being waited for. */
for (const [i, hook] of WHOLE.entries()) {
  const called = Promise.withResolvers<void>();
  const until = async (flow: HttpFlow) => {
    called.resolve();
    while (flow.error === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  CASES[`the client hangs up during ${hook}`] = {
    options: { addons: [{ [hook]: until }] },
    client: async (connection, url) => {
      await connection.write(POST(url));
      await called.promise;
    },
    first: hook === "response" ? WHOLE : [...WHOLE.slice(0, i + 1), "error"],
    last: [...WHOLE.slice(0, i), "error"],
    error: "CLIENT_ABORTED",
  };
}

describe("each addon hears once how a flow ended", () => {
  test.each(Object.keys(CASES))("%s", async (name) => {
    const { options = {}, first, last = first, error, ...sides } = CASES[name]!;
    const seen = await run(options, sides);
    expect(seen.flow.error?.code.replace(/^(UPSTREAM_).*/, "$1")).toBe(error);
    expect(seen.first).toEqual(first);
    expect(seen.last).toEqual(last);
    expect([endings(seen.first), endings(seen.last)]).toEqual([1, 1]);
  });

  test("a tape answers", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin();
    for (const mode of ["record", "replay"] as const) {
      const { addon, only } = record();
      await using proxy = await startProxy({ addons: [addon], tape: { path: `${folder.path}/a.har`, mode } });
      await rawRequest(proxy.port, POST(`${origin.url}/`));
      await proxy.waitFor("/");
      // What the tape has needs no body of the request to be found, but the addon wants to see it.
      expect(only).toEqual(WHOLE);
    }
  });

  test("nothing on the tape matches", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin();
    const path = `${folder.path}/a.har`;
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      await rawRequest(proxy.port, POST(`${origin.url}/`));
    }
    const { addon, only } = record();
    const proxy = await startProxy({ addons: [addon], tape: { path, mode: "replay" } });
    await rawRequest(proxy.port, POST(`${origin.url}/other`));
    await proxy.close().catch(() => {});
    expect(endings(only)).toBe(1);
  });

  test.each([...WHOLE, "nothing"])("close() during %s", async (hook) => {
    const { addon, only } = record((name) => name === hook ? new Promise(() => {}) : undefined);
    await using silent = await startRawServer(async (connection) => {
      await connection.readUntil("\r\n\r\n");
      if (hook.startsWith("response")) await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      await connection.closed;
    });
    const proxy = await startProxy({ addons: [addon] });
    await using client = await connectRaw(proxy.port);
    await client.write(POST(`http://127.0.0.1:${silent.port}/`));
    await expect.poll(() => only.at(-1)).toBe(hook === "nothing" ? "request" : hook);
    await proxy.close();
    expect(only).toEqual(
      hook === "response" ? WHOLE : [...WHOLE.slice(0, hook === "nothing" ? 2 : WHOLE.indexOf(hook) + 1), "error"],
    );
    expect((proxy.flows.first() as HttpFlow).error?.code).toBe("PROXY_CLOSED");
  });

  test("an addon whose error hook throws does not keep the others from hearing it", async () => {
    const { first, last, closed } = await run({ rules: [["*", "drop"]], ...thrower("error") });
    expect(first.at(-1)).toBe("error");
    expect(last.at(-1)).toBe("error");
    expect((closed as Error).message).toContain("hook error of addon");
  });

  test("one that has no response hook hears of what fails after the others had theirs", async () => {
    const heard: string[] = [];
    await run({
      addons: [{ error: ({ error }) => void heard.push(error!.code) }, ...thrower("response").addons!],
    });
    expect(heard).toEqual(["HOOK_FAILED"]);
  });
});

describe("a slow hook", () => {
  test.each(WHOLE as HookName[])("%s delays its flow alone: a hundred others pass", async (hook) => {
    await using origin = await startOrigin(({ target }) => ({ body: `this is ${target}` }));
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using proxy = await startProxy({
      addons: [{ [hook]: ({ request }: HttpFlow) => request.path === "/slow" ? gate : undefined }],
    });
    const ask = (path: string) => rawRequest(proxy.port, POST(`${origin.url}${path}`));
    const slow = ask("/slow");
    await expect.poll(() => proxy.flows.length).toBe(1);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`/${i}`)));
    expect(answers.map((answer) => answer.split("\r\n\r\n")[1])).toEqual(answers.map((_, i) => `this is /${i}`));
    expect((proxy.flows.first() as HttpFlow).done).toBe(false);
    release();
    expect(await slow).toContain("this is /slow");
  });
});
