import { gzipSync } from "node:zlib";
import { join } from "node:path";
import * as msw3 from "msw";
import { setupServer as setupServer3 } from "msw/node";
import * as msw2 from "msw2";
import { setupServer as setupServer2 } from "msw2/node";
import { afterEach, describe, expect, test } from "vitest";
import { type FlowSet, not, respond, respondWebSocket, type RuleLike, startProxy, tcp } from "../../src/mod.ts";
import { readTape, toMswHandlers } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";
import { tempFolder } from "../support/temp.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { closed, openPeer } from "../wire/websocket/peers.ts";
import { close as goodbye } from "../wire/websocket/support.ts";

/** The flows of some requests, answered by rules. */
async function captured(rules: RuleLike[], requests: [url: string, init?: RequestInit][]): Promise<FlowSet> {
  await using proxy = await startProxy({ rules });
  for (const [url, init] of requests) await (await proxy.fetch(url, init)).bytes().catch(() => {});
  return proxy.flows.copy();
}

const versions = [
  ["MSW 3", setupServer3, msw3.ws],
  ["MSW 2", setupServer2 as unknown as typeof setupServer3, msw2.ws],
] as const;

describe.each(versions)("toMswHandlers() and setupServer() of %s", (_, setupServer, ws) => {
  let stop = () => {};
  afterEach(() => stop());
  const listen = (handlers: never[]) => {
    const server = setupServer(...handlers);
    // The first is MSW 2's word for it.
    server.listen({ onUnhandledRequest: "error", onUnhandledFrame: "error" } as object);
    stop = () => {
      stop = () => {};
      server.close();
    };
    return server;
  };
  const ask = async (url: string, init?: RequestInit) => (await fetch(url, init)).text();

  test("identical requests in order, then the last again; resetHandlers() begins again", async () => {
    let count = 0;
    const flows = await captured(
      [["http://a.test/count", respond(() => ({ body: `count ${++count}` }))]],
      [["http://a.test/count"], ["http://a.test/count"]],
    );
    const server = listen(toMswHandlers(flows));
    const three = [
      await ask("http://a.test/count"),
      await ask("http://a.test/count"),
      await ask("http://a.test/count"),
    ];
    expect(three).toEqual(["count 1", "count 2", "count 2"]);
    server.resetHandlers();
    expect(await ask("http://a.test/count")).toBe("count 1");
    expect(server.listHandlers().map((it) => (it as msw3.HttpHandler).info.header)).toEqual([
      "GET http://a.test/count",
    ]);
  });

  test("method, query and body tell requests apart; the order of query and JSON does not", async () => {
    const echo = respond((flow) => ({ body: `${flow.request.method} ${flow.request.query} ${flow.request.text()}` }));
    const post = (body: string) => ({ method: "POST", body, headers: { "content-type": "application/json" } });
    const flows = await captured([["http://a.test/*", echo]], [
      ["http://a.test/x?a=1&b=2"],
      ["http://a.test/x?a=2"],
      ["http://a.test/x", post('{"n":1,"m":2}')],
      ["http://a.test/x", post('{"n":2}')],
    ]);
    listen(toMswHandlers(flows));
    expect(await ask("http://a.test/x?b=2&a=1")).toBe("GET a=1&b=2 ");
    expect(await ask("http://a.test/x?a=2")).toBe("GET a=2 ");
    expect(await ask("http://a.test/x", post('{"n":2}'))).toBe('POST  {"n":2}');
    expect(await ask("http://a.test/x", post('{"m":2,"n":1}'))).toBe('POST  {"n":1,"m":2}');
    await expect(ask("http://a.test/x?a=3")).rejects.toThrow();
    await expect(ask("http://a.test/x", post('{"n":3}'))).rejects.toThrow();
  });

  test("status, reason, fields, codings and binary bodies", async () => {
    const bytes = new Uint8Array([0, 255, 128, 10]);
    const flows = await captured([
      ["http://a.test/zip", respond({ headers: { "content-encoding": "gzip" }, body: gzipSync("zipped") })],
      ["http://a.test/bytes", respond({ status: 418, reason: "Short", body: bytes })],
      ["http://a.test/cookies", respond({ headers: { "set-cookie": ["a=1", "b=2"] } })],
      ["http://a.test/empty", respond({ status: 204 })],
      ["http://a.test/head", respond({ headers: { "x-head": "1" }, body: "body" })],
    ], [
      ["http://a.test/zip"],
      ["http://a.test/bytes"],
      ["http://a.test/cookies"],
      ["http://a.test/empty"],
      ["http://a.test/head", { method: "HEAD" }],
    ]);
    listen(toMswHandlers(flows));
    expect(await ask("http://a.test/zip")).toBe("zipped");
    const binary = await fetch("http://a.test/bytes");
    expect([binary.status, binary.statusText, ...await binary.bytes()]).toEqual([418, "Short", 0, 255, 128, 10]);
    expect((await fetch("http://a.test/cookies")).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect((await fetch("http://a.test/empty")).status).toBe(204);
    const head = await fetch("http://a.test/head", { method: "HEAD" });
    expect([head.headers.get("x-head"), await head.text()]).toEqual(["1", ""]);
  });

  test("failures fail, also in the middle of a body", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      connection.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part");
    });
    const url = `http://127.0.0.1:${origin.port}/part`;
    await using proxy = await startProxy({ rules: [["http://a.test/drop", "drop"]] });
    for (const it of ["http://a.test/drop", url]) {
      await proxy.fetch(it).then((response) => response.text()).catch(() => {});
    }
    listen(toMswHandlers(proxy.flows));
    await expect(fetch("http://a.test/drop")).rejects.toThrow();
    await expect(fetch(url).then((part) => part.text())).rejects.toThrow();
  });

  test("a tape, with its redacted values", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "a.har");
    await using origin = await startOrigin(() => ({ body: "real" }));
    const url = `${origin.url}/login?access_token=`;
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      await (await proxy.fetch(`${url}secret-one`, { headers: { authorization: "Bearer x" } })).text();
    }
    await origin[Symbol.asyncDispose]();
    listen(toMswHandlers(await readTape(path)));
    expect(await ask(`${url}another`)).toBe("real");
  });

  test("server-sent events", async () => {
    const body = "data: one\n\ndata: two\n\n";
    const sse = respond({ headers: { "content-type": "text/event-stream" }, body });
    listen(toMswHandlers(await captured([["http://a.test/events", sse]], [["http://a.test/events"]])));
    expect(await ask("http://a.test/events")).toBe(body);
  });

  test("WebSockets, with ws: each message brings what came after it", async () => {
    const answer = respondWebSocket((client) => {
      client.send("welcome");
      return {
        message: (data) => {
          if (data === "bye") client.close(4000, "done");
          else client.send(`you said ${data}`);
          if (data === "two") client.send(Uint8Array.of(1, 2));
        },
      };
    });
    await using proxy = await startProxy({ rules: [["ws://chat.test/room", answer]] });
    {
      await using peer = await openPeer(proxy, "ws://chat.test/room?x=1");
      for (const payload of ["one", "two"]) await peer.send({ opcode: "text", payload });
      for (let i = 0; i < 4; i++) await peer.next();
      await peer.send({ opcode: "text", payload: "bye" });
      await peer.next();
      await closed(peer).catch(() => {});
    }
    expect(() => toMswHandlers(proxy.flows)).toThrow("ws://chat.test/room?x=1 is a WebSocket: give MSW's `ws`");
    listen(toMswHandlers(proxy.flows, { ws }));
    const heard = await new Promise<unknown[]>((resolve) => {
      const all: unknown[] = [];
      const socket = new WebSocket("ws://chat.test/room?x=1");
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => {
        all.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
        const next = all.length === 1 ? "one" : all.length === 2 ? "two" : all.length === 4 ? "bye" : undefined;
        if (next !== undefined) socket.send(next);
      };
      socket.onclose = ({ code, reason }) => resolve([...all, code, reason]);
    });
    expect(heard).toEqual(["welcome", "you said one", "you said two", [1, 2], 4000, "done"]);
  });

  describe("WebSockets of a tape", () => {
    /** Records a conversation of these words; the server says each of them again, with a number. */
    const recorded = async (path: string, url: string, ...conversations: string[][]) => {
      let count = 0;
      const again = respondWebSocket((client) => ({
        message: (data) => client.send(typeof data === "string" ? `${++count} ${data}` : data),
      }));
      await using server = await startProxy({ rules: [["ws://chat.test/*", again]] });
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        upstream: { proxy: server.url },
      });
      for (const words of conversations) {
        await using peer = await openPeer(proxy, url);
        for (const payload of words) {
          await peer.send({ opcode: "text", payload });
          await peer.frame();
        }
        await peer.send(goodbye(1000));
        await peer.rest();
      }
    };
    const talk = (url: string, words: string[]) =>
      new Promise<unknown[]>((resolve) => {
        const heard: unknown[] = [];
        const socket = new WebSocket(url);
        const next = () => heard.length < words.length ? socket.send(words[heard.length]!) : socket.close(1000);
        socket.onopen = next;
        socket.onmessage = ({ data }) => (heard.push(data), next());
        socket.onclose = ({ code, reason }) => resolve(code === 1000 ? heard : [...heard, code, reason]);
      });

    test("in order, the words compared as a tape compares them, also where they stand in a file", async () => {
      await using folder = await tempFolder();
      const path = join(folder.path, "chat.har");
      const long = "x".repeat(3000);
      const url = "ws://chat.test/room?token=mine";
      await recorded(path, url, ['{"a":1,"b":2}', "two"], [long, "two"]);
      const tape = await readTape(path);
      expect(() => toMswHandlers(tape)).toThrow("is a WebSocket: give MSW's `ws`");
      expect(() => toMswHandlers(tape)).not.toThrow("mine");
      listen(toMswHandlers(tape, { ws }));
      const other = "ws://chat.test/room?token=another";
      expect(await talk(other, ['{"b":2,"a":1}', "two"])).toEqual(['1 {"a":1,"b":2}', "2 two"]);
      expect(await talk(other, [long, "two"])).toEqual([`3 ${long}`, "4 two"]);
      expect(await talk(other, [long, "three"])).toEqual([
        `3 ${long}`,
        1011,
        "message 2 of the client is not what was recorded",
      ]);
    });

    test("match: { body: false } counts messages only", async () => {
      await using folder = await tempFolder();
      const path = join(folder.path, "chat.har");
      await recorded(path, "ws://chat.test/room", ["one", "two"]);
      listen(toMswHandlers(await readTape(path), { ws, match: { body: false } }));
      expect(await talk("ws://chat.test/room", ["uno", "due"])).toEqual(["1 one", "2 two"]);
    });
  });

  test("a raw conversation is refused by its name", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "raw.har");
    await using origin = await startRawServer(async (connection) => {
      await connection.write(await connection.readUntil("\n"));
    });
    await using proxy = await startProxy({
      tape: { path, mode: "record" },
      upstream: { hosts: { "redis.test": `127.0.0.1:${origin.port}` } },
      addons: [{ tcpMessage() {} }],
    });
    {
      await using connection = await openTunnel(proxy, "redis.test:6379");
      await connection.write("PING\n");
      await connection.readUntil("\n");
      connection.end();
      await connection.readAll();
    }
    await proxy.waitFor(tcp());
    expect(() => toMswHandlers(proxy.flows)).toThrow("the flow TCP redis.test:6379 is a raw conversation");
    expect(toMswHandlers(proxy.flows.filter(not(tcp())))).toEqual([]);
    await proxy.close();
    const tape = await readTape(path);
    expect(() => toMswHandlers(tape)).toThrow("entry 0 of the tape, tcp://redis.test:6379, is a raw conversation");
    expect(toMswHandlers([...tape].filter((entry) => entry.kind !== "tcp"))).toEqual([]);
  });

  test("a body that was not kept whole is refused", async () => {
    await using proxy = await startProxy({ capture: { maxBody: 4 } });
    await using origin = await startOrigin(() => ({ body: "0123456789" }));
    await (await proxy.fetch(origin.url)).text();
    expect(() => toMswHandlers(proxy.flows)).toThrow("only 4 were kept");
  });
});
