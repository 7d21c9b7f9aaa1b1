/**
 * Connections of a running proxy: pipelining, keep-alive, reuse on the server's side, retries, limits, many at once.
 */
import { describe, expect, test } from "vitest";
import { FlowResponse, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, exchange, latin1, PATIENTLY, readResponse, requestTo } from "./http1_client.ts";

const later = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));

describe("pipelining", () => {
  test("B9 pipelined requests are answered in order, slow ones first", async () => {
    await using origin = await startOrigin(async ({ target }) => {
      if (target.startsWith("/slow")) await later(20);
      return { body: target };
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    const paths = ["/slow1", "/fast2", "/slow3", "/fast4", "/fast5"];

    await client.write(paths.map((path) => requestTo(origin.url + path)).join(""));
    const bodies = [];
    for (const _ of paths) bodies.push((await readResponse(client)).text);

    expect(bodies).toEqual(paths);
  });

  test("B9 pipelined requests with bodies, chunked and not, stay apart", async () => {
    await using origin = await startOrigin((request) => ({ body: `${request.method} ${request.text()}` }));
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(
      requestTo(origin.url, { method: "POST", body: "GET / HTTP/1.1\r\n\r\n" }) +
        requestTo(origin.url, { method: "PUT", fields: ["Transfer-Encoding: chunked"] }) +
        "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" +
        requestTo(origin.url, { method: "DELETE" }),
    );
    const bodies = [];
    for (let i = 0; i < 3; i++) bodies.push((await readResponse(client)).text);

    expect(bodies).toEqual(["POST GET / HTTP/1.1\r\n\r\n", "PUT abc", "DELETE "]);
  });

  test("B9 an error in the middle is answered in its place, and those behind it are too", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target }));
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`${origin.url}/1`) + requestTo("http://a.invalid/2") + requestTo(`${origin.url}/3`));
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await readResponse(client)).status);

    expect(statuses).toEqual([200, 502, 200]);
  });

  test("B9 what follows a request with Connection: close is not looked at (RFC 9112 section 9.6)", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(
      requestTo(`${origin.url}/1`, { fields: ["Connection: close"] }) + requestTo(`${origin.url}/2`) + "garbage",
    );
    const all = latin1(await client.readAll());

    expect(all.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(origin.requests.map((it) => it.target)).toEqual(["/1"]);
    expect(proxy.flows.length).toBe(1);
  });

  test("B9 what follows is read and let go, so that no reset overtakes the answer (RFC 9112 section 9.6)", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(origin.url, { fields: ["Connection: close"] }) + "x".repeat(16 * 1024 * 1024));
    await client.readAll();

    expect(client.error).toBe(undefined);
    expect(proxy.flows.length).toBe(1);
  });

  test("B9 what follows an answer that ends with the connection is not looked at, for it could not be answered", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);
    const url = `http://127.0.0.1:${origin.port}`;

    await client.write(requestTo(`${url}/1`) + requestTo(`${url}/2`, { method: "POST", body: "x" }) + "garbage");
    const all = latin1(await client.readAll());

    expect(all).toMatch(/until the end$/);
    await later(20);
    expect(origin.connections).toBe(1);
    expect(proxy.flows.length).toBe(1);
  });

  test("1,000 requests in one write are answered one by one", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target }));
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    let all = "";
    for (let i = 0; i < 1000; i++) all += requestTo(`${origin.url}/${i}`);
    await client.write(all);
    for (let i = 0; i < 1000; i++) expect((await readResponse(client)).text).toBe(`/${i}`);

    expect(origin.connections).toBe(1);
    expect(proxy.flows.length).toBe(1000);
  });
});

