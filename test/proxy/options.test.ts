// What startProxy() takes, and what it says about what it does not.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { FlowtapeError, OptionsError, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";

/** Options that the compiler would not let pass, and what the error must hold. */
const REFUSED: [unknown, ...string[]][] = [
  [null, "null", "an object"],
  [7, "7", "an object"],
  [[], "[]", "an object"],
  [{ prot: 1 }, "option prot is not known", 'did you mean "port"', "host"],
  [{ tapes: "a.har" }, 'did you mean "tape"'],
  [{ nonsense: 1 }, "option nonsense is not known", "rules"],
  [{ host: 1 }, "option host is 1", "a string that is not empty"],
  [{ host: "" }, 'option host is ""'],
  [{ port: "80" }, 'option port is "80"', "a whole number from 0 to 65535"],
  [{ port: -1 }, "option port is -1"],
  [{ port: 65536 }, "option port is 65536"],
  [{ port: 1.5 }, "option port is 1.5"],
  [{ port: NaN }, "option port is NaN"],
  [{ port: 80n }, "option port is 80"],
  [{ tape: 5 }, "tape is 5"],
  [{ tape: "" }, "tape is"],
  [{ tape: {} }, "tape.path is missing"],
  [{ tape: { path: 1 } }, "tape.path is 1"],
  [{ tape: { path: "a.har", mode: "rec" } }, 'tape.mode is "rec"', '"record"'],
  [{ tape: { path: "a.har", mood: "record" } }, "tape.mood is not an option", "mode"],
  [{ tape: { path: "a.har", match: { qury: false } } }, "tape.match.qury", 'did you mean "query"'],
  [{ tape: { path: "a.har", match: { body: { ignor: [] } } } }, "tape.match.body.ignor", 'did you mean "ignore"'],
  [{ tape: { path: "a.har", redact: true } }, "tape.redact is true"],
  [{ tape: { path: "a.har", afterLast: "stop" } }, 'tape.afterLast is "stop"', '"repeat"'],
  [{ rules: {} }, "option rules is {}", "an array"],
  [{ rules: ["GET /"] }, "rules[0]"],
  [{ rules: [["GET /", "frward"]] }, "rules[0]", '"forward"'],
  [{ rules: [[{ metod: "GET" }, "drop"]] }, "rules[0]", "metod", 'did you mean "method"'],
  [{ defaultAction: "stop" }, "defaultAction", '"stop"'],
  [{ addons: {} }, "option addons is {}", "an array"],
  [{ addons: [null] }, "addons[0] is not an addon"],
  [{ addons: [{}] }, "addons[0] has no hook", "requestHeaders"],
  [{ addons: [{ requestHeader() {} }] }, 'addons[0] has no hook; did you mean "requestHeaders"?'],
  [{ addons: [null] }, "not null"],
  [{ addons: [{ request: 1 }] }, "hook request of addons[0] is not a function"],
  [{ https: true }, "option https is true"],
  [{ https: { cert: "" } }, "option https.cert is not known"],
  [{ https: { ca: { dir: "" } } }, 'option https.ca.dir is ""'],
  [{ https: { ca: {} } }, "option https.ca is", "{ dir } or { cert, key }"],
  [{ https: { ca: { cert: "x" } } }, "{ dir } or { cert, key }"],
  [{ https: { ca: { dir: "a", cert: "x", key: "y" } } }, "{ dir } or { cert, key }"],
  [{ upstream: { cas: "" } }, "option upstream.cas is not known", 'did you mean "ca"'],
  [{ upstream: { ca: 1 } }, "option upstream.ca is 1"],
  [{ upstream: { ca: [testCa().cert, 1] } }, "option upstream.ca[1] is 1"],
  [{ upstream: { ca: "/etc/ssl/ca.pem" } }, "option upstream.ca", "PEM"],
  [
    { upstream: { ca: [testCa().cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] } },
    "option upstream.ca[1]",
    "PEM",
  ],
  [{ upstream: { verify: 1 } }, "option upstream.verify"],
  [{ upstream: { verify: { hots: "a" } } }, "option upstream.verify", 'did you mean "host"'],
  [{ upstream: { hosts: [] } }, "option upstream.hosts is []"],
  [{ upstream: { hosts: { a: 1 } } }, 'option upstream.hosts["a"] is 1'],
  [{ upstream: { hosts: { a: "http://b" } } }, 'upstream.hosts["a"] is "http://b"', "host:port"],
  [{ upstream: { hosts: { a: "b:99999" } } }, 'upstream.hosts["a"] is "b:99999"'],
  [{ upstream: { hosts: { "https://a.test": "b" } } }, 'upstream.hosts has "https://a.test"', "a name"],
  [{ upstream: { hosts: { "a.*": "b" } } }, 'upstream.hosts has "a.*"'],
  [{ upstream: { hosts: { "*.a:80": "b" } } }, 'upstream.hosts has "*.a:80"', '"*.api.test"'],
  [{ capture: { maxBdy: 1 } }, "option capture.maxBdy is not known", 'did you mean "maxBody"'],
  [{ capture: { maxBody: -1 } }, "option capture.maxBody is -1", "a whole number of 0 or more"],
  [{ capture: { maxFlows: "many" } }, 'option capture.maxFlows is "many"'],
  [{ timeouts: { conect: 1 } }, 'did you mean "connect"'],
  [{ timeouts: { connect: 0 } }, "option timeouts.connect is 0", "a whole number from 1 to 2147483647"],
  [{ timeouts: { head: 2 ** 31 } }, "option timeouts.head is 2147483648"],
  [{ timeouts: { idle: Infinity } }, "option timeouts.idle is Infinity"],
  [{ limits: { headBytes: 1 } }, "option limits.headBytes is 1"],
  [{ limits: { connections: 0 } }, "option limits.connections is 0"],
  [{ verbose: true }, "option verbose is true", "from 0 to 3"],
  [{ verbose: 4 }, "option verbose is 4"],
  [{ signal: {} }, "option signal is {}", "an AbortSignal"],
  [{ signal: new AbortController() }, "an AbortSignal"],
];

