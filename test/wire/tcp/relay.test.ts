// Conversations that are neither HTTP nor TLS, in tunnels of CONNECT.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type Addon, respond, startProxy, tcp, type TcpFlow } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { openTunnel, readText } from "../tunnel.ts";
import { echoServer, greetingServer, scribe, tcpFlowOf } from "./support.ts";

const BINARY = Uint8Array.of(0, 1, 2, 3, 0xff);

describe("B79 an unknown protocol", () => {
  test("is relayed, and is a flow with its hooks in order", async () => {
    await using echo = await echoServer();
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write("PING\r\n");
    expect(await client.readUntil("\n")).toBe("PING\r\n");
    await client.write("again\r\n");
    expect(await client.readUntil("\n")).toBe("again\r\n");
    expect(tcpFlowOf(proxy).done).toBe(false);
    client.end();
    expect((await client.readAll()).length).toBe(0);

    const [flow] = await proxy.waitFor(tcp()) as Iterable<TcpFlow>;
    expect(flow).toBe(tcpFlowOf(proxy));
    expect(flow).toMatchObject({ type: "tcp", hostname: "127.0.0.1", port: echo.port, done: true, truncated: false });
    expect(flow!.error).toBe(undefined);
    expect(flow!.bytes).toEqual({ client: 13, server: 13 });
    expect(flow!.messages.map(({ from, text, time }) => [from, text, time >= 0])).toEqual([
      ["client", "PING\r\n", true],
      ["server", "PING\r\n", true],
      ["client", "again\r\n", true],
      ["server", "again\r\n", true],
    ]);
    expect(flow!.client).toMatchObject({ address: "127.0.0.1", tunnel: `127.0.0.1:${echo.port}` });
    expect(flow!.server).toMatchObject({ host: "127.0.0.1", port: echo.port, address: "127.0.0.1" });
    const { connectStart, connectEnd, responseStart, end } = flow!.timings;
    const stages = [connectStart, connectEnd, responseStart, end] as number[];
    expect(stages).toEqual(stages.toSorted((a, b) => a - b));
    await expect.poll(() => addon.lines.length).toBe(8);
    // The server's connection may be closed before the client has the end.
    expect(addon.lines.filter((line) => line !== "serverDisconnect")).toEqual([
      "tcpStart",
      "serverConnect",
      "client PING\r\n",
      "server PING\r\n",
      "client again\r\n",
      "server again\r\n",
      "tcpEnd",
    ]);
    expect(proxy.flows.summary()).toMatch(/TCP +127\.0\.0\.1:\d+ +closed +upstream +26 B/);
  });

  test.each([
    ["binary", BINARY],
    ["a word without an end of line", "hello"],
    ["a line that looks like HTTP at first", "GET nothing\r\n"],
    ["a first byte of TLS", Uint8Array.of(0x16, 0x03, 0x77)],
  ])("%s is relayed to the byte", async (_, bytes) => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write(bytes);
    expect(Buffer.from(await client.readBytes(bytes.length))).toEqual(Buffer.from(bytes as string));
  });

  test("that is sent together with CONNECT, and ended at once, is relayed whole", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    for (const word of ["hello", "\x01\x02\x03"]) {
      await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
      client.end(word);
      expect(await readText(client)).toBe(word);
    }
    await proxy.waitFor(tcp(), { count: 2 });
  });

  test("goes where upstream.hosts says, and to where serverConnect sends it", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy({
      upstream: { hosts: { "*.db.test": `127.0.0.1:${echo.port}` } },
      addons: [{
        serverConnect(server) {
          if (server.host === "elsewhere.test") Object.assign(server, { host: "127.0.0.1", port: echo.port });
        },
      }],
    });
    for (const target of ["one.db.test:5432", "elsewhere.test:1"]) {
      await using client = await openTunnel(proxy, target);
      await client.write(BINARY);
      await client.readBytes(BINARY.length);
    }
    const flows = await proxy.waitFor(tcp(), { count: 2 });
    expect(flows.toJSON().map(({ url }) => url)).toEqual(["one.db.test:5432", "elsewhere.test:1"]);
    expect(flows.filter(tcp("*.db.test:5432")).length).toBe(1);
    expect(flows.filter(tcp("*.db.test:1")).length).toBe(0);
    expect(flows.filter(tcp((flow) => flow.server!.port === echo.port)).length).toBe(2);
    expect(proxy.flows.filter(() => true).length).toBe(0);
  });

  test("in TLS that the proxy has opened is relayed over TLS", async () => {
    await using echo = await startRawServer(async (connection) => {
      await connection.write(`you said ${await connection.readUntil("\n")}`);
    }, { tls: testCa().issue(["mail.test"]) });
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "mail.test": `127.0.0.1:${echo.port}` } },
    });
    await using tunnel = await openTunnel(proxy, "mail.test:993");
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "mail.test" });
    await client.write("a LOGIN ada\r\n");
    expect(await client.readUntil("\n")).toBe("you said a LOGIN ada\r\n");
    const flow = tcpFlowOf(proxy);
    expect(flow.client.tls).toMatchObject({ serverName: "mail.test" });
    expect(flow.server!.tls).toMatchObject({ serverName: "mail.test" });
    expect(flow.messages[0]!.text).toBe("a LOGIN ada\r\n");
  });
});

