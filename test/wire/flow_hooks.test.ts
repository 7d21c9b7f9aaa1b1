// What addons leave behind in a flow: whatever it is, it fails that flow and nothing else.
import { describe, expect, test } from "vitest";
import {
  type Addon,
  FlowRequest,
  type HttpFlow,
  respondWebSocket,
  startProxy,
  type TcpFlow,
  type TcpMessage,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";
import { echoServer } from "./tcp/support.ts";
import { openTunnel } from "./tunnel.ts";
import { openPeer } from "./websocket/peers.ts";

const HOOKS = ["requestHeaders", "request", "responseHeaders", "response"] as const;
/** Values that TypeScript would refuse. */
const JUNK: readonly unknown[] = [null, undefined, 42, "x", {}, () => {}];

/** What a client sees, what the flow says, and what close() says. */
async function outcome(addon: Addon, path = "/") {
  await using origin = await startOrigin(() => ({ body: "hello" }));
  const proxy = await startProxy({ addons: [addon, { error: (flow) => void flow.request.url }] });
  const answer = await rawRequest(
    proxy.port,
    `POST ${origin.url}${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc`,
  );
  const flow = proxy.flows.first() as HttpFlow;
  const complaint = await proxy.close().then(() => "", (error: Error) => error.message);
  return { status: answer.slice(9, 12), code: flow.error?.code, flow, complaint };
}

/** An addon that puts something in the place of a part of the flow. */
function put(hook: string, part: string, value: unknown): Addon {
  return {
    name: "careless",
    [hook]: (flow: HttpFlow) => void ((flow as unknown as Record<string, unknown>)[part] = value),
  };
}

describe.each(HOOKS)("what %s leaves behind", (hook) => {
  test("a request that is none", async () => {
    for (const value of JUNK) {
      const { status, code, flow, complaint } = await outcome(put(hook, "request", value));
      expect([status, code]).toEqual(["502", "HOOK_FAILED"]);
      expect(flow.request).toBeInstanceOf(FlowRequest);
      expect(complaint).toMatch(/flow.request is no FlowRequest: .* FlowRequest.create\(\)|addon "careless"/);
    }
  });

  test("an error that is none", async () => {
    for (const value of JUNK.filter((it) => it !== undefined)) {
      const { status, code, complaint } = await outcome(put(hook, "error", value));
      expect([status, code]).toEqual(["502", "HOOK_FAILED"]);
      expect(complaint).toContain("{ code, message } is accepted");
    }
  });

  test("times that are none", async () => {
    const { code, complaint } = await outcome(put(hook, "timings", null));
    expect(code).toBe("HOOK_FAILED");
    expect(complaint).toContain(`hook ${hook} of addon "careless" threw`);
  });
});

test("a method that is none is not sent", async () => {
  for (const method of [null, 5, "A B", "GET / HTTP/1.1\r\nX: y"]) {
    const addon: Addon = { requestHeaders: ({ request }) => void (request.method = method as string) };
    const { status, code, complaint } = await outcome(addon);
    expect([status, code]).toEqual(["502", "HOOK_FAILED"]);
    expect(complaint).toContain("is not a token");
  }
});

test("a header value that is no string is refused", async () => {
  for (const value of [null, undefined, 5, {}]) {
    const { code, complaint } = await outcome({
      requestHeaders: ({ request }) => request.headers.set("x-a", value as never),
    });
    expect(code).toBe("HOOK_FAILED");
    expect(complaint).toContain(`the value of header x-a is of type ${value === null ? "null" : typeof value}`);
  }
});

test("another request takes the place of the one that came", async () => {
  await using origin = await startOrigin(({ method, target }) => ({ body: `${method} ${target}` }));
  await using proxy = await startProxy({
    addons: [{ requestHeaders: (flow) => void (flow.request = FlowRequest.create({ url: `${origin.url}/other` })) }],
  });
  const answer = await rawRequest(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  expect(answer).toContain("GET /other");
});

test("what the hook error leaves behind concerns nobody", async () => {
  await using proxy = await startProxy({ addons: [put("error", "request", null)], defaultAction: "drop" });
  await expect(rawRequest(proxy.port, "GET http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n")).rejects.toThrow();
  await proxy.waitFor({ host: "a.test" }, { timeout: 5000 });
  expect(proxy.flows.summary()).toContain("a.test");
});

describe("what is sent as a message and is none", () => {
  test.each<[string, (flow: TcpFlow, message: TcpMessage) => void, string]>([
    ...[null, 42, {}].map((value): [string, (flow: TcpFlow, message: TcpMessage) => void, string] => [
      `message.data = ${JSON.stringify(value)}`,
      (_, message) => void (message.data = value as never),
      "the data of a TCP message is a string or a Uint8Array, not",
    ]),
    ["flow.error = null", (flow) => void (flow.error = null as never), "{ code, message } is accepted"],
    ["flow.messages = null", (flow) => void ((flow as { messages: unknown }).messages = null), "tcpMessage of addon"],
    ["flow.timings = null", (flow) => void ((flow as { timings: unknown }).timings = null), "tcpMessage of addon"],
  ])("over TCP: %s", async (_, tcpMessage, complaint) => {
    await using echo = await echoServer();
    const proxy = await startProxy({ addons: [{ name: "careless", tcpMessage }] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write("\x01\x02 hello");
    await client.readAll().catch(() => {});
    const flow = proxy.flows.last() as TcpFlow;
    await expect.poll(() => flow.error?.code).toBe("HOOK_FAILED");
    await expect(proxy.close()).rejects.toThrow(complaint);
  });

  test.each<[string, (flow: HttpFlow) => void, string]>([
    [
      "message.data",
      ({ websocket }) => void (websocket!.messages[0]!.data = {} as never),
      "a string or a Uint8Array, not {}",
    ],
    [
      "inject() to nobody",
      ({ websocket }) => void websocket!.inject("x" as never, "y"),
      'to "client" or "server", not to "x"',
    ],
    ["inject()", ({ websocket }) => void websocket!.inject("client", 5 as never), "a string or a Uint8Array, not 5"],
  ])("over a WebSocket: %s", async (_, websocketMessage, complaint) => {
    const proxy = await startProxy({
      addons: [{ name: "careless", websocketMessage }],
      rules: [["*", respondWebSocket((client) => ({ message: (data) => client.send(data) }))]],
    });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toContain("close 1011");
    await expect(proxy.close()).rejects.toThrow(complaint);
  });

  test("by respondWebSocket()", async () => {
    const proxy = await startProxy({ rules: [["*", respondWebSocket((client) => client.send(5 as never))]] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    expect(await peer.next()).toContain("close 1011");
    await expect(proxy.close()).rejects.toThrow("a string or a Uint8Array, not 5");
  });
});
