// Values that are new in every run, in WebSockets and raw conversations: a client says those of this run, and is told them.
import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import process from "node:process";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Addon,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  type TapeOptions,
  type TcpFlow,
  type TcpMessage,
  type WebSocketMessage,
} from "../../../src/mod.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { startOrigin } from "../../support/origin.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { openPeer, type Peer, startPeerServer } from "../../wire/websocket/peers.ts";
import { close } from "../../wire/websocket/support.ts";
import { openTunnel } from "../../wire/tunnel.ts";

let folder: TempFolder;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("talk.har");
});
afterEach(() => folder[Symbol.asyncDispose]());

const random = () => randomBytes(18).toString("base64url");
type Json = Record<string, unknown>;

/** Says one thing in JSON and gives the answer. */
async function ask(peer: Peer, value: unknown): Promise<Json> {
  await peer.send({ opcode: "text", payload: typeof value === "string" ? value : JSON.stringify(value) });
  return JSON.parse((await peer.frame()).payload.toString()) as Json;
}

/** Gives a session to whoever comes, and answers each message with all that it says, and the session. */
async function serve(peer: Peer): Promise<void> {
  const session = randomUUID();
  await peer.send({ opcode: "text", payload: JSON.stringify({ session }) });
  for (;;) {
    const frame = await peer.frame().catch(() => undefined);
    if (frame === undefined || frame.opcode !== 1) return;
    const said = JSON.parse(frame.payload.toString()) as Json;
    await peer.send({ opcode: "text", payload: JSON.stringify({ said, session, for: said["id"] }) });
  }
}

interface Options extends Partial<TapeOptions> {
  addons?: Addon[];
  port?: number;
}

/** What a client does with a proxy and the server's port; the server is there while it is recorded. */
async function talk<T>(
  client: (proxy: Proxy, port: number) => Promise<T>,
  { addons = [], port, ...tape }: Options = {},
): Promise<T> {
  const proxy = await startProxy({ tape: { path, mode: "replay", ...tape }, addons });
  try {
    return await client(proxy, port!);
  } finally {
    await proxy.close();
  }
}

async function recorded<T>(client: (proxy: Proxy, port: number) => Promise<T>): Promise<{ first: T; port: number }> {
  await using server = await startPeerServer(serve);
  const { port } = server;
  return { first: await talk(client, { mode: "record", port }), port };
}

const open = (proxy: Proxy, port: number) => openPeer(proxy, `ws://127.0.0.1:${port}/chat`, []);

/** Greets, says these, and goes. */
async function conversation(proxy: Proxy, port: number, messages: (greeting: Json) => unknown[]): Promise<Json[]> {
  await using peer = await open(proxy, port);
  const greeting = JSON.parse((await peer.frame()).payload.toString()) as Json;
  const answers: Json[] = [greeting];
  for (const message of messages(greeting)) answers.push(await ask(peer, message));
  await peer.send(close(1000));
  await peer.rest();
  return answers;
}

