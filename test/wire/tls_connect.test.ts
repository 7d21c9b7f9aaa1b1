// CONNECT and what is spoken in it: TLS that the proxy answers itself, plain HTTP, and neither.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, type LogEntry, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { NAMES_KEPT } from "../../src/wire/ca/authority.ts";
import { openCa } from "../../src/wire/ca/open.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { run } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { connectRequest, getRequest, openTunnel, readText } from "./tunnel.ts";

/** Everything that the hooks of one proxy were told. */
let log: LogEntry[];
let errors: HttpFlow[];
let watcher: Addon;

beforeEach(() => {
  log = [];
  errors = [];
  watcher = { name: "watcher", log: (entry) => void log.push(entry), error: (flow) => void errors.push(flow) };
});

afterEach(() => {
  // One line each, and none of them about a mistake of the proxy's own.
  for (const { level, message } of log) {
    expect(message).not.toContain("\n");
    expect(level).not.toBe("error");
  }
});

/** Answers every request itself, with its URL: no server is needed. */
function answering(addons: Addon[] = []): Promise<Proxy> {
  return startProxy({
    upstream: { hosts: { "shop.test": "127.0.0.1:1" } },
    addons: [watcher, ...addons],
    rules: [[() => true, respond((flow: HttpFlow) => ({ body: flow.request.url }))]],
  });
}

describe("plain HTTP in a tunnel", () => {
  test("B36 goes to the target of the tunnel, whatever Host says", async () => {
    await using origin = await startOrigin(({ target, header }) => ({ body: `${target} ${header("host")}` }));
    await using proxy = await startProxy();
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${origin.port}`);
    await tunnel.write(getRequest("/a", "other.test"));
    expect(await readText(tunnel)).toMatch(/\/a other\.test$/);
    expect(proxy.flows.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET http://127.0.0.1:${origin.port}/a`,
    ]);
    expect((proxy.flows.first() as HttpFlow).client.tunnel).toBe(`127.0.0.1:${origin.port}`);
  });

  test("B40 goes to a server on IPv6 alone", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix"));
    });
    server.listen(0, "::1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      await using proxy = await startProxy({ addons: [watcher] });
      await using tunnel = await openTunnel(proxy, `[::1]:${port}`);
      await tunnel.write(getRequest("/", `[::1]:${port}`));
      expect(await readText(tunnel)).toMatch(/\r\n\r\nsix$/);
      expect((proxy.flows.first() as HttpFlow).request.url).toBe(`http://[::1]:${port}/`);
    } finally {
      server.close();
      await once(server, "close");
    }
  });

  test("keeps the tunnel for many requests", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:80");
    for (const path of ["/1", "/2", "/3"]) {
      await tunnel.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
      await tunnel.readUntil(`http://shop.test${path}`);
    }
    expect(proxy.flows.length).toBe(3);
  });

  test("that is sent together with CONNECT is not lost", async () => {
    await using proxy = await answering();
    const answer = await rawRequest(proxy.port, connectRequest("shop.test:80") + getRequest("/early", "shop.test"));
    expect(answer).toMatch(/^HTTP\/1\.1 200 Connection Established\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/http:\/\/shop\.test\/early$/);
  });

  test("a tunnel in a tunnel leads where the inner one says", async () => {
    await using proxy = await answering();
    await using outer = await openTunnel(proxy, "outer.test:80");
    await outer.write(connectRequest("inner.test:8080"));
    await outer.readHead();
    await outer.write(getRequest("/", "inner.test"));
    expect(await readText(outer)).toMatch(/http:\/\/inner\.test:8080\/$/);
  });
});

