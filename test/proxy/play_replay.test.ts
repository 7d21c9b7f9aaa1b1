// Flows that go through the hooks once more, with the answers that they have had.
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  type Addon,
  delay,
  edit,
  type Flow,
  FlowResponse,
  FlowSet,
  HttpFlow,
  respond,
  startProxy,
  type TcpFlow,
  TcpMessage,
  WebSocketConversation,
  WebSocketMessage,
} from "../../src/mod.ts";
import { readTape } from "../../src/tape/mod.ts";
import { httpFlow, tcpFlow } from "../flow/flows.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";

const HTTP_HOOKS = [
  "httpConnect",
  "requestHeaders",
  "request",
  "informational",
  "responseHeaders",
  "response",
  "error",
] as const;
const OTHER_HOOKS = ["websocketHandshake", "websocketEnd", "tcpStart", "tcpEnd", "tcpError"] as const;

/** Writes down which hooks fire. */
function watcher(): Addon & { readonly seen: string[] } {
  const seen: string[] = [];
  const note = (name: string) => [name, () => void seen.push(name)];
  return {
    seen,
    ...Object.fromEntries([...HTTP_HOOKS, ...OTHER_HOOKS].map(note)),
    websocketMessage: (_, { from, text }) => void seen.push(`${from}: ${text}`),
    tcpMessage: (_, { from, text }) => void seen.push(`${from}: ${text}`),
  };
}

const answered = (init: Parameters<typeof FlowResponse.create>[0] = {}, url = "http://shop.test/x"): HttpFlow => {
  const flow = httpFlow({ method: "POST", url, body: "abc", status: 200 });
  flow.response = FlowResponse.create(init);
  return flow;
};

function webSocket(
  closing: Partial<WebSocketConversation> = { closeCode: 1000, closeReason: "bye", closedBy: "server" },
): HttpFlow {
  const flow = httpFlow("wss://chat.test/room");
  flow.response = new FlowResponse(
    101,
    "Switching Protocols",
    "1.1",
    flow.request.headers.clone(),
    flow.request.content,
  );
  flow.websocket = Object.assign(new WebSocketConversation(), closing);
  const say = (from: "client" | "server", data: string, injected = false) =>
    flow.websocket!.messages.push(new WebSocketMessage({ from, type: "text", data, time: 5, injected }));
  say("client", "hi");
  say("client", "made up", true);
  say("server", "hello");
  return flow;
}

