import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Addon, FlowResponse, type HttpFlow, startProxy } from "../../../src/mod.ts";
import type { WebSocketAnswer, WebSocketClientLine, WebSocketLine } from "../../../src/flow/websocket_answer.ts";
import { testCa } from "../../support/certificates.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { openTunnel } from "../tunnel.ts";
import { afterSwitch, closed, echo, ended, flowOf, handshake, openPeer, startPeerServer } from "./peers.ts";
import { close } from "./support.ts";

/** Answers every request for a WebSocket. */
function answering(answer: WebSocketAnswer, headers: Record<string, string> = {}): Addon {
  return {
    requestHeaders(flow: HttpFlow) {
      flow.response = FlowResponse.switchToWebSocket(answer, headers);
    },
  };
}

/** Says what it hears, in capitals. */
const loud: WebSocketAnswer = {
  open: (client) => ({
    message: (data) => client.send(typeof data === "string" ? data.toUpperCase() : data.toReversed()),
  }),
};

/** Relays to the real server, marking what passes. */
function relaying(marked: (line: WebSocketLine) => void = () => {}): WebSocketAnswer {
  return {
    open(client) {
      const server = client.connect({
        message: (data) => client.send(`server: ${data}`),
        close: (code, reason) => client.close(code, reason),
      });
      marked(server);
      return { message: (data) => server.send(`client: ${data}`) };
    },
  };
}

let origin: RawServer;
let secure: RawServer;
beforeAll(async () => {
  origin = await startPeerServer(echo);
  secure = await startPeerServer(echo, { tls: testCa().issue(["127.0.0.1"]) });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
});

