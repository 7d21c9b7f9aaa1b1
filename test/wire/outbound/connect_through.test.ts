/** B82: tunnels through real sockets: SOCKS relays, scripted HTTP proxies, TLS to the proxy, TLS in TLS. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { DialError } from "../../../src/wire/outbound/dial.ts";
import { connectThrough, type ConnectThroughOptions, parseProxyUrl } from "../../../src/wire/outbound/proxy/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { type RawServer, type RawServerOptions, startRawServer } from "../../support/raw_server.ts";
import { startRelay } from "../socks/relay.ts";

const context = tls.createSecureContext({ ca: testCa().cert });

function through(
  proxy: string,
  target: { hostname: string; port: number },
  { timeout = 5000, signal = new AbortController().signal, verify = true }: Partial<ConnectThroughOptions> & {
    verify?: boolean;
  } = {},
): Promise<Socket> {
  return connectThrough(parseProxyUrl(proxy), target, { timeout, signal, tls: { verify, context } });
}

async function failure(promise: Promise<Socket>): Promise<DialError> {
  const outcome = await promise.then(() => new Error("connected"), (error: unknown) => error);
  if (outcome instanceof DialError) return outcome;
  throw outcome;
}

const echo = (connection: RawConnection) => {
  connection.socket.pipe(connection.socket);
  return connection.closed;
};

/** An HTTP proxy that connects every CONNECT with a port of 127.0.0.1; `heads` are the requests it had. */
async function startConnectProxy(
  options: RawServerOptions & { authorization?: string; greeting?: string } = {},
): Promise<RawServer & { heads: string[] }> {
  const heads: string[] = [];
  const server = await startRawServer(async (connection) => {
    const head = await connection.readHead();
    heads.push(head);
    if (options.authorization !== undefined && !head.includes(`Proxy-Authorization: ${options.authorization}\r\n`)) {
      await connection.write(
        "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
      );
      return;
    }
    const upstream = connect({ host: "127.0.0.1", port: Number(/:(\d+) HTTP/.exec(head)?.[1]) });
    await once(upstream, "connect");
    connection.socket.pipe(upstream);
    await connection.write(`HTTP/1.1 200 OK\r\n\r\n${options.greeting ?? ""}`);
    upstream.pipe(connection.socket);
    await connection.closed;
    upstream.destroy();
  }, options);
  return Object.assign(server, { heads });
}

async function expectEcho(socket: Socket, text = "hello"): Promise<void> {
  await using connection = new RawConnection(socket);
  await connection.write(text);
  expect(Buffer.from(await connection.readBytes(text.length)).toString()).toBe(text);
}

describe("through a SOCKS proxy", () => {
  test.each([
    ["socks5h", "a.test", { version: 5, hostname: "a.test" }],
    ["socks5", "127.0.0.1", { version: 5, hostname: "127.0.0.1" }],
    ["socks5", "[::1]", { version: 5, hostname: "[::1]" }],
    ["socks4a", "a.test", { version: 4, hostname: "a.test" }],
    ["socks4", "127.0.0.1", { version: 4, hostname: "127.0.0.1" }],
    ["socks4", "localhost", { version: 4, hostname: "127.0.0.1" }],
  ])("B82: %s to %s", async (scheme, hostname, asked) => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay();
    await expectEcho(await through(`${scheme}://127.0.0.1:${relay.port}`, { hostname, port: server.port }));
    expect(relay.asked).toEqual([{ ...asked, port: server.port }]);
  });

  test("socks5 resolves here", async () => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay();
    await expectEcho(await through(`socks5://127.0.0.1:${relay.port}`, { hostname: "localhost", port: server.port }));
    expect(relay.asked[0]?.hostname).toMatch(/^(127\.0\.0\.1|\[::1\])$/);
  });

  test("B82: a name and a password", async () => {
    await using server = await startRawServer(echo);
    await using relay = await startRelay({ auth: { username: "ann", password: "p@ss" } });
    const target = { hostname: "a.test", port: server.port };
    await expectEcho(await through(`socks5h://ann:p%40ss@127.0.0.1:${relay.port}`, target));
    const wrong = await failure(through(`socks5h://ann:other@127.0.0.1:${relay.port}`, target));
    expect(wrong.failure).toEqual({
      code: "NEXT_PROXY_AUTH",
      message:
        `cannot reach a.test:${server.port}: the proxy socks5h://127.0.0.1:${relay.port} does not accept the name and ` +
        `password in its URL`,
    });
    expect((await failure(through(`socks5h://127.0.0.1:${relay.port}`, target))).code).toBe("NEXT_PROXY_AUTH");
    expect((await failure(through(`socks4a://ann@127.0.0.1:${relay.port}`, target))).code).toBe("NEXT_PROXY_REFUSED");
  });

  test("the server refuses", async () => {
    await using relay = await startRelay({ answer: (tunnel) => tunnel.refused("connectionRefused") });
    const error = await failure(through(`socks5h://127.0.0.1:${relay.port}`, { hostname: "a.test", port: 80 }));
    expect(error.code).toBe("UPSTREAM_REFUSED");
    expect(error.message).toMatch(/^cannot reach a\.test:80: the proxy socks5h:.* refused the connection \(reply 5\)$/);
  });

  test("a server that speaks first", async () => {
    await using server = await startRawServer((connection) => connection.write("220 mail.test\r\n"));
    await using relay = await startRelay();
    const socket = await through(`socks5h://127.0.0.1:${relay.port}`, { hostname: "a.test", port: server.port });
    await using connection = new RawConnection(socket);
    expect(await connection.readUntil("\n")).toBe("220 mail.test\r\n");
  });

  test("TLS with the server", async () => {
    await using server = await startRawServer(echo, { tls: testCa().issue(["a.test"]) });
    await using relay = await startRelay();
    const socket = await through(`socks5h://127.0.0.1:${relay.port}`, { hostname: "a.test", port: server.port });
    const secure = tls.connect({ socket, servername: "a.test", ca: testCa().cert });
    await once(secure, "secureConnect");
    await expectEcho(secure);
  });

  test("a name that does not exist, resolved here", async () => {
    const error = await failure(through("socks5://127.0.0.1:9", { hostname: "nowhere.invalid", port: 80 }));
    expect(error.code).toBe("UPSTREAM_UNRESOLVED");
  });
});

