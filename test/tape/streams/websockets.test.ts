// WebSockets on the tape: recorded with a server, replayed without one.
import { Buffer } from "node:buffer";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HttpFlow, Proxy, TapeOptions } from "../../../src/mod.ts";
import { readTape, writeTape } from "../../../src/tape/mod.ts";
import type { RawServer } from "../../support/raw_server.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import {
  echo,
  ended,
  flowOf,
  openPeer,
  type Peer,
  startPeerServer,
  told,
  watcher,
} from "../../wire/websocket/peers.ts";
import { close } from "../../wire/websocket/support.ts";
import { startProxy } from "../proxies.ts";
import { har, harEntry, readLog } from "../tapes.ts";

let folder: TempFolder;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("chat.har");
});
afterEach(() => folder[Symbol.asyncDispose]());

type Client = (peer: Peer) => Promise<void>;

const say = (payload: string) => ({ opcode: "text", payload }) as const;
const bye = close(4000, "bye");

/** Runs a client through a proxy with this tape, and gives the flow of its WebSocket, or what `close()` rejected with. */
async function run(
  server: Pick<RawServer, "port">,
  client: Client,
  options: Partial<TapeOptions> & { fields?: string[]; target?: string } = {},
): Promise<{ flow: HttpFlow; error?: Error; log: string[]; proxy: Proxy }> {
  const { fields = [], target = "/chat", ...tape } = options;
  const log: string[] = [];
  const proxy = await startProxy({
    tape: { path, mode: "replay", ...tape },
    addons: [{ log: ({ level, message }) => void log.push(`${level} ${message}`) }],
  });
  try {
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}${target}`, fields);
    await client(peer);
    await peer.rest();
  } catch (error) {
    await proxy.close().catch(() => {});
    throw error;
  }
  const flow = await ended(proxy);
  const error = await proxy.close().then(() => undefined, (it: Error) => it);
  return { flow, proxy, log, ...(error && { error }) };
}

const record = (
  server: RawServer,
  client: Client,
  options: Partial<TapeOptions> & { fields?: string[]; target?: string } = {},
) => run(server, client, { mode: "record", ...options });

/** Greets, echoes, and closes when it is told to. */
const polite = (peer: Peer) => peer.send(say("welcome")).then(() => echo(peer));

/** Hears the welcome, says each of these and hears the answer, then closes. */
const talk = (...words: string[]): Client => async (peer) => {
  expect(await peer.next()).toBe('text "welcome"');
  for (const word of words) {
    await peer.send(say(word));
    expect((await peer.frame()).payload.toString()).toBe(word);
  }
  await peer.send(bye);
};

describe("a conversation", () => {
  test("is replayed message by message, through the same hooks, with no server", async () => {
    const server = await startPeerServer(polite);
    const client = talk("one", "zwölf");
    const live = await record(server, client);
    await server[Symbol.asyncDispose]();
    const replayed = await run(server, client);
    expect(replayed.error).toBeUndefined();
    expect([live.flow.source, replayed.flow.source]).toEqual(["upstream", "tape"]);
    expect(told(replayed.flow)).toEqual(told(live.flow));
    const { closeCode, closeReason, closedBy } = replayed.flow.websocket!;
    expect([closeCode, closeReason, closedBy]).toEqual([4000, "bye", "client"]);
    expect(replayed.proxy.unused).toEqual([]);
  });

  test("stands in the file as Chrome and Playwright write it", async () => {
    await using server = await startPeerServer(polite);
    await record(server, async (peer) => {
      await peer.next();
      await peer.send({ opcode: "binary", payload: Uint8Array.of(0, 255) });
      await peer.next();
      await peer.send(bye);
    });
    const [entry] = (await readLog(path)).entries;
    expect(entry).toMatchObject({
      _resourceType: "websocket",
      request: { method: "GET", url: `ws://127.0.0.1:${server.port}/chat` },
      response: { status: 101 },
      _webSocketMessages: [
        { type: "receive", time: 0, opcode: 1, data: "welcome" },
        { type: "send", time: 0, opcode: 2, data: "AP8=" },
        { type: "receive", time: 0, opcode: 2, data: "AP8=" },
      ],
      _webSocketClose: { code: 4000, reason: "bye", by: "client" },
    });
    expect(await readFile(path, "utf8")).toContain('{ "type": "send", "time": 0, "opcode": 2, "data": "AP8=" },\n');
  });

  test("that is long is a file with a line for each message", async () => {
    await using server = await startPeerServer(polite);
    const client = talk("x".repeat(3000));
    await record(server, client);
    const [entry] = (await readLog(path)).entries;
    expect(entry!._webSocketMessages).toBeUndefined();
    const lines = (await readFile(`${path}.d/${entry!.response.content._file}`, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).data.length)).toEqual([7, 3000, 3000]);
    await run(server, client);
    // A tape that is written again keeps it.
    await writeTape(folder.file("again.har"), (await readTape(path)).entries);
    expect(await (await readTape(folder.file("again.har"))).entries[0]!.said()).toEqual(
      await (await readTape(path)).entries[0]!.said(),
    );
  });

  test("has what the server got and what it sent: addons change it on replay as they did before", async () => {
    await using server = await startPeerServer(echo);
    const addon = {
      websocketMessage({ websocket }: HttpFlow, message: { from: string; text: string; data: unknown; drop(): void }) {
        if (message.text === "one") message.data = "edited";
        if (message.text === "two") message.drop();
        if (message.from === "client" && message.text === "three") websocket!.inject("client", "injected");
      },
    };
    const seen: string[][] = [];
    for (const mode of ["record", "replay"] as const) {
      await using proxy = await startProxy({ tape: { path, mode }, addons: [addon] });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
      await peer.send(say("one"), say("two"), say("three"));
      const got = [await peer.next(), await peer.next(), await peer.next()];
      await peer.send(bye);
      await peer.rest();
      seen.push(got.sort());
      await ended(proxy);
    }
    expect(seen[0]).toEqual(['text "edited"', 'text "injected"', 'text "three"']);
    expect(seen[1]).toEqual(seen[0]);
    const said = (await (await readTape(path)).entries[0]!.said())!;
    expect(said.map(({ from, data }) => `${from} ${Buffer.from(data)}`).sort()).toEqual([
      "client edited",
      "client three",
      "server edited",
      "server three",
    ]);
  });

  test("that the server closes is closed by it again, with its code; so is its subprotocol chosen", async () => {
    await using server = await startPeerServer(async (peer) => {
      await peer.next();
      await peer.send(say("enough"), close(4321, "go away"));
      await peer.next();
    }, { fields: ["Sec-WebSocket-Protocol: chat.v2"] });
    const client: Client = async (peer) => {
      expect(peer.head).toContain("Sec-WebSocket-Protocol: chat.v2\r\n");
      await peer.send(say("hello"));
      expect([await peer.next(), await peer.next()]).toEqual(['text "enough"', 'close 4321 "go away"']);
      await peer.send(close(4321, "go away"));
    };
    const fields = ["Sec-WebSocket-Protocol: chat.v1, chat.v2"];
    await record(server, client, { fields });
    const { flow } = await run(server, client, { fields });
    expect(flow.websocket).toMatchObject({ closeCode: 4321, closeReason: "go away", closedBy: "server" });
  });

  test("that the server cut is cut again", async () => {
    await using server = await startPeerServer(async (peer) => {
      await peer.next();
      await peer.send(say("last words"));
      peer.connection.reset();
    });
    const client: Client = async (peer) => {
      await peer.send(say("hello"));
      expect(await peer.next()).toBe('text "last words"');
      expect(await peer.rest()).toEqual([]);
    };
    const live = await record(server, client);
    const replayed = await run(server, client);
    expect([live.flow.error?.code, replayed.flow.error?.code]).toEqual(["UPSTREAM_ABORTED", "UPSTREAM_ABORTED"]);
  });

  test("waits for its client: nothing that was an answer comes before the question", async () => {
    await using server = await startPeerServer(polite);
    await record(server, talk("one", "two"));
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
    await peer.next();
    await peer.send(say("one"));
    // A ping is answered in its turn: what was sent before it has come.
    await peer.send({ opcode: "ping", payload: "?" });
    expect([await peer.next(), await peer.next()]).toEqual(['text "one"', 'pong "?"']);
    expect(peer.connection.socket.readableLength).toBe(0);
    expect(told(flowOf(proxy))).toEqual(["server welcome", "client one", "server one"]);
    await peer.send(bye);
    await peer.rest();
  });

  test("that its client cut, or closing the proxy, is recorded as far as it came, and stays open", async () => {
    await using server = await startPeerServer(polite);
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
      expect(await peer.next()).toBe('text "welcome"');
    }
    expect((await readLog(path)).entries[0]!._webSocketClose).toBeUndefined();
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
    expect(await peer.next()).toBe('text "welcome"');
    expect(flowOf(proxy).done).toBe(false);
    await peer.send(bye);
    expect(await peer.rest()).toEqual(['close 4000 "bye"']);
  });

  test("a handshake that the server refused is replayed as such", async () => {
    const { startRawServer } = await import("../../support/raw_server.ts");
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    });
    for (const mode of ["record", "replay"] as const) {
      await using proxy = await startProxy({ tape: { path, mode } });
      await expect(openPeer(proxy, `ws://127.0.0.1:${server.port}/`)).rejects.toThrow("401 No");
    }
  });
});