describe("a WebSocket", () => {
  test("identifiers that the client draws: each answer has that of this run", async () => {
    const client = async (proxy: Proxy, port: number) => {
      const ids = [randomUUID(), randomUUID(), randomUUID()];
      const answers = await conversation(proxy, port, () => ids.map((id, n) => ({ id, method: "add", params: { n } })));
      return { ids, answers };
    };
    const { first, port } = await recorded(client);
    for (let run = 0; run < 2; run++) {
      const { ids, answers } = await talk(client, { port });
      expect(ids).not.toEqual(first.ids);
      expect(answers.slice(1).map((answer) => answer["for"])).toEqual(ids);
      expect(answers.slice(1).map((answer) => (answer["said"] as Json)["id"])).toEqual(ids);
    }
  });

  test("what a hook made of the server's message comes back, and is what the server says then", async () => {
    const client = (proxy: Proxy, port: number) =>
      conversation(proxy, port, ({ session }) => [{ id: "a", session }, { id: "b", session }]);
    const { port } = await recorded(client);
    const session = randomUUID();
    const answers = await talk(client, {
      port,
      addons: [{
        websocketMessage(_flow: HttpFlow, message: WebSocketMessage) {
          if (message.from === "server" && !message.text.includes("said")) message.data = JSON.stringify({ session });
        },
      }],
    });
    expect(answers.map((answer) => answer["session"])).toEqual([session, session, session]);
    expect(answers.slice(1).map((answer) => (answer["said"] as Json)["session"])).toEqual([session, session]);
  });

  test("a token of an HTTP response, which a rule gives anew, goes into a message and comes back from it", async () => {
    const ticket = `order-${randomUUID()}`;
    await using origin = await startOrigin(() => ({
      headers: [["content-type", "application/json"]],
      body: JSON.stringify({ order: ticket }),
    }));
    const client = async (proxy: Proxy, port: number) => {
      const { order } = await (await proxy.fetch(`${origin.url}/order`)).json() as { order: string };
      const answers = await conversation(proxy, port, () => [{ id: "1", watch: order }]);
      const later = await proxy.fetch(`${origin.url}/order?number=${(answers[1]!["said"] as Json)["watch"]}`);
      await later.text();
      return { order, answers, later: later.status };
    };
    const { first, port } = await recorded(client);
    expect(first.order).toBe(ticket);
    const mine = `order-${randomUUID()}`;
    const addons: Addon[] = [{
      response(flow) {
        if (!flow.request.url.includes("?")) flow.response!.body = JSON.stringify({ order: mine });
      },
    }];
    const { order, answers, later } = await talk(client, { port, addons });
    expect([order, (answers[1]!["said"] as Json)["watch"], later]).toEqual([mine, mine, 200]);
    // The same where the order is made by a server that is there.
    const passing = { modes: [[{ path: "/order", query: {} }, "passthrough"]] } as const;
    const live = await talk(async (proxy, port) => {
      proxy.use(["*", (flow) => {
        if (flow.request.path === "/order" && !flow.request.url.includes("?")) respond({ json: { order: mine } })(flow);
      }]);
      return await client(proxy, port);
    }, { port, ...passing });
    expect((live.answers[1]!["said"] as Json)["watch"]).toBe(mine);
  });

  test("secrets: the placeholder, or one of the client's own, is what an answer repeats", async () => {
    const client = (token?: string) => (proxy: Proxy, port: number) =>
      conversation(proxy, port, () => [{ id: "1", auth: { token: token ?? random() } }, '{"id":"2"}']);
    const { port } = await recorded(client());
    const tape = await readFile(path, "utf8");
    expect(tape).toContain("[redacted:token-1]");
    for (const token of ["hunter2", `sk_live_${random()}`, "[redacted:token-1]"]) {
      const [, answer] = await talk(client(token), { port });
      expect((answer!["said"] as Json)["auth"]).toEqual({ token });
    }
  });

  test("restore: what is in the environment is what the server says", async () => {
    const token = random();
    process.env["TALK_TOKEN"] = token;
    try {
      const redact = { restore: { TALK: "TALK_TOKEN" } };
      const client = (proxy: Proxy, port: number) =>
        conversation(proxy, port, () => [{ id: "1", note: `by ${token}` }]);
      await using server = await startPeerServer(serve);
      const { port } = server;
      await talk(client, { mode: "record", port, redact });
      expect(await readFile(path, "utf8")).not.toContain(token);
      for (const match of [{}, { correlate: false }]) {
        const [, answer] = await talk(client, { port, redact, match });
        expect((answer!["said"] as Json)["note"]).toBe(`by ${token}`);
      }
    } finally {
      delete process.env["TALK_TOKEN"];
    }
  });

  test("two at once, in another order than recorded: each has its own", async () => {
    const client = (rooms: string[]) => async (proxy: Proxy, port: number) => {
      const ids = rooms.map(() => randomUUID());
      const peers = [await open(proxy, port), await open(proxy, port)];
      for (const peer of peers) await peer.frame();
      const answers: Json[] = [];
      for (const [i, peer] of peers.entries()) answers.push(await ask(peer, { id: ids[i], join: rooms[i] }));
      for (const [i, peer] of [...peers.entries()].reverse()) {
        answers.push(await ask(peer, { id: ids[i], leave: rooms[i] }));
      }
      for (const peer of peers) {
        await peer.send(close(1000));
        await peer.rest();
        await peer[Symbol.asyncDispose]();
      }
      return { ids, answers };
    };
    const { port } = await recorded(client(["red", "red"]));
    const { ids: [a, b], answers } = await talk(client(["red", "red"]), { port });
    expect(answers.map((answer) => answer["for"])).toEqual([a, b, b, a]);
  });

  test("what differs in more than values, or with correlate: false, has left the conversation", async () => {
    const client = (n: number) => (proxy: Proxy, port: number) =>
      conversation(proxy, port, () => [{ id: randomUUID(), n }]).catch(() => {});
    const { port } = await recorded(client(1));
    await expect(talk(client(2), { port })).rejects.toThrow("json.n: 2");
    await expect(talk(client(1), { port, match: { correlate: false } })).rejects.toThrow("Message 1 of the client");
    await talk(client(1), { port });
  });

  test("an identifier that stands in a program is not another one", async () => {
    const client = (order: string) => (proxy: Proxy, port: number) =>
      conversation(proxy, port, () => [{ id: "1", order }]).catch(() => {});
    const { port } = await recorded(client("order-2024-00017"));
    await expect(talk(client("order-2024-00018"), { port })).rejects.toThrow("json.order");
  });
});