describe("TLS in a tunnel", () => {
  async function secure(proxy: Proxy, target: string, servername?: string): Promise<RawConnection> {
    const tunnel = await openTunnel(proxy, target);
    const host = target.slice(0, target.lastIndexOf(":")).replace(/^\[|\]$/g, "");
    return await tunnel.startTls({ ca: proxy.ca.cert, host, ...(servername ? { servername } : {}) });
  }

  function namesOf(connection: RawConnection): string | undefined {
    return (connection.socket as TLSSocket).getPeerCertificate().subjectaltname;
  }

  test("B37 is opened with a certificate for the name", async () => {
    await using proxy = await answering();
    await using client = await secure(proxy, "shop.test:443", "shop.test");
    expect(namesOf(client)).toContain("DNS:shop.test");
    await client.write(getRequest("/cart?a=1", "shop.test"));
    expect(await readText(client)).toMatch(/https:\/\/shop\.test\/cart\?a=1$/);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.client.tls).toMatchObject({ serverName: "shop.test", version: expect.stringMatching(/^TLSv1\.[23]$/) });
    expect(flow.client.tunnel).toBe("shop.test:443");
  });

  test("B37 reaches a TLS server, whose answer comes back", async () => {
    await using origin = await startOrigin(({ target, header }) => ({ body: `${target} ${header("host")}` }), {
      tls: true,
    });
    await using proxy = await startProxy({
      addons: [watcher],
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    await using client = await secure(proxy, "shop.test:443", "shop.test");
    await client.write(getRequest("/cart", "shop.test"));
    expect(await readText(client)).toMatch(/\r\n\r\n\/cart shop\.test$/);
    expect(origin.requests).toHaveLength(1);
    expect((proxy.flows.first() as HttpFlow).request.url).toBe("https://shop.test/cart");
  });

  test.each(["10.1.2.3:8443", "front.test:8443"])(
    "B38 gets the certificate of the name in the hello, and goes to the target of the tunnel: %s",
    async (target) => {
      await using proxy = await answering();
      await using client = await secure(proxy, target, "api.shop.test");
      expect(namesOf(client)).toBe("DNS:api.shop.test");
      await client.write(getRequest("/", "api.shop.test"));
      expect(await readText(client)).toMatch(new RegExp(`\r\n\r\nhttps://${target}/$`));
      const flow = proxy.flows.first() as HttpFlow;
      expect(flow.request.host).toBe("api.shop.test");
      expect(flow.client.tls!.serverName).toBe("api.shop.test");
    },
  );

  test("B39 B40 gets a certificate for the target of the tunnel when the hello has no name", async () => {
    await using proxy = await answering();
    for (
      const [target, names] of [
        ["127.0.0.1:443", /^IP Address:127\.0\.0\.1$/],
        ["[::1]:443", /^IP Address:(?:0:0:0:0:0:0:0|:):1$/],
        ["192.0.2.7:8443", /^IP Address:192\.0\.2\.7$/],
      ] as const
    ) {
      await using client = await secure(proxy, target);
      expect(namesOf(client)).toMatch(names);
      await client.write(getRequest("/", target));
      expect(await readText(client)).toContain(`https://${target.replace(/:443$/, "")}/`);
    }
    expect(proxy.flows.requests.map(({ hostname }) => hostname)).toEqual(["127.0.0.1", "[::1]", "192.0.2.7"]);
  });

  test("B39 the same where the target is a name", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    // Without a host to compare with, no runtime sends a name, and none can check one.
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, rejectUnauthorized: false });
    expect(namesOf(client)).toBe("DNS:shop.test");
    await client.write(getRequest("/", "shop.test"));
    expect(await readText(client)).toMatch(/\r\n\r\nhttps:\/\/shop\.test\/$/);
    expect((proxy.flows.first() as HttpFlow).client.tls!.serverName).toBe(undefined);
  });

  test("B41 may come in single bytes", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await using trickle = await trickling(tunnel);
    const socket = connectTls({ host: "127.0.0.1", port: trickle.port, ca: proxy.ca.cert, servername: "shop.test" });
    await using client = new RawConnection(socket);
    await client.write(getRequest("/slow", "shop.test"));
    expect(await readText(client)).toMatch(/https:\/\/shop\.test\/slow$/);
  });

  test("that is sent together with CONNECT is not lost", async () => {
    await using proxy = await answering();
    await using tunnel = await connectRaw(proxy.port);
    await using relay = await greeting(tunnel, connectRequest("shop.test:443"));
    const socket = connectTls({ host: "127.0.0.1", port: relay.port, ca: proxy.ca.cert, servername: "shop.test" });
    await using client = new RawConnection(socket);
    await client.write(getRequest("/early", "shop.test"));
    expect(await readText(client)).toMatch(/https:\/\/shop\.test\/early$/);
  });

  test("B50 with many names: each gets its own certificate", async () => {
    await using proxy = await answering();
    for (let i = 0; i < 40; i++) {
      const name = i % 2 === 0 ? `a${i}.shop.test` : `deep.a${i}.wild.test`;
      await using client = await secure(proxy, `${name}:443`, name);
      expect(namesOf(client)).toBe(`DNS:${name}`);
      await client.write(getRequest("/", name));
      expect(await readText(client)).toContain(`https://${name}/`);
    }
    expect(proxy.flows.length).toBe(40);
  });

  test("B50 of which so many are remembered: that of the name that was last asked for longest ago is made again", async () => {
    await using proxy = await answering();
    const shown = async (maxVersion: "TLSv1.2" | "TLSv1.3") => {
      const tunnel = await openTunnel(proxy, "oldest.test:443");
      await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "oldest.test", maxVersion });
      return (client.socket as TLSSocket).getPeerCertificate().serialNumber;
    };
    const first = await shown("TLSv1.3");
    expect(first).toMatch(/^[0-9A-F]{32}$/i);
    expect(await shown("TLSv1.3")).toBe(first);

    const ca = await openCa();
    expect(ca.cert).toBe(proxy.ca.cert);
    for (let i = 0; i < NAMES_KEPT; i++) ca.leaf(`crowd-${i}.test`);

    // Deno's client would resume its session, and show the certificate of that, but for the version.
    expect(await shown("TLSv1.2")).not.toBe(first);
  });

  test("B52 an expired certificate is renewed, without a word from anybody", async () => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const script = fileURLToPath(new URL("renewal_in_process.ts", import.meta.url));
    const args = {
      node: [script],
      deno: ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`, script],
      bun: [script],
    };
    const { stdout, stderr } = await run(runtimePath(runtime), args[runtime], { cwd: root });
    expect(stderr).toBe("");
    const { first, again, renewed } = JSON.parse(stdout);
    expect(again).toEqual(first);
    expect(renewed.serial).not.toBe(first.serial);
    expect(first.days).toBeLessThan(397);
    expect(renewed.days).toBeGreaterThan(396 + 300);
  });

  test("B51 a hundred connections to one name at once, with one certificate", { timeout: 30_000 }, async () => {
    await using proxy = await answering();
    const serials = new Set<string>();
    const answers = Array.from({ length: 100 }, async (_, i) => {
      await using client = await secure(proxy, "rush.test:443", "rush.test");
      serials.add((client.socket as TLSSocket).getPeerCertificate().serialNumber);
      await client.write(getRequest(`/${i}`, "rush.test"));
      return (await readText(client)).split("\r\n\r\n")[1];
    });
    expect(await Promise.all(answers)).toEqual(answers.map((_, i) => `https://rush.test/${i}`));
    expect([...serials]).toEqual([expect.stringMatching(/^[0-9A-F]{32}$/i)]);
  });
});