describe("through an HTTP proxy", () => {
  test("B82: a tunnel, with a name and a password", async () => {
    await using server = await startRawServer(echo);
    await using proxy = await startConnectProxy({ authorization: "Basic YW5uOnDDpA==" });
    const target = { hostname: "a.test", port: server.port };
    await expectEcho(await through(`http://ann:p%C3%A4@127.0.0.1:${proxy.port}`, target));
    expect(proxy.heads).toEqual([
      `CONNECT a.test:${server.port} HTTP/1.1\r\nHost: a.test:${server.port}\r\n` +
      `Proxy-Authorization: Basic YW5uOnDDpA==\r\n\r\n`,
    ]);
    const none = await failure(through(`http://127.0.0.1:${proxy.port}`, target));
    expect(none.code).toBe("NEXT_PROXY_AUTH");
    const wrong = await failure(through(`http://ann:other@127.0.0.1:${proxy.port}`, target));
    expect(wrong.message).toMatch(/answered 407 Who are you: it does not accept/);
    expect(wrong.message).not.toMatch(/other|YW5u/);
    expect(JSON.stringify(wrong.failure)).not.toMatch(/other|YW5u/);
  });

  test("what comes behind the answer is not lost", async () => {
    await using server = await startRawServer(echo);
    await using proxy = await startConnectProxy({ greeting: "220 mail.test\r\n" });
    const socket = await through(`http://127.0.0.1:${proxy.port}`, { hostname: "a.test", port: server.port });
    await using connection = new RawConnection(socket);
    expect(await connection.readUntil("\n")).toBe("220 mail.test\r\n");
    await connection.write("hello");
    expect(Buffer.from(await connection.readBytes(5)).toString()).toBe("hello");
  });

  test("B82: TLS with the server", async () => {
    await using server = await startRawServer(echo, { tls: testCa().issue(["a.test"]) });
    await using proxy = await startConnectProxy();
    const socket = await through(`http://127.0.0.1:${proxy.port}`, { hostname: "a.test", port: server.port });
    const secure = tls.connect({ socket, servername: "a.test", ca: testCa().cert });
    await once(secure, "secureConnect");
    await expectEcho(secure, "x".repeat(100_000));
  });

  test("B82: TLS with the proxy, TLS in TLS with the server", async () => {
    await using server = await startRawServer(echo, { tls: testCa().issue(["a.test"]) });
    await using proxy = await startConnectProxy({ tls: testCa().issue(["localhost"]) });
    const url = `https://localhost:${proxy.port}`;
    const socket = await through(url, { hostname: "a.test", port: server.port });
    expect(socket).toBeInstanceOf(tls.TLSSocket);
    const secure = tls.connect({ socket, servername: "a.test", ca: testCa().cert });
    await once(secure, "secureConnect");
    expect(secure.authorized).toBe(true);
    await expectEcho(secure, "x".repeat(100_000));
    socket.destroy();
  });

  test("B82: TLS with the proxy, plain with the server", async () => {
    await using server = await startRawServer(echo);
    await using proxy = await startConnectProxy({ tls: testCa().issue(["localhost"]), greeting: "220 hi\n" });
    const socket = await through(`https://localhost:${proxy.port}`, { hostname: "a.test", port: server.port });
    await using connection = new RawConnection(socket);
    expect(await connection.readUntil("\n")).toBe("220 hi\n");
    await connection.write("hello");
    expect(Buffer.from(await connection.readBytes(5)).toString()).toBe("hello");
  });

  test("a proxy whose certificate is not trusted", async () => {
    await using proxy = await startConnectProxy({ tls: testCa().issue(["other.test"]) });
    const target = { hostname: "a.test", port: 443 };
    const error = await failure(through(`https://localhost:${proxy.port}`, target));
    expect(error.code).toBe("NEXT_PROXY_UNREACHABLE");
    expect(error.message).toMatch(
      /through the proxy https:\/\/localhost:\d+: the certificate of localhost:\d+ is not trusted/,
    );
    expect(proxy.heads).toEqual([]);
  });

  test("verify: false", async () => {
    await using server = await startRawServer(echo);
    await using proxy = await startConnectProxy({ tls: testCa().issue(["other.test"]) });
    const target = { hostname: "a.test", port: server.port };
    await expectEcho(await through(`https://localhost:${proxy.port}`, target, { verify: false }));
  });
});

