// Raw conversations on the tape: recorded with a server, replayed without one.
import { Buffer } from "node:buffer";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Proxy, type TapeOptions, tcp, type TcpFlow } from "../../../src/mod.ts";
import { readTape, writeTape } from "../../../src/tape/mod.ts";
import { testCa } from "../../support/certificates.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { openTunnel } from "../../wire/tunnel.ts";
import { startProxy } from "../proxies.ts";
import { har, readLog } from "../tapes.ts";

let folder: TempFolder;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("raw.har");
});
afterEach(() => folder[Symbol.asyncDispose]());

type Script = (connection: RawConnection) => Promise<void>;

/** Answers lines, until the client says QUIT or ends. */
const lines: Script = async (connection) => {
  for (;;) {
    const line = await connection.readUntil("\n").catch(() => "");
    if (line === "" || line === "QUIT\n") return;
    await connection.write(`you said ${line}`);
  }
};

/** Says these lines, and gives back the answers. */
const ask = (...words: string[]) => async (client: RawConnection) => {
  const answers: string[] = [];
  for (const word of words) {
    await client.write(`${word}\n`);
    answers.push(await client.readUntil("\n"));
  }
  client.end();
  return answers;
};

/** What came of it. */
interface Outcome<T> {
  got: T | Error;
  flow: TcpFlow;
  proxy: Proxy;
  error: Error | undefined;
  log: string[];
}

/** Runs a client in a tunnel to `raw.test:7`, whose server is behind a port. */
async function run<T>(
  port: number,
  client: (connection: RawConnection) => Promise<T>,
  tape: Partial<TapeOptions>,
): Promise<Outcome<T>> {
  const log: string[] = [];
  const proxy = await startProxy({
    tape: { path, ...tape },
    upstream: { hosts: { "raw.test": `127.0.0.1:${port}` } },
    addons: [{ log: ({ level, message }) => void log.push(`${level} ${message}`), tcpMessage() {} }],
  });
  await using connection = await openTunnel(proxy, "raw.test:7");
  const got = await client(connection).catch((it: Error) => it);
  const [flow] = await proxy.waitFor(tcp());
  const error = await proxy.close().then(() => undefined, (it: Error) => it);
  return { got, flow: flow as TcpFlow, proxy, error, log };
}

/** Records a client with a server, which is gone afterwards. */
async function record<T>(server: Script, client: (connection: RawConnection) => Promise<T>): Promise<Outcome<T>> {
  await using origin = await startRawServer(server, { halfOpen: true });
  return await run(origin.port, client, { mode: "record" });
}

/** Nothing listens there. */
const NOBODY = 1;