describe("messages of the client", () => {
  const json = (value: unknown) => say(JSON.stringify(value));
  const client = (message: unknown): Client => async (peer) => {
    await peer.send(json(message));
    await peer.next();
    await peer.send(bye);
  };

  test("JSON may have its keys in any order", async () => {
    await using server = await startPeerServer(echo);
    await record(server, client({ a: 1, b: { c: [2], d: 3 } }));
    expect((await run(server, client({ b: { d: 3, c: [2] }, a: 1 }))).error).toBeUndefined();
  });

  test("fields that match.body ignores may differ; with body: false everything may", async () => {
    await using server = await startPeerServer(echo);
    await record(server, client({ id: 1, say: "x" }));
    expect((await run(server, client({ id: 2, say: "x" }), { match: { body: { ignore: ["$.id"] } } })).error)
      .toBeUndefined();
    expect((await run(server, client("anything"), { match: { body: false } })).error).toBeUndefined();
    expect((await run(server, client({ id: 1, say: "y" }), { match: { body: { ignore: ["$.id"] } } })).error)
      .toBeDefined();
  });

  test("secrets may differ", async () => {
    await using server = await startPeerServer(echo);
    await record(server, client({ type: "auth", password: "hunter22" }));
    expect(await readFile(path, "utf8")).not.toContain("hunter22");
    expect((await run(server, client({ type: "auth", password: "other" }))).error).toBeUndefined();
  });

  test("one that differs closes the WebSocket with 1011, and fails the test with the difference", async () => {
    await using server = await startPeerServer(polite);
    await record(server, talk("one", '{"qty":2,"sku":"a"}'));
    const { error, flow, proxy } = await run(server, async (peer) => {
      await peer.next();
      await peer.send(say("one"));
      await peer.next();
      await peer.send(say('{"qty":3,"sku":"a"}'));
      expect(await peer.next()).toMatch(/^close 1011 /);
      await peer.send(close(1011));
    });
    expect(error).toMatchObject({ name: "UnmatchedRequestError" });
    expect(error!.message).toContain(
      `GET ws://127.0.0.1:${server.port}/chat\n\nMessage 2 of the client of this WebSocket differs from entry 0 ` +
        "(- recorded, + received):\n\n    matches: json.sku\n  - json.qty: 2\n  + json.qty: 3\n",
    );
    expect(error!.message).toContain('match: { body: { ignore: ["$.qty"] } }');
    expect([...proxy.unmatched]).toEqual([flow]);
    expect(flow.websocket).toMatchObject({ closeCode: 1011, closedBy: "server" });
  });

  test.each([
    ["text where bytes were", say("AB"), { opcode: "binary", payload: "AB" } as const],
    ["bytes where text was", { opcode: "binary", payload: "AB" } as const, say("AB")],
    ["other text", say("a"), say("b")],
  ])("%s is a difference", async (_, live, recorded) => {
    await using server = await startPeerServer(echo);
    const send = (message: typeof live | typeof recorded): Client => async (peer) => {
      await peer.send(message);
      await peer.next();
      await peer.send(bye);
    };
    await record(server, send(recorded));
    const { error } = await run(server, send(live));
    expect(error!.message).toContain("Message 1 of the client");
  });

  test("one more than there were is named", async () => {
    await using server = await startPeerServer(polite);
    await record(server, talk("one"));
    const { error } = await run(server, async (peer) => {
      await peer.next();
      await peer.send(say("one"), say("two"), close(1000));
      await peer.rest();
    });
    expect(error!.message).toContain('the recording knows no answer to\n\n  + "two"');
  });

  test("what was left of the recording when the client closed is in the log", async () => {
    await using server = await startPeerServer(polite);
    await record(server, talk("one", "two", "three"));
    const { error, log } = await run(server, talk("one"));
    expect(error).toBeUndefined();
    expect(log).toContain(
      `warn the WebSocket ws://127.0.0.1:${server.port}/chat ended before its recording (entry 0): ` +
        "2 of 3 messages of the client and 2 of 4 messages of the server were not replayed",
    );
  });

  test("several at once are heard before the answers to them have been said", async () => {
    await using server = await startPeerServer(polite);
    await record(server, talk("one", "two"));
    const { error } = await run(server, async (peer) => {
      await peer.send(say("one"), say("two"));
      expect([await peer.next(), await peer.next(), await peer.next()]).toEqual([
        'text "welcome"',
        'text "one"',
        'text "two"',
      ]);
      await peer.send(bye);
    });
    expect(error).toBeUndefined();
  });
});