describe("B81 a server that speaks first", () => {
  test("is heard", async () => {
    await using server = await greetingServer();
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    expect(await client.readUntil("\n")).toBe("+OK ready\r\n");
    await client.write("user ada\r\n");
    expect(await client.readUntil("\n")).toBe("USER ADA\r\n");
    client.end();
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).messages.map(({ text }) => text)).toEqual([
      "+OK ready\r\n",
      "user ada\r\n",
      "USER ADA\r\n",
    ]);
    expect(addon.lines.slice(0, 3)).toEqual(["serverConnect", "tcpStart", "server +OK ready\r\n"]);
  });

  test("in TLS too", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.write("* OK IMAP\r\n");
      await connection.readUntil("\n");
    }, { tls: testCa().issue(["imap.test"]) });
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "imap.test": `127.0.0.1:${server.port}` } },
    });
    await using tunnel = await openTunnel(proxy, "imap.test:993");
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "imap.test" });
    expect(await client.readUntil("\n")).toBe("* OK IMAP\r\n");
    await client.write("bye\n");
    await client.readAll();
    expect((await proxy.waitFor(tcp())).length).toBe(1);
  });

  test("and hangs up: the client sees it", async () => {
    await using server = await startRawServer(() => {});
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    expect((await client.readAll()).length).toBe(0);
  });

  test("a client that is only slow to speak HTTP is served as ever", async () => {
    await using server = await startRawServer((connection) => connection.closed);
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await expect.poll(() => server.connections).toBe(1);
    await client.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 200 OK[^]*ok$/);
    expect(proxy.flows.toJSON().map(({ method }) => method)).toEqual(["GET"]);
  });

  test("a client that is only slow is served also where no server is", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    await using client = await openTunnel(proxy, "127.0.0.1:1");
    await new Promise((resolve) => setTimeout(resolve, 600));
    await client.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 200 OK[^]*ok$/);
  });

  test("that is not there: the client learns of it", async () => {
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, "127.0.0.1:1");
    await client.closed;
    expect(tcpFlowOf(proxy).error!.code).toBe("UPSTREAM_REFUSED");
    expect(addon.lines).toEqual(["serverConnect", "serverDisconnect", "tcpStart", "tcpError UPSTREAM_REFUSED"]);
  });
});

describe("B80 half-close", () => {
  test("the client ends its side first, and hears the rest", async () => {
    await using server = await startRawServer(async (connection) => {
      const all = await connection.readAll();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await connection.write(`got ${all.length}`);
    }, { halfOpen: true });
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write(BINARY);
    client.end("end");
    expect(await readText(client)).toBe("got 8");
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).error).toBe(undefined);
  });

  test("the server ends its side first, and hears the rest", async () => {
    const heard = Promise.withResolvers<string>();
    await using server = await startRawServer(async (connection) => {
      await connection.readBytes(1);
      connection.end("bye");
      heard.resolve(await readText(connection));
    }, { halfOpen: true });
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    client.socket.allowHalfOpen = true;
    await client.write(Uint8Array.of(0));
    // Up to the end: it has come through, and is of one side only.
    expect(await readText(client)).toBe("bye");
    client.end("and the rest");
    expect(await heard.promise).toBe("and the rest");
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).error).toBe(undefined);
  });
});