describe("a WebSocket without a server", () => {
  test("is a conversation like all others, with every hook", async () => {
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(name);
    const watcher: Addon = {
      responseHeaders: note("responseHeaders"),
      websocketHandshake: note("websocketHandshake"),
      websocketMessage: note("websocketMessage"),
      websocketEnd: note("websocketEnd"),
      response: note("response"),
      serverConnect: note("serverConnect"),
    };
    await using proxy = await startProxy({ addons: [answering(loud), watcher] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/chat");
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "HELLO"');
    await peer.send({ opcode: "binary", payload: Uint8Array.of(1, 2) });
    expect(await peer.next()).toBe('binary "\\u0002\\u0001"');
    await closed(peer);
    await ended(proxy);
    const flow = flowOf(proxy);
    expect(flow.source).toBe("addon");
    expect(flow.server).toBe(undefined);
    expect(flow.websocket).toMatchObject({ closeCode: 1000, closeReason: "bye", closedBy: "client", count: 4 });
    expect(flow.websocket!.messages.map((it) => `${it.from} ${it.text}`).slice(0, 2)).toEqual([
      "client hello",
      "server HELLO",
    ]);
    expect(seen).toEqual([
      "responseHeaders",
      "websocketHandshake",
      "websocketMessage",
      "websocketMessage",
      "websocketMessage",
      "websocketMessage",
      "websocketEnd",
    ]);
  });

  test("its messages can be edited and dropped, and others injected", async () => {
    const editor: Addon = {
      websocketMessage(flow: HttpFlow) {
        const message = flow.websocket!.messages.at(-1)!;
        if (message.text === "DROP") message.drop();
        if (message.text === "EDIT") message.data = "edited";
        if (message.text === "inject") flow.websocket!.inject("client", "injected");
      },
    };
    await using proxy = await startProxy({ addons: [answering(loud), editor] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    for (const payload of ["drop", "edit", "inject"]) await peer.send({ opcode: "text", payload });
    const got = [await peer.next(), await peer.next(), await peer.next()];
    expect(got.toSorted()).toEqual(['text "INJECT"', 'text "edited"', 'text "injected"']);
    await closed(peer);
  });

  test("answers the handshake: accept, subprotocol and own fields; no compression", async () => {
    const headers = {
      "sec-websocket-protocol": "chat",
      "x-mine": "1",
      "sec-websocket-extensions": "permessage-deflate",
    };
    await using proxy = await startProxy({ addons: [answering(loud, headers)] });
    const fields = ["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: permessage-deflate"];
    await using peer = await openPeer(proxy, "ws://nowhere.test/", fields);
    expect(peer.head).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(peer.head).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(peer.head).toContain("sec-websocket-protocol: chat");
    expect(peer.head).toContain("x-mine: 1");
    expect(peer.head.toLowerCase()).not.toContain("extensions");
    await closed(peer);
  });

  test("B66 in a TLS tunnel", async () => {
    await using proxy = await startProxy({ addons: [answering(loud)] });
    const tunnel = await openTunnel(proxy, "nowhere.test:443");
    const connection = await tunnel.startTls({ ca: proxy.ca.cert, host: "nowhere.test", servername: "nowhere.test" });
    await connection.write(handshake("/", "nowhere.test"));
    await using peer = await afterSwitch(connection);
    await peer.send({ opcode: "text", payload: "x" });
    expect(await peer.next()).toBe('text "X"');
    expect(flowOf(proxy).request.url).toBe("wss://nowhere.test/");
    await closed(peer);
  });

  test("pings are answered, and it can close with any code that may be sent", async () => {
    const answer: WebSocketAnswer = { open: (client) => ({ message: (data) => client.close(Number(data), "mine") }) };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    for (const code of [1000, 1011, 4000]) {
      await using peer = await openPeer(proxy, "ws://nowhere.test/");
      await peer.send({ opcode: "ping", payload: "p" }, { opcode: "text", payload: `${code}` });
      expect(await peer.next()).toBe('pong "p"');
      expect(await peer.next()).toBe(`close ${code} "mine"`);
      await peer.send(close(code));
      expect(await peer.rest()).toEqual([]);
    }
  });

  test("hears what was said while it was getting ready, in order, and what it says first comes first", async () => {
    const ready = Promise.withResolvers<void>();
    const answer: WebSocketAnswer = {
      async open(client) {
        client.send("welcome");
        await ready.promise;
        return { message: (data) => client.send(`heard ${data}`) };
      },
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    await peer.send({ opcode: "text", payload: "1" }, { opcode: "text", payload: "2" });
    expect(await peer.next()).toBe('text "welcome"');
    ready.resolve();
    expect([await peer.next(), await peer.next()]).toEqual(['text "heard 1"', 'text "heard 2"']);
    await closed(peer);
  });

  test("hears nothing more once it has closed", async () => {
    const heard: unknown[] = [];
    const over = Promise.withResolvers<void>();
    const answer: WebSocketAnswer = {
      open: (client) => ({
        message(data) {
          heard.push(data);
          client.close(1000, "bye");
        },
        close: () => over.resolve(),
      }),
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    await peer.send({ opcode: "text", payload: "1" }, { opcode: "text", payload: "2" }, close(1000, "bye"));
    expect(await peer.rest()).toEqual(['close 1000 "bye"']);
    await over.promise;
    expect(heard).toEqual(["1"]);
  });

  test("is told once how it ended", async () => {
    const told: string[] = [];
    const answer: WebSocketAnswer = { open: () => ({ close: (code, reason) => void told.push(`${code} ${reason}`) }) };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using polite = await openPeer(proxy, "ws://nowhere.test/");
    await closed(polite);
    await ended(proxy);
    const rude = await openPeer(proxy, "ws://nowhere.test/");
    rude.connection.reset();
    await expect.poll(() => told).toEqual(["1000 bye", "1006 "]);
    await rude[Symbol.asyncDispose]();
  });

  test("cuts the connection with 1006, after what was said before", async () => {
    const answer: WebSocketAnswer = {
      open(client) {
        client.send("last words");
        client.close(1006);
        client.send("never");
        return {};
      },
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    expect(await peer.rest()).toEqual(['text "last words"']);
    await ended(proxy);
    expect(flowOf(proxy).websocket!.closeCode).toBe(1006);
  });

  test("B70 a client that breaks the protocol is told so", async () => {
    await using proxy = await startProxy({ addons: [answering(loud)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    await peer.send({ opcode: 3 });
    expect((await peer.rest())[0]).toMatch(/^close 1002/);
    await ended(proxy);
    expect(flowOf(proxy).error?.code).toBe("WS_OPCODE");
  });

  test.each<[string, WebSocketAnswer]>([
    ["open throws", {
      open: () => {
        throw new Error("boom");
      },
    }],
    ["open rejects", { open: () => Promise.reject(new Error("boom")) }],
    ["message throws", {
      open: () => ({
        message: () => {
          throw new Error("boom");
        },
      }),
    }],
    ["message rejects", { open: () => ({ message: () => Promise.reject(new Error("boom")) }) }],
    ["a bad code", { open: (client) => ({ message: () => client.close(5) }) }],
  ])("what an addon does wrong ends the flow, and is reported: %s", async (_, answer) => {
    const proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    await peer.send({ opcode: "text", payload: "x" });
    expect((await peer.rest()).at(-1)).toMatch(/^close 1011/);
    await ended(proxy);
    expect(flowOf(proxy).error?.code).toBe("HOOK_FAILED");
    await expect(proxy.close()).rejects.toThrow(/boom|code 5/);
  });

  test("close() of the proxy says 1001, also to one that never gets ready", async () => {
    const never: WebSocketAnswer = { open: () => new Promise(() => {}) };
    for (const answer of [loud, never]) {
      const proxy = await startProxy({ addons: [answering(answer)] });
      await using peer = await openPeer(proxy, "ws://nowhere.test/");
      await peer.send({ opcode: "text", payload: "x" });
      if (answer === loud) expect(await peer.next()).toBe('text "X"');
      const closing = proxy.close();
      expect((await peer.rest())[0]).toMatch(/^close 1001/);
      await closing;
    }
  });

  test("a client that does not read is not sent more than 64 MiB", async () => {
    const answer: WebSocketAnswer = {
      open(client) {
        const megabyte = new Uint8Array(1024 * 1024);
        for (let i = 0; i < 80; i++) client.send(megabyte);
        return {};
      },
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, "ws://nowhere.test/");
    await ended(proxy);
    expect(flowOf(proxy).error?.code).toBe("WS_BACKLOG");
    peer.connection.reset();
  });
});

describe("a handshake that is none", () => {
  const send = async (fields: string): Promise<string> => {
    await using proxy = await startProxy({ addons: [answering(loud)] });
    await using raw = await connectRaw(proxy.port);
    await raw.write(`GET http://nowhere.test/ HTTP/1.1\r\nHost: nowhere.test\r\n${fields}\r\n`);
    return await raw.readHead();
  };
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

  test("a version that is not known is a 426", async () => {
    const head = await send(`${upgrade}Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`);
    expect(head).toMatch(/^HTTP\/1.1 426 /);
    expect(head.toLowerCase()).toContain("sec-websocket-version: 13");
  });

  test.each(["", "Sec-WebSocket-Key: short\r\n"])("a bad key is a 400: %j", async (key) => {
    expect(await send(`${upgrade}Sec-WebSocket-Version: 13\r\n${key}`)).toMatch(/^HTTP\/1.1 400 /);
  });

  test("a plain request cannot be answered with a WebSocket", async () => {
    const proxy = await startProxy({ addons: [answering(loud)] });
    const response = await proxy.fetch("http://nowhere.test/");
    expect(await response.text()).toContain("which the client has not asked for");
    expect(response.status).toBe(502);
    await expect(proxy.close()).rejects.toThrow("which the client has not asked for");
  });

  test("an addon may refuse it after all", async () => {
    const refuser: Addon = {
      websocketHandshake(flow: HttpFlow) {
        flow.response = FlowResponse.create({ status: 403, body: "no" });
      },
    };
    await using proxy = await startProxy({ addons: [answering(loud), refuser] });
    await expect(openPeer(proxy, "ws://nowhere.test/")).rejects.toThrow();
    expect(flowOf(proxy).response?.status).toBe(403);
  });
});

describe("the real server", () => {
  test("is connected to on demand, and messages go both ways", async () => {
    await using proxy = await startProxy({ addons: [answering(relaying())] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    await peer.send({ opcode: "text", payload: "1" }, { opcode: "text", payload: "2" });
    expect(await peer.next()).toBe('text "server: client: 1"');
    expect(await peer.next()).toBe('text "server: client: 2"');
    await closed(peer);
    await ended(proxy);
    expect(flowOf(proxy).server?.port).toBe(origin.port);
  });

  test("also over TLS, with the trust of the proxy", async () => {
    await using proxy = await startProxy({ addons: [answering(relaying())], upstream: { ca: testCa().cert } });
    const tunnel = await openTunnel(proxy, `127.0.0.1:${secure.port}`);
    const connection = await tunnel.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
    await connection.write(handshake("/", `127.0.0.1:${secure.port}`));
    await using peer = await afterSwitch(connection);
    await peer.send({ opcode: "text", payload: "1" });
    expect(await peer.next()).toBe('text "server: client: 1"');
    await closed(peer);
  });

  test("closes with the client, whoever of the two began", async () => {
    const lines: WebSocketLine[] = [];
    await using proxy = await startProxy({ addons: [answering(relaying((line) => lines.push(line)))] });
    await using polite = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    await polite.send({ opcode: "text", payload: "1" });
    await polite.next();
    await closed(polite);
    const rude = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    await rude.send({ opcode: "text", payload: "1" });
    await rude.next();
    rude.connection.reset();
    await expect.poll(() => lines.map((line) => line.closed)).toEqual([true, true]);
    await rude[Symbol.asyncDispose]();
  });

  test("that cannot be reached is an error, then 1006", async () => {
    const told: string[] = [];
    let client: WebSocketClientLine;
    const answer: WebSocketAnswer = {
      open(line) {
        client = line;
        client.connect({
          error: ({ code }) => void told.push(code),
          close: (code) => {
            told.push(String(code));
            client.send("alone");
          },
        }).send("lost");
        return {};
      },
    };
    await using free = await startRawServer(async () => {});
    const { port } = free;
    await free[Symbol.asyncDispose]();
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${port}/`);
    expect(await peer.next()).toBe('text "alone"');
    expect(told).toEqual(["UPSTREAM_REFUSED", "1006"]);
    await closed(peer);
  });

  test("that refuses is an error, then 1006", async () => {
    await using refusing = await startRawServer(async (connection) => {
      await connection.readUntil("\r\n\r\n");
      await connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    const told: string[] = [];
    const answer: WebSocketAnswer = {
      open(client) {
        client.connect({
          error: ({ code, message }) => void told.push(`${code} ${message}`),
          close: (code) => client.close(4000 + code - 1000),
        });
        return {};
      },
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${refusing.port}/`);
    expect(await peer.next()).toBe('close 4006 ""');
    expect(told[0]).toContain("403 Forbidden");
    await peer.send(close(4006));
    await peer.rest();
  });

  test("a flood from the server waits for a client that does not read", async () => {
    let sent = 0;
    await using flooding = await startPeerServer(async (peer) => {
      const payload = new Uint8Array(64 * 1024);
      try {
        for (; sent < 4000; sent++) await peer.send({ opcode: "binary", payload });
      } catch {
        // The other side has hung up.
      }
    });
    const answer: WebSocketAnswer = {
      open(client) {
        client.connect({ message: (data) => client.send(data) });
        return {};
      },
    };
    await using proxy = await startProxy({ addons: [answering(answer)] });
    const peer = await openPeer(proxy, `ws://127.0.0.1:${flooding.port}/`);
    await peer.next();
    peer.connection.socket.pause();
    // Both systems keep some megabytes.
    let before = -1;
    await expect.poll(() => {
      const still = before === sent;
      before = sent;
      return still;
    }, { interval: 200 }).toBe(true);
    expect(sent).toBeLessThan(1000);
    peer.connection.reset();
    await peer[Symbol.asyncDispose]();
  });

  test("nothing reaches it while a tape replays", async () => {
    const told: string[] = [];
    const answer: WebSocketAnswer = {
      open(client) {
        client.connect({ error: ({ code }) => void told.push(code), close: () => client.close(1000) });
        return {};
      },
    };
    const tape = { path: `${import.meta.dirname}/no.har`, mode: "replay" as const };
    await using proxy = await startProxy({ addons: [answering(answer)], tape });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    expect(await peer.next()).toMatch(/^close 1000/);
    expect(told).toEqual(["OFFLINE"]);
    await peer.send(close(1000));
    await peer.rest();
  });
});

test("a hundred at once, each with its own server", async () => {
  await using proxy = await startProxy({ addons: [answering(relaying())] });
  const one = async (i: number) => {
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    await peer.send({ opcode: "text", payload: `${i}` });
    const got = await peer.next();
    if (i % 3 === 0) peer.connection.reset();
    else await closed(peer);
    return got;
  };
  const got = await Promise.all(Array.from({ length: 100 }, (_, i) => one(i)));
  expect(got).toEqual(Array.from({ length: 100 }, (_, i) => `text "server: client: ${i}"`));
});
