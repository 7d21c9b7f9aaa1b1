// The tape of a proxy: what is recorded, what is replayed, and what never happens in replay mode: a connection to anywhere.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  edit,
  type FlowtapeError,
  type HttpFlow,
  type Proxy,
  respond,
  TapeError,
  UnmatchedRequestError,
} from "../../src/mod.ts";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { startProxy } from "../tape/proxies.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { openPeer } from "../wire/websocket/peers.ts";

let folder: TempFolder;
let path: string;

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("tape.har");
});

afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

function get(url: string, fields = ""): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${fields}Connection: close\r\n\r\n`;
}

/** Status and body. */
async function ask(proxy: Proxy, url: string, fields?: string): Promise<string> {
  const answer = await rawRequest(proxy.port, get(url, fields));
  return `${answer.slice(9, 12)} ${answer.slice(answer.indexOf("\r\n\r\n") + 4)}`;
}

/** Records a GET of each path. */
async function record(base: string, ...paths: string[]): Promise<void> {
  await using proxy = await startProxy({ tape: { path, mode: "record" } });
  for (const one of paths) await ask(proxy, base + one);
}

function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(() => "nothing was thrown", (error: FlowtapeError) => error.code);
}

describe("modes", () => {
  test("auto records what is missing, and replays what is there", async () => {
    let count = 0;
    await using origin = await startOrigin(() => ({ body: `answer ${++count}` }));
    const run = async (...paths: string[]) => {
      await using proxy = await startProxy({ tape: path });
      const answers = [];
      for (const one of paths) answers.push(await ask(proxy, origin.url + one));
      return answers;
    };
    expect(await run("/a", "/b")).toEqual(["200 answer 1", "200 answer 2"]);
    const before = await readFile(path, "utf8");
    expect(await run("/b", "/a", "/a")).toEqual(["200 answer 2", "200 answer 1", "200 answer 1"]);
    expect(origin.requests).toHaveLength(2);
    expect(await readFile(path, "utf8")).toBe(before);
    expect(await run("/c", "/a")).toEqual(["200 answer 3", "200 answer 1"]);
    expect(await run("/c", "/b", "/a")).toEqual(["200 answer 3", "200 answer 2", "200 answer 1"]);
    expect(origin.requests).toHaveLength(3);
  });

  test.each(["true", "1", "yes"])("auto is replay where CI is %s", async (value) => {
    await using origin = await startOrigin();
    const proxy = await startProxy({ tape: path }, { CI: value });
    expect(await ask(proxy, `${origin.url}/a`)).toMatch(/^502 /);
    expect(origin.connections).toBe(0);
    expect(await codeOf(proxy.close())).toBe("UNMATCHED_REQUEST");
    expect(await readdir(folder.path)).toEqual([]);
  });

  test.each(["", "0", "false"])("auto records where CI is %j", async (value) => {
    await using origin = await startOrigin();
    {
      await using proxy = await startProxy({ tape: path }, { CI: value });
      expect(await ask(proxy, `${origin.url}/a`)).toBe("200 ok");
    }
    expect(await readdir(folder.path)).toEqual(["tape.har"]);
  });

  test("record goes to the network for everything, and makes the tape anew", async () => {
    let count = 0;
    await using origin = await startOrigin(() => ({ body: `answer ${++count}` }));
    await record(origin.url, "/a", "/b");
    await record(origin.url, "/a");
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 answer 3");
    expect(proxy.unused).toEqual([]);
  });

  test("passthrough leaves the tape alone", async () => {
    await using origin = await startOrigin();
    await writeFile(path, "not a tape");
    await using proxy = await startProxy({ tape: { path, mode: "passthrough" } });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 ok");
    await proxy.close();
    expect(await readFile(path, "utf8")).toBe("not a tape");
  });
});

describe("replay", () => {
  test("B92 nothing reaches the network: not requests, not tunnels, not after the last entry", async () => {
    await using origin = await startOrigin();
    await using secure = await startOrigin(undefined, { tls: true });
    await record(origin.url, "/a");
    const connections = origin.connections;
    let dialled = 0;
    const proxy = await startProxy({
      tape: { path, mode: "replay", afterLast: "error" },
      upstream: { ca: secure.ca },
      addons: [{ serverConnect: () => void dialled++ }],
    });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 ok");
    expect(await ask(proxy, `${origin.url}/a`)).toMatch(/^502 .*The only entry for it has been replayed/s);
    expect(await ask(proxy, `${origin.url}/b`)).toMatch(/^502 /);
    expect(await ask(proxy, `${secure.url}/b`)).toMatch(/^502 /);
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${secure.port}`);
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
    await client.write("GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 502 /);
    await using open = await openTunnel(proxy, `127.0.0.1:${origin.port}`);
    await open.write("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    expect(await open.readHead()).toMatch(/^HTTP\/1\.1 502 /);
    const webSocket = `ws://127.0.0.1:${origin.port}/e`;
    await expect(openPeer(proxy, webSocket)).rejects.toThrow(/^no WebSocket: HTTP\/1\.1 502 /);
    expect(proxy.unmatched.length).toBe(6);
    await expect(proxy.close()).rejects.toThrow(UnmatchedRequestError);
    expect([origin.connections, secure.connections, dialled]).toEqual([connections, 0, 0]);
  });

  test("needs no name server and no network", async () => {
    await using origin = await startOrigin();
    {
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        upstream: { hosts: { "api.test": `127.0.0.1:${origin.port}` } },
      });
      await ask(proxy, "http://api.test/a");
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(await ask(proxy, "http://api.test/a")).toBe("200 ok");
  });

  test("B90 identical requests in the order recorded, then the last repeats; or an error, or from the start", async () => {
    let count = 0;
    await using origin = await startOrigin(() => ({ body: String(++count) }));
    await record(origin.url, "/n", "/n", "/n");
    const run = async (afterLast: "repeat" | "error" | "loop") => {
      const proxy = await startProxy({ tape: { path, mode: "replay", afterLast } });
      const answers = [];
      for (let i = 0; i < 5; i++) answers.push((await ask(proxy, `${origin.url}/n`)).slice(0, 5));
      return [...answers, await codeOf(proxy.close())];
    };
    expect(await run("repeat")).toEqual(["200 1", "200 2", "200 3", "200 3", "200 3", "nothing was thrown"]);
    expect(await run("loop")).toEqual(["200 1", "200 2", "200 3", "200 1", "200 2", "nothing was thrown"]);
    expect(await run("error")).toEqual(["200 1", "200 2", "200 3", "502 N", "502 N", "UNMATCHED_REQUEST"]);
  });

  test("at once: each request gets its own answer", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: `body of ${target}` }));
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    await record(origin.url, ...paths);
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const answers = await Promise.all(paths.map((one) => ask(proxy, origin.url + one)));
    expect(answers).toEqual(paths.map((one) => `200 body of ${one}`));
  });

  test("two proxies at once, each from the start", async () => {
    let count = 0;
    await using origin = await startOrigin(() => ({ body: String(++count) }));
    await record(origin.url, "/n", "/n");
    await using one = await startProxy({ tape: { path, mode: "replay" } });
    await using two = await startProxy({ tape: { path, mode: "replay" } });
    expect([await ask(one, `${origin.url}/n`), await ask(two, `${origin.url}/n`), await ask(one, `${origin.url}/n`)])
      .toEqual(["200 1", "200 1", "200 2"]);
  });

  test("a body tells requests apart; a large one too", async () => {
    await using origin = await startOrigin(({ text }) => ({ body: `got ${text().length} ${text().slice(-1)}` }));
    const large = "x".repeat(1_000_000);
    const post = async (proxy: Proxy, body: string) =>
      await (await proxy.fetch(`${origin.url}/p`, { method: "POST", body })).text();
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      for (const body of ["1", "2", `${large}1`, `${large}2`]) await post(proxy, body);
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    for (const body of [`${large}2`, "2", `${large}1`, "1"]) {
      expect(await post(proxy, body)).toBe(`got ${body.length} ${body.slice(-1)}`);
    }
  });
});

