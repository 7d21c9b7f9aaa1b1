// Clients that must authenticate with the proxy (option auth).
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, type LogEntry, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { fetchIn, run } from "../support/run.ts";
import { hasCommand, RUNTIMES } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { getRequest, readText } from "./tunnel.ts";

const auth = { username: "tester", password: "s3sam:öffne/dich %41@?#" };

let log: LogEntry[];
let hooks: string[];
let watcher: Addon;

beforeEach(() => {
  log = [];
  hooks = [];
  watcher = {
    log: (entry) => void log.push(entry),
    httpConnect: () => void hooks.push("httpConnect"),
    requestHeaders: () => void hooks.push("requestHeaders"),
    error: () => void hooks.push("error"),
  };
});

/** A proxy that answers everything itself. */
function guarded(credentials = auth): Promise<Proxy> {
  return startProxy({
    auth: credentials,
    addons: [watcher],
    defaultAction: respond((flow: HttpFlow) => ({ body: `${flow.request.url} ${flow.client.username}` })),
  });
}

const basic = (pair: string | Uint8Array) => `Basic ${Buffer.from(pair as string).toString("base64")}`;
const good = basic(`${auth.username}:${auth.password}`);

function request(field: string | undefined, start = "GET http://shop.test/ HTTP/1.1"): string {
  const line = field === undefined ? "" : `Proxy-Authorization: ${field}\r\n`;
  return `${start}\r\nHost: shop.test\r\n${line}Connection: close\r\n\r\n`;
}

const STARTS = [
  "GET http://shop.test/ HTTP/1.1",
  "CONNECT shop.test:443 HTTP/1.1",
  "GET / HTTP/1.1",
  "HEAD http://shop.test/ HTTP/1.0",
];

describe("a client that does not authenticate", () => {
  test.each(STARTS)("is asked to: %s", async (start) => {
    await using proxy = await guarded();
    const answer = await rawRequest(proxy.port, request(undefined, start));
    expect(answer).toMatch(/^HTTP\/1\.1 407 /);
    expect(answer).toContain('\r\nProxy-Authenticate: Basic realm="flowtape", charset="UTF-8"\r\n');
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    if (start.startsWith("HEAD")) expect(body).toBe("");
    else expect(body).toContain("option auth");
    expect(hooks).toEqual([]);
    expect(proxy.flows.length).toBe(0);
    expect(log.map(({ level }) => level)).toEqual(["info"]);
  });

  test("may do so on the same connection", async () => {
    await using proxy = await guarded();
    await using client = await connectRaw(proxy.port);
    for (const start of STARTS.slice(0, 3)) {
      await client.write(`${start}\r\nHost: shop.test\r\n\r\n`);
      const head = await client.readHead();
      expect(head).toMatch(/^HTTP\/1\.1 407 /);
      await client.readBytes(Number(/content-length: (\d+)/i.exec(head)![1]));
    }
    await client.write(request(good));
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 200 [^]*http:\/\/shop\.test\/ tester$/);
  });

  test("and sends a body has it thrown away", async () => {
    await using proxy = await guarded();
    await using client = await connectRaw(proxy.port);
    await client.write(
      `POST http://shop.test/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`,
    );
    const head = await client.readHead();
    expect(head).toMatch(/^HTTP\/1\.1 407 /);
    expect(head).toContain("Connection: close");
    await client.readAll();
    expect(proxy.flows.length).toBe(0);
  });

  test("with Expect: 100-continue is not told to go on", async () => {
    await using proxy = await guarded();
    const answer = await rawRequest(
      proxy.port,
      "POST http://shop.test/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 407 /);
  });
});