describe("when the proxy fails", () => {
  const target = { hostname: "a.test", port: 443 };
  const scripted = (script: (connection: RawConnection) => Promise<void> | void) => startRawServer(script);

  test.each(["http", "https", "socks5h", "socks4a"])("%s: it does not run", async (scheme) => {
    const proxy = await scripted(() => {});
    await proxy[Symbol.asyncDispose]();
    const error = await failure(through(`${scheme}://ann@127.0.0.1:${proxy.port}`, target));
    expect(error.failure).toMatchObject({ code: "NEXT_PROXY_UNREACHABLE" });
    expect(error.message).toMatch(
      new RegExp(`^cannot reach a.test:443 through the proxy ${scheme}://127.0.0.1:\\d+: .*refused the connection`),
    );
  });

  test.each(["http", "socks5h", "socks4a"])("%s: it hangs up", async (scheme) => {
    await using proxy = await scripted(async (connection) => void await connection.readBytes(3));
    const error = await failure(through(`${scheme}://127.0.0.1:${proxy.port}`, target));
    expect(error.code).toBe("NEXT_PROXY_CLOSED");
    expect(error.message).toContain(`the proxy ${scheme}://127.0.0.1:${proxy.port} closed the connection`);
  });

  test("it resets", async () => {
    await using proxy = await scripted(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 2");
      connection.reset();
    });
    expect((await failure(through(`http://127.0.0.1:${proxy.port}`, target))).code).toBe("NEXT_PROXY_CLOSED");
  });

  test.each(["http", "https", "socks5h", "socks4a"])("%s: it says nothing", async (scheme) => {
    await using proxy = await scripted((connection) => connection.closed);
    const error = await failure(through(`${scheme}://127.0.0.1:${proxy.port}`, target, { timeout: 80 }));
    expect(error.failure).toMatchObject({ code: "NEXT_PROXY_TIMEOUT", status: 504 });
    expect(error.message).toContain("80 ms (timeouts.connect)");
  });

  test("it trickles for ever", async () => {
    await using proxy = await scripted(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\n");
      while (!connection.socket.destroyed) {
        await connection.write("X: y\r\n");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
    const error = await failure(through(`http://127.0.0.1:${proxy.port}`, target, { timeout: 100 }));
    expect(error.code).toBe("NEXT_PROXY_TIMEOUT");
  });

  test("flowtape is closed meanwhile", async () => {
    await using proxy = await scripted((connection) => connection.closed);
    const closing = new AbortController();
    const connecting = failure(through(`http://127.0.0.1:${proxy.port}`, target, { signal: closing.signal }));
    await expect.poll(() => proxy.connections).toBe(1);
    closing.abort();
    expect((await connecting).code).toBe("PROXY_CLOSED");
    const late = await failure(
      through(`socks5://127.0.0.1:${proxy.port}`, { hostname: "localhost", port: 1 }, { signal: closing.signal }),
    );
    expect(late.code).toBe("PROXY_CLOSED");
  });

  test("a proxy of another kind", async () => {
    await using http = await scripted((connection) => connection.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await using socks = await startRelay();
    const one = await failure(through(`socks5h://127.0.0.1:${http.port}`, target));
    expect(one.message).toMatch(/use http:\/\/ for the proxy/);
    const two = await failure(through(`http://127.0.0.1:${socks.port}`, target));
    expect(two.code).toBe("NEXT_PROXY_CLOSED");
  });
});