describe("a conversation", () => {
  test("is replayed without a server, through the same hooks", async () => {
    const live = await record(lines, ask("one", "two"));
    expect(live.got).toEqual(["you said one\n", "you said two\n"]);
    const { got, flow, error, proxy } = await run(NOBODY, ask("one", "two"), { mode: "replay" });
    expect([got, error]).toEqual([live.got, undefined]);
    expect([flow.source, flow.error, flow.endedBy]).toEqual(["tape", undefined, "client"]);
    expect(flow.messages.map(({ from, text }) => from + text)).toEqual(
      live.flow.messages.map(({ from, text }) => from + text),
    );
    expect(proxy.unused).toEqual([]);
  });

  test("stands in the file turn by turn, as text where it is text", async () => {
    await record(async (connection) => {
      await connection.readBytes(2);
      await connection.write(Uint8Array.of(0, 255));
      await connection.readAll();
    }, async (client) => {
      await client.write("hi");
      await client.readBytes(2);
      client.end("bye");
      await client.readAll();
    });
    expect((await readLog(path)).entries[0]).toMatchObject({
      request: { method: "TCP", url: "tcp://raw.test:7" },
      response: { status: 0 },
      _tcp: {
        end: "client",
        messages: [
          { from: "client", text: "hi" },
          { from: "server", base64: "AP8=" },
          { from: "client", text: "bye" },
        ],
      },
    });
    expect(await readFile(path, "utf8")).toContain('{ "from": "server", "base64": "AP8=" },\n');
  });

  test("that is long is a file with a line for each turn, and is written again as it was", async () => {
    const long = "x".repeat(5000);
    await record(lines, ask(long));
    const [entry] = (await readLog(path)).entries;
    expect(entry!.response.content._file).toMatch(/\.jsonl$/);
    const file = await readFile(`${path}.d/${entry!.response.content._file}`, "utf8");
    expect(file).toBe(
      `${JSON.stringify({ from: "client", text: `${long}\n` })}\n` +
        `${JSON.stringify({ from: "server", text: `you said ${long}\n` })}\n`,
    );
    expect((await run(NOBODY, ask(long), { mode: "replay" })).got).toEqual([`you said ${long}\n`]);
    const again = folder.file("again.har");
    await writeTape(again, (await readTape(path)).entries);
    expect((await readLog(again)).entries[0]!._tcp).toEqual(entry!._tcp);
  });

  test("two recordings are the same file, however the network has cut the bytes", async () => {
    const texts: string[] = [];
    for (const pieces of [["one\n"], ["o", "n", "e\n"]]) {
      await record(lines, async (client) => {
        client.socket.setNoDelay(true);
        for (const piece of pieces) await client.write(piece);
        await client.readUntil("\n");
        client.end();
      });
      texts.push(await readFile(path, "utf8"));
    }
    expect(texts[1]).toBe(texts[0]);
    expect(
      (await run(NOBODY, async (client) => {
        for (const piece of "one\n") await client.write(piece);
        const answer = await client.readUntil("\n");
        client.end();
        return answer;
      }, { mode: "replay" })).got,
    ).toBe("you said one\n");
  });

  test("in which the server speaks first, and ends first", async () => {
    const client = async (connection: RawConnection) => {
      const greeting = await connection.readUntil("\n");
      await connection.write("QUIT\n");
      await connection.readAll();
      connection.end();
      return greeting;
    };
    const server: Script = async (connection) => {
      await connection.write("+OK hello\n");
      await connection.readUntil("\n");
    };
    const live = await record(server, client);
    const began = performance.now();
    const { got, flow } = await run(NOBODY, client, { mode: "replay" });
    // Nobody is waited for: it is known that the server will speak.
    expect(performance.now() - began).toBeLessThan(1900);
    expect([live.got, got]).toEqual(["+OK hello\n", "+OK hello\n"]);
    expect([live.flow.endedBy, flow.endedBy]).toEqual(["server", "server"]);
  });

  test("that the server cut is cut again", async () => {
    const client = async (connection: RawConnection) => {
      await connection.write("one\n");
      await connection.readUntil("\n");
      await connection.closed;
    };
    const live = await record(async (connection) => {
      await connection.readUntil("\n");
      await connection.write("two\n");
      connection.reset();
    }, client);
    const { flow } = await run(NOBODY, client, { mode: "replay" });
    expect([live.flow.error?.code, flow.error?.code]).toEqual(["UPSTREAM_ABORTED", "UPSTREAM_ABORTED"]);
  });

  test("with a server that refused the connection", async () => {
    const client = async (connection: RawConnection) => {
      await connection.write("one\n");
      await connection.closed;
    };
    const live = await run(NOBODY, client, { mode: "record" });
    const { flow } = await run(NOBODY, client, { mode: "replay" });
    expect([live.flow.error?.code, flow.error?.code]).toEqual(["UPSTREAM_REFUSED", "UPSTREAM_REFUSED"]);
    expect([live.flow.source, flow.source]).toEqual(["upstream", "tape"]);
  });

  test("that its client cut stays open when it is replayed", async () => {
    await record(lines, async (client) => {
      await client.write("one\n");
      await client.readUntil("\n");
      client.reset();
    });
    expect((await readLog(path)).entries[0]!._tcp!.end).toBe("open");
    const { got, error } = await run(NOBODY, ask("one"), { mode: "replay" });
    expect([got, error]).toEqual([["you said one\n"], undefined]);
  });
});

