// The hooks of the proxy's life and of its connections, one by one.
import { describe, expect, test } from "vitest";
import {
  type Addon,
  FlowtapeError,
  HookError,
  type HttpFlow,
  type LogEntry,
  type Peer,
  respond,
  startProxy,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { getRequest, openTunnel, readText } from "../wire/tunnel.ts";

function get(url: string): string {
  return `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
}

describe("lifecycle", () => {
  test("configure, start and done fire once, in this order, addon by addon", async () => {
    const seen: string[] = [];
    const addon = (name: string): Addon => ({
      name,
      configure: async (options, updated) => {
        await Promise.resolve();
        const { host, verbose } = options as { host: string; verbose: number };
        seen.push(
          `configure ${name} ${host} ${verbose} ${["port", "tape", "upstream"].every((it) => updated.has(it))}`,
        );
      },
      start: async () => {
        await Promise.resolve();
        seen.push(`start ${name}`);
      },
      done: async () => {
        await Promise.resolve();
        seen.push(`done ${name}`);
      },
    });
    const proxy = await startProxy({ addons: [addon("a"), addon("b")], verbose: 0 });
    expect(seen).toEqual(["configure a 127.0.0.1 0 true", "configure b 127.0.0.1 0 true", "start a", "start b"]);
    await proxy.close();
    await proxy.close();
    expect(seen.slice(4)).toEqual(["done a", "done b"]);
  });

  test("start may put another addon in its place", async () => {
    const seen: string[] = [];
    const second: Addon = {
      start: () => void seen.push("start of the second"),
      requestHeaders: () => void seen.push("requestHeaders of the second"),
      done: () => void seen.push("done of the second"),
    };
    const first: Addon = {
      start: () => second,
      requestHeaders: () => void seen.push("requestHeaders of the first"),
      done: () => void seen.push("done of the first"),
    };
    {
      await using proxy = await startProxy({ addons: [first], defaultAction: respond({}) });
      await rawRequest(proxy.port, get("http://a.test/"));
      proxy.reset();
      await rawRequest(proxy.port, get("http://a.test/"));
    }
    expect(seen).toEqual(["requestHeaders of the second", "requestHeaders of the second", "done of the second"]);
  });

  test("what start returns must be an addon", async () => {
    const bad = { start: () => ({ not: "an addon" }) } as unknown as Addon;
    await expect(startProxy({ addons: [bad] })).rejects.toThrow(/what start\(\) of addons\[0\] returned has no hook/);
  });

  test("the proxy listens when start fires", async () => {
    let status = "";
    await using _ = await startProxy({
      port: 0,
      defaultAction: respond({ status: 204 }),
      addons: [{
        configure(this: { port?: number }) {},
        start: async () => {
          status = "started";
          await Promise.resolve();
        },
      }],
    });
    expect(status).toBe("started");
  });

  test("tick fires now and then, never twice at once, and not after close()", async () => {
    let running = 0;
    let most = 0;
    let ticks = 0;
    const proxy = await startProxy({
      addons: [{
        tick: async () => {
          ticks++;
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 300));
          running--;
        },
      }],
    });
    await expect.poll(() => ticks).toBeGreaterThan(1);
    await proxy.close();
    const then = ticks;
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(ticks).toBe(then);
    expect(most).toBe(1);
  });

  test("tick that throws fails close(), and goes on ticking", async () => {
    let ticks = 0;
    const proxy = await startProxy({
      addons: [{
        name: "clock",
        tick: () => {
          if (++ticks === 1) throw new Error("late");
        },
      }],
    });
    await expect.poll(() => ticks).toBeGreaterThan(1);
    await expect(proxy.close()).rejects.toThrow('hook tick of addon "clock" threw: late');
  });

  test("a tick that was added stops when it goes", async () => {
    await using proxy = await startProxy();
    let ticks = 0;
    const handle = proxy.use({ tick: () => void ticks++ });
    await expect.poll(() => ticks).toBeGreaterThan(0);
    handle.dispose();
    const then = ticks;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(ticks).toBe(then);
  });

  test("log gets one line each, and what it throws is dropped", async () => {
    const log: LogEntry[] = [];
    const proxy = await startProxy({
      addons: [
        {
          log: () => {
            throw new Error("no paper");
          },
        },
        { log: () => Promise.reject(new Error("no ink")) },
        { log: (entry) => void log.push(entry) },
        {
          name: "bad",
          requestHeaders: () => {
            throw new Error("two\nlines");
          },
        },
      ],
    });
    await rawRequest(proxy.port, get("http://a.test/?api_key=k3y&x=1"));
    await expect(proxy.close()).rejects.toThrow("two\nlines");
    expect(log).toHaveLength(1);
    expect(log[0]!.level).toBe("error");
    expect(log[0]!.message).toMatch(/hook requestHeaders of addon "bad" threw for .*two lines/);
    expect(log[0]!.message).not.toContain("k3y");
  });
});

describe("hooks that throw", () => {
  test("fail their flow with a 502 that names them, and close(); the proxy goes on", async () => {
    await using origin = await startOrigin();
    for (const hook of ["requestHeaders", "request", "responseHeaders", "response"] as const) {
      const addon: Addon = {
        name: "bad",
        [hook]: async (flow: HttpFlow) => {
          await Promise.resolve();
          if (flow.request.path === "/bad") throw new Error(`no ${hook}`);
        },
      };
      const proxy = await startProxy({ addons: [addon] });
      const answer = await rawRequest(proxy.port, get(`${origin.url}/bad`));
      expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
      expect(answer).toContain(`hook ${hook} of addon "bad" threw for GET ${origin.url}/bad: no ${hook}`);
      expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "HOOK_FAILED", status: 502 });
      expect(await rawRequest(proxy.port, get(`${origin.url}/good`))).toMatch(/ok$/);
      const error = await proxy.close().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HookError);
      expect((error as HookError).cause).toMatchObject({ message: `no ${hook}` });
    }
  });

  test("in error: the flow has failed already, and close() tells", async () => {
    const proxy = await startProxy({
      addons: [{
        name: "bad",
        error: () => {
          throw new Error("worse");
        },
      }],
    });
    await rawRequest(proxy.port, get("http://127.0.0.1:1/"));
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("UPSTREAM_REFUSED");
    await expect(proxy.close()).rejects.toThrow(/hook error of addon "bad" threw.*worse/);
  });

  test("many times: close() tells of the first ones, and how many there were", async () => {
    const proxy = await startProxy({
      addons: [{
        name: "bad",
        requestHeaders: () => {
          throw new Error("always");
        },
      }],
    });
    for (let i = 0; i < 12; i++) await rawRequest(proxy.port, get(`http://a.test/${i}`));
    const error = await proxy.close().catch((thrown: unknown) => thrown) as HookError;
    expect(error.message.match(/always/g)).toHaveLength(10);
    expect(error.message).toContain("and 2 more");
  });

  test("what is thrown need not be an error", async () => {
    const proxy = await startProxy({
      addons: [{
        requestHeaders: () => {
          throw "a string"; // deno-lint-ignore-line
        },
      }],
    });
    expect(await rawRequest(proxy.port, get("http://a.test/"))).toContain(
      'of addon "unnamed" threw for GET http://a.test/: a string',
    );
    await expect(proxy.close()).rejects.toThrow("a string");
  });
});

