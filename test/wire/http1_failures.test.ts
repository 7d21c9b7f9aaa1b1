/**
 * What goes wrong on either side of a running proxy: who is told, how, and that nothing stays behind.
 */
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { FlowResponse, type HttpFlow, type Peer, type Proxy, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, exchange, latin1, PATIENTLY, readResponse, requestTo } from "./http1_client.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A proxy that tells when connections to servers are closed, and the errors of its flows. */
async function watched(
  options: ProxyOptions = {},
): Promise<{ proxy: Proxy; servers: Peer[]; gone: Peer[]; errors: string[] } & AsyncDisposable> {
  const servers: Peer[] = [];
  const gone: Peer[] = [];
  const errors: string[] = [];
  const proxy = await startProxy({
    ...options,
    addons: [...options.addons ?? [], {
      serverConnect: (peer) => void servers.push(peer),
      serverDisconnect: (peer) => void gone.push(peer),
      error: (flow) => void errors.push(flow.error!.code),
    }],
  });
  return { proxy, servers, gone, errors, [Symbol.asyncDispose]: () => proxy.close() };
}

/** A server that reads a head, runs the rest of the script, and goes. */
function scripted(script: (connection: RawConnection) => Promise<void> | void) {
  return startRawServer(async (connection) => {
    await connection.readHead();
    await script(connection);
  });
}

const silent = () => startRawServer((connection) => connection.closed);
const urlOf = (server: { port: number }, path = "/") => `http://127.0.0.1:${server.port}${path}`;

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("servers that cannot be reached", () => {
  test("B15 a port where nobody listens: 502", async () => {
    await using it = await watched();
    const port = await freePort();

    const response = await exchange(it.proxy.port, requestTo(`http://127.0.0.1:${port}/`));

    expect(response.status).toBe(502);
    expect(response.header("x-flowtape-error")).toBe("UPSTREAM_REFUSED");
    expect(response.text).toContain(`127.0.0.1:${port}`);
    expect(it.errors).toEqual(["UPSTREAM_REFUSED"]);
    expect(it.gone[0]!.error!.code).toBe("UPSTREAM_REFUSED");
  });

  test("B15 a name that cannot be resolved: 502", async () => {
    await using it = await watched();

    const response = await exchange(it.proxy.port, requestTo("http://nobody.invalid/"));

    expect(response.status).toBe(502);
    expect(response.header("x-flowtape-error")).toBe("UPSTREAM_UNRESOLVED");
    expect(response.text).toContain("nobody.invalid");
    expect(it.errors).toEqual(["UPSTREAM_UNRESOLVED"]);
  });

  test("the page of a failure is JSON or HTML for those who ask for it, and none for HEAD", async () => {
    await using proxy = await startProxy();
    const ask = (accept: string, method = "GET") =>
      exchange(proxy.port, requestTo("http://nobody.invalid/<b>", { method, fields: [`Accept: ${accept}`] }));

    const json = await ask("application/json");
    const html = await ask("text/html,*/*;q=0.5");
    const head = await ask("*/*", "HEAD");

    expect(JSON.parse(json.text).error.code).toBe("UPSTREAM_UNRESOLVED");
    expect(html.header("content-type")).toBe("text/html; charset=utf-8");
    expect(html.text).not.toContain("<b>");
    expect(head).toMatchObject({ status: 502, text: "" });
  });

  test("B14 a server on IPv6 only", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => socket.end(OK));
    });
    server.listen(0, "::1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      await using proxy = await startProxy({ upstream: { hosts: { "six.test": `[::1]:${port}` } } });

      const literal = await exchange(proxy.port, requestTo(`http://[::1]:${port}/`));
      const named = await exchange(proxy.port, requestTo("http://six.test/"));

      expect([literal.text, named.text]).toEqual(["ok", "ok"]);
      expect((proxy.flows.first() as HttpFlow).request).toMatchObject({ hostname: "[::1]", port });
      expect((proxy.flows.first() as HttpFlow).server).toMatchObject({ host: "::1", port });
    } finally {
      server.close();
      await once(server, "close");
    }
  });

  for (
    const [how, url, hosts] of [
      ["by address", (port: number) => `http://127.0.0.1:${port}/`, {}],
      ["by another loopback address", (port: number) => `http://127.0.0.2:${port}/`, {}],
      ["by the address that means all", (port: number) => `http://0.0.0.0:${port}/`, {}],
      ["by an address as one number", (port: number) => `http://2130706433:${port}/`, {}],
      ["by an address of IPv4 in IPv6", (port: number) => `http://[::ffff:127.0.0.1]:${port}/`, {}],
      ["by name", (port: number) => `http://localhost:${port}/`, {}],
      ["by name with a dot", (port: number) => `http://localhost.:${port}/`, {}],
      ["by an override", (port: number) => `http://me.test:${port}/`, { "me.test": "127.0.0.1" }],
    ] as [string, (port: number) => string, Record<string, string>][]
  ) {
    test(`a request for the proxy itself, ${how}: 508`, async () => {
      await using it = await watched({ upstream: { hosts } });

      const response = await exchange(it.proxy.port, requestTo(url(it.proxy.port)));

      expect(response.status).toBe(508);
      expect(response.header("x-flowtape-error")).toBe("LOOP");
      expect(it.errors).toEqual(["LOOP"]);
      expect(it.proxy.flows.length).toBe(1);
    });
  }

  test("a serverConnect hook that leads back to the proxy itself: 508", async () => {
    await using proxy: Proxy = await startProxy({
      addons: [{
        serverConnect: (server): void => {
          server.host = "127.0.0.1";
          server.port = proxy.port;
        },
      }],
    });

    expect((await exchange(proxy.port, requestTo("http://a.test/"))).status).toBe(508);
    expect(proxy.flows.length).toBe(1);
  });
});

