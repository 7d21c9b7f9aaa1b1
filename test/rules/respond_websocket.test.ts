import { afterAll, beforeAll, expect, test } from "vitest";
import { respondWebSocket, ruleOf, sequence, startProxy, times } from "../../src/mod.ts";
import type { RawServer } from "../support/raw_server.ts";
import { closed, echo, ended, flowOf, openPeer, startPeerServer } from "../wire/websocket/peers.ts";

let origin: RawServer;
beforeAll(async () => {
  origin = await startPeerServer(echo);
});
afterAll(() => origin[Symbol.asyncDispose]());

const text = (payload: string) => ({ opcode: "text", payload }) as const;

test("a function speaks for the server", async () => {
  const action = respondWebSocket((client, flow) => {
    client.send(`welcome to ${flow.request.path}`);
    return { message: (data) => client.send(`you said ${data}`) };
  });
  await using proxy = await startProxy({ rules: [["ws://chat.test/*", action]] });
  await using peer = await openPeer(proxy, "ws://chat.test/room", ["Sec-WebSocket-Protocol: v1, v2"]);
  expect(peer.head).toContain("Sec-WebSocket-Protocol: v1\r\n");
  expect(await peer.next()).toBe('text "welcome to /room"');
  await peer.send(text("hi"));
  expect(await peer.next()).toBe('text "you said hi"');
  await closed(peer);
  await ended(proxy);
  expect(flowOf(proxy).source).toBe("rule");
  expect(ruleOf(flowOf(proxy))?.place).toBe("rules[0]");
});

test("with a subprotocol and fields of its own, or nothing to say", async () => {
  const action = respondWebSocket(() => {}, { protocol: "v2", headers: { "x-mine": "1" } });
  await using proxy = await startProxy({ rules: [["ws://chat.test/", action]] });
  await using peer = await openPeer(proxy, "ws://chat.test/", ["Sec-WebSocket-Protocol: v1, v2"]);
  expect(peer.head).toContain("Sec-WebSocket-Protocol: v2\r\n");
  expect(peer.head).toContain("x-mine: 1\r\n");
  await peer.send(text("unheard"));
  await closed(peer);
});

test("connects to the real server when it wants to", async () => {
  const action = respondWebSocket((client) => {
    const server = client.connect({
      message: (data) => client.send(`server: ${data}`),
      close: (code, reason) => client.close(code, reason),
    });
    return { message: (data) => server.send(data) };
  });
  await using proxy = await startProxy({ rules: [[{ scheme: "ws" }, action]] });
  await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
  await peer.send(text("1"));
  expect(await peer.next()).toBe('text "server: 1"');
  await closed(peer);
});

test("is an action like all others", async () => {
  const say = (what: string) => respondWebSocket((client) => client.send(what));
  await using proxy = await startProxy({
    rules: [["ws://chat.test/", times(2, sequence(say("first"), say("second")))], [{ scheme: "ws" }, say("then")]],
  });
  const heard: string[] = [];
  for (let i = 0; i < 3; i++) {
    await using peer = await openPeer(proxy, "ws://chat.test/");
    heard.push(await peer.next());
    await closed(peer);
  }
  expect(heard).toEqual(['text "first"', 'text "second"', 'text "then"']);
});

test("what is wrong is refused when it is made", () => {
  expect(() => respondWebSocket("hello" as never)).toThrow("takes a function of the client");
  expect(() => respondWebSocket(() => {}, { protocl: "v1" } as never)).toThrow('did you mean "protocol"');
  expect(() => respondWebSocket(() => {}, { protocol: "a b" })).toThrow('protocol of respondWebSocket() is "a b"');
});