describe("hooks", () => {
  test("fire in the documented order, bodies come when they should, and nothing reaches a server", async () => {
    const addon = watcher();
    const early: unknown[] = [];
    const looker: Addon = {
      requestHeaders: (flow) => void early.push(flow.response, flow.request.content.complete),
      request: (flow) => void early.push(flow.request.text()),
      responseHeaders: (flow) => void early.push(flow.response!.content.complete),
      response: (flow) => void early.push(flow.response!.text()),
      serverConnect: () => void early.push("connected"),
    };
    await using proxy = await startProxy({ addons: [addon, looker] });
    const [flow] = await proxy.replayThroughHooks([answered({ body: "answer", headers: { "x-a": "1" } })]) as Iterable<
      HttpFlow
    >;
    expect(addon.seen).toEqual(["requestHeaders", "request", "responseHeaders", "response"]);
    expect(early).toEqual([undefined, false, "abc", false, "answer"]);
    expect(flow).toMatchObject({ done: true, error: undefined, source: "upstream" });
    expect([flow!.response!.status, flow!.response!.text(), flow!.response!.headers.get("x-a")]).toEqual([
      200,
      "answer",
      "1",
    ]);
    expect(proxy.flows.first()).toBe(flow);
  });

  test("error fires instead of response, with what had arrived", async () => {
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const refused = httpFlow({ url: "http://a.test/", error: "UPSTREAM_REFUSED" });
    const cut = answered({ body: "half" });
    cut.error = { code: "UPSTREAM_ABORTED", message: "cut" };
    const informed = answered({ body: "ok" });
    informed.informational.push({ status: 103, reason: "Early Hints", headers: informed.request.headers });
    const flows = await proxy.replayThroughHooks([refused]);
    expect(addon.seen.splice(0)).toEqual(["requestHeaders", "request", "error"]);
    await proxy.replayThroughHooks([cut]);
    expect(addon.seen.splice(0)).toEqual(["requestHeaders", "request", "responseHeaders", "error"]);
    const [third] = await proxy.replayThroughHooks([informed]) as Iterable<HttpFlow>;
    expect(addon.seen.splice(0)).toEqual(["requestHeaders", "request", "informational", "responseHeaders", "response"]);
    expect(flows.extract("flow.error")).toEqual(["UPSTREAM_REFUSED"]);
    expect((proxy.flows.at(1) as HttpFlow).response!.text()).toBe("half");
    expect(third!.informational.length).toBe(1);
  });

  test("what addons and rules change shows, and the flows that came stay as they were (B89)", async () => {
    await using proxy = await startProxy({
      addons: [{ request: (flow) => flow.request.headers.set("x-new", "1") }],
      rules: [
        [{ path: "/mocked" }, respond({ status: 418, body: "teapot" })],
        [{ path: "/edited" }, edit({ response: { json: { edited: true } } })],
        [{ path: "/dropped" }, "drop"],
      ],
    });
    const given = ["/mocked", "/edited", "/dropped", "/left"].map((path) =>
      answered({ body: "real" }, `http://shop.test${path}`)
    );
    const flows = await proxy.replayThroughHooks(new FlowSet(given));
    expect(flows.extract("status")).toEqual([418, 200, undefined, 200]);
    expect(flows.extract("flow.source")).toEqual(["rule", "upstream", "rule", "upstream"]);
    expect(flows.extract("text", "response")).toEqual(["teapot", '{"edited":true}', undefined, "real"]);
    expect(flows.extract("flow.error")).toEqual([undefined, undefined, "DROPPED", undefined]);
    expect(flows.extract("x-new").at(-1)).toBe("1");
    expect(given.map((flow) => [flow.response!.text(), flow.request.headers.has("x-new")])).toEqual(
      Array(4).fill(["real", false]),
    );
  });

  test("an addon that has changed a response sees what the server sent, not its own work", async () => {
    await using origin = await startOrigin(() => ({ body: "1" }));
    await using proxy = await startProxy({
      addons: [{ response: (flow) => void (flow.response!.body = `${flow.response!.text()}+`) }],
    });
    await (await proxy.fetch(`${origin.url}/`)).text();
    const flows = await proxy.replayThroughHooks(proxy.flows.copy());
    expect(flows.extract("text", "response")).toEqual(["1+"]);
    expect(origin.requests.length).toBe(1);
  });

  test("a slow hook delays its flow alone", async () => {
    const over: string[] = [];
    const gate = Promise.withResolvers<void>();
    await using proxy = await startProxy({
      addons: [{
        request: (flow) => flow.request.path === "/slow" ? gate.promise : undefined,
        response: (flow) => {
          over.push(flow.request.path);
          if (over.length === 2) gate.resolve();
        },
      }],
    });
    const given = ["/slow", "/a", "/b"].map((path) => answered({}, `http://shop.test${path}`));
    const flows = await proxy.replayThroughHooks(given);
    expect(over).toEqual(["/a", "/b", "/slow"]);
    expect(flows.extract("path")).toEqual(["/slow", "/a", "/b"]);
  });

  test("a hook that throws fails its flow, and close() says so", async () => {
    const proxy = await startProxy({
      addons: [{
        name: "broken",
        response: () => {
          throw new Error("mine");
        },
      }],
    });
    const flows = await proxy.replayThroughHooks([answered()]);
    expect(flows.extract("flow.error")).toEqual(["HOOK_FAILED"]);
    await expect(proxy.close()).rejects.toThrow(
      'hook response of addon "broken" threw for POST http://shop.test/x: mine',
    );
  });

  test("closing the proxy ends what is under way", async () => {
    const proxy = await startProxy({
      rules: [["http://shop.test/*", delay(60_000)]],
      addons: [{ tcpMessage: () => new Promise(() => {}), websocketMessage: () => new Promise(() => {}) }],
    });
    const replaying = proxy.replayThroughHooks([answered(), tcpFlow(), webSocket()]);
    await proxy.waitFor(() => false, { timeout: 20 }).catch(() => {});
    await proxy.close();
    expect((await replaying).extract("flow.error")).toEqual(["PROXY_CLOSED", "PROXY_CLOSED", "PROXY_CLOSED"]);
    await expect(proxy.replayThroughHooks([answered()])).rejects.toThrow(
      expect.objectContaining({ code: "PROXY_CLOSED" }),
    );
  });

  test("requests for tunnels and broken requests have the hooks that such have", async () => {
    const refuse: Addon = { httpConnect: (flow) => void (flow.response = FlowResponse.create({ status: 403 })) };
    await using refusing = await startProxy({ addons: [refuse] });
    await rawRequest(refusing.port, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nConnection: close\r\n\r\n");
    await rawRequest(refusing.port, "GET no url\r\n\r\n");
    const given = refusing.flows;
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const flows = await proxy.replayThroughHooks(given);
    expect(flows.extract("status")).toEqual([403, undefined]);
    expect(flows.extract("flow.error")).toEqual(given.extract("flow.error"));
    expect(addon.seen).toEqual(["httpConnect", "error"]);
  });

  test("bodies that were not kept whole are still told to be short", async () => {
    const seen: unknown[] = [];
    await using origin = await startOrigin(() => ({ body: "y".repeat(100) }));
    await using proxy = await startProxy({ capture: { maxBody: 10 } });
    await (await proxy.fetch(`${origin.url}/`, { method: "POST", body: "x".repeat(50) })).text();
    await proxy.waitFor({ method: "POST" });
    using _ = proxy.use({
      request: ({ request }) => void seen.push(request.bodyTruncated, request.content.size),
      response: ({ response }) =>
        void seen.push(response!.bodyTruncated, response!.content.size, response!.content.kept),
    });
    await proxy.replayThroughHooks(proxy.flows.copy());
    expect(seen).toEqual([true, 50, true, 100, 10]);
  });
});

describe("WebSockets", () => {
  test("have their message hooks, for what the two sides have said", async () => {
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const [flow] = await proxy.replayThroughHooks([webSocket()]) as Iterable<HttpFlow>;
    expect(addon.seen).toEqual([
      "requestHeaders",
      "request",
      "responseHeaders",
      "websocketHandshake",
      "client: hi",
      "server: hello",
      "websocketEnd",
    ]);
    expect(flow!.websocket).toMatchObject({ closeCode: 1000, closeReason: "bye", closedBy: "server" });
    expect(flow!.websocket!.messages.map(({ from, text, time }) => [from, text, time])).toEqual([
      ["client", "hi", 5],
      ["server", "hello", 5],
    ]);
    expect(flow!.request.scheme).toBe("wss");
  });

  test("messages can be edited, dropped and injected; the old ones stay as they were (B89)", async () => {
    const given = webSocket();
    await using proxy = await startProxy({
      addons: [{
        websocketHandshake: (flow) => void flow.websocket!.inject("client", "welcome"),
        async websocketMessage(flow, message) {
          await Promise.resolve();
          if (message.from === "client") message.data = message.text.toUpperCase();
          else message.drop();
          if (message.dropped) message.data.fill(0x78);
          expect(flow.websocket!.messages.at(-1)).toBe(message);
        },
      }],
    });
    const [flow] = await proxy.replayThroughHooks([given]) as Iterable<HttpFlow>;
    expect(flow!.error).toBe(undefined);
    expect(flow!.websocket!.messages.map(({ text, injected, dropped }) => [text, injected, dropped])).toEqual([
      ["welcome", true, false],
      ["HI", false, false],
      ["xxxxx", false, true],
    ]);
    expect(given.websocket!.messages.map(({ text }) => text)).toEqual(["hi", "made up", "hello"]);
    expect(() => flow!.websocket!.inject("client", "late")).toThrow("closed");
  });

  test.each<[string, Addon, object, string]>([
    ["close", { websocketMessage: (flow) => flow.websocket!.close(4000, "enough") }, {
      closeCode: 4000,
      closedBy: "proxy",
    }, "websocketEnd"],
    ["kill", { websocketMessage: (flow) => flow.kill() }, { closeCode: 1006 }, "error"],
    ["throw", { websocketMessage: () => Promise.reject(new Error("mine")) }, { closeCode: 1011 }, "error"],
  ])("an addon may %s", async (_, addon, websocket, last) => {
    const seen = watcher();
    const proxy = await startProxy({ addons: [seen, addon] });
    const [flow] = await proxy.replayThroughHooks([webSocket()]) as Iterable<HttpFlow>;
    await proxy.close().catch(() => {});
    expect(flow!.websocket).toMatchObject(websocket);
    expect(seen.seen.slice(-2)).toEqual(["client: hi", last]);
  });

  test("a handshake can be refused, an unclean end stays one", async () => {
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    using refusal = proxy.use({
      websocketHandshake: (flow) => void (flow.response = FlowResponse.create({ status: 403 })),
    });
    const [refused] = await proxy.replayThroughHooks([webSocket()]) as Iterable<HttpFlow>;
    expect([refused!.response!.status, refused!.websocket]).toEqual([403, undefined]);
    expect(addon.seen.splice(0).slice(-2)).toEqual(["websocketHandshake", "response"]);
    refusal.dispose();
    const cut = webSocket({ closeCode: 1006, closedBy: "client" });
    cut.error = { code: "CLIENT_ABORTED", message: "cut" };
    const [unclean] = await proxy.replayThroughHooks([cut]) as Iterable<HttpFlow>;
    expect(unclean).toMatchObject({
      error: { code: "CLIENT_ABORTED" },
      websocket: { closeCode: 1006, closedBy: "client" },
    });
    expect(addon.seen.at(-1)).toBe("error");
  });

  test("50,000 messages need no deep stack", async () => {
    const flow = webSocket();
    for (let i = 0; i < 50_000; i++) {
      flow.websocket!.messages.push(new WebSocketMessage({ from: "client", type: "text", data: "x", time: 1 }));
    }
    await using proxy = await startProxy();
    const [copy] = await proxy.replayThroughHooks([flow]) as Iterable<HttpFlow>;
    expect(copy!.error).toBe(undefined);
    expect(copy!.websocket!.count).toBe(50_002);
  });
});

describe("raw conversations", () => {
  function conversation(): TcpFlow {
    const flow = tcpFlow();
    flow.messages.length = 0;
    flow.messages.push(new TcpMessage("client", 1, new TextEncoder().encode("PING")));
    flow.messages.push(new TcpMessage("server", 2, new TextEncoder().encode("PONG")));
    flow.bytes.client = flow.bytes.server = 4;
    return flow;
  }

  test("have their hooks, on a copy", async () => {
    const addon = watcher();
    const given = conversation();
    await using proxy = await startProxy({
      addons: [addon, { tcpMessage: (_, message) => void (message.data = "edited") }],
    });
    const [flow] = await proxy.replayThroughHooks([given]) as Iterable<TcpFlow>;
    expect(addon.seen).toEqual(["tcpStart", "client: PING", "server: PONG", "tcpEnd"]);
    expect(flow!.messages.map(({ text }) => text)).toEqual(["edited", "edited"]);
    expect(flow).toMatchObject({ done: true, bytes: { client: 4, server: 4 }, client: { played: given.id } });
    expect(given.messages.map(({ text }) => text)).toEqual(["PING", "PONG"]);
    expect(proxy.flows.first()).toBe(flow);
  });

  test.each<[string, Addon, string]>([
    ["kills it", { tcpMessage: (flow) => flow.kill() }, "KILLED"],
    ["throws", { tcpMessage: () => Promise.reject(new Error("mine")) }, "HOOK_FAILED"],
    ["never ends, and kills it later", {
      tcpMessage: (flow) => (queueMicrotask(() => flow.kill()), new Promise(() => {})),
    }, "KILLED"],
  ])("an addon that %s", async (_, addon, code) => {
    const seen = watcher();
    const proxy = await startProxy({ addons: [seen, addon] });
    const flows = await proxy.replayThroughHooks([conversation()]);
    expect(flows.extract("flow.error")).toEqual([code]);
    expect(seen.seen).toEqual(["tcpStart", "client: PING", "tcpError"]);
    await proxy.close().catch(() => {});
  });

  test("one that failed fails again", async () => {
    const addon = watcher();
    const given = conversation();
    given.error = { code: "UPSTREAM_RESET", message: "reset" };
    await using proxy = await startProxy({ addons: [addon] });
    expect((await proxy.replayThroughHooks([given])).extract("flow.error")).toEqual(["UPSTREAM_RESET"]);
    expect(addon.seen.at(-1)).toBe("tcpError");
  });
});

describe("tapes", () => {
  test("entries of a tape pass through, its source is the tape; no tape is asked, and none records", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin(({ target }) => ({ body: `${target} ${"long ".repeat(2000)}` }));
    const path = folder.file("a.har");
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      for (const page of ["/1", "/2"]) await (await proxy.fetch(`${origin.url}${page}`)).text();
    }
    const tape = await readTape(path);
    const addon = watcher();
    const other = folder.file("b.har");
    {
      await using proxy = await startProxy({ addons: [addon], tape: { path: other, mode: "record" } });
      const flows = await proxy.replayThroughHooks(tape);
      await using second = await startProxy({ tape: { path: folder.file("c.har"), mode: "record" } });
      await second.replayThroughHooks([answered()]);
      expect(addon.seen.toSorted()).toEqual([
        "request",
        "request",
        "requestHeaders",
        "requestHeaders",
        "response",
        "response",
        "responseHeaders",
        "responseHeaders",
      ]);
      expect(flows.extract("flow.source")).toEqual(["tape", "tape"]);
      expect(flows.extract("path")).toEqual(["/1", "/2"]);
      expect((flows.extract("text", "response") as string[]).map((text) => text.slice(0, 7))).toEqual([
        "/1 long",
        "/2 long",
      ]);
    }
    for (const unwritten of [other, folder.file("c.har")]) {
      await expect(readTape(unwritten)).rejects.toThrow("there is no tape");
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const stranger = answered({ body: "not on the tape" });
    const flows = await proxy.replayThroughHooks([stranger, ...await tape.flows()]);
    expect(flows.extract("status")).toEqual([200, 200, 200]);
    expect([proxy.unmatched.length, proxy.unused.length]).toEqual([0, 2]);
  });

  test("a HAR of a browser passes through", async () => {
    await using folder = await tempFolder();
    const path = folder.file("chrome.har");
    const entry = {
      startedDateTime: "2026-01-01T00:00:00.000Z",
      time: 1,
      request: {
        method: "GET",
        url: "https://shop.test/a?b=1",
        httpVersion: "h2",
        headers: [{ name: ":authority", value: "shop.test" }, { name: "accept", value: "*/*" }],
        queryString: [],
        cookies: [],
        headersSize: -1,
        bodySize: 0,
      },
      response: {
        status: 200,
        statusText: "",
        httpVersion: "h2",
        headers: [{ name: "content-type", value: "application/json" }, { name: "content-encoding", value: "br" }],
        cookies: [],
        content: { size: 2, mimeType: "application/json", text: "{}" },
        redirectURL: "",
        headersSize: -1,
        bodySize: 2,
      },
      cache: {},
      timings: {},
    };
    await writeFile(
      path,
      JSON.stringify({ log: { version: "1.2", creator: { name: "x", version: "1" }, entries: [entry] } }),
    );
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const [flow] = await proxy.replayThroughHooks(await readTape(path)) as Iterable<HttpFlow>;
    expect(flow!.error).toBe(undefined);
    expect([flow!.request.url, flow!.request.httpVersion, flow!.response!.json()]).toEqual([
      "https://shop.test/a?b=1",
      "2",
      {},
    ]);
    expect(addon.seen).toEqual(["requestHeaders", "request", "responseHeaders", "response"]);
  });
});

