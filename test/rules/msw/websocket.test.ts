import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { respond, type RuleLike, ruleOf, startProxy } from "../../../src/mod.ts";
import { PATIENTLY } from "../../wire/http1_client.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { closed, echo, ended, flowOf, openPeer, startPeerServer, told } from "../../wire/websocket/peers.ts";
import { close } from "../../wire/websocket/support.ts";
import { VERSIONS } from "./versions.ts";

let origin: RawServer;
beforeAll(async () => {
  origin = await startPeerServer(echo);
});
afterAll(() => origin[Symbol.asyncDispose]());

const text = (payload: string) => ({ opcode: "text", payload }) as const;

describe.each(VERSIONS)("%s: ws", (_, { ws, http, HttpResponse }) => {
  const chat = () => ws.link("wss://chat.test/room/:id");
  const anywhere = () => ws.link("ws://*");

  test("answers the client without a server", async () => {
    const handler = ws.link("ws://chat.test/room/:id").addEventListener("connection", ({ client, params, info }) => {
      client.send(`welcome to ${params.id}, ${info.protocols}`);
      client.addEventListener("message", (event) => client.send(`you said ${event.data}`));
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://chat.test/room/7", ["Sec-WebSocket-Protocol: v1, v2"]);
    expect(peer.head).toContain("Sec-WebSocket-Protocol: v1\r\n");
    expect(await peer.next()).toBe('text "welcome to 7, v1,v2"');
    await peer.send(text("hello"));
    expect(await peer.next()).toBe('text "you said hello"');
    await closed(peer);
    await ended(proxy);
    const flow = flowOf(proxy);
    expect(flow.source).toBe("rule");
    expect(ruleOf(flow)).toEqual({ place: "rules[0]", description: "ws ws://chat.test/room/:id", forwarded: false });
    expect(told(flow)).toEqual(["server welcome to 7, v1,v2", "client hello", "server you said hello"]);
    expect(flow.websocket).toMatchObject({ closeCode: 1000, closedBy: "client" });
  });

  test("stands in the list like any other rule", async () => {
    const refuse: RuleLike = [{ path: "/no" }, respond({ status: 403 })];
    const handler = anywhere().addEventListener("connection", ({ client }) => client.close(4000, "mine"));
    const elsewhere = chat().addEventListener("connection", ({ client }) => client.close(4001));
    await using proxy = await startProxy({ rules: [elsewhere, refuse, handler, ["ws://chat.test/*", "drop"]] });
    await expect(openPeer(proxy, "ws://chat.test/no")).rejects.toThrow("403");
    await using peer = await openPeer(proxy, "ws://chat.test/yes");
    expect(await peer.next()).toBe('close 4000 "mine"');
    expect(ruleOf(flowOf(proxy))?.place).toBe("rules[2]");
    await peer.send(close(4000));
    await peer.rest();
  });

  test("is nothing to requests, and handlers of http are nothing to WebSockets", async () => {
    const handler = anywhere().addEventListener("connection", ({ client }) => client.send("ws"));
    await using proxy = await startProxy({ rules: [http.get("*", () => HttpResponse.text("http")), handler] });
    expect(await (await proxy.fetch("http://chat.test/")).text()).toBe("http");
    await using peer = await openPeer(proxy, "ws://chat.test/");
    expect(await peer.next()).toBe('text "ws"');
    await closed(peer);
  });

  test("one that no handler is for goes to its server", async () => {
    const handler = chat().addEventListener("connection", ({ client }) => client.send("mock"));
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
    await peer.send(text("x"));
    expect(await peer.next()).toBe('text "x"');
    expect(flowOf(proxy).source).toBe("upstream");
    await closed(peer);
  });

  test("with a relative path, a pattern, and use()", async () => {
    await using proxy = await startProxy();
    const handle = proxy.use(
      ws.link("/relative").addEventListener("connection", ({ client }) => client.send("relative")),
      ws.link(/\/reg[a-z]+$/).addEventListener("connection", ({ client }) => client.send("regexp")),
    );
    for (const name of ["relative", "regexp"]) {
      await using peer = await openPeer(proxy, `ws://any.test/${name}`);
      expect(await peer.next()).toBe(`text "${name}"`);
      await closed(peer);
    }
    expect(handle.calls.length).toBe(2);
  });

  test("sends and gets bytes in every form, in order", async () => {
    const got: unknown[] = [];
    const handler = anywhere().addEventListener("connection", ({ client }) => {
      client.addEventListener("message", async (event) => {
        got.push(event.data);
        if (typeof event.data !== "string") client.send(event.data);
        client.send(new Blob(["blob"]));
        client.send(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
        client.send(Uint16Array.of(0x4241).buffer);
        client.send("end");
        await Promise.resolve();
      });
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    await peer.send({ opcode: "binary", payload: "raw" });
    const all = [await peer.next(), await peer.next(), await peer.next(), await peer.next(), await peer.next()];
    expect(all).toEqual([
      'binary "raw"',
      'binary "blob"',
      'binary "\\u0002\\u0003"',
      'binary "AB"',
      'text "end"',
    ]);
    expect(got[0]).toBeInstanceOf(ArrayBuffer);
    expect(Buffer.from(got[0] as ArrayBuffer).toString()).toBe("raw");
    await closed(peer);
  });

  test("hears of the close, with any code, and closes with any", async () => {
    const heard: unknown[] = [];
    const handler = anywhere().addEventListener("connection", ({ client }) => {
      client.addEventListener("close", (event) => {
        const { code, reason, wasClean } = event as unknown as CloseEvent;
        heard.push([code, reason, wasClean]);
      });
      client.addEventListener("message", () => client.close(1003, "text, please"));
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    await peer.send(close(4321, "bye"));
    await peer.rest();
    await using other = await openPeer(proxy, "ws://chat.test/");
    await other.send(text("x"));
    expect(await other.next()).toBe('close 1003 "text, please"');
    await other.send(close(1003, "text, please"));
    await other.rest();
    const cut = await openPeer(proxy, "ws://chat.test/");
    cut.connection.reset();
    await expect.poll(() => heard, PATIENTLY).toEqual([
      [4321, "bye", true],
      [1003, "text, please", true],
      [1006, "", false],
    ]);
    await cut[Symbol.asyncDispose]();
  });

  test("broadcasts to all clients of a link, or to all but one", async () => {
    const link = anywhere();
    const handler = link.addEventListener("connection", ({ client }) => {
      client.addEventListener("message", (event) => {
        if (event.data === "all") link.broadcast("to all");
        else link.broadcastExcept(client, "to the others");
      });
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using one = await openPeer(proxy, "ws://chat.test/1");
    await using two = await openPeer(proxy, "ws://chat.test/2");
    await expect.poll(() => link.clients.size, PATIENTLY).toBe(2);
    expect([...link.clients].map((client) => client.url.href)).toEqual(["ws://chat.test/1", "ws://chat.test/2"]);
    await one.send(text("others"), text("all"));
    expect(await two.next()).toBe('text "to the others"');
    expect(await two.next()).toBe('text "to all"');
    expect(await one.next()).toBe('text "to all"');
    await closed(one);
    // One of them has gone: that is no error.
    link.broadcast("later");
    expect(await two.next()).toBe('text "later"');
    await closed(two);
  });

  test("all handlers that match take part, and may stop the propagation", async () => {
    const link = anywhere();
    const first = link.addEventListener("connection", ({ client }) => {
      client.addEventListener("message", (event) => {
        client.send("first");
        if (event.data === "stop") event.stopPropagation();
        if (event.data === "at once") event.stopImmediatePropagation();
      });
      client.addEventListener("message", () => client.send("also first"));
    });
    const second = ws.link("ws://chat.test/").addEventListener("connection", ({ client }) => {
      client.addEventListener("message", () => client.send("second"));
    });
    await using proxy = await startProxy({ rules: [first, ["http://other.test/", "drop"], second] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    const say = async (payload: string) => {
      await peer.send(text(payload), { opcode: "ping", payload: "." });
      const got: string[] = [];
      for (let one = await peer.next(); !one.startsWith("pong"); one = await peer.next()) got.push(one);
      return got.join();
    };
    expect(await say("go")).toBe('text "first",text "also first",text "second"');
    expect(await say("stop")).toBe('text "first",text "also first"');
    expect(await say("at once")).toBe('text "first"');
    await closed(peer);
  });

  test("listeners can be removed, be once, be objects, and end with a signal", async () => {
    const heard: string[] = [];
    const controller = new AbortController();
    const handler = anywhere().addEventListener("connection", ({ client }) => {
      const note = (name: string) => () => void heard.push(name);
      const removed = note("removed");
      client.addEventListener("message", removed);
      client.removeEventListener("message", removed);
      client.addEventListener("message", note("once"), { once: true });
      client.addEventListener("message", note("signal"), { signal: controller.signal });
      client.addEventListener("message", { handleEvent: note("object") } as never);
      client.addEventListener("message", () => client.send("heard"));
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    await peer.send(text("1"));
    await peer.next();
    controller.abort();
    await peer.send(text("2"));
    await peer.next();
    expect(heard).toEqual(["once", "signal", "object", "object"]);
    await closed(peer);
  });

  test("what a listener throws closes the WebSocket with 1011, and fails the test", async () => {
    const handler = anywhere().addEventListener("connection", ({ client }) => {
      client.addEventListener("message", (event) => {
        if (event.data === "throw") throw new Error("boom");
        return Promise.reject(new Error("boom"));
      });
    });
    for (const payload of ["throw", "reject"]) {
      const proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, "ws://chat.test/");
      await peer.send(text(payload));
      expect((await peer.rest())[0]).toMatch(/^close 1011/);
      expect((await ended(proxy)).error?.code).toBe("HOOK_FAILED");
      await expect(proxy.close()).rejects.toThrow("rules[0] (ws ws://*): boom");
    }
  });

  test("what is said when it is closed is nothing", async () => {
    const done = Promise.withResolvers<void>();
    const handler = anywhere().addEventListener("connection", ({ client }) => {
      client.addEventListener("close", () => {
        client.send("late");
        client.close();
        done.resolve();
      });
    });
    await using proxy = await startProxy({ rules: [handler] });
    await using peer = await openPeer(proxy, "ws://chat.test/");
    await closed(peer);
    await done.promise;
  });

  describe("server.connect()", () => {
    test("forwards both ways, unless it is prevented", async () => {
      const handler = anywhere().addEventListener("connection", ({ client, server }) => {
        server.connect();
        client.addEventListener("message", (event) => {
          if (event.data === "secret") {
            event.preventDefault();
            server.send("redacted");
          }
        });
        server.addEventListener("message", (event) => {
          if (event.data === "noise") event.preventDefault();
          if (event.data === "edit") {
            event.preventDefault();
            client.send("edited");
          }
        });
      });
      await using proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
      await peer.send(text("plain"), text("secret"), text("noise"), text("edit"), { opcode: "binary", payload: "b" });
      const got = [await peer.next(), await peer.next(), await peer.next(), await peer.next()];
      expect(got).toEqual(['text "plain"', 'text "redacted"', 'text "edited"', 'binary "b"']);
      expect(flowOf(proxy).server?.port).toBe(origin.port);
      await closed(peer);
    });

    test("later: what was said before is not forwarded", async () => {
      const handler = anywhere().addEventListener("connection", ({ client, server }) => {
        client.addEventListener("message", (event) => {
          if (event.data === "connect") {
            event.preventDefault();
            server.connect();
          }
        });
        server.addEventListener("open", () => client.send("open"));
      });
      await using proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
      await peer.send(text("lost"), text("connect"), text("waits"));
      expect([await peer.next(), await peer.next()]).toEqual(['text "open"', 'text "waits"']);
      await closed(peer);
    });

    test("a close of the server closes the client, unless it is prevented", async () => {
      await using closing = await startPeerServer(async (peer) => {
        await peer.next();
        await peer.send(close(4100, "server is done"));
        await peer.rest();
      });
      for (const prevented of [false, true]) {
        const heard: unknown[] = [];
        const handler = anywhere().addEventListener("connection", ({ client, server }) => {
          server.connect();
          server.addEventListener("close", (event) => {
            const { code, reason } = event as unknown as CloseEvent;
            heard.push(code, reason);
            if (!prevented) return;
            event.preventDefault();
            client.send("still here");
          });
        });
        await using proxy = await startProxy({ rules: [handler] });
        await using peer = await openPeer(proxy, `ws://127.0.0.1:${closing.port}/`);
        await peer.send(text("x"));
        expect(await peer.next()).toBe(prevented ? 'text "still here"' : 'close 4100 "server is done"');
        expect(heard).toEqual([4100, "server is done"]);
        if (prevented) await closed(peer);
        else await peer.send(close(4100));
      }
    });

    test("server.close() leaves the client; it may connect again", async () => {
      const handler = anywhere().addEventListener("connection", ({ client, server }) => {
        server.connect();
        client.addEventListener("message", (event) => {
          if (event.data === "close") {
            event.preventDefault();
            server.close();
          }
          if (event.data === "again") {
            event.preventDefault();
            server.connect();
          }
        });
        server.addEventListener("close", (event) => client.send(`closed ${(event as unknown as CloseEvent).code}`));
      });
      await using proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
      await peer.send(text("1"));
      expect(await peer.next()).toBe('text "1"');
      await peer.send(text("close"));
      expect(await peer.next()).toBe('text "closed 1000"');
      await peer.send(text("nobody hears it"), text("again"), text("2"));
      expect(await peer.next()).toBe('text "2"');
      await closed(peer);
    });

    test("a server that cannot be reached: error, then 1006 for the client", async () => {
      await using free = await startRawServer(async () => {});
      const { port } = free;
      await free[Symbol.asyncDispose]();
      const heard: string[] = [];
      const handler = anywhere().addEventListener("connection", ({ server }) => {
        server.connect();
        server.addEventListener("error", () => void heard.push("error"));
        server.addEventListener("close", (event) => void heard.push(`${(event as unknown as CloseEvent).code}`));
      });
      await using proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${port}/`);
      expect(await peer.rest()).toEqual([]);
      expect(heard).toEqual(["error", "1006"]);
      expect((await ended(proxy)).websocket!.closeCode).toBe(1006);
    });

    test("misuse is an error that says what to do", async () => {
      const errors: string[] = [];
      const attempt = (act: () => void) => {
        try {
          act();
        } catch (error) {
          errors.push((error as Error).message);
        }
      };
      const handler = anywhere().addEventListener("connection", ({ client, server }) => {
        attempt(() => server.send("x"));
        attempt(() => server.close());
        server.connect();
        attempt(() => server.connect());
        attempt(() => client.send({} as string));
      });
      await using proxy = await startProxy({ rules: [handler] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/`);
      await closed(peer);
      expect(errors).toEqual([
        expect.stringContaining("call server.connect() first"),
        expect.stringContaining("call server.connect() first"),
        expect.stringContaining("connected already"),
        expect.stringContaining("a string, a Blob, an ArrayBuffer"),
      ]);
    });
  });
});