describe("servers", () => {
  test("a server's connection serves one request after the other, of any client", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();

    for (let i = 0; i < 5; i++) await exchange(proxy.port, requestTo(origin.url));

    expect(origin.connections).toBe(1);
    expect(origin.requests.length).toBe(5);
  });

  test("requests at the same time use connections of their own", async () => {
    let arrived = 0;
    let all = () => {};
    const gate = new Promise<void>((resolve) => all = resolve);
    await using origin = await startOrigin(async () => {
      if (++arrived === 3) all();
      await gate;
      return {};
    });
    await using proxy = await startProxy();

    await Promise.all([1, 2, 3].map(() => exchange(proxy.port, requestTo(origin.url))));

    expect(origin.connections).toBe(3);
  });

  test("B19 a connection that the server said it would close is not reused", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      await connection.closed;
    });
    let gone = 0;
    await using proxy = await startProxy({ addons: [{ serverDisconnect: () => void gone++ }] });

    for (let i = 0; i < 2; i++) await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`));

    expect(origin.connections).toBe(2);
    await expect.poll(() => gone, PATIENTLY).toBe(2);
  });

  test("B19 a connection that the server has closed is not reused, also not for a POST", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let gone = 0;
    await using proxy = await startProxy({ addons: [{ serverDisconnect: () => void gone++ }] });
    const post = requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Content-Length: 0"] });

    await exchange(proxy.port, post);
    await expect.poll(() => gone, PATIENTLY).toBe(1);
    expect((await exchange(proxy.port, post)).status).toBe(200);

    expect(origin.connections).toBe(2);
  });

  test("bytes that nobody asked for are no answer to the next request", async () => {
    await using origin = await answering(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    );
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 3; i++) {
      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
      expect((await readResponse(client)).text).toBe("ok");
    }
    expect(origin.connections).toBe(3);
  });

  /** Answers the first request of its first connection; hangs up when a second one comes. Other connections answer all. */
  function hangingUp(how: "end" | "reset") {
    let connections = 0;
    return startRawServer(async (connection) => {
      const first = connections++ === 0;
      for (let i = 0;; i++) {
        const head = await connection.readHead().catch(() => undefined);
        if (head === undefined || first && i > 0) {
          if (how === "reset") connection.reset();
          return;
        }
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        await connection.readBytes(length);
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
  }

  for (const how of ["end", "reset"] as const) {
    for (const method of ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"]) {
      test(`B19 a ${method} that met a connection just being closed (${how}) is sent again`, async () => {
        await using origin = await hangingUp(how);
        await using proxy = await startProxy();
        const url = `http://127.0.0.1:${origin.port}/`;
        const request = requestTo(url, { method, ...(method === "PUT" ? { body: "body" } : {}) });

        await exchange(proxy.port, requestTo(url));
        expect((await exchange(proxy.port, request)).status).toBe(200);

        expect(origin.connections).toBe(2);
        expect(proxy.flows.last()).toMatchObject({ error: undefined, done: true });
        if (method === "PUT") expect(latin1(origin.received)).toMatch(/\r\n\r\nbody$/);
      });
    }

    test(`B19 a POST that met a connection just being closed (${how}) is not sent twice: 502`, async () => {
      await using origin = await hangingUp(how);
      await using proxy = await startProxy();
      const url = `http://127.0.0.1:${origin.port}/`;

      await exchange(proxy.port, requestTo(url));
      const response = await exchange(proxy.port, requestTo(url, { method: "POST", body: "body" }));

      expect(response.status).toBe(502);
      expect(response.header("x-flowtape-error")).toBe("UPSTREAM_CLOSED");
      expect(latin1(origin.received).match(/POST/g)).toHaveLength(1);
      expect(origin.connections).toBe(1);
    });
  }

  test("a request on a new connection is not sent again", async () => {
    await using origin = await startRawServer(async (connection) => void await connection.readHead());
    await using proxy = await startProxy();

    const response = await exchange(proxy.port, requestTo(`http://127.0.0.1:${origin.port}/`));

    expect(response.status).toBe(502);
    expect(origin.connections).toBe(1);
  });

  test("a request that is not answered in time on a reused connection is not sent again: 504", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      await connection.closed;
    });
    await using proxy = await startProxy({ timeouts: { head: 300 } });
    const request = requestTo(`http://127.0.0.1:${origin.port}/`);

    expect((await exchange(proxy.port, request)).status).toBe(200);
    expect((await exchange(proxy.port, request)).status).toBe(504);

    expect(latin1(origin.received).match(/GET/g)).toHaveLength(2);
    expect(origin.connections).toBe(1);
  });
});

describe("clients", () => {
  test("a client's connection serves one request after the other", async () => {
    await using origin = await startOrigin();
    let clients = 0;
    await using proxy = await startProxy({ addons: [{ clientConnect: () => void clients++ }] });
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 5; i++) {
      await client.write(requestTo(origin.url));
      expect((await readResponse(client)).text).toBe("ok");
    }
    expect(clients).toBe(1);
  });

  test("a 502 or an addon's answer does not close the client's connection, with a request body or without", async () => {
    await using proxy = await startProxy({
      addons: [{
        requestHeaders(flow) {
          if (flow.request.path === "/mine") flow.response = FlowResponse.create({ body: "mine" });
        },
      }],
    });
    await using client = await connectRaw(proxy.port);

    for (const path of ["/", "/mine"]) {
      for (const body of [undefined, "body", "x".repeat(200_000)]) {
        await client.write(
          requestTo(`http://a.invalid${path}`, { method: "POST", ...(body === undefined ? {} : { body }) }),
        );
        expect((await readResponse(client)).status).toBe(path === "/" ? 502 : 200);
      }
    }
  });

  test("limits.connections refuses the client that is too much, until another has gone", async () => {
    await using origin = await startOrigin();
    let gone = 0;
    await using proxy = await startProxy({
      limits: { connections: 2 },
      addons: [{ clientDisconnect: () => void gone++ }],
    });
    const one = await connectRaw(proxy.port);
    await using two = await connectRaw(proxy.port);
    for (const client of [one, two]) {
      await client.write(requestTo(origin.url));
      expect((await readResponse(client)).status).toBe(200);
    }

    await using three = await connectRaw(proxy.port);
    await three.closed;
    expect(three.received.length).toBe(0);

    await one[Symbol.asyncDispose]();
    await expect.poll(() => gone, PATIENTLY).toBe(1);
    expect((await exchange(proxy.port, requestTo(origin.url))).status).toBe(200);
  });

  test("1,000 requests at once over 100 connections are answered, each with its own answer", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target }));
    await using proxy = await startProxy();

    const client = async (number: number) => {
      await using connection = await connectRaw(proxy.port);
      for (let i = 0; i < 10; i++) {
        await connection.write(requestTo(`${origin.url}/${number}/${i}`));
        const { text } = await readResponse(connection);
        if (text !== `/${number}/${i}`) throw new Error(`${text} answers /${number}/${i}`);
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => client(i)));

    expect(origin.requests.length).toBe(1000);
    expect(proxy.flows.filter({ status: 200 }).length).toBe(1000);
    expect(origin.connections).toBeLessThan(101);
  });

  test("a client that ends its side between two requests is closed", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(origin.url));
    await readResponse(client);
    client.end();
    await client.closed;

    expect(proxy.flows.length).toBe(1);
    expect(proxy.flows.first()!.error).toBe(undefined);
  });
});
