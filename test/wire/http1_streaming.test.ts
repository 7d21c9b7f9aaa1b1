/**
 * Bodies on their way through a running proxy: large ones, slow ones, and those that hooks look at.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { FlowResponse, type HttpFlow, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, exchange, latin1, PATIENTLY, readResponse, requestTo } from "./http1_client.ts";

const MiB = 1024 * 1024;
/** What the kernel's buffers of both connections may hold besides what the proxy does. */
const SLACK = 24 * MiB;

/** A server of bare sockets: what passes is counted, not kept. */
async function startServer(serve: (socket: Socket) => void): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function connectTo(port: number): Promise<Socket & AsyncDisposable> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket as Socket & AsyncDisposable;
}

/** Bytes that tell their own place: the one at `i` is `i % 256`. */
const PATTERN = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => i & 0xff));

/** Sends so many bytes of the pattern, no faster than they are taken. Resolves when the socket has taken all. */
function sendPattern(
  socket: Socket,
  total: number,
  { frame = (data: Buffer) => data, count = (_sent: number) => {} } = {},
): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const more = () => {
      while (sent < total) {
        const piece = PATTERN.subarray(0, Math.min(PATTERN.length, total - sent));
        sent += piece.length;
        count(sent);
        if (!socket.write(frame(piece)) && sent < total) return void socket.once("drain", more);
      }
      resolve();
    };
    more();
  });
}

function chunk(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
}

/** Reads a head, then counts the bytes behind it, which must be those of the pattern. */
class Counter {
  head = "";
  count = 0;
  wrong = 0;
  readonly done: Promise<void>;

  constructor(socket: Socket, total: number) {
    this.done = new Promise((resolve) => {
      socket.on("data", (data: Buffer) => {
        let body = data;
        if (!this.head.endsWith("\r\n\r\n")) {
          const text = this.head + data.toString("latin1");
          const end = text.indexOf("\r\n\r\n") + 4;
          if (end < 4) return void (this.head = text);
          body = data.subarray(end - this.head.length);
          this.head = text.slice(0, end);
        }
        if (body.length > 0) {
          if (body[0] !== (this.count & 0xff) || body.at(-1) !== ((this.count + body.length - 1) & 0xff)) this.wrong++;
          this.count += body.length;
        }
        if (this.count >= total) resolve();
      });
      socket.on("close", () => resolve());
    });
  }
}

/** Resolves when a number has not changed for a while, and is more than nothing. */
async function settled(read: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 6;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = read();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
  }
  return last;
}