/** Answers lines with what they say; `NEW` with a number of its own. */
const lines = async (connection: RawConnection) => {
  for (;;) {
    const line = await connection.readUntil("\n").catch(() => "");
    if (line === "") return;
    await connection.write(line === "NEW\n" ? `number ${randomUUID()}\n` : `you said ${line}`);
  }
};

interface Raw {
  say(text: string): Promise<string>;
}

describe("a raw conversation", () => {
  async function raw<T>(port: number, client: (raw: Raw) => Promise<T>, options: Options = {}): Promise<T> {
    const { addons = [], ...tape } = options;
    const proxy = await startProxy({
      tape: { path, mode: "replay", ...tape },
      upstream: { hosts: { "raw.test": `127.0.0.1:${port}` } },
      addons,
    });
    try {
      await using connection = await openTunnel(proxy, "raw.test:7");
      const result = await client({
        async say(text) {
          await connection.write(text);
          return await connection.readUntil("\n");
        },
      });
      connection.end();
      await connection.readAll().catch(() => {});
      return result;
    } finally {
      await proxy.close();
    }
  }

  async function record<T>(client: (raw: Raw) => Promise<T>): Promise<T> {
    await using origin = await startRawServer(lines, { halfOpen: true });
    return await raw(origin.port, client, { mode: "record" });
  }

  test("identifiers that the client draws are those of this run in every answer", async () => {
    const client = async ({ say }: Raw) => {
      const [a, b] = [randomUUID(), randomUUID()];
      return { a, b, said: [await say(`ADD ${a} red\n`), await say(`GET ${b} of ${a}\n`), await say("QUIT\n")] };
    };
    await record(client);
    const { a, b, said } = await raw(1, client);
    expect(said).toEqual([`you said ADD ${a} red\n`, `you said GET ${b} of ${a}\n`, "you said QUIT\n"]);
  });

  test("cut anywhere by the network", async () => {
    const pieces = (size: number) => async ({ say }: Raw) => {
      const id = randomUUID();
      const line = `ADD ${id} red\n`;
      const answers: string[] = [];
      // Only with the last piece there is a line to answer.
      const send = async (text: string) => answers.push(await say(text));
      if (size === 0) await send(line);
      return { id, line, size, answers };
    };
    await record(pieces(0));
    for (const size of [1, 3, 7, 20, 38]) {
      const proxy = await startProxy({ tape: { path, mode: "replay" } });
      await using connection = await openTunnel(proxy, "raw.test:7");
      const line = `ADD ${randomUUID()} red\n`;
      for (let at = 0; at < line.length; at += size) {
        await connection.write(line.slice(at, at + size));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(await connection.readUntil("\n")).toBe(`you said ${line}`);
      connection.end();
      await connection.readAll().catch(() => {});
      await proxy.close();
    }
  });

  test("what a hook made of the server's answer comes back", async () => {
    const client = async ({ say }: Raw) => {
      const number = (await say("NEW\n")).slice("number ".length, -1);
      return { number, answer: await say(`BUY ${number}\n`) };
    };
    const first = await record(client);
    const mine = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6-mine";
    const { number, answer } = await raw(1, client, {
      addons: [{
        tcpMessage(_flow: TcpFlow, message: TcpMessage) {
          if (message.text.startsWith("number")) message.data = `number ${mine}\n`;
        },
      }],
    });
    expect(number).toBe(mine);
    expect(number).not.toBe(first.number);
    expect(answer).toBe(`you said BUY ${mine}\n`);
  });

  test("values with their length in front, as Redis has them, of any length", async () => {
    const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
    const redis = async (connection: RawConnection) => {
      for (;;) {
        const count = await connection.readUntil("\r\n").catch(() => "");
        if (count === "") return;
        const words: string[] = [];
        for (let n = Number(count.slice(1)); n > 0; n--) {
          await connection.readUntil("\r\n");
          words.push((await connection.readUntil("\r\n")).slice(0, -2));
        }
        await connection.write(bulk(words.at(-1)!));
      }
    };
    const command = (...words: string[]) => `*${words.length}\r\n${words.map(bulk).join("")}`;
    const client = (id: string, token: string) => async (proxy: Proxy) => {
      await using connection = await openTunnel(proxy, "raw.test:7");
      const answers: string[] = [];
      for (const words of [["SET", "lock", id], ["GET", id], ["ECHO", token]]) {
        await connection.write(command(...words));
        const length = (await connection.readUntil("\r\n")).slice(1, -2);
        answers.push(`${length} ${(await connection.readUntil("\r\n")).slice(0, -2)}`);
      }
      connection.end();
      await connection.readAll().catch(() => {});
      return answers;
    };
    const token = `ghp_${"a1B2c3D4e5F6".repeat(3)}`;
    await using origin = await startRawServer(redis, { halfOpen: true });
    const upstream = { hosts: { "raw.test": `127.0.0.1:${origin.port}` } };
    await using recording = await startProxy({ tape: { path, mode: "record" }, upstream });
    await client(randomUUID(), token)(recording);
    await recording.close();
    expect(await readFile(path, "utf8")).not.toContain(token);
    const id = "01J9ZQ4N8X6T2V3W5Y7B1C0DEF";
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const answers = await client(id, "[redacted:github_token-1]")(proxy);
    expect(answers).toEqual([`26 ${id}`, `26 ${id}`, "25 [redacted:github_token-1]"]);
    await proxy.close();
  });

  test("what differs in more than values has left the conversation", async () => {
    const client = (what: string) => async ({ say }: Raw) => await say(`ADD ${randomUUID()} ${what}\n`).catch(() => "");
    await record(client("red"));
    await expect(raw(1, client("blue"))).rejects.toThrow("of the client");
    await expect(raw(1, client("red"), { match: { correlate: false } })).rejects.toThrow("of the client");
    expect(Buffer.from(await raw(1, client("red"))).length).toBeGreaterThan(10);
  });
});
