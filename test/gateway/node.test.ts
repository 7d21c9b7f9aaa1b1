// node(): Express, Fastify, Koa and listeners of node:http behind the proxy.
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import express from "express";
import Fastify from "fastify";
import Koa from "koa";
import { describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { mount, node } from "../../src/gateway/mod.ts";
import { type HttpFlow, type Proxy, type ProxyOptions, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { runtime } from "../support/runtime.ts";
import { readResponse, requestTo } from "../wire/http1_client.ts";
import { ended, openPeer } from "../wire/websocket/peers.ts";
import { ask, tell } from "./client.ts";

const URL_ = "http://example.com/path";
const flowOf = (proxy: Proxy) => proxy.flows.last() as HttpFlow;
const start = (listener: unknown, options: ProxyOptions = {}) => startProxy({ app: mount(node(listener)), ...options });

describe("frameworks", () => {
  const expressApp = () => {
    const app = express();
    app.use(express.json());
    app.post("/orders/:id", (request, response) => {
      const { originalUrl: url, protocol, ip, hostname, body, params } = request;
      response.cookie("a", "1").cookie("b", "2").status(201).json({
        url,
        protocol,
        ip,
        hostname,
        body,
        id: params["id"],
      });
    });
    app.get("/fails", () => {
      throw new Error("as asked");
    });
    // Without it Express prints the error.
    app.use(
      ((error, _request, response, _next) =>
        void response.status(500).send(error.message)) as express.ErrorRequestHandler,
    );
    return app;
  };

  const fastifyApp = () => {
    const app = Fastify();
    app.post("/orders/:id", (request, reply) => {
      const { url, protocol, ip, hostname, body, params } = request;
      reply.header("set-cookie", "a=1").header("set-cookie", "b=2").status(201);
      return { url, protocol, ip, hostname, body, id: (params as { id: string }).id };
    });
    app.get("/fails", () => Promise.reject(new Error("as asked")));
    return app;
  };

  const koaApp = () => {
    const app = new Koa();
    app.silent = true;
    app.use(async (context) => {
      if (context.path === "/fails") context.throw(500, "as asked", { expose: true });
      let body = "";
      for await (const piece of context.req) body += piece;
      const { url, protocol, ip, hostname } = context;
      for (const [name, value] of [["a", "1"], ["b", "2"]] as const) context.cookies.set(name, value);
      context.status = 201;
      context.body = { url, protocol, ip, hostname, body: JSON.parse(body), id: context.path.split("/").at(-1) };
    });
    return app;
  };

  const apps: [string, () => unknown][] = [
    ["Express", expressApp],
    ["Fastify", fastifyApp],
    ["Koa", koaApp],
    ["Koa's callback()", () => koaApp().callback()],
    ["an http.Server of Express", () => createServer(expressApp())],
  ];

  test.each(apps)("%s", async (_, make) => {
    await using proxy = await start(make());
    for (const scheme of ["http", "https"]) {
      const body = JSON.stringify({ qty: scheme.length });
      const fields = ["Content-Type: application/json"];
      const { status, text, headers } = await ask(proxy, `${scheme}://shop.test/orders/7?a=b`, {
        method: "POST",
        body,
        fields,
      });
      expect(status).toBe(201);
      expect(JSON.parse(text)).toEqual({
        url: "/orders/7?a=b",
        protocol: scheme,
        ip: "127.0.0.1",
        hostname: "shop.test",
        body: { qty: scheme.length },
        id: "7",
      });
      const cookies = headers.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) =>
        value.slice(0, 3)
      );
      expect(cookies).toEqual(["a=1", "b=2"]);
    }
    const { status, text } = await ask(proxy, "http://shop.test/fails");
    expect(status).toBe(500);
    expect(text).toContain("as asked");
    expect([...proxy.flows].every(({ source }) => source === "app")).toBe(true);
  });

  test("with a prefix, Express routes by it", async () => {
    const app = express();
    app.use("/live", (request, response) => void response.send(request.url));
    await using proxy = await startProxy({ app: mount(node(app), { prefix: "/live/" }) });
    expect((await ask(proxy, "https://shop.test/a?b")).text).toBe("/https://shop.test/a?b");
  });

  test("many at once", async () => {
    await using proxy = await start(expressApp());
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const response = await proxy.fetch(`https://shop.test/orders/${i}`, {
        method: "POST",
        body: "{}",
        headers: { "content-type": "application/json" },
      });
      return (await response.json() as { id: string }).id;
    }));
    expect(answers).toEqual(answers.map((_, i) => String(i)));
  });
});