describe("what matches nothing", () => {
  test("is a 502 that explains itself, is in proxy.unmatched, and fails close()", async () => {
    await using origin = await startOrigin();
    await record(origin.url, "/orders?id=7");
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    const page = await rawRequest(proxy.port, get(`${origin.url}/orders?id=8&token=s3cret`));
    expect(page).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(page).toMatch(/\r\nx-flowtape-error: unmatched\r\n/i);
    expect(page).toContain("Nothing on the tape");
    expect(page).toContain(path);
    expect(page).toMatch(/- query\.id: "7"\n\s+\+ query\.id: "8"/);
    expect(page).toContain('match: { query: { ignore: ["');
    expect(page).not.toContain("s3cret");
    expect(proxy.unmatched.requests.map((request) => request.path)).toEqual(["/orders"]);
    expect(proxy.flows.length).toBe(1);
    expect((proxy.flows.first() as HttpFlow).source).toBe("tape");

    const error = await proxy.close().catch((thrown: unknown) => thrown) as Error;
    expect(error).toBeInstanceOf(UnmatchedRequestError);
    expect(error.message).toContain("a request matched nothing");
    expect(error.message).toContain("/orders?id=8");
    expect(error.message).not.toContain("s3cret");
  });

  test("B93 fails close() when the application swallowed it, and await using", async () => {
    const application = async (proxy: Proxy) => {
      try {
        const response = await proxy.fetch("http://a.test/other");
        await response.body?.cancel();
        if (!response.ok) throw new Error("not ok");
      } catch {
        // It goes on as if nothing had happened.
      }
    };
    const testCase = async () => {
      await using proxy = await startProxy({ tape: { path, mode: "replay" } });
      await application(proxy);
    };
    await expect(testCase()).rejects.toThrow(UnmatchedRequestError);
  });

  test("many of them: the first ten are told, and how many there were", async () => {
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    for (let i = 0; i < 12; i++) await ask(proxy, `http://a.test/n${i}`);
    const error = await proxy.close().catch((thrown: unknown) => thrown) as Error;
    expect(error.message).toMatch(/^12 requests matched nothing:/);
    expect(error.message).toContain("/n9");
    expect(error.message).not.toContain("/n10");
    expect(error.message).toContain("and 2 more");
  });

  test("without a tape: says how to record one", async () => {
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(await ask(proxy, "http://a.test/")).toContain(
      'There is no such tape yet. To record it, run with mode: "record"',
    );
    await expect(proxy.close()).rejects.toThrow(UnmatchedRequestError);
  });

  test("is forgotten by reset()", async () => {
    const proxy = await startProxy({ tape: { path, mode: "replay" } });
    await ask(proxy, "http://a.test/");
    proxy.reset();
    expect(proxy.unmatched.length).toBe(0);
    await proxy.close();
  });

  test("is none of those that rules answer", async () => {
    await using origin = await startOrigin(() => ({ body: "recorded" }));
    await record(origin.url, "/a", "/b");
    await using proxy = await startProxy({
      tape: { path, mode: "replay" },
      rules: [["/a", respond({ body: "rule" })], ["/new", respond({ body: "new" })], ["/gone", "drop"]],
    });
    expect(await ask(proxy, `${origin.url}/a`)).toBe("200 rule");
    expect(await ask(proxy, `${origin.url}/b`)).toBe("200 recorded");
    expect(await ask(proxy, `${origin.url}/new`)).toBe("200 new");
    expect(await codeOf(rawRequest(proxy.port, get(`${origin.url}/gone`)))).toBe("ECONNRESET");
    expect(proxy.unused.map((entry) => entry.url)).toEqual([`${origin.url}/a`]);
  });
});