describe("an option that is not accepted is named, with its value and what is accepted", () => {
  test.each(REFUSED.map(([options, ...parts]) => [shown(options), options, parts] as const))(
    "%s",
    async (_, options, parts) => {
      const error = await startProxy(options as ProxyOptions).then(
        (proxy) => proxy.close(),
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(OptionsError);
      for (const part of parts) {
        expect((error as Error).message).toContain(part);
      }
      expect((error as Error).message).not.toContain("\n");
    },
  );
});

function shown(options: unknown): string {
  const text = JSON.stringify(
    options,
    (_, value) => typeof value === "bigint" ? `${value}n` : typeof value === "number" ? String(value) : value,
  );
  return (text ?? String(options)).slice(0, 70);
}

test("undefined stands for what is left out", async () => {
  await using proxy = await startProxy({
    host: undefined,
    port: undefined,
    tape: undefined,
    rules: undefined,
    defaultAction: undefined,
    addons: undefined,
    https: { ca: undefined },
    upstream: { ca: undefined, verify: undefined, hosts: undefined },
    capture: { maxBody: undefined },
    timeouts: { connect: undefined },
    limits: undefined,
    verbose: undefined,
    signal: undefined,
  });
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
});

test("options are not changed, and may be frozen", async () => {
  const options = Object.freeze({
    upstream: Object.freeze({ hosts: Object.freeze({ "a.test": "127.0.0.1:1" }) }),
    addons: Object.freeze([]),
  });
  await using _ = await startProxy(options);
  expect(options).toEqual({ upstream: { hosts: { "a.test": "127.0.0.1:1" } }, addons: [] });
});

describe("listening", () => {
  test("on a port of one's own", async () => {
    const port = await freePort();
    await using proxy = await startProxy({ port });
    expect(proxy.port).toBe(port);
  });

  test("a port in use is an error that says what to do", async () => {
    await using proxy = await startProxy();
    const error = await startProxy({ port: proxy.port }).catch((thrown: unknown) => thrown) as FlowtapeError;
    expect(error).toBeInstanceOf(FlowtapeError);
    expect(error.code).toBe("PORT_IN_USE");
    expect(error.message).toContain(`127.0.0.1:${proxy.port}`);
    expect(error.message).toContain("Leave port out");
  });

  test("an address that is not of this machine", async () => {
    const error = await startProxy({ host: "192.0.2.1" }).catch((thrown: unknown) => thrown) as FlowtapeError;
    expect(error.code).toBe("ADDRESS_UNKNOWN");
    expect(error.message).toContain("192.0.2.1");
  });

  test("a name that does not resolve", async () => {
    const error = await startProxy({ host: "no-such-host.invalid" }).catch((thrown: unknown) =>
      thrown
    ) as FlowtapeError;
    expect(error.code).toBe("ADDRESS_UNKNOWN");
    expect(error.message).toContain("no-such-host.invalid");
  });

  test("a port is free again after close()", async () => {
    const first = await startProxy();
    await first.close();
    await using second = await startProxy({ port: first.port });
    expect(second.port).toBe(first.port);
  });

  test("on every address: the URL is one that clients can use", async () => {
    await using proxy = await startProxy({ host: "0.0.0.0" });
    expect(proxy.host).toBe("0.0.0.0");
    expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
  });

  test("on IPv6", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ host: "::1" });
    expect(proxy.url).toBe(`http://[::1]:${proxy.port}`);
    expect(await (await proxy.fetch(`${origin.url}/six`)).text()).toBe("ok");
  });
});