describe("servers that fail", () => {
  for (const how of ["closes", "resets"] as const) {
    const leave = (connection: RawConnection) => how === "resets" ? connection.reset() : undefined;

    test(`a server that ${how} the connection before it answers: 502`, async () => {
      await using origin = await scripted(leave);
      await using it = await watched();

      const response = await exchange(it.proxy.port, requestTo(urlOf(origin)));

      expect(response.status).toBe(502);
      expect(it.errors).toEqual(["UPSTREAM_CLOSED"]);
    });

    test(`a server that ${how} the connection in the middle of a head: 502`, async () => {
      await using origin = await scripted(async (connection) => {
        await connection.write("HTTP/1.1 200 OK\r\nContent-");
        await pause();
        leave(connection);
      });
      await using it = await watched();

      const response = await exchange(it.proxy.port, requestTo(urlOf(origin)));

      expect(response.status).toBe(502);
      expect(it.errors).toEqual(["UPSTREAM_ABORTED"]);
    });

    for (
      const [framing, head, expected] of [
        ["of known length", "Content-Length: 100\r\n\r\nhalf", "half"],
        ["in chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "4\r\nhalf\r\n"],
        ["in the middle of a chunk", "Transfer-Encoding: chunked\r\n\r\n8\r\nhalf", "8\r\nhalf"],
      ] as const
    ) {
      test(`B18 a server that ${how} the connection in a body ${framing}: the client sees an abort, not an end`, async () => {
        await using origin = await scripted(async (connection) => {
          await connection.write(`HTTP/1.1 200 OK\r\n${head}`);
          await pause();
          leave(connection);
        });
        await using it = await watched();
        await using client = await connectRaw(it.proxy.port);

        await client.write(requestTo(urlOf(origin)));
        await client.closed;

        expect(latin1(client.received).split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(expected);
        const flow = it.proxy.flows.first() as HttpFlow;
        expect(flow.error!.code).toBe("UPSTREAM_ABORTED");
        expect(flow.response!.status).toBe(200);
        expect(flow.response!.bodyTruncated).toBe(true);
        expect(it.errors).toEqual(["UPSTREAM_ABORTED"]);
      });

      test(`B18 the same while a hook waits for the whole body ${framing} (${how}): 502`, async () => {
        await using origin = await scripted(async (connection) => {
          await connection.write(`HTTP/1.1 200 OK\r\n${head}`);
          await pause();
          leave(connection);
        });
        let seen = 0;
        await using it = await watched({ addons: [{ response: () => void seen++ }] });

        const response = await exchange(it.proxy.port, requestTo(urlOf(origin)));

        expect(response.status).toBe(502);
        expect(it.errors).toEqual(["UPSTREAM_ABORTED"]);
        expect(seen).toBe(0);
      });
    }
  }

  test("B18 a body that ends with the connection, ended by a reset: the client sees a reset, for an end would be the end", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\n\r\nhalf");
      await pause();
      connection.reset();
    });
    await using it = await watched();
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    await client.closed;

    expect(it.errors).toEqual(["UPSTREAM_ABORTED"]);
    expect(client.error).toBeDefined();
  });

  test("a client that does not read is cut, too", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n${"x".repeat(32 * 1024 * 1024)}`)
        .catch(() => {});
    });
    let left = 0;
    await using it = await watched({ addons: [{ clientDisconnect: () => void left++ }] });
    await using client = await connectRaw(it.proxy.port);
    client.socket.pause();

    await client.write(requestTo(urlOf(origin)));
    const flow = () => it.proxy.flows.first() as HttpFlow | undefined;
    await expect.poll(() => flow()?.response?.content.size ?? 0, PATIENTLY).toBeGreaterThan(1024 * 1024);
    await pause(100);
    flow()!.kill();

    await expect.poll(() => left, PATIENTLY).toBe(1);
    expect(it.gone.length).toBe(1);
  });

  test("a server that closes while a slow hook looks at the head: what it sent still counts", async () => {
    await using origin = await scripted((connection) => connection.write("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    await using it = await watched({ addons: [{ responseHeaders: () => pause(50) }] });

    const response = await exchange(it.proxy.port, requestTo(urlOf(origin)));

    expect(response.text).toBe("until the end");
    expect(it.errors).toEqual([]);
  });

  test("a server that breaks off while a slow hook looks at the head", async () => {
    await using origin = await scripted((connection) =>
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    );
    await using it = await watched({ addons: [{ responseHeaders: () => pause(50) }] });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    await client.closed;

    expect(it.errors).toEqual(["UPSTREAM_ABORTED"]);
  });

  test("B20 a response that is complete before the request is: the client gets it, and goes on", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
      await connection.closed;
    });
    await using it = await watched();
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 8"] }) + "half");
    const response = await readResponse(client);
    await client.write("rest");
    await client.write(requestTo("http://nobody.invalid/"));

    expect(response).toMatchObject({ status: 413, text: "no" });
    expect((await readResponse(client)).status).toBe(502);
    expect((it.proxy.flows.first() as HttpFlow).error).toBe(undefined);
    // Nobody knows whether the server would read the rest of a request it has answered.
    await expect.poll(() => it.gone.length, PATIENTLY).toBe(2);
  });

  test("B20 a response that begins before the request is complete, and goes on with it", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let i = 0; i < 3; i++) await connection.write(`1\r\n${latin1(await connection.readBytes(1))}\r\n`);
      await connection.write("0\r\n\r\n");
      await connection.readHead();
      await connection.write(OK);
    });
    await using it = await watched();
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 3"] }));
    await client.readHead();
    for (const letter of "abc") {
      await client.write(letter);
      expect(await client.readUntil("\r\n")).toBe("1\r\n");
      expect(await client.readUntil("\r\n")).toBe(`${letter}\r\n`);
    }
    expect(await client.readUntil("0\r\n\r\n")).toBe("0\r\n\r\n");

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).text).toBe("ok");
    expect(origin.connections).toBe(1);
  });
});

describe("clients that hang up", () => {
  for (const how of ["end", "reset"] as const) {
    const leave = (client: RawConnection) => how === "reset" ? client.reset() : client.end();

    test(`B17 before the end of a head (${how}): a flow that was aborted, and nobody is bothered`, async () => {
      await using origin = await silent();
      await using it = await watched();
      await using client = await connectRaw(it.proxy.port);

      await client.write(`GET ${urlOf(origin)} HTTP/1.1\r\nHost: 127`);
      await pause(20);
      leave(client);
      await client.closed;

      const flow = (await it.proxy.waitFor(() => true)).first() as HttpFlow;
      expect(flow.error!.code).toBe("CLIENT_ABORTED");
      expect(it.errors).toEqual(["CLIENT_ABORTED"]);
      expect(origin.connections).toBe(0);
    });

    test(`B17 between two requests (${how}): no flow`, async () => {
      await using origin = await scripted((connection) => connection.write(OK));
      let left = 0;
      await using it = await watched({ addons: [{ clientDisconnect: () => void left++ }] });
      await using client = await connectRaw(it.proxy.port);

      await client.write(requestTo(urlOf(origin)));
      await readResponse(client);
      leave(client);
      await expect.poll(() => left, PATIENTLY).toBe(1);

      expect(it.proxy.flows.length).toBe(1);
      expect(it.errors).toEqual([]);
    });

    for (const hook of ["passing on", "holding for a hook"]) {
      test(`B17 in the middle of its body, ${hook} (${how}): the server is cut, too`, async () => {
        await using origin = await silent();
        await using it = await watched({ addons: hook === "passing on" ? [] : [{ request: () => {} }] });
        await using client = await connectRaw(it.proxy.port);

        await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 8"] }) + "half");
        if (hook === "passing on") await expect.poll(() => latin1(origin.received), PATIENTLY).toMatch(/half$/);
        else await pause(20);
        leave(client);
        const flow = (await it.proxy.waitFor({ method: "POST" })).first() as HttpFlow;

        expect(flow.error!.code).toBe("CLIENT_ABORTED");
        expect(flow.request.bodyTruncated).toBe(true);
        expect(latin1(flow.request.encodedBody)).toBe("half");
        await expect.poll(() => it.gone.length, PATIENTLY).toBe(it.servers.length);
        expect(it.servers.length).toBe(hook === "passing on" ? 1 : 0);
      });
    }

    test(`B17 while it waits for the answer (${how}): the server is cut, too`, async () => {
      let cut = 0;
      await using origin = await scripted((connection) => connection.closed.then(() => void cut++));
      await using it = await watched();
      await using client = await connectRaw(it.proxy.port);

      await client.write(requestTo(urlOf(origin)));
      await expect.poll(() => origin.received.length, PATIENTLY).toBeGreaterThan(0);
      leave(client);
      const flow = (await it.proxy.waitFor({ method: "GET" })).first() as HttpFlow;

      expect(flow.error!.code).toBe("CLIENT_ABORTED");
      expect(flow.response).toBe(undefined);
      expect(it.errors).toEqual(["CLIENT_ABORTED"]);
      await expect.poll(() => cut, PATIENTLY).toBe(1);
      await expect.poll(() => it.gone.length, PATIENTLY).toBe(1);
    });

    test(`B17 in the middle of the answer (${how}): the server is cut, too`, async () => {
      let cut = 0;
      await using origin = await scripted(async (connection) => {
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        await connection.closed;
        cut++;
      });
      await using it = await watched();
      await using client = await connectRaw(it.proxy.port);

      await client.write(requestTo(urlOf(origin)));
      await client.readUntil("half");
      leave(client);
      const flow = (await it.proxy.waitFor({ method: "GET" })).first() as HttpFlow;

      expect(flow.error!.code).toBe("CLIENT_ABORTED");
      expect(flow.response).toMatchObject({ status: 200, bodyTruncated: true });
      expect(latin1(flow.response!.encodedBody)).toBe("half");
      await expect.poll(() => cut, PATIENTLY).toBe(1);
      await expect.poll(() => it.gone.length, PATIENTLY).toBe(1);
    });

    test(`B17 in the middle of a streamed answer of an addon (${how}): its stream is cancelled`, async () => {
      let cancelled = 0;
      await using it = await watched({
        addons: [{
          requestHeaders(flow) {
            const body = new ReadableStream<Uint8Array>({
              start: (it) => it.enqueue(new TextEncoder().encode("half")),
              cancel: () => void cancelled++,
            });
            flow.response = FlowResponse.create({ body });
          },
        }],
      });
      await using client = await connectRaw(it.proxy.port);

      await client.write(requestTo("http://a.test/"));
      await client.readUntil("half");
      leave(client);
      const flow = (await it.proxy.waitFor({ method: "GET" })).first() as HttpFlow;

      expect(flow.error!.code).toBe("CLIENT_ABORTED");
      await expect.poll(() => cancelled, PATIENTLY).toBe(1);
    });
  }

  test("B17 while a connection to the server is being made: none stays open", async () => {
    await using origin = await silent();
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    await using it = await watched({ addons: [{ serverConnect: () => gate }] });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    await pause(20);
    client.reset();
    await it.proxy.waitFor({ method: "GET" });
    go();

    await expect.poll(() => it.gone.length, PATIENTLY).toBe(1);
    expect(origin.received.length).toBe(0);
  });
});

describe("time", () => {
  test("a server that does not accept in time, TLS included: 504", async () => {
    await using origin = await silent();
    await using it = await watched({ timeouts: { connect: 50 } });

    const response = await exchange(it.proxy.port, requestTo(`https://127.0.0.1:${origin.port}/`));

    expect(response.status).toBe(504);
    expect(response.header("x-flowtape-error")).toBe("UPSTREAM_CONNECT_TIMEOUT");
    expect(response.text).toContain("timeouts.connect");
    await expect.poll(() => it.gone.length, PATIENTLY).toBe(1);
  });

  test("B16 a server that does not answer: 504", async () => {
    await using origin = await silent();
    await using it = await watched({ timeouts: { head: 50 } });

    const response = await exchange(it.proxy.port, requestTo(urlOf(origin)));

    expect(response.status).toBe(504);
    expect(response.header("x-flowtape-error")).toBe("UPSTREAM_HEAD_TIMEOUT");
    expect(response.text).toContain("timeouts.head");
    await expect.poll(() => it.gone.length, PATIENTLY).toBe(1);
  });

  test("B16 a server that stops in the middle of a head: 504", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nConte");
      await connection.closed;
    });
    await using it = await watched({ timeouts: { head: 50 } });

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).status).toBe(504);
    expect(it.errors).toEqual(["UPSTREAM_HEAD_TIMEOUT"]);
  });

  test("B16 a server whose head trickles in: 504, however much of it comes", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nX-Slow: ");
      const trickle = setInterval(() => connection.socket.write("a"), 10);
      await connection.closed;
      clearInterval(trickle);
    });
    await using it = await watched({ timeouts: { head: 100 } });

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).status).toBe(504);
    expect(it.errors).toEqual(["UPSTREAM_HEAD_TIMEOUT"]);
  });

  test("B16 a server that goes on informing has time for each head", async () => {
    await using origin = await scripted(async (connection) => {
      for (let i = 0; i < 8; i++) {
        await connection.write("HTTP/1.1 102 Processing\r\n\r\n");
        await pause(250);
      }
      await connection.write(OK);
    });
    await using it = await watched({ timeouts: { head: 1500 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    let response = await readResponse(client);
    while (response.status === 102) response = await readResponse(client);
    expect(response.text).toBe("ok");
  });

  test("B16 a server that sends hints and then no answer: 504", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 103 Early Hints\r\n\r\n");
      await connection.closed;
    });
    await using it = await watched({ timeouts: { head: 1000 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    expect((await readResponse(client)).status).toBe(103);
    expect((await readResponse(client)).status).toBe(504);
  });

  test("B16 the time of a hook is not the server's", async () => {
    await using origin = await answering(OK);
    await using it = await watched({
      timeouts: { head: 700, idle: 700 },
      addons: [{
        requestHeaders: () => pause(900),
        request: () => pause(900),
        responseHeaders: () => pause(900),
        response: () => pause(900),
      }],
    });

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).text).toBe("ok");
  });

  test("B16 the time of a hook is not the server's, also when the request ends meanwhile", async () => {
    await using origin = await answering(OK);
    let reached = () => {};
    const waiting = new Promise<void>((resolve) => reached = resolve);
    const responseHeaders = () => {
      reached();
      return pause(1000);
    };
    await using it = await watched({ timeouts: { head: 10_000, idle: 700 }, addons: [{ responseHeaders }] });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 4"] }));
    await waiting;
    await client.write("late");

    expect((await readResponse(client)).text).toBe("ok");
  });

  for (
    const [when, hint] of [["before its body", ""], ["after a 100", "HTTP/1.1 100 Continue\r\n\r\n"]] as const
  ) {
    test(`B16 the time in which a client sends its request is not the server's: ${when}`, async () => {
      await using origin = await scripted(async (connection) => {
        await connection.write(hint);
        await connection.readUntil("end");
        await connection.write(OK);
      });
      await using it = await watched({ timeouts: { head: 700 } });
      await using client = await connectRaw(it.proxy.port);

      await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 8"] }));
      if (hint === "") await pause(900);
      else await client.readHead();
      await client.write("start");
      await pause(900);
      await client.write("end");

      expect((await readResponse(client)).text).toBe("ok");
    });
  }

  test("B16 a server that does not answer a request with a body: 504", async () => {
    await using origin = await silent();
    await using it = await watched({ timeouts: { head: 50 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 4"] }));
    await pause();
    await client.write("body");

    expect((await readResponse(client)).status).toBe(504);
  });

  test("a server that stops in the middle of its answer: an abort", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      await connection.closed;
    });
    await using it = await watched({ timeouts: { idle: 50 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)));
    await client.closed;

    expect(latin1(client.received)).toMatch(/half$/);
    expect(it.errors).toEqual(["UPSTREAM_IDLE_TIMEOUT"]);
  });

  test("a server that stops in the middle of an answer that is held for a hook: 504", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      await connection.closed;
    });
    await using it = await watched({ timeouts: { idle: 50 }, addons: [{ response: () => {} }] });

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).status).toBe(504);
    expect(it.errors).toEqual(["UPSTREAM_IDLE_TIMEOUT"]);
  });

  test("a server that keeps sending is not idle", async () => {
    await using origin = await scripted(async (connection) => {
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
      for (const letter of "slowly".slice(0, 5)) {
        await pause(500);
        await connection.write(letter);
      }
    });
    await using it = await watched({ timeouts: { idle: 2000, head: 10_000 } });

    expect((await exchange(it.proxy.port, requestTo(urlOf(origin)))).text).toBe("slowl");
  });

  test("a client that does not send a whole head: 408", async () => {
    await using it = await watched({ timeouts: { head: 50 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write("GET http://a.test/ HTTP/1.1\r\nHo");
    const response = await readResponse(client);

    expect(response.status).toBe(408);
    expect(response.header("connection")).toBe("close");
    expect(it.errors).toEqual(["CLIENT_TIMEOUT"]);
    expect(latin1(await client.readAll())).toBe("");
  });

  test("a client that trickles a head without end: 408, however busy it looks", async () => {
    await using it = await watched({ timeouts: { head: 300 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write("GET http://a.test/ HTTP/1.1\r\n");
    const answered = readResponse(client);
    let waiting = true;
    void answered.finally(() => waiting = false);
    for (let i = 0; waiting; i++) {
      await client.write(`X-${i}: slow\r\n`).catch(() => {});
      await pause(20);
    }

    expect((await answered).status).toBe(408);
    expect(it.errors).toEqual(["CLIENT_TIMEOUT"]);
  });

  test("a client that does not send the whole of a head behind another: 408", async () => {
    await using origin = await scripted((connection) => connection.write(OK));
    await using it = await watched({ timeouts: { head: 1000 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin)) + "GET http://a.test/ HTTP/1.1\r\nHo");

    expect((await readResponse(client)).text).toBe("ok");
    expect((await readResponse(client)).status).toBe(408);
  });

  test("a client that says nothing between two requests is left in peace", async () => {
    await using origin = await answering(OK);
    await using it = await watched({ timeouts: { head: 700, idle: 700 } });
    await using client = await connectRaw(it.proxy.port);

    for (let i = 0; i < 2; i++) {
      await pause(900);
      await client.write(requestTo(urlOf(origin)));
      expect((await readResponse(client)).text).toBe("ok");
    }
  });

  for (const [when, sent] of [["sends none of", ""], ["stops in the middle of", "half"]] as const) {
    for (const hook of ["passing on", "holding for a hook"]) {
      test(`a client that ${when} its body, ${hook}: 408`, async () => {
        await using origin = await silent();
        await using it = await watched({
          timeouts: { idle: 50 },
          addons: hook === "passing on" ? [] : [{ request: () => {} }],
        });
        await using client = await connectRaw(it.proxy.port);

        await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 8"] }) + sent);
        const response = await readResponse(client);

        expect(response.status).toBe(408);
        expect(it.errors).toEqual(["CLIENT_TIMEOUT"]);
        expect(latin1(await client.readAll())).toBe("");
        await expect.poll(() => it.gone.length, PATIENTLY).toBe(it.servers.length);
      });
    }
  }

  test("a client that does not send the rest of a request that was answered is closed", async () => {
    await using origin = await scripted((connection) => connection.write(OK));
    await using it = await watched({ timeouts: { idle: 700 } });
    await using client = await connectRaw(it.proxy.port);

    await client.write(requestTo(urlOf(origin), { method: "POST", fields: ["Content-Length: 8"] }) + "half");

    expect((await readResponse(client)).text).toBe("ok");
    expect(latin1(await client.readAll())).toBe("");
    expect(it.errors).toEqual([]);
    expect(it.proxy.flows.length).toBe(1);
  });
});

describe("close() with flows in flight", () => {
  const stages: Record<string, (proxy: Proxy, client: RawConnection, port: number) => Promise<unknown>> = {
    "in the middle of a head": async (_proxy, client, port) => {
      await client.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\n`);
      await pause(20);
    },
    "in the middle of a request body": async (proxy, client, port) => {
      await client.write(
        requestTo(`http://127.0.0.1:${port}/`, { method: "POST", fields: ["Content-Length: 8"] }) + "half",
      );
      await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
      await pause(20);
    },
    "while a hook waits": async (proxy, client, port) => {
      await client.write(requestTo(`http://127.0.0.1:${port}/hook`));
      await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
    },
    "while the server is connected to": async (proxy, client, port) => {
      await client.write(requestTo(`http://127.0.0.1:${port}/connect`));
      await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
    },
    "while the server is silent": async (_proxy, client, port) => {
      await client.write(requestTo(`http://127.0.0.1:${port}/silent`));
      await pause(50);
    },
    "in the middle of the answer": async (_proxy, client, port) => {
      await client.write(requestTo(`http://127.0.0.1:${port}/half`));
      await client.readUntil("half");
    },
    "in the middle of an addon's stream": async (_proxy, client, port) => {
      await client.write(requestTo(`http://127.0.0.1:${port}/stream`));
      await client.readUntil("half");
    },
  };

  for (const [stage, reach] of Object.entries(stages)) {
    test(`B95 ${stage}: PROXY_CLOSED, and it resolves`, async () => {
      await using origin = await startRawServer(async (connection) => {
        if ((await connection.readHead()).startsWith("GET /half")) {
          await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        }
        await connection.closed;
      });
      const never = new Promise<void>(() => {});
      let waits = "";
      let cancelled = 0;
      await using it = await watched({
        addons: [{
          requestHeaders(flow) {
            waits = flow.request.path;
            if (flow.request.path === "/hook") return never;
            if (flow.request.path !== "/stream") return;
            const body = new ReadableStream<Uint8Array>({
              start: (it) => it.enqueue(new TextEncoder().encode("half")),
              cancel: () => void cancelled++,
            });
            flow.response = FlowResponse.create({ body });
          },
          serverConnect: () => waits === "/connect" ? never : undefined,
        }],
      });
      await using client = await connectRaw(it.proxy.port);
      await reach(it.proxy, client, origin.port);

      await it.proxy.close();
      await client.closed;

      const codes = Array.from(it.proxy.flows, (flow) => flow.error?.code);
      expect(codes).toEqual(stage === "in the middle of a head" ? [] : ["PROXY_CLOSED"]);
      expect(it.errors).toEqual(codes);
      expect(cancelled).toBe(stage === "in the middle of an addon's stream" ? 1 : 0);
    });
  }

  test("B95 with 50 flows in flight", async () => {
    await using origin = await silent();
    await using it = await watched();
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(it.proxy.port)));
    await Promise.all(clients.map((client) => client.write(requestTo(urlOf(origin)))));
    await expect.poll(() => origin.connections, PATIENTLY).toBe(50);

    await it.proxy.close();
    await Promise.all(clients.map((client) => client.closed));

    expect(it.errors).toEqual(Array(50).fill("PROXY_CLOSED"));
    await expect.poll(() => it.gone.length, PATIENTLY).toBe(50);
  });
});

function pause(ms = 10): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test.each([
  ["the password of a URL", "GET http://me:hunter2@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"],
  ["a cookie", "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nCookie : sid=hunter2\r\n\r\n"],
  ["a token of a target", "GET path?token=hunter2 HTTP/1.1\r\nHost: a.test\r\n\r\n"],
])("a malformed request is explained without %s", async (_, request) => {
  const log: string[] = [];
  await using proxy = await startProxy({ addons: [{ log: ({ message }) => void log.push(message) }] });

  const response = await exchange(proxy.port, request);

  expect(response.status).toBe(400);
  expect(response.text).toContain("[redacted]");
  expect(JSON.stringify([response.text, proxy.flows.first()!.error, log])).not.toContain("hunter2");
});