describe("recorded failures look the same to the client as live ones", () => {
  /** What a raw client sees of a GET: bytes, then an end or a reset. */
  async function see(proxy: Proxy, url: string): Promise<string> {
    await using client = await connectRaw(proxy.port);
    await client.write(get(url));
    await client.closed;
    const bytes = new TextDecoder().decode(client.received).replaceAll(
      /\r\nContent-Length: \d+|\r\nTransfer-Encoding: chunked/gi,
      "",
    );
    return `${bytes} | ${client.error ? "reset" : "ended"}`;
  }

  async function both(script: Parameters<typeof startRawServer>[0] | undefined): Promise<[string, string, HttpFlow]> {
    let url = "http://127.0.0.1:1/";
    let live: string;
    {
      await using server = script && await startRawServer(script);
      if (server) url = `http://127.0.0.1:${server.port}/`;
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      live = await see(proxy, url);
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const replayed = await see(proxy, url);
    return [live, replayed, proxy.flows.first() as HttpFlow];
  }

  test("refused", async () => {
    const [live, replayed, flow] = await both(undefined);
    expect(replayed).toBe(live);
    expect(replayed).toMatch(/^HTTP\/1\.1 502 .*it refused the connection/s);
    expect(flow.error!.code).toBe("UPSTREAM_REFUSED");
  });

  test("closed before an answer", async () => {
    const [live, replayed, flow] = await both(async (connection) => void await connection.readHead());
    expect(replayed).toBe(live);
    expect(replayed).toContain("502");
    expect(flow.error!.code).toBe("UPSTREAM_CLOSED");
  });

  test("reset before an answer", async () => {
    const [live, replayed, flow] = await both(async (connection) => {
      await connection.readHead();
      connection.reset();
    });
    expect(replayed).toBe(live);
    expect(flow.error!.code).toBe("UPSTREAM_CLOSED");
  });

  test("cut off in a body with a length", async () => {
    const [live, replayed, flow] = await both(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-A: 1\r\n\r\nthe beginning");
    });
    expect(live).toContain("the beginning");
    expect(replayed).toContain("the beginning");
    expect(replayed.split(" | ")[1]).toBe(live.split(" | ")[1]);
    expect(flow.error!.code).toBe("UPSTREAM_ABORTED");
  });

  test("reset in a body of chunks", async () => {
    const [live, replayed, flow] = await both(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n");
      await new Promise((resolve) => setTimeout(resolve, 30));
      connection.reset();
    });
    expect(live).toContain("some");
    expect(replayed).toContain("some");
    expect(replayed).not.toContain("0\r\n\r\n");
    expect(replayed.split(" | ")[1]).toBe(live.split(" | ")[1]);
    expect(flow.error!.code).toBe("UPSTREAM_ABORTED");
  });

  test("fetch rejects for a body that was cut off", async () => {
    const script: Parameters<typeof startRawServer>[0] = async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    };
    const [, , flow] = await both(script);
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const response = await proxy.fetch(flow.request.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});

describe("a tape that cannot be read", () => {
  test.each([
    ["no JSON", "{ not json"],
    ["another document", '{"hello": 1}'],
    [
      "half a tape",
      '{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{"request": {"method": "GET"',
    ],
    [
      "an entry without a URL",
      '{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{"request": {"method": "GET"}}]}}',
    ],
  ])("refuses to start and stays as it was: %s", async (_, text) => {
    await writeFile(path, text);
    for (const mode of ["replay", "record", "auto"] as const) {
      const error = await startProxy({ tape: { path, mode } }).catch((thrown: unknown) => thrown) as TapeError;
      expect(error, mode).toBeInstanceOf(TapeError);
      expect(error.message).toContain(path);
      expect(await readFile(path, "utf8")).toBe(text);
    }
    expect(await readdir(folder.path)).toEqual(["tape.har"]);
  });

  test("a body file is missing", async () => {
    await using origin = await startOrigin(() => ({ body: "x".repeat(5000) }));
    await record(origin.url, "/large");
    const [name] = await readdir(`${path}.d`);
    await writeFile(path, (await readFile(path, "utf8")).replace(name!, `0000${name!.slice(4)}`));
    await expect(startProxy({ tape: { path, mode: "replay" } })).rejects.toMatchObject({
      code: "TAPE_BODY_MISSING",
      message: expect.stringMatching(/tape\.har.*entries\[0\].*0000/s),
    });
  });
});

describe("writing", () => {
  test("credentials are redacted, and what was recorded is replayed all the same", async () => {
    await using origin = await startOrigin(() => ({
      headers: [["Set-Cookie", "sid=c00kie"]],
      body: '{"access_token":"t0ken"}',
    }));
    const ask = async (proxy: Proxy) =>
      await (await proxy.fetch(`${origin.url}/login?api_key=k3y`, {
        method: "POST",
        headers: { authorization: "Bearer b34rer", cookie: "a=c00kie", "content-type": "application/json" },
        body: '{"password":"hunter2","user":"me"}',
      })).text();
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      expect(await ask(proxy)).toContain("t0ken");
    }
    const text = await readFile(path, "utf8");
    for (const secret of ["c00kie", "t0ken", "k3y", "b34rer", "hunter2"]) expect(text).not.toContain(secret);
    expect(text).toContain("[redacted:");
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    await ask(proxy);
    expect(proxy.unmatched.length).toBe(0);
  });

  test("the same traffic gives the same file", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target.repeat(1000) }));
    await record(origin.url, "/a", "/b");
    const first = await readFile(path, "utf8");
    await record(origin.url, "/a", "/b");
    expect(await readFile(path, "utf8")).toBe(first);
  });

  test("bodies are kept whole on a tape, whatever capture.maxBody is", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target.repeat(1000) }));
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" }, capture: { maxBody: 10 } });
      expect(await ask(proxy, `${origin.url}/long`)).toBe(`200 ${"/long".repeat(1000)}`);
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(await ask(proxy, `${origin.url}/long`)).toBe(`200 ${"/long".repeat(1000)}`);
  });

  test("closing while flows are in flight writes those that were complete", async () => {
    let hang = () => {};
    await using origin = await startOrigin(async ({ target }) => {
      if (target === "/hangs") await new Promise<void>((resolve) => hang = resolve);
      return { body: `body of ${target}` };
    });
    const proxy = await startProxy({ tape: { path, mode: "record" } });
    await ask(proxy, `${origin.url}/a`);
    await using client = await connectRaw(proxy.port);
    await client.write(get(`${origin.url}/hangs`));
    await expect.poll(() => origin.requests.length).toBe(2);
    await proxy.close();
    hang();
    expect((proxy.flows.last() as HttpFlow).error!.code).toBe("PROXY_CLOSED");
    await using replay = await startProxy({ tape: { path, mode: "replay" } });
    expect(replay.unused.map((entry) => entry.url)).toEqual([`${origin.url}/a`]);
  });

  test("nothing recorded leaves the old tape, and the log says so", async () => {
    await using origin = await startOrigin();
    await record(origin.url, "/a");
    const before = await readFile(path, "utf8");
    const log: string[] = [];
    {
      await using _ = await startProxy({
        tape: { path, mode: "record" },
        addons: [{ log: ({ message }) => void log.push(message) }],
      });
    }
    expect(await readFile(path, "utf8")).toBe(before);
    expect(log).toEqual([expect.stringContaining("nothing was recorded")]);
  });

  test("makes the folders that are missing", async () => {
    await using origin = await startOrigin();
    path = folder.file("a", "b", "tape.har");
    await record(origin.url, "/a");
    expect(await readdir(folder.file("a", "b"))).toEqual(["tape.har"]);
  });

  test("what the rules answer is not recorded, nor what a client broke off", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    await using origin = await startOrigin();
    {
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        rules: [["/mock", respond({ body: "mock" })]],
      });
      await ask(proxy, `${origin.url}/mock`);
      await ask(proxy, `${origin.url}/real`);
      const client = await connectRaw(proxy.port);
      await client.write(get(`http://127.0.0.1:${silent.port}/broken`));
      await expect.poll(() => silent.connections).toBe(1);
      client.reset();
      await proxy.waitFor("/broken");
    }
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    expect(proxy.unused.map((entry) => entry.url)).toEqual([`${origin.url}/real`]);
  });

  test("where it cannot be written: a TapeError at close(), and nothing half-written", async () => {
    await using origin = await startOrigin(() => ({ body: "x".repeat(5000) }));
    await writeFile(folder.file("file"), "a file, not a folder");
    const proxy = await startProxy({ tape: { path: folder.file("file", "tape.har"), mode: "record" } });
    expect(await ask(proxy, `${origin.url}/a`)).toMatch(/^200 x/);
    const error = await proxy.close().catch((thrown: unknown) => thrown) as TapeError;
    expect(error).toBeInstanceOf(TapeError);
    expect(error.code).toBe("TAPE_NOT_WRITTEN");
    expect(error.message).toContain(folder.file("file", "tape.har"));
    expect(await readdir(folder.path)).toEqual(["file"]);
  });

  test("where a folder is in its place", async () => {
    await using origin = await startOrigin();
    await mkdir(path);
    await expect(startProxy({ tape: { path, mode: "record" } })).rejects.toMatchObject({
      code: "TAPE_UNREADABLE",
      message: expect.stringContaining(path),
    });
    expect(origin.requests).toEqual([]);
  });

  test("a tape is free again after a start that failed", async () => {
    await using occupied = await startProxy();
    await expect(startProxy({ port: occupied.port, tape: { path, mode: "record" } })).rejects.toMatchObject({
      code: "PORT_IN_USE",
    });
    await using _ = await startProxy({ tape: { path, mode: "record" } });
  });

  test("unmatched requests and failing hooks are told together", async () => {
    const proxy = await startProxy({
      tape: { path, mode: "replay" },
      addons: [{
        name: "bad",
        response: () => {
          throw new Error("no");
        },
      }],
    });
    // The client learns of the latter: it is no recorded answer that broke off.
    expect(await ask(proxy, "http://a.test/x")).toMatch(/^502 [^]*hook response of addon "bad" threw/);
    const error = await proxy.close().catch((thrown: unknown) => thrown) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors.map((one: Error) => one.name)).toEqual(["UnmatchedRequestError", "HookError"]);
    expect(error.message).toContain("/x");
    expect(error.message).toContain('hook response of addon "bad" threw');
  });

  test("an endless stream that is cut off by closing is recorded as far as it came", async () => {
    const over = Promise.withResolvers<void>();
    async function* endless() {
      yield "data: 1\n\n";
      await over.promise;
    }
    await using origin = await startOrigin(() => ({
      headers: [["Content-Type", "text/event-stream"]],
      body: endless(),
    }));
    const proxy = await startProxy({ tape: { path, mode: "record" } });
    await using client = await connectRaw(proxy.port);
    await client.write(get(`${origin.url}/events`));
    await client.readUntil("data: 1");
    await proxy.close();
    over.resolve();
    const [entry] = (await readTape(path)).entries;
    expect([entry!.stream!.open, (await entry!.response())!.text()]).toEqual([true, "data: 1\n\n"]);
  });
});