describe("what is no flow", () => {
  test.each<[unknown, string]>([
    [undefined, "takes a FlowSet, a tape, or an array of flows or entries, not undefined"],
    [answered(), "not a flow; put it into an array"],
    [{}, "not an object (Object)"],
    [[answered(), {}], "flows[1] is no flow and no entry of a tape, but an object (Object)"],
    ["abc", 'flows[0] is no flow and no entry of a tape, but "a"'],
    [[null], "flows[0] is no flow and no entry of a tape, but null"],
    [[answered().edit(() => {})], "flows[0] (POST http://shop.test/x) is not over"],
  ])("is refused before any hook fires: %#", async (given, message) => {
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const replaying = proxy.replayThroughHooks(given as Iterable<Flow>);
    await expect(replaying).rejects.toThrow(message);
    await expect(replaying).rejects.toThrow(expect.objectContaining({ code: "BAD_OPTION" }));
    expect(addon.seen).toEqual([]);
  });
});

test("5,000 flows at once", async () => {
  await using proxy = await startProxy({
    addons: [{ response: async () => await Promise.resolve() }],
    capture: { maxFlows: 10 },
  });
  const flow = answered({ body: "ok" });
  const flows = await proxy.replayThroughHooks(Array.from({ length: 5000 }, () => flow));
  expect(flows.byStatus().get(200)!.length).toBe(5000);
  expect(flows.first()).toBeInstanceOf(HttpFlow);
});
