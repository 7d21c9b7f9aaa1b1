// Modes: by option, by environment, and of single requests.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { respond, type TapeMode, type TapeOptions, tcp } from "../../src/mod.ts";
import { Modes } from "../../src/tape/modes.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { echo, openPeer, startPeerServer } from "../wire/websocket/peers.ts";
import { close as goodbye } from "../wire/websocket/support.ts";
import { startRawServer } from "../support/raw_server.ts";
import { ask, entriesOf, startProxy } from "./proxies.ts";
import { flowOf, open } from "./tapes.ts";

let folder: TempFolder;
let path: string;
let origin: Origin;
let count = 0;

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
  count = 0;
  origin = await startOrigin(() => ({ body: `${++count}` }));
});

afterEach(async () => {
  await origin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What each of these paths is answered with; "-" where that is an explanation. */
async function run(options: Partial<TapeOptions>, ...paths: string[]): Promise<string> {
  const proxy = await startProxy({ tape: { path, ...options } });
  const answers: string[] = [];
  for (const one of paths) {
    const [method, target] = one.includes(" ") ? one.split(" ") : ["GET", one];
    const answer = await ask(proxy, origin.url + target, { method: method! });
    answers.push(answer.startsWith("502") ? "-" : answer.slice(4));
  }
  await proxy.close().catch(() => {});
  return answers.join(" ");
}

describe("the mode that is meant", () => {
  test.each<[string, string, TapeMode | undefined, string, string]>([
    // FLOWTAPE_MODE, CI, option: with a tape, and without one.
    ["", "", undefined, "auto", "auto"],
    ["", "", "once", "replay", "record"],
    ["", "", "verify", "verify", "verify"],
    ["", "true", undefined, "replay", "replay"],
    ["", "true", "once", "replay", "replay"],
    ["", "true", "record", "record", "record"],
    ["", "true", "verify", "verify", "verify"],
    ["", "false", "auto", "auto", "auto"],
    ["record", "", undefined, "record", "record"],
    ["record", "true", "replay", "record", "record"],
    ["replay", "", "record", "replay", "replay"],
    ["auto", "true", "replay", "auto", "auto"],
    ["once", "true", "record", "replay", "record"],
    ["verify", "true", "auto", "verify", "verify"],
    ["passthrough", "", "auto", "passthrough", "passthrough"],
    [" Record ", "", "auto", "record", "record"],
  ])("FLOWTAPE_MODE=%s CI=%s mode: %s: %s, or %s where there is no tape", (FLOWTAPE_MODE, CI, mode, there, missing) => {
    const modes = (exists: boolean) => new Modes({ mode }, { exists, env: { FLOWTAPE_MODE, CI } }).main;
    expect([modes(true), modes(false)]).toEqual([there, missing]);
  });

  test.each<[string, TapeMode, string]>([
    ["", "record", "record"],
    ["", "once", "replay"],
    ["record", "auto", "record"],
    ["record", "verify", "record"],
    // These two are kept: such traffic is never to be recorded.
    ["record", "replay", "replay"],
    ["record", "passthrough", "passthrough"],
    ["replay", "record", "replay"],
    ["replay", "passthrough", "passthrough"],
    ["verify", "replay", "replay"],
  ])("FLOWTAPE_MODE=%s and the mode of a matcher, %s: %s", (FLOWTAPE_MODE, mode, expected) => {
    const modes = new Modes({ modes: [["/a", mode]] }, { exists: true, env: { FLOWTAPE_MODE } });
    expect(modes.of(flowOf({ url: "https://shop.test/a" }))).toBe(expected);
  });

  test("FLOWTAPE_MODE that is no mode: an error that says what is accepted", async () => {
    await expect(open(path, {}, undefined, { FLOWTAPE_MODE: "recrod" })).rejects.toThrow(
      'the environment variable FLOWTAPE_MODE is "recrod": auto, replay, record, once, passthrough, verify are accepted; ' +
        'did you mean "record"?',
    );
  });

  test("matchers go in order; what none matches has the mode of the tape", () => {
    const modes = new Modes({
      mode: "replay",
      modes: [[{ host: "a.test", path: "/x" }, "record"], [{ host: "a.test" }, "passthrough"], [
        tcp("db.test"),
        "auto",
      ]],
    }, { exists: true, env: {} });
    const of = (url: string) => modes.of(flowOf({ url }));
    expect(["http://a.test/x", "http://a.test/y", "http://b.test/x"].map(of)).toEqual([
      "record",
      "passthrough",
      "replay",
    ]);
  });
});

test("once records when there is no tape, and only replays from then on", async () => {
  expect(await run({ mode: "once" }, "/a", "/b")).toBe("1 2");
  expect(await run({ mode: "once" }, "/a", "/b", "/c")).toBe("1 2 -");
  expect(origin.requests).toHaveLength(2);
  expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 2"]);
});

describe("the modes of single requests", () => {
  test("passthrough: sent every time, and never on the tape", async () => {
    const modes: TapeOptions["modes"] = [["/health", "passthrough"]];
    expect(await run({ modes }, "/a", "/health")).toBe("1 2");
    expect(await run({ modes }, "/a", "/health")).toBe("1 3");
    expect(await run({ modes, mode: "replay" }, "/a", "/health")).toBe("1 4");
    expect(await entriesOf(path)).toEqual(["GET /a 1"]);
  });

  test("replay in a recording: the entry is replayed, and stays", async () => {
    await run({ mode: "record" }, "/login", "/a");
    expect(await run({ mode: "record", modes: [["/login", "replay"]] }, "/login", "/a", "/b")).toBe("1 3 4");
    expect(await entriesOf(path)).toEqual(["GET /login 1", "GET /a 3", "GET /b 4"]);
    // What is not on the tape is refused, whatever the others do.
    expect(await run({ mode: "record", modes: [["/x", "replay"]] }, "/x")).toBe("-");
    expect(origin.requests).toHaveLength(4);
  });

  test("record: the entries of one matcher are recorded anew, in their places, and no others", async () => {
    await run({ mode: "record" }, "/a", "/b", "/c", "/b");
    expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 2", "GET /c 3", "GET /b 4"]);
    expect(await run({ modes: [["/b", "record"]] }, "/a", "/b", "/b", "/c")).toBe("1 5 6 3");
    expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 5", "GET /c 3", "GET /b 6"]);
    // Fewer, more, and others than there were.
    expect(await run({ modes: [["/b", "record"]] }, "/b")).toBe("7");
    expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 7", "GET /c 3"]);
    expect(await run({ modes: [["/b*", "record"]] }, "/b", "/b2", "/b")).toBe("8 9 10");
    expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 8", "GET /b2 9", "GET /b 10", "GET /c 3"]);
  });

  test("record: a matcher for which nothing was recorded takes nothing off the tape", async () => {
    await run({ mode: "record" }, "/a", "/b", "/c");
    await run({ modes: [["/a", "record"], ["/b", "record"]] }, "/a");
    expect(await entriesOf(path)).toEqual(["GET /a 4", "GET /b 2", "GET /c 3"]);
    await run({ modes: [["/a", "record"], ["/b", "record"]] }, "/c");
    expect(await entriesOf(path)).toEqual(["GET /a 4", "GET /b 2", "GET /c 3"]);
  });

  test("record: what is the same as before leaves the file as it was", async () => {
    await using same = await startOrigin(() => ({ body: "same" }));
    const record = async (modes: TapeOptions["modes"]) => {
      await using proxy = await startProxy({ tape: { path, modes } });
      for (const target of ["/a", "/b", "/c"]) await ask(proxy, same.url + target);
    };
    await record([]);
    const before = await readFile(path, "utf8");
    await record([["/b", "record"]]);
    expect(await readFile(path, "utf8")).toBe(before);
    expect(same.requests).toHaveLength(4);
  });

  test("a matcher may look at the body of a request, live and recorded", async () => {
    const bodies = ['{"op":"read"}', '{"op":"write"}'];
    const send = async (options: Partial<TapeOptions>) => {
      await using proxy = await startProxy({ tape: { path, ...options } });
      const answers: string[] = [];
      for (const body of [...bodies, `{"op":"read","pad":"${"x".repeat(5000)}"}`]) {
        answers.push((await ask(proxy, origin.url, { method: "POST", body })).slice(4));
      }
      return answers.join(" ");
    };
    expect(await send({ mode: "record" })).toBe("1 2 3");
    expect(await send({ modes: [[{ json: { op: "read" } }, "record"]] })).toBe("4 2 5");
    expect(await send({ mode: "replay" })).toBe("4 2 5");
  });

  test("a matcher that throws ends its flow, and no other", async () => {
    const modes: TapeOptions["modes"] = [[({ request }) => {
      if (request.path === "/bad") throw new Error("boom");
      return false;
    }, "passthrough"]];
    const proxy = await startProxy({ tape: { path, modes } });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 1");
    expect(await ask(proxy, `${origin.url}/bad`)).toMatch(/^502 /);
    await expect(proxy.close()).rejects.toThrow("boom");
    expect(await entriesOf(path)).toEqual(["GET /a 1"]);
  });

  test("verify, replay and auto beside one another", async () => {
    await run({ mode: "record" }, "/a", "/b");
    const proxy = await startProxy({ tape: { path, mode: "replay", modes: [["/a", "verify"], ["/c", "auto"]] } });
    for (const target of ["/a", "/b", "/c"]) await ask(proxy, origin.url + target);
    await proxy.close();
    expect(proxy.drift).toEqual([]);
    expect(origin.requests.map(({ target }) => target)).toEqual(["/a", "/b", "/a", "/c"]);
    expect(await entriesOf(path)).toEqual(["GET /a 1", "GET /b 2", "GET /c 4"]);
  });

  test("rules go before every mode", async () => {
    await using proxy = await startProxy({
      tape: { path, modes: [["/a", "record"], ["/b", "passthrough"]] },
      rules: [["/a", respond({ body: "rule" })], [{ path: "/b", json: { n: 1 } }, respond({ body: "rule" })]],
    });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 rule");
    expect(await ask(proxy, `${origin.url}/b`, { method: "POST", body: '{"n":1}' })).toBe("200 rule");
    expect(await ask(proxy, `${origin.url}/b`, { method: "POST", body: '{"n":2}' })).toBe("200 1");
    expect(existsSync(path)).toBe(false);
  });
});

describe("blockUnsafe", () => {
  test("refuses while recording what may change something, says how to allow it, and fails the test", async () => {
    const proxy = await startProxy({ tape: { path, mode: "record", blockUnsafe: true } });
    const answer = await proxy.fetch(`${origin.url}/orders?token=abc`, { method: "DELETE" });
    expect([answer.status, answer.headers.get("x-flowtape-error")]).toEqual([502, "unsafe"]);
    const text = await answer.text();
    expect(text).toContain("DELETE may change something on the server, and blockUnsafe is set.");
    expect(text).toContain(`blockUnsafe: { allow: "DELETE ${origin.url}/orders" }`);
    expect(text).not.toContain("abc");
    expect(proxy.unmatched).toHaveLength(1);
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect(await ask(proxy, origin.url, { method, body: "x" })).toMatch(/^502 /);
    }
    expect(await ask(proxy, origin.url)).toBe("200 1");
    expect(await ask(proxy, origin.url, { method: "OPTIONS" })).toBe("200 2");
    await expect(proxy.close()).rejects.toMatchObject({ code: "UNMATCHED_REQUEST" });
    expect(origin.requests.map(({ method }) => method)).toEqual(["GET", "OPTIONS"]);
  });

  test("what it says to allow is what allows it", async () => {
    const proxy = await startProxy({ tape: { path, mode: "record", blockUnsafe: true } });
    const text = await (await proxy.fetch(`${origin.url}/orders?a=1`, { method: "POST", body: "x" })).text();
    await proxy.close().catch(() => {});
    const { blockUnsafe } = Function(`return ({ ${/blockUnsafe: .*/.exec(text)![0]} })`)() as TapeOptions;
    await using allowed = await startProxy({ tape: { path, mode: "record", blockUnsafe } });
    expect(await ask(allowed, `${origin.url}/orders?a=1`, { method: "POST", body: "x" })).toBe("200 1");
  });

  test("lets pass what is allowed, by its body too, what is on the tape, and what is not recorded", async () => {
    const post = (body: string) => ({ method: "POST", body });
    const blockUnsafe = { allow: ["/search", { json: { dry: true } }] };
    const modes: TapeOptions["modes"] = [["/log", "passthrough"]];
    const proxy = await startProxy({ tape: { path, blockUnsafe, modes } });
    expect(await ask(proxy, `${origin.url}/search`, post("x"))).toBe("200 1");
    expect(await ask(proxy, `${origin.url}/a`, post('{"dry":true}'))).toBe("200 2");
    expect(await ask(proxy, `${origin.url}/log`, post("x"))).toBe("200 3");
    expect(await ask(proxy, `${origin.url}/a`, post('{"dry":false}'))).toMatch(/^502 /);
    await proxy.close().catch(() => {});
    await using again = await startProxy({ tape: { path, blockUnsafe: true } });
    expect(await ask(again, `${origin.url}/a`, post('{"dry":true}'))).toBe("200 2");
    expect(origin.requests).toHaveLength(3);
  });
});

describe("blockUnsafe and conversations, of which nobody can tell what will be said", () => {
  const allowedBy = (message: string) =>
    Function("tcp", `return ({ ${/blockUnsafe: .*/.exec(message)![0]} })`)(tcp) as TapeOptions;

  test("a WebSocket is not opened, unless it is allowed, on the tape, or not recorded", async () => {
    await using server = await startPeerServer(echo);
    const url = `ws://127.0.0.1:${server.port}/chat?token=abc`;
    const say = async (options: Partial<TapeOptions>) => {
      const proxy = await startProxy({ tape: { path, ...options } });
      try {
        await using peer = await openPeer(proxy, url);
        await peer.send({ opcode: "text", payload: "hello" });
        const answer = (await peer.frame()).payload.toString();
        await peer.send(goodbye(1000));
        await peer.rest();
        return answer;
      } catch (error) {
        return (error as Error).message;
      } finally {
        await proxy.close().catch((error: Error) => refusals.push(error.message));
      }
    };
    const refusals: string[] = [];
    for (const mode of ["record", "auto"] as const) {
      expect(await say({ mode, blockUnsafe: true })).toContain("502");
      expect(refusals.at(-1)).toContain("nobody can tell whether what is said over a WebSocket changes something");
      expect(refusals.at(-1)).not.toContain("abc");
    }
    expect(existsSync(path)).toBe(false);
    expect(await say({ mode: "record", blockUnsafe: true, modes: [[url.split("?")[0]!, "passthrough"]] })).toBe(
      "hello",
    );
    expect(existsSync(path)).toBe(false);
    expect(await say({ mode: "record", ...allowedBy(refusals.at(-1)!) })).toBe("hello");
    expect(await say({ blockUnsafe: true })).toBe("hello");
    expect(refusals).toHaveLength(2);
  });

  test("a raw conversation neither", async () => {
    let heard = 0;
    await using server = await startRawServer(async (connection) => {
      heard++;
      await connection.write(await connection.readUntil("\n"));
    });
    const say = async (options: Partial<TapeOptions>) => {
      const upstream = { hosts: { "raw.test": `127.0.0.1:${server.port}` } };
      const proxy = await startProxy({ tape: { path, ...options }, upstream });
      try {
        await using connection = await openTunnel(proxy, "raw.test:7");
        await connection.write("hello\n");
        const answer = await connection.readUntil("\n");
        connection.end();
        await connection.readAll().catch(() => {});
        return answer;
      } catch {
        return "nothing";
      } finally {
        await proxy.close().catch((error: Error) => refusals.push(error.message));
      }
    };
    const refusals: string[] = [];
    for (const mode of ["record", "auto"] as const) {
      expect(await say({ mode, blockUnsafe: true })).toBe("nothing");
      expect(refusals.at(-1)).toContain("The conversation TCP raw.test:7 was not begun");
    }
    expect(heard).toBe(0);
    expect(await say({ mode: "record", ...allowedBy(refusals.at(-1)!) })).toBe("hello\n");
    expect(await say({ blockUnsafe: true })).toBe("hello\n");
    expect([heard, refusals.length]).toEqual([1, 2]);
  });
});

test("a tape is left alone where the mode is passthrough, even a damaged one", async () => {
  await writeFile(path, "damaged");
  const { tape } = await open(path, { mode: "replay" }, undefined, { FLOWTAPE_MODE: "passthrough" });
  expect(tape.mode).toBe("passthrough");
  await tape.close();
  expect(await readFile(path, "utf8")).toBe("damaged");
});