describe("rules and the tape", () => {
  test("a rule that waits for the body goes before a tape that need not", async () => {
    await using origin = await startOrigin(() => ({ body: "recorded" }));
    const post = (proxy: Proxy) =>
      rawRequest(
        proxy.port,
        `POST ${origin.url}/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{"a":1}`,
      );
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" } });
      await post(proxy);
    }
    await using proxy = await startProxy({
      tape: { path, mode: "replay", match: { body: false } },
      rules: [[{ path: "/a", json: { a: 1 } }, respond({ body: "ruled" })]],
    });
    expect(await post(proxy)).toContain("ruled");
    expect((proxy.flows.last() as HttpFlow).source).toBe("rule");
  });

  test("what rules make of a response is not recorded, and is made of the replayed one again", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: `said ${target}` }));
    const rules = [
      ["/body", edit({ response: (response) => ({ body: `${response.text()}!` }) })],
      ["/head", edit({ response: { status: 203, headers: { "x-edited": "1" } } })],
    ] as const;
    const run = async (mode: "record" | "replay") => {
      await using proxy = await startProxy({ tape: { path, mode }, rules: [...rules] });
      const answers = [await ask(proxy, `${origin.url}/body`), await ask(proxy, `${origin.url}/head`)];
      return { answers, edited: (proxy.flows.last() as HttpFlow).response?.headers.get("x-edited") };
    };
    const expected = { answers: ["200 said /body!", "203 said /head"], edited: "1" };
    expect(await run("record")).toEqual(expected);
    const written = await readFile(path, "utf8");
    expect(written).toContain("said /body");
    expect(written).not.toContain("said /body!");
    expect(written).not.toContain("x-edited");
    expect(await run("replay")).toEqual(expected);
  });
});