describe("what the client says", () => {
  test("and was not recorded ends the conversation, and fails the test with the difference", async () => {
    await record(lines, ask("one", "two"));
    const { got, flow, error, proxy } = await run(NOBODY, ask("one", "three"), { mode: "replay" });
    expect(got).toBeInstanceOf(Error);
    expect(flow.error!.code).toBe("UNMATCHED");
    expect([...proxy.unmatched]).toEqual([flow]);
    expect(error!.message).toContain(
      "TCP raw.test:7\n\nByte 4 of the client, or one of the next 6, of this conversation differs from entry 0",
    );
    expect(error!.message).toContain('- body: "two\\n"\n  + body: "three\\n"');
  });

  test("may be several things at once", async () => {
    await record(lines, ask("one", "two"));
    const { got } = await run(NOBODY, async (client) => {
      client.end("one\ntwo\n");
      return Buffer.from(await client.readAll()).toString();
    }, { mode: "replay" });
    expect(got).toBe("you said one\nyou said two\n");
  });

  test("beyond the recording is unmatched", async () => {
    await record(lines, ask("one"));
    const { error } = await run(NOBODY, ask("one", "two"), { mode: "replay" });
    expect(error!.message).toContain('the recording knows no answer to\n\n  + "two\\n"');
  });

  test("too little is in the log", async () => {
    await record(lines, ask("one", "two", "three"));
    const { error, log } = await run(NOBODY, ask("one"), { mode: "replay" });
    expect(error).toBeUndefined();
    expect(log).toContain(
      "warn the conversation TCP raw.test:7 ended before its recording (entry 0): after 4 bytes of the client, " +
        "2 answers were not replayed",
    );
  });

  test.each([
    ["a line", "PASS hunter22", "PASS something else"],
    ["Redis", "*2\r\n$4\r\nAUTH\r\n$8\r\nhunter22\r", "*2\r\n$4\r\nAUTH\r\n$5\r\nother\r"],
    [
      "Redis with a user",
      "*3\r\n$4\r\nauth\r\n$3\r\nada\r\n$8\r\nhunter22\r",
      "*3\r\n$4\r\nauth\r\n$3\r\nbob\r\n$5\r\nother\r",
    ],
    ["IMAP", "a1 LOGIN ada hunter22", "a1 LOGIN ada other"],
    ["SMTP", "AUTH PLAIN aHVudGVyMjI=", "AUTH PLAIN b3RoZXI="],
  ])("a login is not written, and any other stands for it: %s", async (_, recorded, live) => {
    const server: Script = async (connection) => {
      await connection.readUntil(recorded.slice(-4));
      await connection.write("+OK\n");
      await connection.readAll();
    };
    const login = (text: string) => async (client: RawConnection) => {
      await client.write(`${text}\nNOOP\n`);
      const answer = await client.readUntil("\n");
      client.end();
      return answer;
    };
    await record(server, login(recorded));
    const text = await readFile(path, "utf8");
    for (const secret of ["hunter22", "aHVudGVyMjI="]) expect(text).not.toContain(secret);
    expect(await run(NOBODY, login(live), { mode: "replay" })).toMatchObject({ got: "+OK\n", error: undefined });
  });

  test("redact: false writes it", async () => {
    await using origin = await startRawServer(lines);
    await run(origin.port, ask("PASS hunter22"), { mode: "record", redact: false });
    expect(await readFile(path, "utf8")).toContain("hunter22");
  });
});