describe("connections", () => {
  /** Counts hooks, and keeps peers. */
  function counter() {
    const seen: string[] = [];
    const servers: Peer[] = [];
    const addon: Addon = {
      clientConnect: (client) => void seen.push(`clientConnect ${client.address} ${client.port > 0}`),
      clientDisconnect: () => void seen.push("clientDisconnect"),
      serverConnect: (server) => {
        servers.push(server);
        seen.push(`serverConnect ${server.host}`);
      },
      serverDisconnect: (server) => void seen.push(`serverDisconnect ${server.error?.code ?? "ok"}`),
      error: (flow) => void seen.push(`error ${flow.error!.code}`),
      response: () => void seen.push("response"),
    };
    const count = (what: string) => seen.filter((one) => one.startsWith(what)).length;
    return { seen, servers, addon, count };
  }

  test("each client and each server once, however many requests", async () => {
    await using origin = await startOrigin();
    const { addon, count, seen } = counter();
    const proxy = await startProxy({ addons: [addon] });
    for (let i = 0; i < 2; i++) {
      await using client = await connectRaw(proxy.port);
      for (let j = 0; j < 3; j++) {
        await client.write(`GET ${origin.url}/${j} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await client.readUntil("ok");
      }
    }
    await proxy.close();
    expect([count("clientConnect"), count("clientDisconnect")]).toEqual([2, 2]);
    expect([count("serverConnect"), count("serverDisconnect ok")]).toEqual([1, 1]);
    expect(seen[0]).toBe("clientConnect 127.0.0.1 true");
  });

  test("clientDisconnect follows the last hook of the client's flows, also when it resets", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    for (const secure of [false, true]) {
      const { addon, seen, servers } = counter();
      await using proxy = await startProxy({ addons: [addon] });
      const plain = secure ? await openTunnel(proxy, `127.0.0.1:${silent.port}`) : await connectRaw(proxy.port);
      const client = secure ? await plain.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" }) : plain;
      const target = secure ? "/" : `http://127.0.0.1:${silent.port}/`;
      await client.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await expect.poll(() => servers.length).toBe(1);
      client.reset();
      await client.closed;
      await expect.poll(() => seen.includes("clientDisconnect")).toBe(true);
      expect(seen.filter((one) => /^(client|error)/.test(one)).slice(1)).toEqual([
        "error CLIENT_ABORTED",
        "clientDisconnect",
      ]);
    }
  });

  test("clientConnect that throws closes the connection; clientDisconnect follows all the same", async () => {
    const { addon, seen } = counter();
    for (const wait of [false, true]) {
      seen.length = 0;
      const gate: Addon = {
        name: "gate",
        clientConnect: wait ? () => Promise.reject(new Error("closed")) : () => {
          throw new Error("closed");
        },
      };
      const proxy = await startProxy({ addons: [addon, gate] });
      await using client = await connectRaw(proxy.port);
      await client.closed;
      await expect(proxy.close()).rejects.toThrow('hook clientConnect of addon "gate" threw: closed');
      expect(seen).toEqual(["clientConnect 127.0.0.1 true", "clientDisconnect"]);
    }
  });

  test("clientConnect may wait: nothing is read before", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => open = resolve);
    await using proxy = await startProxy({
      defaultAction: respond({ body: "in" }),
      addons: [{ clientConnect: () => gate }],
    });
    await using client = await connectRaw(proxy.port);
    await client.write(getRequest("/", "a.test"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(proxy.flows.length).toBe(0);
    open();
    expect(await readText(client)).toMatch(/in$/);
  });

  test("serverConnect may lead elsewhere; the request stays as it is", async () => {
    await using origin = await startOrigin(({ header, target }) => ({ body: `${header("host")} ${target}` }));
    const redirect: Addon = {
      serverConnect: async (server) => {
        await Promise.resolve();
        expect([server.host, server.port]).toEqual(["shop.test", 8080]);
        server.host = "127.0.0.1";
        server.port = origin.port;
      },
    };
    await using proxy = await startProxy({ addons: [redirect] });
    const answer = await rawRequest(
      proxy.port,
      "GET http://shop.test:8080/x HTTP/1.1\r\nHost: shop.test:8080\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/shop\.test:8080 \/x$/);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.url).toBe("http://shop.test:8080/x");
    expect(flow.server).toMatchObject({ host: "127.0.0.1", port: origin.port, address: "127.0.0.1" });
  });

  test("serverConnect that throws is a 502; serverDisconnect follows", async () => {
    const { addon, seen } = counter();
    const gate: Addon = {
      name: "gate",
      serverConnect: () => {
        throw new FlowtapeError("NO", "not there");
      },
    };
    const proxy = await startProxy({ addons: [addon, gate] });
    const answer = await rawRequest(proxy.port, get("http://a.test/"));
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('hook serverConnect of addon "gate" threw');
    await expect(proxy.close()).rejects.toThrow("not there");
    expect(seen.filter((one) => one.startsWith("server"))).toEqual([
      "serverConnect a.test",
      "serverDisconnect HOOK_FAILED",
    ]);
  });

  test("a connection that fails has serverDisconnect with the reason", async () => {
    const { addon, seen } = counter();
    const proxy = await startProxy({ addons: [addon] });
    await rawRequest(proxy.port, get("http://127.0.0.1:1/"));
    await proxy.close();
    expect(seen.filter((one) => one.startsWith("server"))).toEqual([
      "serverConnect 127.0.0.1",
      "serverDisconnect UPSTREAM_REFUSED",
    ]);
  });

  test("hooks of connections that throw when all is over are told by close()", async () => {
    await using origin = await startOrigin();
    const proxy = await startProxy({
      addons: [{
        name: "bad",
        clientDisconnect: () => {
          throw new Error("client");
        },
        serverDisconnect: () => Promise.reject(new Error("server")),
      }],
    });
    await rawRequest(proxy.port, get(origin.url));
    const error = await proxy.close().catch((thrown: unknown) => thrown) as Error;
    expect(error.message).toContain("hook clientDisconnect of addon");
    expect(error.message).toContain("hook serverDisconnect of addon");
  });
});
