// WebSockets that handlers take: as the platform's, on every runtime.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  GatewaySocket,
  type Handler,
  mount,
  type SocketClose,
  type SocketMessage,
  upgrade,
} from "../../src/gateway/mod.ts";
import { type HttpFlow, type Proxy, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { exchange, readResponse, requestTo } from "../wire/http1_client.ts";
import { peerOf, startBridge } from "../wire/http2/bridge.ts";
import { ended, handshake, openPeer, told } from "../wire/websocket/peers.ts";
import { close } from "../wire/websocket/support.ts";
import { openSocket, tell } from "./client.ts";

const URL_ = "ws://example.com/chat";
const flowOf = (proxy: Proxy) => proxy.flows.last() as HttpFlow;

/** A proxy whose application takes every WebSocket. */
function start(
  script: (socket: GatewaySocket) => void,
  options: ProxyOptions = {},
  upgradeOptions?: Parameters<typeof upgrade>[1],
): Promise<Proxy> {
  const handler: Handler = (_, info) => {
    const { socket, response } = upgrade(info, upgradeOptions);
    script(socket);
    return response;
  };
  return startProxy({ app: mount(handler), ...options });
}

describe("messages", () => {
  test("pass both ways, as text and as bytes; the flow has them", async () => {
    await using proxy = await start((socket) => {
      socket.binaryType = "arraybuffer";
      socket.onopen = () => socket.send("welcome");
      socket.onmessage = ({ data }) => {
        if (typeof data === "string") socket.send(`text ${data}`);
        else socket.send(new Uint8Array(data as ArrayBuffer).reverse());
      };
    });
    await using peer = await openPeer(proxy, URL_);
    expect(await peer.next()).toBe('text "welcome"');
    expect(await tell(peer, "one")).toBe("text one");
    await peer.send({ opcode: "binary", payload: Uint8Array.of(1, 2, 3) });
    expect([...(await peer.frame()).payload]).toEqual([3, 2, 1]);
    await peer.send(close(1000, "bye"));
    expect(await peer.rest()).toEqual(['close 1000 "bye"']);
    const flow = await ended(proxy);
    expect(flow.source).toBe("app");
    expect(flow.response!.status).toBe(101);
    expect(told(flow).slice(0, 3)).toEqual(["server welcome", "client one", "server text one"]);
  });

  test("a Blob is sent in its place, and binary messages are Blobs by default", async () => {
    await using proxy = await start((socket) => {
      socket.onmessage = async ({ data }) => {
        socket.send(data as Blob);
        socket.send(`behind ${(data as Blob).size}`);
        await (data as Blob).arrayBuffer();
      };
    });
    await using peer = await openPeer(proxy, URL_);
    await peer.send({ opcode: "binary", payload: "blob" });
    expect(Buffer.from((await peer.frame()).payload).toString()).toBe("blob");
    expect(await peer.next()).toBe('text "behind 4"');
  });

  test("listeners may be added and removed; `once` and signals work", async () => {
    const seen: string[] = [];
    await using proxy = await start((socket) => {
      const listener = (event: Event) => void seen.push(`each ${(event as SocketMessage).data}`);
      socket.addEventListener("message", listener);
      socket.addEventListener("message", (event) => void seen.push(`once ${(event as SocketMessage).data}`), {
        once: true,
      });
      socket.onmessage = ({ data }) => {
        if (data === "two") socket.removeEventListener("message", listener);
        socket.send("heard");
      };
    });
    await using peer = await openPeer(proxy, URL_);
    for (const text of ["one", "two", "three"]) await tell(peer, text);
    expect(seen).toEqual(["each one", "once one"]);
  });

  test("hooks see messages and change them", async () => {
    await using proxy = await start((socket) => {
      socket.onmessage = ({ data }) => socket.send(`got ${data}`);
    }, {
      addons: [{
        websocketMessage(flow) {
          const message = flow.websocket!.messages.at(-1)!;
          if (message.from === "client") message.data = Buffer.from(message.text.toUpperCase());
        },
      }],
    });
    await using peer = await openPeer(proxy, URL_);
    expect(await tell(peer, "quiet")).toBe("got QUIET");
  });

  test("in a tunnel with TLS, with a prefix", async () => {
    const handler: Handler = (request, info) => {
      const { socket, response } = upgrade(info);
      socket.onopen = () => socket.send(`${request.url} ${socket.url} ${info.url}`);
      return response;
    };
    await using proxy = await startProxy({ app: mount(handler, { prefix: "/p/" }) });
    await using peer = await openSocket(proxy, "wss://example.com/chat");
    const url = "example.com/p/https://example.com/chat";
    const text = Buffer.from((await peer.frame()).payload).toString();
    expect(text).toBe(`https://${url} wss://${url} https://example.com/chat`);
  });

  test("of a client that speaks HTTP/2 (RFC 8441)", async () => {
    const handler: Handler = (request, info) => {
      const { socket, response } = upgrade(info);
      socket.onmessage = ({ data }) => socket.send(`${request.method} ${request.url} ${data}`);
      return response;
    };
    await using bridge = await startBridge();
    await using proxy = await startProxy({ app: mount(handler) });
    const way = { tunnel: "origin.test:443", tls: true };
    await using peer = peerOf(await bridge.webSocket(proxy, "wss://origin.test/chat", { way }));
    expect(await tell(peer, "hello")).toBe("GET https://origin.test/chat hello");
  });

  test("to the proxy itself", async () => {
    await using proxy = await start((socket) => void (socket.onmessage = ({ data }) => socket.send(data as string)));
    await using connection = await connectRaw(proxy.port);
    await connection.write(handshake("/own", `127.0.0.1:${proxy.port}`));
    expect((await readResponse(connection)).status).toBe(101);
  });
});

describe("the handshake", () => {
  test("a subprotocol that the client offers is chosen, and fields are added", async () => {
    await using proxy = await start(() => {}, {}, { protocol: "chat.v2", headers: { "X-Own": "yes" } });
    await using peer = await openPeer(proxy, URL_, ["Sec-WebSocket-Protocol: chat.v1, chat.v2"]);
    expect(peer.head).toContain("Sec-WebSocket-Protocol: chat.v2\r\n");
    expect(peer.head).toMatch(/x-own: yes\r\n/i);
    expect(peer.head).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  });

  test("one that it does not offer: 500, with what it offers", async () => {
    await using proxy = await start(() => {}, {}, { protocol: "chat.v2" });
    await expect(openPeer(proxy, URL_, ["Sec-WebSocket-Protocol: chat.v1"])).rejects.toThrow("HTTP/1.1 500");
    expect(flowOf(proxy).error!.message).toContain('upgrade({ protocol: "chat.v2" }): the client offers chat.v1');
  });

  test("a request that asks for none: upgrade() says so, and info.upgrade is missing", async () => {
    await using proxy = await startProxy({
      app: mount((_, info) => info.upgrade === undefined ? new Response("missing") : upgrade(info).response),
    });
    expect((await exchange(proxy.port, requestTo("http://example.com/"))).text).toBe("missing");
    await using other = await start(() => {});
    const { status, text } = await exchange(other.port, requestTo("http://example.com/"));
    expect(status).toBe(500);
    expect(text).toContain("there is no WebSocket to upgrade to");
  });

  test("a version that is not known gets a 426", async () => {
    await using proxy = await start(() => {});
    await using connection = await connectRaw(proxy.port);
    await connection.write(handshake("http://example.com/", "example.com").replace("Version: 13", "Version: 12"));
    expect((await readResponse(connection)).status).toBe(426);
  });

  test("a handler that answers otherwise after all: the socket closes", async () => {
    const closed = Promise.withResolvers<SocketClose>();
    await using proxy = await startProxy({
      app: mount((_, info) => {
        const { socket } = upgrade(info);
        socket.onclose = closed.resolve;
        return new Response("no", { status: 403 });
      }),
    });
    await expect(openPeer(proxy, URL_)).rejects.toThrow("HTTP/1.1 403");
    expect(await closed.promise).toMatchObject({ code: 1006, wasClean: false });
  });

  test("a handler that throws after it has taken the socket: 500, and the socket closes", async () => {
    const closed = Promise.withResolvers<number>();
    await using proxy = await startProxy({
      app: mount((_, info) => {
        upgrade(info).socket.onclose = ({ code }) => closed.resolve(code);
        throw new Error("changed my mind");
      }),
    });
    await expect(openPeer(proxy, URL_)).rejects.toThrow("HTTP/1.1 500");
    expect(await closed.promise).toBe(1006);
  });

  test("middleware that makes a new Response of it does no harm", async () => {
    await using proxy = await startProxy({
      app: mount((_, info) => {
        const { socket, response } = upgrade(info);
        socket.onopen = () => socket.send("open");
        return new Response(response.body, { headers: { "x-middleware": "was here" } });
      }),
    });
    await using peer = await openPeer(proxy, URL_);
    expect(await peer.next()).toBe('text "open"');
  });

  test("it can be taken once", async () => {
    await using proxy = await startProxy({
      app: mount((_, info) => {
        upgrade(info);
        return upgrade(info).response;
      }),
    });
    await expect(openPeer(proxy, URL_)).rejects.toThrow("HTTP/1.1 500");
    expect(flowOf(proxy).error!.message).toContain("was taken already");
  });

  test("a hook refuses it", async () => {
    await using proxy = await start(() => {}, {
      addons: [{
        websocketHandshake: (flow) => void (flow.error = { code: "DROPPED", message: "not today", status: 403 }),
      }],
    });
    await expect(openPeer(proxy, URL_)).rejects.toThrow("HTTP/1.1 403");
  });
});

describe("the end", () => {
  test.each([[undefined, "", 'close ""'], [1000, "done", 'close 1000 "done"'], [3999, "own", 'close 3999 "own"']])(
    "close(%s, %j) by the application",
    async (code, reason, expected) => {
      const closed = Promise.withResolvers<SocketClose>();
      await using proxy = await start((socket) => {
        socket.onopen = () => {
          socket.send("last");
          socket.close(code, reason);
          socket.send("too late");
          expect(socket.readyState).toBe(GatewaySocket.CLOSING);
        };
        socket.onclose = closed.resolve;
      });
      await using peer = await openPeer(proxy, URL_);
      expect(await peer.next()).toBe('text "last"');
      expect(await peer.next()).toBe(expected);
      await peer.send(code === undefined ? { opcode: "close" } : close(code, reason));
      expect(await closed.promise).toMatchObject({ code: code ?? 1005, reason, wasClean: true });
    },
  );

  test("a client that closes, and one that is gone", async () => {
    const closes: string[] = [];
    await using proxy = await start((socket) => {
      socket.onerror = () => void closes.push("error");
      socket.onclose = ({ code, reason }) => void closes.push(`${code} ${reason} ${socket.readyState}`);
    });
    const polite = await openPeer(proxy, URL_);
    await polite.send(close(1001, "leaving"));
    await expect.poll(() => closes, { timeout: 10_000 }).toEqual(["1001 leaving 3"]);
    await polite[Symbol.asyncDispose]();
    const rude = await openPeer(proxy, URL_);
    await rude[Symbol.asyncDispose]();
    await expect.poll(() => closes, { timeout: 10_000 }).toEqual(["1001 leaving 3", "error", "1006  3"]);
  });

  test("the proxy closes: so does the socket", async () => {
    const closed = Promise.withResolvers<number>();
    const proxy = await start((socket) => void (socket.onclose = ({ code }) => closed.resolve(code)));
    await using _peer = await openPeer(proxy, URL_);
    await proxy.close();
    expect(await closed.promise).toBeGreaterThan(1000);
  });

  test.each(["throws", "rejects"])(
    "a listener that %s ends the flow, and the test that owns the proxy fails",
    async (how) => {
      const proxy = await start((socket) => {
        socket.onmessage = () => {
          if (how === "rejects") return Promise.reject(new Error("no such room"));
          throw new Error("no such room");
        };
      });
      const peer = await openPeer(proxy, URL_);
      await peer.send({ opcode: "text", payload: "hello" });
      expect((await ended(proxy)).error).toMatchObject({ code: "HOOK_FAILED" });
      await peer[Symbol.asyncDispose]();
      await expect(proxy.close()).rejects.toThrow("no such room");
    },
  );

  test("what cannot be sent or closed with is refused as the platform refuses it", async () => {
    const errors: string[] = [];
    const attempt = (act: () => void) => {
      try {
        act();
      } catch (error) {
        errors.push((error as Error).name);
      }
    };
    await using proxy = await start((socket) => {
      expect(socket.readyState).toBe(GatewaySocket.CONNECTING);
      attempt(() => socket.send("too early"));
      attempt(() => socket.close(1001));
      attempt(() => socket.close(1000, "x".repeat(124)));
      socket.onopen = () => {
        attempt(() => socket.send({} as never));
        socket.send("done");
      };
    });
    await using peer = await openPeer(proxy, URL_);
    expect(await peer.next()).toBe('text "done"');
    expect(errors).toEqual(["InvalidStateError", "InvalidAccessError", "SyntaxError", "OptionsError"]);
  });

  test("closed before it is open: the client hears of it", async () => {
    await using proxy = await start((socket) => socket.close(1000, "full"));
    await using peer = await openPeer(proxy, URL_);
    expect(await peer.next()).toBe('close 1000 "full"');
  });
});
