// proxy.configure(): which options change while a proxy is open, for whom, and what refuses it.
import process from "node:process";
import { describe, expect, test, vi } from "vitest";
import {
  type Addon,
  filter,
  type HttpFlow,
  OptionsError,
  type ProxyOptions,
  respond,
  startProxy,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";
import { startRawServer } from "../support/raw_server.ts";
import { getRequest, openTunnel, readText } from "../wire/tunnel.ts";
import { leftOpen, openResources } from "./resources.ts";

function get(url: string): string {
  return `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
}

/** An addon that writes down what it is configured with. */
function listener(
  name: string,
  seen: string[],
  refuse: (options: ProxyOptions) => void = () => {},
): Addon<ProxyOptions> {
  return {
    name,
    async configure(options, updated) {
      await Promise.resolve();
      seen.push(`${name} ${[...updated].join()} ${options.verbose ?? "-"} ${options.timeouts!.idle}`);
      refuse(options);
    },
  };
}

describe("configure", () => {
  test("tells the addons what changed, with all options, before it holds", async () => {
    const seen: string[] = [];
    await using proxy = await startProxy({ addons: [listener("a", seen)], timeouts: { connect: 7 } });
    proxy.use(listener("b", seen));
    seen.length = 0;
    await proxy.configure({ verbose: 0, timeouts: { idle: 9 } });
    expect(seen).toEqual(["a verbose,timeouts 0 9", "b verbose,timeouts 0 9"]);
  });

  test("a group keeps the members that are not given; undefined is the default", async () => {
    const timeouts: unknown[] = [];
    const addon: Addon<ProxyOptions> = { configure: (options) => void timeouts.push({ ...options.timeouts }) };
    await using proxy = await startProxy({ addons: [addon], timeouts: { connect: 7, idle: 8 } });
    await proxy.configure({ timeouts: { idle: 9 } });
    await proxy.configure({ timeouts: { idle: undefined } });
    await proxy.configure({ timeouts: undefined });
    const rest = { head: 30_000, hooks: 5000 };
    expect(timeouts).toEqual([
      { connect: 7, idle: 8, ...rest },
      { connect: 7, idle: 9, ...rest },
      { connect: 7, idle: 60_000, ...rest },
      { connect: 10_000, idle: 60_000, ...rest },
    ]);
  });

  test("what stays the same is no change: nobody is told", async () => {
    const seen: string[] = [];
    const options: ProxyOptions = { addons: [listener("a", seen)], host: "127.0.0.1", verbose: 0, rules: [] };
    await using proxy = await startProxy(options);
    seen.length = 0;
    await proxy.configure({});
    await proxy.configure(options);
    expect(seen).toEqual([]);
    await proxy.configure({ ...options, limits: { connections: 5 } });
    expect(seen).toHaveLength(1);
  });

  test.each([
    [{ host: "::1" }, "option host cannot change while the proxy is open: the proxy listens already"],
    [{ port: 1 }, "option port cannot change"],
    [{ tape: "a.har" }, "option tape cannot change while the proxy is open: the tape is open"],
    [{ addons: [] }, "option addons cannot change while the proxy is open: they have started. proxy.use() adds others"],
    [{ signal: AbortSignal.abort() }, "option signal cannot change"],
    [{ https: { ca: { dir: "x" } } }, "option https.ca cannot change while the proxy is open: clients have been told"],
    [{ https: { keyLogFile: "x" } }, "option https.keyLogFile cannot change"],
    [{ capture: { maxFlows: 5 } }, "option capture.maxFlows cannot change"],
    [{ verbos: 1 }, 'option verbos is not known; did you mean "verbose"?'],
    [{ timeouts: { idel: 1 } }, 'did you mean "idle"?'],
    [{ timeouts: { idle: 0 } }, "option timeouts.idle is 0"],
    [{ rules: [["GET", "nothing"]] }, "rules[0]"],
    [{ rules: [["/x", "nothing"]] }, 'the action "nothing" is not known'],
    [{ defaultAction: "nothing" }, 'the action "nothing" is not known'],
    [{ upstream: { proxy: "http://a:1", pac: "x" } }, "options upstream.proxy and upstream.pac are given together"],
    [null, "the options are null"],
  ])("refuses %j", async (changed, message) => {
    const seen: string[] = [];
    await using proxy = await startProxy({ addons: [listener("a", seen)], defaultAction: respond({ body: "old" }) });
    seen.length = 0;
    const error = await proxy.configure(
      { verbose: 0, ...changed as object, ...(changed === null ? null : {}) } as ProxyOptions,
    )
      .catch((thrown: unknown) => thrown);
    if (changed === null) await expect(proxy.configure(changed as unknown as ProxyOptions)).rejects.toThrow(message);
    else {
      expect(error).toBeInstanceOf(OptionsError);
      expect((error as Error).message).toContain(message);
      // Not even what was right holds.
      expect(seen).toEqual([]);
    }
    expect(await (await proxy.fetch("http://a.test/x")).text()).toBe("old");
  });

  test("an option that was not there before cannot be taken away if it is fixed", async () => {
    await using folder = await tempFolder();
    await using proxy = await startProxy({ https: { ca: { dir: folder.path } } });
    await expect(proxy.configure({ https: undefined })).rejects.toThrow("option https.ca cannot change");
    await expect(proxy.configure({ https: { ca: undefined } })).rejects.toThrow("option https.ca cannot change");
    await proxy.configure({ https: { passthrough: ["a.test"] } });
  });

  test("an addon that throws refuses it: the old options hold everywhere", async () => {
    const seen: string[] = [];
    const refuse = ({ verbose }: ProxyOptions) => {
      if (verbose === 0) throw new Error("not with me");
    };
    await using proxy = await startProxy({
      addons: [listener("a", seen), listener("b", seen, refuse), listener("c", seen)],
      defaultAction: respond({ body: "old" }),
      timeouts: { idle: 5 },
    });
    seen.length = 0;
    await expect(proxy.configure({ verbose: 0, timeouts: { idle: 6 }, defaultAction: respond({ body: "new" }) }))
      .rejects
      .toMatchObject({ code: "HOOK_FAILED", message: 'hook configure of addon "b" threw: not with me' });
    expect(seen).toEqual(["a", "b", "a", "b"].map((name, i) => {
      return `${name} verbose,timeouts,defaultAction ${i < 2 ? "0 6" : "- 5"}`;
    }));
    expect(await (await proxy.fetch("http://a.test/")).text()).toBe("old");
    // Nor does close() complain of it: who asked for the change knows.
  });

  test("one call after the other; the last one holds", async () => {
    const seen: string[] = [];
    await using proxy = await startProxy({ addons: [listener("a", seen)], timeouts: { idle: 1 } });
    seen.length = 0;
    const calls = [2, 3, 4].map((idle) => proxy.configure({ timeouts: { idle } }));
    await expect(proxy.configure({ timeouts: { idle: -1 } })).rejects.toThrow("timeouts.idle is -1");
    await Promise.all(calls);
    expect(seen.map((it) => it.split(" ").at(-1))).toEqual(["2", "3", "4"]);
  });

  test("after close(), and in the middle of it", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    const proxy = await startProxy({ addons: [{ configure: (_, updated) => updated.size < 3 ? gate : undefined }] });
    const outcome = proxy.configure({ verbose: 0 }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await proxy.close();
    expect(await outcome).toMatchObject({ code: "PROXY_CLOSED" });
    release();
    await expect(proxy.configure({ verbose: 0 })).rejects.toMatchObject({ code: "PROXY_CLOSED" });
  });

  test("a hook that never ends does not hold it up for ever", async () => {
    const never: Addon = {
      name: "endless",
      configure: (_, updated) => updated.size < 3 ? new Promise(() => {}) : undefined,
    };
    await using proxy = await startProxy({ addons: [never], timeouts: { hooks: 20 } });
    await expect(proxy.configure({ verbose: 0 })).rejects.toMatchObject({
      code: "HOOK_TIMEOUT",
      message: 'hook configure of addon "endless" had not ended after 20 ms (timeouts.hooks)',
    });
  });
});

describe("what changes holds at once", () => {
  test("rules and defaultAction: for requests to come; those that were added stay in front", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using proxy = await startProxy({
      rules: [["/x", respond({ body: "old" })]],
      addons: [{ requestHeaders: ({ request }) => request.headers.has("x-wait") ? gate : undefined }],
    });
    const fetch = async (path: string, headers = {}) =>
      await (await proxy.fetch(`http://a.test${path}`, { headers })).text();
    const waiting = fetch("/x", { "x-wait": "1" });
    await expect.poll(() => proxy.flows.length).toBe(1);
    await proxy.configure({
      rules: [[filter("~u /x"), respond({ body: "new" })]],
      defaultAction: respond({ body: "default" }),
    });
    expect(await fetch("/x")).toBe("new");
    expect(await fetch("/y")).toBe("default");
    using handle = proxy.use(["/y", respond({ body: "added" })]);
    await proxy.configure({ rules: [["/y", respond({ body: "newest" })]] });
    expect(await fetch("/y")).toBe("added");
    expect(handle.calls.length).toBe(1);
    handle.dispose();
    expect(await fetch("/y")).toBe("newest");
    expect(await fetch("/x")).toBe("default");
    release();
    expect(await waiting).toBe("old");
    // What was configured is what reset() goes back to.
    proxy.use(["/y", respond({ body: "added" })]);
    proxy.reset();
    expect(await fetch("/y")).toBe("newest");
    await proxy.configure({ rules: undefined });
    expect(await fetch("/y")).toBe("default");
  });

  test("auth: proxy.fetch has the new credentials, clients with the old ones are turned away", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    expect(await (await proxy.fetch("http://a.test/")).text()).toBe("ok");
    await using kept = await connectRaw(proxy.port);
    await kept.write("GET http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await kept.readUntil("ok");
    await proxy.configure({ auth: { username: "me", password: "secret" } });
    expect(await (await proxy.fetch("http://a.test/")).text()).toBe("ok");
    expect(proxy.env()["HTTP_PROXY"]).toContain("me:secret@");
    await kept.write(get("http://a.test/"));
    expect(await readText(kept)).toMatch(/^HTTP\/1\.1 407 /);
    await proxy.configure({ auth: undefined });
    expect(await rawRequest(proxy.port, get("http://a.test/"))).toMatch(/ok$/);
  });

  test("capture.maxBody: flows in flight keep theirs, on the same connection", async () => {
    await using origin = await startOrigin(() => ({ body: "0123456789" }));
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using proxy = await startProxy({
      addons: [{ requestHeaders: ({ request }) => request.path === "/first" ? gate : undefined }],
    });
    await using client = await connectRaw(proxy.port);
    const ask = (path: string) => client.write(`GET ${origin.url}${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await ask("/first");
    await expect.poll(() => proxy.flows.length).toBe(1);
    await proxy.configure({ capture: { maxBody: 4 } });
    release();
    await client.readUntil("789");
    await ask("/second");
    await client.readUntil("789");
    await proxy.waitFor("/second");
    expect([...proxy.flows].map((flow) => (flow as HttpFlow).response!.bodyTruncated)).toEqual([false, true]);
  });

  test("upstream.hosts: for requests to come, also on a connection that is kept; what is in flight goes on", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    await using first = await startOrigin(async ({ target }) => {
      if (target === "/slow") await gate;
      return { body: "first" };
    });
    await using second = await startOrigin(() => ({ body: "second" }));
    await using proxy = await startProxy({ upstream: { hosts: { "a.test": `127.0.0.1:${first.port}` } } });
    const fetch = async (path: string) => await (await proxy.fetch(`http://a.test${path}`)).text();
    expect(await fetch("/")).toBe("first");
    const slow = fetch("/slow");
    await expect.poll(() => first.requests.length).toBe(2);
    await proxy.configure({ upstream: { hosts: { "a.test": `127.0.0.1:${second.port}` } } });
    expect(await fetch("/")).toBe("second");
    release();
    expect(await slow).toBe("first");
  });

  test("upstream.ca and verify", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy();
    const status = async () => {
      const response = await proxy.fetch(`${origin.url}/`);
      await response.text();
      return response.status;
    };
    expect(await status()).toBe(502);
    await proxy.configure({ upstream: { ca: origin.ca } });
    expect(await status()).toBe(200);
    await proxy.configure({ upstream: { ca: undefined } });
    expect(await status()).toBe(502);
    await proxy.configure({ upstream: { verify: false } });
    expect(await status()).toBe(200);
  });

  test("a PAC file that cannot be read refuses the change", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await expect(proxy.configure({ upstream: { pac: "/no/such/file.pac" }, defaultAction: "drop" })).rejects.toThrow(
      "pac",
    );
    expect(await (await proxy.fetch(`${origin.url}/`)).text()).toBe("ok");
  });

  test("timeouts: connect, head and idle", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    await using proxy = await startProxy();
    await proxy.configure({ timeouts: { head: 60 } });
    expect(await rawRequest(proxy.port, get(`http://127.0.0.1:${silent.port}/`))).toMatch(
      /^HTTP\/1\.1 504 .*timeouts\.head/s,
    );
    await using half = await connectRaw(proxy.port);
    await half.write("GET http://a.test/ HTTP/1.1\r\nHo");
    expect(await readText(half)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("limits.connections", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    await using first = await connectRaw(proxy.port);
    await first.write("GET http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await first.readUntil("ok");
    await proxy.configure({ limits: { connections: 1 } });
    await using refused = await connectRaw(proxy.port);
    expect(await refused.readAll().catch(() => "reset")).toHaveLength(refused.error ? 5 : 0);
    await proxy.configure({ limits: { connections: 2 } });
    expect(await rawRequest(proxy.port, get("http://a.test/"))).toMatch(/ok$/);
  });

  test("https.passthrough", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({ upstream: { ca: origin.ca } });
    const issuer = async () => {
      await using tunnel = await openTunnel(proxy, `127.0.0.1:${origin.port}`);
      await using secure = await tunnel.startTls({ rejectUnauthorized: false });
      await secure.write(getRequest("/", "127.0.0.1"));
      await readText(secure);
      return proxy.flows.last()!.type;
    };
    expect(await issuer()).toBe("http");
    await proxy.configure({ https: { passthrough: () => true } });
    expect(await issuer()).toBe("tcp");
    await proxy.configure({ https: { passthrough: undefined } });
    expect(await issuer()).toBe("http");
  });

  test("verbose", async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
      await (await proxy.fetch("http://a.test/silent")).text();
      await proxy.configure({ verbose: 1 });
      await (await proxy.fetch("http://a.test/told")).text();
      await proxy.waitFor("/told");
      await proxy.configure({ verbose: 0 });
      await (await proxy.fetch("http://a.test/silent")).text();
    } finally {
      write.mockRestore();
    }
    expect(lines.filter((line) => line.includes("a.test"))).toHaveLength(1);
  });

  test("preFunction and alerter", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    await proxy.configure({
      preFunction: ({ request }) => void request.headers.set("x-pre", "1"),
      alerter: () => ["seen"],
    });
    await (await proxy.fetch("http://a.test/")).text();
    const flow = (await proxy.waitFor("/")).first() as HttpFlow;
    expect(flow.request.headers.get("x-pre")).toBe("1");
    expect(flow.alerts).toEqual(["seen"]);
    await proxy.configure({ preFunction: undefined, alerter: undefined });
    await (await proxy.fetch("http://a.test/y")).text();
    const second = (await proxy.waitFor("/y")).first() as HttpFlow;
    expect(second.request.headers.has("x-pre")).toBe(false);
    expect(second.alerts).toEqual([]);
  });
});

test("many changes under load lose nothing and leave nothing behind", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  const run = async () => {
    await using proxy = await startProxy();
    let going = true;
    const changing = (async () => {
      for (let i = 0; going; i++) {
        await proxy.configure({ timeouts: { idle: 1000 + i }, capture: { maxBody: 100 + i } });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const clients = Array.from({ length: 8 }, async (_, client) => {
      await using connection = await connectRaw(proxy.port);
      for (let i = 0; i < 25; i++) {
        await connection.write(`GET ${origin.url}/${client}/${i}! HTTP/1.1\r\nHost: a\r\n\r\n`);
        await connection.readUntil(`/${client}/${i}!`);
      }
    });
    await Promise.all(clients);
    going = false;
    await changing;
    await expect.poll(() => [...proxy.flows].filter(({ done }) => !done).length).toBe(0);
    expect([...proxy.flows].filter(({ error }) => error !== undefined)).toEqual([]);
    expect(proxy.flows.length).toBe(200);
  };
  await run();
  const before = openResources();
  await run();
  expect(await leftOpen(before)).toEqual({});
});
