import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Addon, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import type { RawServer } from "../../support/raw_server.ts";
import { openTunnel } from "../tunnel.ts";
import {
  afterSwitch,
  closed,
  echo,
  ended,
  flowOf,
  handshake,
  openPeer,
  type Peer,
  startPeerServer,
  told,
  watcher,
} from "./peers.ts";
import { close, type FrameSpec } from "./support.ts";

let origin: RawServer;
let url = "";

beforeAll(async () => {
  origin = await startPeerServer(echo);
  url = `ws://127.0.0.1:${origin.port}/`;
});
afterAll(() => origin[Symbol.asyncDispose]());

const text = (payload: string): FrameSpec => ({ opcode: "text", payload });

/** A proxy in front of a server that does what a script says; what the server then gets to see. */
async function conversation(script: (peer: Peer) => Promise<void> | void, more: Addon = {}) {
  const addon = watcher();
  const toServer = Promise.withResolvers<string[]>();
  const server = await startPeerServer(async (peer) => {
    await script(peer);
    toServer.resolve(await peer.rest());
  }, { halfOpen: true });
  const proxy = await startProxy({ addons: [addon, { name: "more", ...more, tick() {} }] });
  const peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
  return {
    proxy,
    peer,
    toServer: toServer.promise,
    /** The hooks from the handshake on. */
    get last() {
      return addon.seen.slice(addon.seen.indexOf("websocketHandshake") + 1);
    },
    async [Symbol.asyncDispose]() {
      await proxy.close().catch(() => {});
      await peer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("B70 close", () => {
  test("of the client: code and reason", async () => {
    await using it = await conversation(async (peer) => {
      expect(await peer.next()).toBe('close 4321 "enough"');
      await peer.send(close(4321, "enough"));
    });
    await it.peer.send(close(4321, "enough"));
    expect(await it.peer.rest()).toEqual(['close 4321 "enough"']);
    const { websocket, error } = await ended(it.proxy);
    expect([websocket!.closeCode, websocket!.closeReason, websocket!.closedBy]).toEqual([4321, "enough", "client"]);
    expect(error).toBe(undefined);
    expect(it.last).toEqual(["websocketEnd"]);
  });

  test("of the server: code and reason", async () => {
    await using it = await conversation((peer) => peer.send(close(4321, "enough")));
    expect(await it.peer.next()).toBe('close 4321 "enough"');
    await it.peer.send(close(4321, "enough"));
    expect(await it.toServer).toEqual(['close 4321 "enough"']);
    const { websocket, error } = await ended(it.proxy);
    expect([websocket!.closeCode, websocket!.closeReason, websocket!.closedBy]).toEqual([4321, "enough", "server"]);
    expect(error).toBe(undefined);
  });

  test("of the server, without a code", async () => {
    await using it = await conversation((peer) => peer.send({ opcode: "close" }));
    expect(await it.peer.next()).toBe('close ""');
    await it.peer.send({ opcode: "close" });
    expect(await it.toServer).toEqual(['close ""']);
    const { websocket } = await ended(it.proxy);
    expect([websocket!.closeCode, websocket!.closeReason, websocket!.closedBy]).toEqual([1005, "", "server"]);
  });

  test("of an addon goes to both sides, and what it held is dropped", async () => {
    await using it = await conversation(() => {}, {
      websocketMessage: (flow) => flow.websocket!.close(4000, "by the addon"),
    });
    await it.peer.send(text("x"));
    expect(await it.peer.rest()).toEqual(['close 4000 "by the addon"']);
    expect(await it.toServer).toEqual(['close 4000 "by the addon"']);
    const flow = await ended(it.proxy);
    expect(told(flow)).toEqual(["client x dropped"]);
    expect([flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual([4000, "proxy"]);
    expect(it.last).toEqual(["websocketMessage", "websocketEnd"]);
  });

  test("with a code that may not be sent is refused", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url);
    expect(() => flowOf(proxy).websocket!.close(1005)).toThrow("cannot be closed with the code 1005");
    await closed(peer);
  });

  test("whose answer never comes is over after timeouts.idle", async () => {
    await using server = await startPeerServer((peer) => peer.connection.closed);
    await using proxy = await startProxy({ timeouts: { idle: 100 } });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    // Silence alone ends nothing.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(flowOf(proxy).done).toBe(false);
    await peer.send(close(1000));
    expect(await peer.rest()).toEqual([]);
    const flow = await ended(proxy);
    expect([flow.error, flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual([undefined, 1000, "client"]);
  });

  test("and cut: the close frame counts", async () => {
    await using it = await conversation(async (peer) => {
      await peer.send(close(1001, "restart"));
      peer.connection.socket.destroy();
    });
    expect(await it.peer.rest()).toEqual(['close 1001 "restart"']);
    const flow = await ended(it.proxy);
    expect([flow.error, flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual([undefined, 1001, "server"]);
    expect(it.last).toEqual(["websocketEnd"]);
  });
});

describe("B71 a connection that ends without a close frame", () => {
  test.each(["end", "reset"] as const)("%s of the client", async (how) => {
    await using it = await conversation(() => {});
    it.peer.connection[how]();
    expect(await it.toServer).toEqual([]);
    const { websocket, error } = await ended(it.proxy);
    expect(error!.code).toBe("CLIENT_ABORTED");
    expect([websocket!.closeCode, websocket!.closedBy]).toEqual([1006, "client"]);
    expect(it.last).toEqual(["error"]);
  });

  test.each(["end", "reset"] as const)("%s of the server", async (how) => {
    await using it = await conversation((peer) => peer.connection[how]());
    expect(await it.peer.rest()).toEqual([]);
    const { websocket, error } = await ended(it.proxy);
    expect(error!.code).toBe("UPSTREAM_ABORTED");
    expect([websocket!.closeCode, websocket!.closedBy]).toEqual([1006, "server"]);
    expect(it.last).toEqual(["error"]);
    expect(it.proxy.flows.summary()).toContain("UPSTREAM_ABORTED");
  });

  test("in the middle of a message", async () => {
    await using it = await conversation(() => {});
    await it.peer.send({ opcode: "text", payload: "half", fin: false });
    it.peer.connection.end();
    expect(await it.toServer).toEqual([]);
    expect((await ended(it.proxy)).error!.code).toBe("CLIENT_ABORTED");
  });

  test("while a hook is at work: its message is still sent", async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => go = resolve);
    await using it = await conversation(() => {}, { websocketMessage: () => waiting });
    await it.peer.send(text("last words"));
    it.peer.connection.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(flowOf(it.proxy).done).toBe(false);
    go();
    expect(await it.toServer).toEqual(['text "last words"']);
    expect((await ended(it.proxy)).websocket!.closeCode).toBe(1006);
  });
});

describe("B74 a side that breaks the protocol", () => {
  test.each<[string, FrameSpec, number, string]>([
    ["an unmasked frame", { opcode: "text", payload: "x", masked: false }, 1002, "WS_MASK"],
    ["text that is not UTF-8", { opcode: "text", payload: Buffer.from([0xff]) }, 1007, "WS_UTF8"],
    ["a reserved opcode", { opcode: 3 }, 1002, "WS_OPCODE"],
  ])("%s of the client", async (_, frame, code, name) => {
    await using it = await conversation(() => {});
    await it.peer.send(frame);
    expect(await it.peer.next()).toMatch(new RegExp(`^close ${code} `));
    expect((await it.toServer)[0]).toMatch(new RegExp(`^close ${code} `));
    const { websocket, error } = await ended(it.proxy);
    expect(error!.code).toBe(name);
    expect([websocket!.closeCode, websocket!.closedBy]).toEqual([code, "client"]);
    expect(it.last).toEqual(["error"]);
  });

  test.each<[string, FrameSpec, number, string]>([
    ["a masked frame", { opcode: "text", payload: "x", masked: true }, 1002, "WS_MASK"],
    ["text that is not UTF-8", { opcode: "text", payload: Buffer.from([0xff]) }, 1007, "WS_UTF8"],
  ])("%s of the server", async (_, frame, code, name) => {
    await using it = await conversation((peer) => peer.send(frame));
    expect(await it.peer.next()).toMatch(new RegExp(`^close ${code} `));
    expect((await it.toServer)[0]).toMatch(new RegExp(`^close ${code} `));
    const { websocket, error } = await ended(it.proxy);
    expect([error!.code, websocket!.closeCode, websocket!.closedBy]).toEqual([name, code, "server"]);
  });
});

describe("an end that comes from the proxy", () => {
  test("a hook that throws: 1011, and close() reports it", async () => {
    const it = await conversation(() => {}, {
      websocketMessage() {
        throw new Error("broken");
      },
    });
    await it.peer.send(text("x"));
    const why = 'hook websocketMessage of addon "more" threw';
    const { payload } = await it.peer.frame();
    expect([payload.readUInt16BE(), payload.toString("utf8", 2)]).toEqual([1011, expect.stringContaining(why)]);
    expect((await it.toServer).length).toBe(1);
    const flow = await ended(it.proxy);
    expect(flow.error!.code).toBe("HOOK_FAILED");
    expect([flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual([1011, "proxy"]);
    expect(told(flow)).toEqual(["client x dropped"]);
    expect(it.last).toEqual(["websocketMessage", "error"]);
    await expect(it.proxy.close()).rejects.toThrow(why);
    await it[Symbol.asyncDispose]();
  });

  test("a hook that throws later", async () => {
    await using it = await conversation(() => {}, {
      async websocketMessage() {
        await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error("broken");
      },
    });
    await it.peer.send(text("x"));
    expect((await it.peer.frame()).payload.readUInt16BE()).toBe(1011);
    expect((await ended(it.proxy)).error!.code).toBe("HOOK_FAILED");
  });

  test("websocketEnd that throws makes a failure of the flow", async () => {
    const it = await conversation(echo, {
      websocketEnd() {
        throw new Error("broken");
      },
    });
    await closed(it.peer);
    const flow = await ended(it.proxy);
    expect([flow.error!.code, flow.websocket!.closeCode]).toEqual(["HOOK_FAILED", 1000]);
    // Each addon hears once how a flow ends.
    expect(it.last).toEqual(["websocketEnd"]);
    await expect(it.proxy.close()).rejects.toThrow("broken");
    await it[Symbol.asyncDispose]();
  });

  test("flow.error: 1011 with its message; DROPPED: cut", async () => {
    for (const code of ["MINE", "DROPPED"]) {
      await using it = await conversation(() => {}, {
        websocketMessage: (flow) => void (flow.error = { code, message: "as I like it" }),
      });
      await it.peer.send(text("x"));
      const seen = await it.peer.rest();
      expect(seen.map((frame) => frame.slice(0, 25))).toEqual(code === "MINE" ? ['close 1011 "as I like it"'] : []);
      const flow = await ended(it.proxy);
      expect([flow.error!.code, flow.websocket!.closeCode]).toEqual([code, code === "MINE" ? 1011 : 1006]);
    }
  });

  test("flow.kill(): both are cut", async () => {
    await using it = await conversation(() => {});
    flowOf(it.proxy).kill();
    expect(await it.peer.rest()).toEqual([]);
    expect(await it.toServer).toEqual([]);
    const flow = await ended(it.proxy);
    expect([flow.error!.code, flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual(["KILLED", 1006, "proxy"]);
    expect(it.last).toEqual(["error"]);
  });

  test("proxy.close(): 1001 to both", async () => {
    await using it = await conversation(() => {});
    const start = performance.now();
    await it.proxy.close();
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await it.peer.rest()).toEqual(['close 1001 "the proxy was closed"']);
    expect(await it.toServer).toEqual(['close 1001 "the proxy was closed"']);
    const flow = flowOf(it.proxy);
    expect([flow.done, flow.error!.code]).toEqual([true, "PROXY_CLOSED"]);
    expect([flow.websocket!.closeCode, flow.websocket!.closedBy]).toEqual([1001, "proxy"]);
    expect(it.last).toEqual(["error"]);
  });

  test("proxy.close() over TLS, on both sides", async () => {
    const toServer = Promise.withResolvers<string[]>();
    await using server = await startPeerServer(async (peer) => toServer.resolve(await peer.rest()), {
      tls: testCa().issue(["127.0.0.1"]),
    });
    const proxy = await startProxy({ upstream: { ca: testCa().cert } });
    const tunnel = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await using connection = await tunnel.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
    await connection.write(handshake("/", `127.0.0.1:${server.port}`));
    const peer = await afterSwitch(connection);
    await proxy.close();
    expect(await peer.rest()).toEqual(['close 1001 "the proxy was closed"']);
    expect(await toServer.promise).toEqual(['close 1001 "the proxy was closed"']);
  });

  test("proxy.close() waits neither for a hook nor for a side that does not read", async () => {
    const proxy = await startProxy({ addons: [{ websocketMessage: () => new Promise(() => {}) }] });
    await using server = await startPeerServer(async (peer) => {
      peer.connection.socket.pause();
      await peer.connection.closed;
    });
    const peers = [];
    for (let i = 0; i < 20; i++) peers.push(await openPeer(proxy, `ws://127.0.0.1:${server.port}/`));
    for (const peer of peers) {
      peer.connection.socket.pause();
      await peer.send(text("x"));
    }
    const start = performance.now();
    await proxy.close();
    expect(performance.now() - start).toBeLessThan(10_000);
    for (const flow of proxy.flows) expect([flow.done, flow.error!.code]).toEqual([true, "PROXY_CLOSED"]);
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  });
});