describe("B47 a client that does not accept our certificate", () => {
  const rejected = ["TLS_CLIENT_REJECTED", "TLS_CLIENT_CLOSED"];

  test("is a flow with an error, a warning in the log and an error hook; the proxy goes on", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await expect(tunnel.startTls({ servername: "shop.test" })).rejects.toThrow();
    tunnel.socket.destroy();
    await expect.poll(() => errors.length).toBe(1);

    const flow = proxy.flows.first() as HttpFlow;
    expect(proxy.flows.length).toBe(1);
    expect(errors[0]).toBe(flow);
    expect(flow.done).toBe(true);
    expect(flow.request.method).toBe("CONNECT");
    expect(rejected).toContain(flow.error!.code);
    expect(flow.error!.message).toContain("proxy.ca.path");
    expect(log).toEqual([{
      level: "warn",
      message: expect.stringMatching(/^CONNECT shop\.test:443: The client .*proxy\.env\(\)/),
    }]);

    await using next = await openTunnel(proxy, "shop.test:443");
    await next.write(getRequest("/after", "shop.test"));
    expect(await readText(next)).toMatch(/\/after$/);
  });

  test("a client that hangs up later without a word is none", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    client.end();
    await client.closed;
    expect(proxy.flows.length).toBe(0);
    expect(log).toEqual([]);
  });
});