describe("wrong credentials", () => {
  const rows: [string, string][] = [
    ["another password", basic("tester:guess")],
    ["another name", basic(`other:${auth.password}`)],
    ["a longer password", basic(`tester:${auth.password}x`)],
    ["a shorter password", basic(`tester:${auth.password.slice(0, -1)}`)],
    ["Latin-1", basic(Buffer.from(`tester:${auth.password}`, "latin1"))],
    ["no colon", basic("tester")],
    ["nothing", "Basic "],
    ["another scheme", "Bearer abcdefgh"],
    ["no base64", "Basic !!!!"],
    ["two of them", `${good}\r\nProxy-Authorization: ${good}`],
  ];
  test.each(rows)("%s: 407, and a flow that failed", async (_, field) => {
    await using proxy = await guarded();
    for (const start of STARTS.slice(0, 2)) {
      expect(await rawRequest(proxy.port, request(field, start))).toMatch(/^HTTP\/1\.1 407 /);
      const flow = proxy.flows.last() as HttpFlow;
      expect(flow.error).toMatchObject({ code: "PROXY_AUTH", status: 407 });
      expect(flow.request.hostname).toBe("shop.test");
      expect(flow.request.headers.has("proxy-authorization")).toBe(false);
    }
    expect(hooks).toEqual(["error", "error"]);
    expect(log.map(({ level }) => level)).toEqual(["warn", "warn"]);
    const said = JSON.stringify([log, [...proxy.flows].map((it) => (it as HttpFlow).error)]);
    for (const secret of [auth.password, "guess", field.slice(6)]) {
      if (secret !== "") expect(said).not.toContain(secret);
    }
  });
});

describe("a client that does", () => {
  test.each([good, good.replace("Basic", "bASIC"), good.replace(" ", "   ")])("passes: %s", async (field) => {
    await using proxy = await guarded();
    expect(await rawRequest(proxy.port, request(field))).toMatch(/http:\/\/shop\.test\/ tester$/);
    expect((proxy.flows.first() as HttpFlow).client.username).toBe("tester");
  });

  test("need not in the tunnel, nor in one in that", async () => {
    await using proxy = await guarded();
    await using client = await connectRaw(proxy.port);
    await client.write(request(good, "CONNECT shop.test:80 HTTP/1.1"));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    await client.write("GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    await client.readUntil("http://shop.test/1 tester");
    await client.write("CONNECT inner.test:80 HTTP/1.1\r\nHost: inner.test\r\n\r\n");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    await client.write(getRequest("/2", "inner.test"));
    expect(await readText(client)).toMatch(/http:\/\/inner\.test\/2 tester$/);
  });

  test("must with every request outside of tunnels", async () => {
    await using proxy = await guarded();
    await using client = await connectRaw(proxy.port);
    await client.write(request(good).replace("Connection: close\r\n", ""));
    await client.readUntil("tester");
    await client.write(request(undefined));
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 407 /);
  });

  test("its credentials reach neither the server, nor hooks, nor the tape", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin();
    const seen: string[] = [];
    const tape = folder.file("auth.har");
    {
      await using proxy = await startProxy({
        auth,
        tape: { path: tape, mode: "record" },
        addons: [{
          httpConnect: (flow) => void seen.push(flow.request.headers.fields),
          requestHeaders: (flow) => {
            seen.push(flow.request.headers.fields);
            if (flow.request.path === "/edited") flow.request.headers.set("x-a", "b");
          },
        }],
      });
      for (const path of ["/plain", "/edited"]) {
        await rawRequest(proxy.port, request(good, `GET ${origin.url}${path} HTTP/1.1`));
      }
      await using client = await connectRaw(proxy.port);
      await client.write(request(good, `CONNECT 127.0.0.1:${origin.port} HTTP/1.1`));
      await client.readHead();
      await client.write(request(good, "GET /tunnel HTTP/1.1"));
      await readText(client);
    }
    expect(origin.requests.map(({ target, header }) => [target, header("proxy-authorization")])).toEqual(
      ["/plain", "/edited", "/tunnel"].map((target) => [target, undefined]),
    );
    expect(seen).toHaveLength(4);
    expect(seen.join()).not.toMatch(/proxy-authorization/i);
    expect(readFileSync(tape, "utf8")).not.toMatch(/proxy-authorization/i);
  });
});