describe("requests and responses", () => {
  const withListener = (listener: RequestListener, options?: ProxyOptions) => start(listener, options);

  test("a body of unknown length comes in pieces, and so does the answer", async () => {
    await using proxy = await withListener(async (request, response) => {
      response.write(`${request.headers["transfer-encoding"]} `);
      for await (const piece of request) response.write(`<${piece}>`);
      response.end();
    });
    await using client = await connectRaw(proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: ["Transfer-Encoding: chunked"] }));
    await client.write("3\r\none\r\n");
    expect(await client.readUntil("<one>")).toContain("chunked ");
    await client.write("3\r\ntwo\r\n0\r\n\r\n");
    expect(await client.readUntil("0\r\n\r\n")).toContain("<two>");
  });

  test("large bodies, both ways", async () => {
    await using proxy = await withListener((request, response) => void request.pipe(response), {
      capture: { maxBody: 1000 },
    });
    const size = 5_000_000;
    const response = await proxy.fetch("https://shop.test/", { method: "POST", body: new Uint8Array(size).fill(7) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(bytes.length).toBe(size);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  test("Expect: 100-continue is the listener's to answer", async () => {
    const server = createServer();
    server.on("checkContinue", (request, response) => {
      if (request.headers["x-want"] === undefined) return response.writeHead(417, { connection: "close" }).end();
      response.writeContinue();
      request.pipe(response);
    });
    await using proxy = await start(server);
    const fields = ["Content-Length: 4", "Expect: 100-continue"];
    await using client = await connectRaw(proxy.port);
    await client.write(requestTo(URL_, { method: "POST", fields: [...fields, "X-Want: yes"] }));
    expect((await readResponse(client)).status).toBe(100);
    await client.write("body");
    expect((await readResponse(client)).text).toBe("body");
    await using other = await connectRaw(proxy.port);
    await other.write(requestTo(URL_, { method: "POST", fields }));
    expect((await readResponse(other)).status).toBe(417);
  });

  test.each([["HEAD", 200], ["GET", 204], ["GET", 304]])("%s, %s: no body", async (method, status) => {
    await using proxy = await withListener((_, response) => void response.writeHead(status, { etag: '"7"' }).end());
    const response = await ask(proxy, URL_, { method });
    expect([response.status, response.header("etag"), response.text]).toEqual([status, '"7"', ""]);
  });

  // Bun's node:http writes them as UTF-8.
  test.skipIf(runtime === "bun")("fields keep their values, latin1 too", async () => {
    await using proxy = await withListener((request, response) => {
      response.setHeader("x-own", request.headers["x-own"]!);
      response.end();
    });
    const { header } = await ask(proxy, URL_, { fields: ["X-Own: caf\xe9"] });
    expect(header("x-own")).toBe("caf\xe9");
  });
});

describe("what goes wrong", () => {
  test("a listener that cuts its connection: 500 that says so", async () => {
    await using proxy = await start(((request) => request.socket.destroy()) as RequestListener);
    const { status, text } = await ask(proxy, URL_);
    expect(status).toBe(500);
    expect(text).toContain("the listener closed the connection before it had answered");
  });

  test("one that cuts it in the middle of the body: the client sees it", async () => {
    await using proxy = await start(
      ((_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("some", () => response.destroy());
      }) as RequestListener,
    );
    await using client = await connectRaw(proxy.port);
    await client.write(requestTo(URL_));
    await client.readAll();
    await expect.poll(() => flowOf(proxy).error?.code, { timeout: 10_000 }).toBe("APP_FAILED");
  });

  test("one that writes no HTTP: 500 that says what is wrong", async () => {
    await using proxy = await start(((request) => request.socket.end("this is no HTTP\r\n\r\n")) as RequestListener);
    const { status, text } = await ask(proxy, URL_);
    expect(status).toBe(500);
    expect(text).toMatch(/APP_FAILED/);
  });

  test("one that never answers: 504, and its request is aborted", async () => {
    const closed = Promise.withResolvers<void>();
    await using proxy = await start(
      ((request) => void request.socket.on("close", () => closed.resolve())) as RequestListener,
      {
        timeouts: { head: 100 },
      },
    );
    expect((await ask(proxy, URL_)).status).toBe(504);
    await closed.promise;
  });

  test("a client that goes: the response closes", async () => {
    const closed = Promise.withResolvers<void>();
    await using proxy = await start(
      ((_, response) => {
        response.on("close", () => closed.resolve());
        response.write("some");
      }) as RequestListener,
    );
    const client = await connectRaw(proxy.port);
    await client.write(requestTo(URL_));
    await client.readUntil("some");
    await client[Symbol.asyncDispose]();
    await closed.promise;
  });

  test.each([[undefined], [null], ["text"], [{}], [{ listeners() {}, emit() {} }]])("node(%j) is refused", (value) => {
    expect(() => node(value)).toThrow(
      "node() takes an Express, Fastify or Koa application, a node:http server or its listener",
    );
  });
});

describe("WebSockets", () => {
  const echo = (): Server => {
    const server = createServer((_, response) => void response.end("no WebSocket"));
    const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 }, handleProtocols: () => "chat" });
    sockets.on("connection", (socket, request) => {
      socket.on("message", (data) => socket.send(`${request.url} ${data}`));
    });
    return server;
  };

  test("a server with ws takes them", async () => {
    await using proxy = await start(echo());
    await using peer = await openPeer(proxy, "ws://example.com/chat?a", ["Sec-WebSocket-Protocol: chat"]);
    expect(peer.head).toContain("Sec-WebSocket-Protocol: chat\r\n");
    expect(await tell(peer, "hello")).toBe("/chat?a hello");
    await peer.send({ opcode: "close" });
    await peer.rest();
    const flow = await ended(proxy);
    expect([flow.source, flow.error, flow.websocket!.messages.map(({ text }) => text)]).toEqual([
      "app",
      undefined,
      ["hello", "/chat?a hello"],
    ]);
  });

  test("compressed, where client and server agree on it: the flow has plain text", async () => {
    await using proxy = await start(echo());
    await using peer = await openPeer(proxy, "ws://example.com/", [
      "Sec-WebSocket-Protocol: chat",
      "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover",
    ]);
    expect(peer.head).toContain("permessage-deflate");
    await peer.send({ opcode: "text", payload: "hello" });
    expect((await peer.frame()).rsv).toBe(4);
    expect(flowOf(proxy).websocket!.messages.map(({ text }) => text)).toEqual(["hello", "/ hello"]);
  });

  test("a server refuses one", async () => {
    const server = createServer();
    server.on("upgrade", (_, socket) => void socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwho?"));
    await using proxy = await start(server);
    await expect(openPeer(proxy, "ws://example.com/")).rejects.toThrow("HTTP/1.1 401 Unauthorized");
    await using client = await connectRaw(proxy.port);
    expect(client.received.length).toBe(0);
  });

  test("a server without a listener for upgrades answers as to any request", async () => {
    await using proxy = await start(((_, response) => void response.end("plain")) as RequestListener);
    await expect(openPeer(proxy, "ws://example.com/")).rejects.toThrow("HTTP/1.1 200 OK");
  });

  test("a client that is gone: the server's socket closes", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    const connected = once(sockets, "connection") as Promise<[{ once(name: string, listener: () => void): void }]>;
    await using proxy = await start(server);
    const peer = await openPeer(proxy, "ws://example.com/");
    const [socket] = await connected;
    const closed = Promise.withResolvers<void>();
    socket.once("close", () => closed.resolve());
    await peer[Symbol.asyncDispose]();
    await closed.promise;
  });

  test("the proxy closes: the server's socket does too", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    const closed = Promise.withResolvers<void>();
    sockets.on("connection", (socket) => void socket.once("close", () => closed.resolve()));
    const proxy = await start(server);
    await using _peer = await openPeer(proxy, "ws://example.com/");
    await proxy.close();
    await closed.promise;
  });
});

test("a server that listens too serves both", async () => {
  const server = createServer((request, response) => void response.end(request.url));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await using proxy = await start(server);
    expect((await ask(proxy, "https://shop.test/a")).text).toBe("/a");
    const { port } = server.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/b`, { headers: { connection: "close" } });
    expect(await response.text()).toBe("/b");
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