describe("several conversations", () => {
  test("at once, in another order: each client gets the one that it says the words of", async () => {
    const names = ["ada", "bob", "cyd"];
    const ways = (proxy: Proxy, order: string[]) =>
      Promise.all(order.map(async (name) => {
        await using client = await openTunnel(proxy, "raw.test:7");
        return await ask("hello", name)(client);
      }));
    {
      await using origin = await startRawServer(lines);
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        upstream: { hosts: { "raw.test": `127.0.0.1:${origin.port}` } },
      });
      for (const name of names) await ways(proxy, [name]);
      await proxy.waitFor(tcp(), { count: 3 });
    }
    // None is left over for a client that got the wrong one.
    await using proxy = await startProxy({ tape: { path, mode: "replay", afterLast: "error" } });
    const order = names.toReversed();
    expect(await ways(proxy, order)).toEqual(order.map((name) => ["you said hello\n", `you said ${name}\n`]));
    await proxy.waitFor(tcp(), { count: 3 });
    expect(proxy.unused).toEqual([]);
  });

  test("mode auto records what is not there; other servers are refused in mode replay", async () => {
    await using origin = await startRawServer(lines);
    expect((await run(origin.port, ask("one"), { mode: "auto" })).flow.source).toBe("upstream");
    expect((await run(NOBODY, ask("one"), { mode: "auto" })).flow.source).toBe("tape");
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    await using client = await openTunnel(proxy, "other.test:7");
    await client.write("one\n");
    await client.closed;
    await expect(proxy.close()).rejects.toThrow("TCP other.test:7");
  });

  test("TLS that passes through unopened is not recorded, and is refused when it is replayed", async () => {
    const { connect } = await import("node:tls");
    await using origin = await startRawServer(lines, { tls: testCa().issue(["raw.test"]) });
    const log: string[] = [];
    for (const mode of ["record", "replay"] as const) {
      const proxy = await startProxy({
        tape: { path, mode },
        https: { passthrough: () => true },
        upstream: { hosts: { "raw.test": `127.0.0.1:${origin.port}` } },
        addons: [{ log: ({ level, message }) => void log.push(`${level} ${message}`) }],
      });
      await using tunnel = await openTunnel(proxy, "raw.test:443");
      const secure = connect({ socket: tunnel.socket, servername: "raw.test", ca: testCa().cert });
      secure.on("error", () => {});
      if (mode === "record") await new Promise((resolve) => secure.once("secureConnect", resolve));
      else await tunnel.closed;
      secure.destroy();
      await proxy.waitFor(tcp());
      const closed = proxy.close();
      if (mode === "replay") await expect(closed).rejects.toThrow("TLS for raw.test");
      await closed.catch(() => {});
    }
    expect(log[0]).toBe(
      "warn not recorded (TLS that passes through unopened is never the same twice): TCP raw.test:443",
    );
  });

  test("a server on any port: match.origin", async () => {
    await record(lines, ask("one"));
    await using proxy = await startProxy({
      tape: { path, mode: "replay", match: { origin: { ignore: ["port"] } } },
    });
    await using client = await openTunnel(proxy, "raw.test:4711");
    expect(await ask("one")(client)).toEqual(["you said one\n"]);
  });
});

describe("what is wrong with one is named", () => {
  const entry = (changes: object, url = "tcp://raw.test:7") =>
    har({
      request: { method: "TCP", url, headers: [] },
      response: { status: 0, headers: [], content: {} },
      _tcp: { end: "client", messages: [], ...changes },
    });

  test.each([
    [{ end: "x" }, '_tcp.end is "x": "client" or "server" or "open" is expected'],
    [{ messages: 1 }, "_tcp.messages is 1: an array is expected"],
    [{ messages: [{ from: "me" }] }, '_tcp.messages[0]: from is "me": "client" or "server" is expected'],
    [{ messages: [{ from: "client" }] }, "_tcp.messages[0]: text is missing: text or base64 is expected"],
    [{ messages: [{ from: "client", text: "", time: -1 }] }, "_tcp.messages[0]: time is -1"],
  ])("%j", async (changes, message) => {
    await writeFile(path, entry(changes));
    await expect(readTape(path)).rejects.toMatchObject({
      code: "TAPE_DAMAGED",
      message: expect.stringContaining(message),
    });
  });

  test("its address", async () => {
    await writeFile(path, entry({}, "http://raw.test/"));
    await expect(readTape(path)).rejects.toThrow("request.url is");
  });

  test("a line of its file: in replay the conversation fails, and close() says why", async () => {
    const tape = JSON.parse(entry({ messages: undefined })) as {
      log: { entries: { response: { content: object } }[] };
    };
    tape.log.entries[0]!.response.content = { _file: "a.jsonl" };
    await writeFile(path, JSON.stringify(tape));
    await mkdir(`${path}.d`);
    await writeFile(`${path}.d/a.jsonl`, '{"from":"client","text":"one"}\nnonsense\n');
    const { error } = await run(NOBODY, ask("one"), { mode: "replay" });
    expect(error!.message).toContain("log.entries[0] (TCP tcp://raw.test:7): raw.har.d/a.jsonl line 2 is not JSON");
  });
});

test("a recorded conversation is a flow", async () => {
  await record(lines, ask("one"));
  const flow = (await (await readTape(path)).flows()).first() as TcpFlow;
  expect([flow.type, flow.hostname, flow.port, flow.source, flow.done]).toEqual(["tcp", "raw.test", 7, "tape", true]);
  expect(flow.messages.map(({ text }) => text)).toEqual(["one\n", "you said one\n"]);
});