describe("what is no tunnel", () => {
  test("what looks like TLS and is not is a flow with an error, and the connection is closed", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await tunnel.write("\x16\x03\x01\x00\x05hello");
    await tunnel.closed;
    await expect.poll(() => errors.length).toBe(1);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.url).toContain("shop.test");
    expect(flow.error!.message).toContain("does not speak TLS");
    expect(log.map(({ level }) => level)).toEqual(["warn"]);
    expect(log[0]!.message).toContain("shop.test:443");
  });

  test("a client that opens a tunnel and leaves is no flow", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    tunnel.end();
    await tunnel.closed;
    expect(proxy.flows.length).toBe(0);
    expect(log).toEqual([]);
  });

  test("a client that hangs up in its hello is a flow with an error", async () => {
    await using proxy = await answering();
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await tunnel.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
    tunnel.end();
    await tunnel.closed;
    await expect.poll(() => errors.map(({ error }) => error!.code)).toEqual(["TLS_CLIENT_CLOSED"]);
  });

  test.each([
    "shop.test",
    "shop.test:",
    "shop.test:0",
    "shop.test:65536",
    "shop.test:http",
    "http://shop.test:443",
    ":443",
    "/",
    "::1:443",
  ])(
    "CONNECT %s is a 400",
    async (target) => {
      await using proxy = await answering();
      const answer = await rawRequest(proxy.port, `CONNECT ${target} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain("must be host:port");
      expect(errors.map(({ error }) => error!.code)).toEqual(["HTTP_TARGET"]);
    },
  );
});

describe("httpConnect", () => {
  test("fires alone, with the target", async () => {
    const seen: string[] = [];
    const hooks: Addon = {
      httpConnect: ({ request }) =>
        void seen.push(`httpConnect ${request.hostname} ${request.port} ${request.headers.get("x-a")}`),
      requestHeaders: ({ request }) => void seen.push(`requestHeaders ${request.method}`),
      response: ({ request }) => void seen.push(`response ${request.method}`),
    };
    await using proxy = await answering([hooks]);
    await using tunnel = await connectRaw(proxy.port);
    await tunnel.write("CONNECT shop.test:81 HTTP/1.1\r\nHost: shop.test:81\r\nX-A: b\r\n\r\n");
    await tunnel.readHead();
    await tunnel.write(getRequest("/", "shop.test"));
    await readText(tunnel);
    expect(seen).toEqual(["httpConnect shop.test 81 b", "requestHeaders GET", "response GET"]);
  });

  test("B49 refuses with a response, which is a flow", async () => {
    const { FlowResponse } = await import("../../src/mod.ts");
    await using proxy = await answering([{
      httpConnect: (flow) => {
        flow.response = FlowResponse.create({ status: 403, headers: [["X-Why", "policy"]], body: "not there" });
      },
    }]);
    const answer = await rawRequest(
      proxy.port,
      `CONNECT shop.test:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nX-Why: policy\r\n/);
    expect(answer).toMatch(/\r\n\r\nnot there$/);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.method).toBe("CONNECT");
    expect(flow.response!.status).toBe(403);
    expect(flow.source).toBe("addon");
    expect(flow.done).toBe(true);
    expect(errors).toEqual([]);
  });

  test("B49 a connection on which a tunnel was refused can ask again", async () => {
    const { FlowResponse } = await import("../../src/mod.ts");
    await using proxy = await answering([{
      httpConnect: (flow) => {
        if (flow.request.hostname === "a.test") flow.response = FlowResponse.create({ status: 407, body: "who?" });
      },
    }]);
    await using client = await connectRaw(proxy.port);
    await client.write(connectRequest("a.test:80"));
    await client.readUntil("who?");
    await client.write(connectRequest("b.test:80"));
    expect(await client.readHead()).toContain("200 Connection Established");
  });

  test("refuses with a body that is a stream", async () => {
    const { FlowResponse } = await import("../../src/mod.ts");
    await using proxy = await answering([{
      httpConnect: (flow) => {
        flow.response = FlowResponse.create({ status: 503, body: new Blob(["in ", "pieces"]).stream() });
      },
    }]);
    const answer = await rawRequest(
      proxy.port,
      `CONNECT shop.test:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/in [^]*pieces/);
  });

  test("that ends the flow refuses the tunnel", async () => {
    await using proxy = await answering([{ httpConnect: (flow) => flow.kill() }]);
    await using client = await connectRaw(proxy.port);
    await client.write(connectRequest("shop.test:443"));
    await client.closed;
    expect(Buffer.from(client.received).toString()).not.toContain("200");
    await expect.poll(() => errors.map(({ error }) => error!.code)).toEqual(["KILLED"]);
  });

  test("B48 the client closes while it is asked", async () => {
    let release = () => {};
    const asked = new Promise<void>((resolve) => release = resolve);
    let began = false;
    await using proxy = await answering([{
      httpConnect: async () => {
        began = true;
        await asked;
      },
    }]);
    {
      await using client = await connectRaw(proxy.port);
      await client.write(connectRequest("shop.test:443"));
      await expect.poll(() => began).toBe(true);
    }
    // The flow is over at once, however long the hook takes.
    await expect.poll(() => errors.map(({ error }) => error!.code)).toEqual(["CLIENT_ABORTED"]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(errors).toHaveLength(1);
    expect(proxy.flows.length).toBe(1);
  });
});

test("httpConnect that throws refuses the tunnel, and close() tells", async () => {
  const proxy = await startProxy({
    addons: [{
      name: "gate",
      httpConnect: () => {
        throw new Error("no key");
      },
    }],
  });
  const answer = await rawRequest(
    proxy.port,
    connectRequest("shop.test:443").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(answer).toContain('hook httpConnect of addon "gate" threw');
  expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "HOOK_FAILED", status: 502 });
  await expect(proxy.close()).rejects.toThrow(/hook httpConnect of addon "gate" threw.*no key/);
});

/** A port whose bytes go into a connection one by one, and come back as they are. */
async function trickling(to: RawConnection) {
  const { startRawServer } = await import("../support/raw_server.ts");
  return await startRawServer(async (from) => {
    to.socket.on("data", (bytes) => from.socket.write(bytes));
    to.socket.on("end", () => from.socket.end());
    to.socket.setNoDelay(true);
    from.socket.removeAllListeners("data");
    let hello = true;
    for await (const bytes of from.socket as AsyncIterable<Uint8Array>) {
      for (let i = 0; hello && i < bytes.length; i++) {
        to.socket.write(bytes.subarray(i, i + 1));
        if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      if (!hello) to.socket.write(bytes);
      hello = false;
    }
  });
}

/** A port whose first bytes go into a connection together with a greeting; the head of the answer is left out. */
async function greeting(to: RawConnection, text: string) {
  const { startRawServer } = await import("../support/raw_server.ts");
  return await startRawServer(async (from) => {
    from.socket.removeAllListeners("data");
    let first = true;
    const open = (async () => {
      await to.readHead();
      to.socket.removeAllListeners("data");
      from.socket.write(to.received.subarray(Buffer.from(to.received).indexOf("\r\n\r\n") + 4));
      to.socket.on("data", (bytes) => from.socket.write(bytes));
      to.socket.on("end", () => from.socket.end());
    })();
    for await (const bytes of from.socket as AsyncIterable<Uint8Array>) {
      to.socket.write(first ? Buffer.concat([Buffer.from(text), bytes]) : bytes);
      first = false;
    }
    await open;
  });
}