describe("large bodies", () => {
  const TOTAL = 100 * MiB;
  const capture = { maxBody: MiB };

  test("B24 a download of 100 MiB passes, and no more of it is kept than capture.maxBody", async () => {
    await using origin = await startServer((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`);
        void sendPattern(socket, TOTAL);
      });
    });
    await using proxy = await startProxy({ capture });
    await using client = await connectTo(proxy.port);
    const counter = new Counter(client, TOTAL);

    client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    await counter.done;

    expect(counter).toMatchObject({ count: TOTAL, wrong: 0 });
    const flow = (await proxy.waitFor({ method: "GET" })).first() as HttpFlow;
    expect(flow.error).toBe(undefined);
    expect(flow.response!.bodyTruncated).toBe(true);
    expect(flow.response!.content.size).toBe(TOTAL);
    expect(flow.response!.body.length).toBe(MiB);
  });

  test("B24 an upload of 100 MiB passes, and no more of it is kept than capture.maxBody", async () => {
    let counter: Counter | undefined;
    await using origin = await startServer((socket) => {
      counter = new Counter(socket, TOTAL);
      void counter.done.then(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    });
    await using proxy = await startProxy({ capture });
    await using client = await connectTo(proxy.port);

    client.write(
      requestTo(`http://127.0.0.1:${origin.port}/`, { method: "PUT", fields: [`Content-Length: ${TOTAL}`] }),
    );
    await sendPattern(client, TOTAL);
    const flow = (await proxy.waitFor({ method: "PUT" }, { timeout: 14_000 })).first() as HttpFlow;

    expect(counter).toMatchObject({ count: TOTAL, wrong: 0 });
    expect(flow.error).toBe(undefined);
    expect(flow.request.bodyTruncated).toBe(true);
    expect(flow.request.content.size).toBe(TOTAL);
    expect(flow.request.body.length).toBe(MiB);
  });
});

describe("B24 back-pressure bounds the memory", () => {
  const TOTAL = 64 * MiB;

  for (const framing of ["length", "chunked", "close"] as const) {
    for (const hook of ["without hooks", "with a hook that sees the beginning"]) {
      test(`a client that does not read holds the server back (${framing}): ${hook}`, async () => {
        let sent = 0;
        const count = (so: number) => void (sent = so);
        const head = { length: `Content-Length: ${TOTAL}\r\n`, chunked: "Transfer-Encoding: chunked\r\n", close: "" };
        await using origin = await startServer((socket) => {
          socket.once("data", async () => {
            socket.write(`HTTP/1.1 200 OK\r\n${head[framing]}\r\n`);
            await sendPattern(socket, TOTAL, { frame: framing === "chunked" ? chunk : undefined, count });
            if (framing === "chunked") socket.write("0\r\n\r\n");
            socket.end();
          });
        });
        await using proxy = await startProxy({
          capture: { maxBody: MiB },
          addons: hook === "without hooks" ? [] : [{ response: () => {} }],
        });
        await using client = await connectTo(proxy.port);
        client.pause();

        client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
        expect(await settled(() => sent)).toBeLessThan(SLACK);

        let size = 0;
        client.on("data", (data: Buffer) => size += data.length);
        client.resume();
        const flow = (await proxy.waitFor({ method: "GET" }, { timeout: 14_000 })).first() as HttpFlow;
        await expect.poll(() => size, PATIENTLY).toBeGreaterThan(TOTAL);

        expect(flow.error).toBe(undefined);
        expect(flow.response!.content.size).toBe(TOTAL);
      });
    }
  }

  for (const framing of ["length", "chunked"] as const) {
    for (const hook of ["without hooks", "with a hook that sees the beginning"]) {
      test(`a server that does not read holds the client back (${framing}): ${hook}`, async () => {
        let server: Socket | undefined;
        await using origin = await startServer((socket) => {
          socket.pause();
          server = socket;
        });
        await using proxy = await startProxy({
          capture: { maxBody: MiB },
          addons: hook === "without hooks" ? [] : [{ request: () => {} }],
        });
        await using client = await connectTo(proxy.port);

        const field = framing === "length" ? `Content-Length: ${TOTAL}` : "Transfer-Encoding: chunked";
        client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { method: "PUT", fields: [field] }));
        let sent = 0;
        const count = (so: number) => void (sent = so);
        const all = sendPattern(client, TOTAL, { frame: framing === "chunked" ? chunk : undefined, count })
          .then(() => framing === "chunked" && client.write("0\r\n\r\n"));
        expect(await settled(() => sent)).toBeLessThan(SLACK);

        let size = 0;
        server!.on("data", (data: Buffer) => {
          size += data.length;
          if (framing === "length" ? size >= TOTAL + 50 : data.subarray(-5).toString() === "0\r\n\r\n") {
            server!.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
          }
        });
        server!.resume();
        await all;
        const flow = (await proxy.waitFor({ method: "PUT" }, { timeout: 14_000 })).first() as HttpFlow;

        expect(flow.error).toBe(undefined);
        expect(flow.request.content.size).toBe(TOTAL);
      });
    }
  }

  test("a client that does not read holds an addon's stream back", async () => {
    let made = 0;
    await using proxy = await startProxy({
      addons: [{
        requestHeaders(flow) {
          const body = new ReadableStream<Uint8Array>({
            pull(controller) {
              if (made >= TOTAL) return controller.close();
              made += PATTERN.length;
              controller.enqueue(PATTERN);
            },
          });
          flow.response = FlowResponse.create({ body });
        },
      }],
    });
    await using client = await connectTo(proxy.port);
    client.pause();

    client.write(requestTo("http://a.test/"));
    expect(await settled(() => made)).toBeLessThan(SLACK);
    client.resume();
    const flow = (await proxy.waitFor({ method: "GET" }, { timeout: 14_000 })).first() as HttpFlow;

    expect(flow.response!.content.size).toBe(TOTAL);
    expect(flow.response!.content.kept).toBeLessThan(TOTAL);
  });

  test("a client that never reads on and hangs up frees the server", async () => {
    let gone = 0;
    await using origin = await startServer((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`);
        void sendPattern(socket, TOTAL);
      });
    });
    await using proxy = await startProxy({ addons: [{ serverDisconnect: () => void gone++ }] });
    const client = await connectTo(proxy.port);
    client.pause();

    client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    await settled(() => (proxy.flows.first() as HttpFlow | undefined)?.response?.content.size ?? 0);
    client.resetAndDestroy();

    const flow = (await proxy.waitFor({ method: "GET" })).first() as HttpFlow;
    expect(flow.error!.code).toBe("CLIENT_ABORTED");
    await expect.poll(() => gone, PATIENTLY).toBe(1);
  });
});

describe("streaming", () => {
  for (
    const [name, addon] of [
      ["without hooks", {}],
      ["with hooks that nobody needs for this flow", { request: () => {}, response: () => {}, needs: () => false }],
      ["with stream set", {
        requestHeaders: (flow: HttpFlow) => void (flow.request.stream = true),
        responseHeaders: (flow: HttpFlow) => void (flow.response!.stream = true),
        request: () => {},
        response: () => {},
      }],
    ] as const
  ) {
    test(`each piece passes as it comes, both ways: ${name}`, async () => {
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        await connection.readUntil("one");
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
        await connection.readUntil("two");
        await connection.write("eins");
        await connection.readUntil("three");
        await connection.write("zw");
      });
      await using proxy = await startProxy({ addons: "request" in addon ? [addon] : [] });
      await using client = await connectRaw(proxy.port);

      await client.write(
        requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Content-Length: 11"] }) + "one",
      );
      await client.readHead();
      await client.write("two");
      await client.readUntil("eins");
      await client.write("three");
      await client.readUntil("zw");

      const flow = (await proxy.waitFor({ method: "POST" })).first() as HttpFlow;
      expect(flow.error).toBe(undefined);
      expect([flow.request.text(), flow.response!.text()]).toEqual(["onetwothree", "einszw"]);
    });
  }

  test("server-sent events are never held back, and the response hook fires when they have ended", async () => {
    let end = () => {};
    const gate = new Promise<void>((resolve) => end = resolve);
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\ndata: 1\n\n");
      await gate;
      await connection.write("data: 2\n\n");
    });
    const seen: string[] = [];
    await using proxy = await startProxy({ addons: [{ response: (flow) => void seen.push(flow.response!.text()) }] });
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    await client.readUntil("data: 1\n\n");
    expect(seen).toEqual([]);
    end();
    expect(latin1(await client.readAll())).toBe("data: 2\n\n");
    await proxy.waitFor({ method: "GET" });

    expect(seen).toEqual(["data: 1\n\ndata: 2\n\n"]);
  });

  test("a response hook holds the response back until it has run", async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    let reached = () => {};
    const waiting = new Promise<void>((resolve) => reached = resolve);
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    await using proxy = await startProxy({
      addons: [{
        response() {
          reached();
          return gate;
        },
      }],
    });
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    await waiting;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(client.received.length).toBe(0);
    go();

    expect((await readResponse(client)).text).toBe("ok");
  });
});

describe("capture.maxBody", () => {
  const BODY = "0123456789".repeat(100_000);

  for (
    const [kind, wait] of [["sync", () => undefined], [
      "async",
      () => new Promise((resolve) => setTimeout(resolve, 5)),
    ]] as const
  ) {
    for (const framing of ["length", "chunked"] as const) {
      test(`hooks see the beginning of longer bodies, which pass whole (${kind}, ${framing})`, async () => {
        await using origin = await startRawServer(async (connection) => {
          const head = await connection.readHead();
          if (/chunked/i.test(head)) await connection.readUntil("\r\n0\r\n\r\n");
          else await connection.readBytes(BODY.length);
          const frame = framing === "length"
            ? `Content-Length: ${BODY.length}\r\n\r\n${BODY}`
            : `Transfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
          await connection.write(`HTTP/1.1 200 OK\r\n${frame}`);
        });
        const seen: unknown[] = [];
        await using proxy = await startProxy({
          capture: { maxBody: 1000 },
          addons: [{
            request(flow) {
              seen.push(flow.request.bodyTruncated, flow.request.text());
              return wait();
            },
            response(flow) {
              seen.push(flow.response!.bodyTruncated, flow.response!.text());
              flow.response!.headers.set("x-seen", "1");
              return wait();
            },
          }],
        });

        const url = `http://127.0.0.1:${origin.port}/`;
        const request = framing === "length" ? requestTo(url, { method: "POST", body: BODY }) : requestTo(url, {
          method: "POST",
          fields: ["Transfer-Encoding: chunked"],
        }) + `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
        const response = await exchange(proxy.port, request);

        expect(response.text === BODY).toBe(true);
        expect(response.header("x-seen")).toBe("1");
        expect(response.chunks).toEqual(framing === "length" ? [] : [BODY.length]);
        expect(latin1(origin.received).includes(BODY)).toBe(true);
        expect(seen).toEqual([true, BODY.slice(0, 1000), true, BODY.slice(0, 1000)]);
        expect((proxy.flows.first() as HttpFlow).response!.content.size).toBe(BODY.length);
      });
    }
  }

  test("a hook may replace a body of which it has seen only the beginning", async () => {
    await using origin = await startRawServer(async (connection) => {
      for (let i = 0; i < 2; i++) {
        const head = await connection.readHead();
        await connection.readBytes(Number(/content-length: (\d+)/i.exec(head)![1]));
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`).catch(() => {});
      }
    });
    await using proxy = await startProxy({
      capture: { maxBody: 1000 },
      addons: [{
        request: (flow) => void (flow.request.body = "short"),
        response: (flow) => void (flow.response!.body = "short, too"),
      }],
    });
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", body: BODY }));
      expect((await readResponse(client)).text).toBe("short, too");
    }
    expect(latin1(origin.received)).toMatch(/Content-Length: 5\r\n\r\nshort/);
  });

  test("a body of exactly that length is whole; 0 keeps none", async () => {
    await using origin = await answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour");
    for (const [maxBody, kept, truncated] of [[4, "four", false], [3, "fou", true], [0, "", true]] as const) {
      await using proxy = await startProxy({ capture: { maxBody } });
      const response = await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`));
      const flow = proxy.flows.first() as HttpFlow;
      expect(response.text).toBe("four");
      expect([flow.response!.text(), flow.response!.bodyTruncated]).toEqual([kept, truncated]);
    }
  });
});