test("without the option anybody may, and what is sent all the same goes nowhere", async () => {
  await using origin = await startOrigin();
  await using proxy = await startProxy();
  expect(await rawRequest(proxy.port, request(good, `GET ${origin.url}/ HTTP/1.1`))).toMatch(/ok$/);
  expect(origin.requests[0]!.header("proxy-authorization")).toBeUndefined();
  expect((proxy.flows.first() as HttpFlow).request.headers.has("proxy-authorization")).toBe(false);
});

describe("real clients", () => {
  test("proxy.fetch has the credentials, proxy.url does not, proxy.env() does", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({ auth, upstream: { ca: origin.ca } });
    expect(await (await proxy.fetch(`${origin.url}/https`)).text()).toBe("ok");
    await using plain = await startOrigin();
    expect(await (await proxy.fetch(`${plain.url}/http`)).text()).toBe("ok");
    expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
    const { HTTPS_PROXY, http_proxy } = proxy.env();
    expect(HTTPS_PROXY).toBe(http_proxy);
    const url = new URL(HTTPS_PROXY!);
    expect([url.username, url.password].map(decodeURIComponent)).toEqual([auth.username, auth.password]);
    expect(proxy.flows.filter((flow) => flow.error !== undefined).length).toBe(0);
  });

  test.runIf(hasCommand("curl"))("curl", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using plain = await startOrigin();
    await using proxy = await startProxy({ auth, upstream: { ca: origin.ca } });
    const { stdout, stderr } = await run("curl", ["-sS", `${origin.url}/`, `${plain.url}/`], { env: proxy.env() });
    expect([stdout, stderr]).toEqual(["okok", ""]);
    const refused = await run("curl", ["-sS", `${origin.url}/`], { env: { ...proxy.env(), https_proxy: proxy.url } });
    expect([refused.code, refused.stderr]).toEqual([56, expect.stringContaining("407")]);
  });

  // Python writes Latin-1, and Node and Bun what stands in the URL.
  const ascii = { username: "tester", password: "p@ss:w/o%41rd?#[]" };

  test.runIf(hasCommand("python3"))("Python", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({ auth: ascii, upstream: { ca: origin.ca } });
    const script = `import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1]).read().decode())`;
    const { stdout, stderr } = await run("python3", ["-c", script, `${origin.url}/`], { env: proxy.env() });
    expect([stdout.trim(), stderr]).toEqual(["ok", ""]);
  });

  test.each(RUNTIMES)("fetch of %s", async (runtime) => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using plain = await startOrigin();
    await using proxy = await startProxy({ auth: ascii, upstream: { ca: origin.ca } });
    for (const url of [origin.url, plain.url]) {
      expect((await fetchIn(runtime, `${url}/`, { env: proxy.env() })).body).toBe("ok");
    }
  });
});

test.each([
  [{ username: "a:b", password: "hush" }, "option auth.username has a colon"],
  [{ username: "a" }, "option auth.password is missing"],
  [{ username: "a", password: "" }, "option auth.password is empty"],
  [{ username: "a", password: 4711 }, "option auth.password is of type number"],
  [{ username: "a", password: "hush\n" }, "option auth.password has a control character"],
  [{ username: "a", password: "hush".repeat(64) }, "option auth.password is longer than the 255 bytes"],
  [{ user: "a", password: "hush" }, "option auth.user is not known"],
  ["tester:hush", "option auth is of type string"],
])("auth: %j is refused, and not shown", async (value, why) => {
  const error = await startProxy({ auth: value as never }).catch((it: Error) => it);
  expect((error as Error).message).toContain(why);
  expect((error as Error).message).not.toMatch(/hush|4711/);
});