describe("hooks", () => {
  test("tcpMessage edits and drops", async () => {
    await using echo = await echoServer();
    const addon: Addon = {
      async tcpMessage(flow, message) {
        expect(flow.messages.at(-1)).toBe(message);
        if (message.from === "client") await new Promise((resolve) => setTimeout(resolve, 5));
        if (message.text.includes("secret")) message.drop();
        else message.data = message.text.replace("cat", "mouse");
      },
    };
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    for (const [sent, got] of [["a cat\n", "a mouse\n"], ["secret\n", ""], ["more cat\n", "more mouse\n"]]) {
      await client.write(sent!);
      if (got !== "") expect(await client.readUntil("\n")).toBe(got);
      else await expect.poll(() => tcpFlowOf(proxy).bytes.client).toBe(13);
    }
    client.end();
    await proxy.waitFor(tcp());
    const { messages, bytes } = tcpFlowOf(proxy);
    expect(messages.map(({ from, text, edited, dropped, size }) => [from, text, edited, dropped, size])).toEqual([
      ["client", "a mouse\n", true, false, 6],
      ["server", "a mouse\n", true, false, 8],
      ["client", "", true, true, 7],
      ["client", "more mouse\n", true, false, 9],
      ["server", "more mouse\n", true, false, 11],
    ]);
    expect(bytes).toEqual({ client: 22, server: 19 });
    expect(() => messages[0]!.data = "late").toThrow(expect.objectContaining({ code: "MESSAGE_SENT" }));
  });

  test("a message that is held keeps its order, and the end behind it", async () => {
    await using echo = await echoServer();
    let held = 0;
    await using proxy = await startProxy({
      addons: [{
        tcpMessage: (_, { from }) =>
          from === "client" && held++ === 0 ? new Promise<void>((resolve) => setTimeout(resolve, 100)) : undefined,
      }],
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write("\x00one ");
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.write("two ");
    client.end("three");
    expect(await readText(client)).toBe("\x00one two three");
  });

  test.each([
    ["flow.kill()", (flow: TcpFlow) => flow.kill(), "KILLED"],
    ["flow.error", (flow: TcpFlow) => void (flow.error = { code: "NO_DB", message: "no" }), "NO_DB"],
    ["a promise of it", async (flow: TcpFlow) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      flow.error = { code: "NO_DB", message: "no" };
    }, "NO_DB"],
  ])("tcpStart refuses with %s: no server is connected to, the client is reset", async (_, tcpStart, code) => {
    await using echo = await echoServer();
    const addon = { ...scribe(), tcpStart };
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write(BINARY);
    await client.closed;
    expect(echo.connections).toBe(0);
    expect(addon.lines).toEqual([`tcpError ${code}`]);
    expect(tcpFlowOf(proxy)).toMatchObject({ done: true, error: { code } });
  });

  test("flow.kill() in the middle cuts both sides", async () => {
    await using echo = await echoServer();
    const addon = { ...scribe(), tcpMessage: (flow: TcpFlow) => flow.kill("ENOUGH") };
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write(BINARY);
    await client.closed;
    await expect.poll(() => addon.lines).toEqual(["tcpStart", "serverConnect", "tcpError ENOUGH", "serverDisconnect"]);
    expect(echo.received.length).toBe(0);
  });

  test.each(["tcpStart", "tcpMessage", "tcpEnd"] as const)("%s that throws: close() tells", async (hook) => {
    await using echo = await echoServer();
    const proxy = await startProxy({
      addons: [{
        name: "broken",
        [hook]: () => {
          throw new Error("oops");
        },
      }],
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    client.end(BINARY);
    await client.closed;
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).error?.code).toBe(hook === "tcpEnd" ? undefined : "HOOK_FAILED");
    await expect(proxy.close()).rejects.toThrow(`hook ${hook} of addon "broken" threw for TCP 127.0.0.1:${echo.port}`);
  });
});

describe("failures", () => {
  test("a server that cannot be connected to", async () => {
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, "127.0.0.1:1");
    await client.write(BINARY);
    await client.closed;
    expect(addon.lines).toEqual(["tcpStart", "serverConnect", "serverDisconnect", "tcpError UPSTREAM_REFUSED"]);
    expect(proxy.flows.summary()).toMatch(/TCP +127\.0\.0\.1:1 +UPSTREAM_REFUSED/);
  });

  test("the proxy itself", async () => {
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${proxy.port}`);
    await client.write(BINARY);
    await client.closed;
    expect(tcpFlowOf(proxy).error!.code).toBe("LOOP");
  });

  test("the server resets", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readBytes(1);
      connection.reset();
    });
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write(BINARY);
    await client.closed;
    await expect.poll(() => addon.lines.length).toBe(5);
    expect(addon.lines.slice(3).toSorted()).toEqual(["serverDisconnect", "tcpError UPSTREAM_ABORTED"]);
  });

  test("the client resets", async () => {
    const gone = Promise.withResolvers<void>();
    await using server = await startRawServer(async (connection) => {
      await connection.write("hi");
      await connection.closed;
      gone.resolve();
    });
    const addon = scribe();
    await using proxy = await startProxy({ addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write(BINARY);
    await client.readBytes(2);
    client.reset();
    await gone.promise;
    await expect.poll(() => addon.lines).toContain("tcpError CLIENT_ABORTED");
  });

  test("the client resets while a hook decides", async () => {
    const decided = Promise.withResolvers<void>();
    await using echo = await echoServer();
    await using proxy = await startProxy({
      addons: [{ tcpStart: () => decided.promise }],
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write(BINARY);
    await expect.poll(() => proxy.flows.length).toBe(1);
    client.reset();
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).error!.code).toBe("CLIENT_ABORTED");
    decided.resolve();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(echo.connections).toBe(0);
  });

  test("B95 close() ends what is open, and reports it", async () => {
    await using echo = await echoServer();
    await using greeting = await greetingServer();
    const addon = scribe();
    const proxy = await startProxy({ addons: [addon] });
    const clients = await Promise.all([
      openTunnel(proxy, `127.0.0.1:${echo.port}`),
      openTunnel(proxy, `127.0.0.1:${greeting.port}`),
      openTunnel(proxy, `127.0.0.1:${echo.port}`), // silent: connected, but no flow
    ]);
    await clients[0]!.write(BINARY);
    await clients[0]!.readBytes(BINARY.length);
    await clients[1]!.readUntil("\n");
    await expect.poll(() => echo.connections).toBe(2);
    const start = performance.now();
    await proxy.close();
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(addon.lines.filter((line) => line.startsWith("tcpE"))).toEqual([
      "tcpError PROXY_CLOSED",
      "tcpError PROXY_CLOSED",
    ]);
    expect(addon.lines.filter((line) => line === "serverDisconnect").length).toBe(3);
    for (const client of clients) await client.closed;
  });
});

describe("capture", () => {
  test("keeps the beginning, up to capture.maxBody, and passes everything", async () => {
    await using echo = await echoServer();
    const addon = scribe();
    await using proxy = await startProxy({ capture: { maxBody: 1000 }, addons: [addon] });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    for (let i = 0; i < 20; i++) {
      await client.write(`\x00${"x".repeat(98)}\n`);
      await client.readUntil("\n");
    }
    client.end();
    await proxy.waitFor(tcp());
    const flow = tcpFlowOf(proxy);
    expect(flow.bytes).toEqual({ client: 2000, server: 2000 });
    expect(flow.truncated).toBe(true);
    expect(flow.messages.length).toBeGreaterThan(2);
    expect(flow.messages.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(1000);
    expect(addon.lines.filter((line) => /^(client|server) /.test(line)).length).toBe(40);
  });

  test("may keep nothing", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy({ capture: { maxBody: 0 } });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    client.end(BINARY);
    await client.readAll();
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy)).toMatchObject({ messages: [], truncated: true, bytes: { client: 5, server: 5 } });
  });

  test("a tunnel in which nothing is ever said is no flow", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await expect.poll(() => echo.connections).toBe(1);
    client.end();
    await client.closed;
    expect(proxy.flows.length).toBe(0);
  });
});