describe("several conversations", () => {
  test("with one URL are replayed in their order; then the last one again", async () => {
    let count = 0;
    await using server = await startPeerServer(async (peer) => {
      await peer.send(say(`number ${++count}`));
      await echo(peer);
    });
    const client = (number: number): Client => async (peer) => {
      expect(await peer.next()).toBe(`text "number ${number}"`);
      await peer.send(bye);
    };
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      for (const number of [1, 2]) {
        await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
        await client(number)(peer);
        await peer.rest();
      }
    }
    for (const [afterLast, expected] of [["repeat", [1, 2, 2]], ["loop", [1, 2, 1]]] as const) {
      await using proxy = await startProxy({ tape: { path, mode: "replay", afterLast } });
      for (const number of expected) {
        await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
        await client(number)(peer);
        await peer.rest();
      }
      expect(proxy.unused).toEqual([]);
    }
    const proxy = await startProxy({ tape: { path, mode: "replay", afterLast: "error" } });
    for (const number of [1, 2]) {
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
      await client(number)(peer);
      await peer.rest();
    }
    await expect(openPeer(proxy, `ws://127.0.0.1:${server.port}/`)).rejects.toThrow("no WebSocket: HTTP/1.1 502");
    await expect(proxy.close()).rejects.toThrow("All 2 entries for it have been replayed");
  });

  test("at once, in another order than they were recorded: each client gets the one that it says the words of", async () => {
    await using server = await startPeerServer(polite);
    const names = ["ada", "bob", "cyd"];
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      for (const name of names) {
        await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
        await talk(`I am ${name}`, "same")(peer);
        await peer.rest();
      }
    }
    // None is left over for a client that got the wrong one.
    await using proxy = await startProxy({ tape: { path, mode: "replay", afterLast: "error" } });
    const peers = await Promise.all(names.map(() => openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`)));
    await Promise.all(peers.map(async (peer, i) => {
      await talk(`I am ${names.toReversed()[i]}`, "same")(peer);
      await peer.rest();
      await peer[Symbol.asyncDispose]();
    }));
    expect(proxy.unmatched.length).toBe(0);
    expect(proxy.unused).toEqual([]);
  });

  test("mode auto replays what is there, and records what is not", async () => {
    const server = await startPeerServer(polite);
    await run(server, talk("one"), { mode: "auto" });
    await run(server, talk("two"), { mode: "auto", target: "/other" });
    await server[Symbol.asyncDispose]();
    expect((await run(server, talk("one"), { mode: "auto" })).flow.source).toBe("tape");
    expect((await run(server, talk("two"), { mode: "auto", target: "/other" })).flow.source).toBe("tape");
    expect((await readTape(path)).entries.map(({ url }) => new URL(url).pathname)).toEqual(["/chat", "/other"]);
  });

  test("one that the tape does not hold is refused", async () => {
    await writeFile(path, har());
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    await expect(openPeer(proxy, "ws://chat.test/")).rejects.toThrow("no WebSocket: HTTP/1.1 502");
    await expect(proxy.close()).rejects.toThrow("GET ws://chat.test/");
  });
});

test("the pace of a recording: each message as late as it was", async () => {
  const start = Date.parse("2026-01-01T00:00:00.000Z");
  const at = (ms: number, data: string) => ({ type: "receive", time: (start + ms) / 1000, opcode: 1, data });
  await writeFile(
    path,
    har({
      startedDateTime: "2026-01-01T00:00:00.000Z",
      ...harEntry({ request: { url: "ws://chat.test/chat" }, response: { status: 101 } }),
      _webSocketMessages: [at(0, "welcome"), at(200, "later")],
      _webSocketClose: { code: 1000, reason: "", by: "server" },
    }),
  );
  const waits: number[] = [];
  for (const latency of ["none", "recorded"] as const) {
    await using proxy = await startProxy({ tape: { path, mode: "replay", latency } });
    await using peer = await openPeer(proxy, "ws://chat.test/chat");
    expect(await peer.next()).toBe('text "welcome"');
    const before = performance.now();
    expect(await peer.next()).toBe('text "later"');
    waits.push(performance.now() - before);
    expect(await peer.next()).toBe('close 1000 ""');
  }
  expect(waits[1]).toBeGreaterThan(150);
});

test("every hook of a replayed WebSocket fires as it does with a server", async () => {
  await using server = await startPeerServer(polite);
  const hooks: string[][] = [];
  for (const mode of ["record", "replay"] as const) {
    const addon = watcher();
    await using proxy = await startProxy({ tape: { path, mode }, addons: [addon] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    await talk("one")(peer);
    await peer.rest();
    await ended(proxy);
    hooks.push(addon.seen.filter((name) => name !== "request"));
  }
  expect(hooks[1]).toEqual(hooks[0]);
});

describe("WebSockets in the HAR of others", () => {
  test("Playwright's, with times in milliseconds, in a file of its own", async () => {
    const start = Date.parse("2026-01-01T00:00:00.000Z");
    await writeFile(
      path,
      har({
        startedDateTime: "2026-01-01T00:00:00.000Z",
        _resourceType: "websocket",
        ...harEntry({
          request: { url: "ws://chat.test/chat" },
          response: { status: 101, content: { size: -1, mimeType: "x-unknown", _file: "0a.jsonl" } },
        }),
      }),
    );
    await mkdir(`${path}.d`);
    const lines = [
      { type: "receive", time: start + 40, opcode: 1, data: "welcome" },
      { type: "send", time: start + 60, opcode: 2, data: "AP8=" },
    ];
    await writeFile(`${path}.d/0a.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const said = (await (await readTape(path)).entries[0]!.said())!;
    expect(said.map(({ from, time, text }) => [from, Math.round(time!), text])).toEqual([
      ["server", 40, true],
      ["client", 60, false],
    ]);
    const { error } = await run({ port: 1 }, async (peer) => {
      await peer.send({ opcode: "binary", payload: Uint8Array.of(0, 255) });
      expect(await peer.next()).toBe('text "welcome"');
      await peer.send(bye);
    }).catch((it: Error) => ({ error: it }));
    // The tape has another host.
    expect(error!.message).toContain("no WebSocket");
  });

  const socket = (changes: object) =>
    har({ ...harEntry({ request: { url: "ws://chat.test/" }, response: { status: 101 } }), ...changes });

  test.each([
    [{ _webSocketMessages: {} }, "_webSocketMessages is {}: an array is expected"],
    [{ _webSocketMessages: [1] }, "_webSocketMessages[0] is 1: an object is expected"],
    [{ _webSocketMessages: [{ type: "x" }] }, '_webSocketMessages[0]: type is "x": "send" or "receive" is expected'],
    [
      { _webSocketMessages: [{ type: "send", opcode: 9, data: "" }] },
      "_webSocketMessages[0]: opcode is 9: 1 (text) or 2 (binary)",
    ],
    [
      { _webSocketMessages: [{ type: "send", opcode: 2, data: "?" }] },
      '_webSocketMessages[0]: data is "?": base64 is expected',
    ],
    [
      { _webSocketMessages: [{ type: "send", opcode: 1 }] },
      "_webSocketMessages[0]: data is missing: a string is expected",
    ],
    [{ _webSocketMessages: [], _webSocketClose: { code: 1, by: "server" } }, "_webSocketClose.code is 1: a close code"],
    [
      { _webSocketMessages: [], _webSocketClose: { code: 1000 } },
      '_webSocketClose.by is missing: "client" or "server"',
    ],
  ])("%j is refused", async (changes, message) => {
    await writeFile(path, socket(changes));
    await expect(readTape(path)).rejects.toMatchObject({
      code: "TAPE_DAMAGED",
      message: expect.stringContaining(`log.entries[0] (GET ws://chat.test/): ${message}`),
    });
  });
});