describe("https.ca", () => {
  test("in a folder is kept", async () => {
    await using folder = await tempFolder();
    const dir = folder.file("ca");
    const first = await startProxy({ https: { ca: { dir } } });
    await first.close();
    await using second = await startProxy({ https: { ca: { dir } } });
    expect(second.ca.cert).toBe(first.ca.cert);
    expect(second.ca.path.startsWith(dir)).toBe(true);
  });

  test("that is broken names the option", async () => {
    const { cert, key } = testCa().issue(["a.test"]);
    await expect(startProxy({ https: { ca: { cert, key } } })).rejects.toThrow(/https\.ca\.cert/);
    await expect(startProxy({ https: { ca: { cert: testCa().cert, key } } })).rejects.toThrow(/https\.ca\.key/);
    await expect(startProxy({ https: { ca: { cert: "x", key: "y" } } })).rejects.toThrow(/https\.ca/);
  });
});

describe("limits", () => {
  test("connections: those beyond are closed, and the log says so", async () => {
    const log: string[] = [];
    await using proxy = await startProxy({
      limits: { connections: 1 },
      addons: [{ log: ({ message }) => void log.push(message) }],
    });
    const { connectRaw } = await import("../support/raw_client.ts");
    await using _ = await connectRaw(proxy.port);
    await expect.poll(async () => {
      await using second = await connectRaw(proxy.port);
      await second.closed;
      return log.join();
    }).toContain("limits.connections");
  });

  test("capture.maxFlows: the oldest go", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ capture: { maxFlows: 3 } });
    for (let i = 0; i < 5; i++) {
      await rawRequest(proxy.port, `GET ${origin.url}/${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    }
    expect(proxy.flows.requests.map(({ path }) => path)).toEqual(["/2", "/3", "/4"]);
    expect(proxy.flows.summary()).toContain("2 older ones were dropped");
  });

  test("capture.maxFlows: 0 keeps none, and what passes is not disturbed", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ capture: { maxFlows: 0, maxBody: 0 } });
    expect(await (await proxy.fetch(`${origin.url}/`)).text()).toBe("ok");
    expect(proxy.flows.length).toBe(0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
