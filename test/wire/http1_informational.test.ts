/**
 * Expect: 100-continue and other informational responses through a running proxy.
 */
import { describe, expect, test } from "vitest";
import { FlowResponse, type HttpFlow, startProxy } from "../../src/mod.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { answering, latin1, readResponse, requestTo } from "./http1_client.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function expecting(port: number, fields: string[] = ["Content-Length: 4"]): string {
  return requestTo(`http://127.0.0.1:${port}/`, { method: "POST", fields: [...fields, "Expect: 100-continue"] });
}

/** Reads the body of 4 bytes behind a head. */
const BODY = 4;

describe("Expect: 100-continue", () => {
  test("B10 the server says continue: the client is told, sends its body, gets its answer", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
      await connection.readBytes(BODY);
      await connection.write(OK);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(origin.port));
    expect((await readResponse(client)).head).toBe("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
    expect(latin1(origin.received)).toMatch(/Expect: 100-continue\r\n\r\n$/);
    await client.write("body");

    const response = await readResponse(client);
    expect(response.text).toBe("ok");
    expect(response.header("connection")).toBe(undefined);
    expect(proxy.flows.length).toBe(1);
  });

  test("B10 the server answers at once: the body is not waited for, and the connection closes (RFC 9110 section 10.1.1)", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno");
      await connection.closed;
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(origin.port));
    const response = await readResponse(client);
    // Whether these are the body or a request, nobody could know.
    await client.write(requestTo(`http://127.0.0.1:${origin.port}/smuggled`));

    expect(response.status).toBe(417);
    expect(response.text).toBe("no");
    expect(response.header("connection")).toBe("close");
    expect(latin1(await client.readAll())).toBe("");
    expect(proxy.flows.length).toBe(1);
    expect(origin.connections).toBe(1);
  });

  test("B10 a client that does not wait for the server sends its body: it passes", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.readBytes(BODY);
      await connection.write(OK);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(origin.port) + "body");
    const response = await readResponse(client);

    expect(response.text).toBe("ok");
    expect(response.header("connection")).toBe(undefined);
  });

  test("B10 a hook waits for the body: the proxy itself says continue, and does not ask the server again", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.readBytes(BODY);
      await connection.write(OK);
    });
    let seen = "";
    await using proxy = await startProxy({ addons: [{ request: (flow) => void (seen = flow.request.text()) }] });
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(origin.port));
    expect((await readResponse(client)).status).toBe(100);
    expect(origin.connections).toBe(0);
    await client.write("body");

    expect((await readResponse(client)).text).toBe("ok");
    expect(seen).toBe("body");
    expect(latin1(origin.received)).not.toMatch(/expect/i);
  });

  test("B10 an addon answers without the body: no 100, and the connection closes", async () => {
    await using proxy = await startProxy({
      addons: [{ requestHeaders: (flow) => void (flow.response = FlowResponse.create({ status: 413 })) }],
    });
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(1));
    const response = await readResponse(client);

    expect(response.status).toBe(413);
    expect(response.header("connection")).toBe("close");
    expect(latin1(await client.readAll())).toBe("");
  });

  test("B10 a server that cannot be reached: 502 without the body, and the connection closes", async () => {
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(
      requestTo("http://a.invalid/", { method: "POST", fields: ["Content-Length: 4", "Expect: 100-continue"] }),
    );
    const response = await readResponse(client);

    expect(response.status).toBe(502);
    expect(response.header("connection")).toBe("close");
    expect(latin1(await client.readAll())).toBe("");
  });

  test("B10 with HTTP/1.0 it is ignored: no 100 comes", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 100 Continue\r\n\r\n");
      await connection.readBytes(BODY);
      await connection.write(OK);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(expecting(origin.port).replace(" HTTP/1.1", " HTTP/1.0") + "body");

    expect((await readResponse(client)).status).toBe(200);
  });

  test("B10 another expectation is the server's business", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.readBytes(BODY);
      await connection.write(OK);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(
      requestTo(`http://127.0.0.1:${origin.port}/`, { method: "POST", fields: ["Expect: the-best"], body: "body" }),
    );

    expect((await readResponse(client)).text).toBe("ok");
    expect(latin1(origin.received)).toContain("\r\nExpect: the-best\r\n");
  });

  test("B10 without a body it makes no difference", async () => {
    await using origin = await answering(OK);
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`, { fields: ["Expect: 100-continue"] }));
      expect((await readResponse(client)).text).toBe("ok");
    }
  });
});

describe("a server that informs without end", () => {
  const LOT = 40 * 1024 * 1024;

  test.each([["with", [{ informational() {} }]], ["without", []]])(
    "is held up by a client that does not read, %s a hook",
    { timeout: 30_000 },
    async (_, addons) => {
      const piece = `HTTP/1.1 103 Early Hints\r\nLink: <${"a".repeat(8000)}>\r\n\r\n`.repeat(8);
      let sent = 0;
      let stuck = () => {};
      const isStuck = new Promise<void>((resolve) => stuck = resolve);
      await using origin = await startRawServer(async (connection) => {
        await connection.readHead();
        while (sent < LOT) {
          const late = setTimeout(stuck, 500);
          await connection.write(piece);
          clearTimeout(late);
          sent += piece.length;
        }
        stuck();
        await connection.write(OK);
      });
      await using proxy = await startProxy({ addons });
      await using client = await connectRaw(proxy.port);
      client.socket.pause();
      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
      await isStuck;

      expect(sent).toBeLessThan(LOT);
      client.socket.resume();
      let last = await readResponse(client);
      while (last.status === 103) last = await readResponse(client);
      expect(last.text).toBe("ok");
      expect(proxy.flows.last()!.error).toBe(undefined);
      expect((proxy.flows.last() as HttpFlow).informational.length).toBeLessThanOrEqual(100);
    },
  );
});

describe("informational responses", () => {
  test("B11 103 passes with its fields, several of them, before the answer and at once", async () => {
    let answer = () => {};
    const gate = new Promise<void>((resolve) => answer = resolve);
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nlink: </b.js>\r\nConnection: x\r\nX: 1\r\n\r\n",
      );
      await connection.write("HTTP/1.1 102 Processing\r\n\r\n");
      await gate;
      await connection.write(OK);
    });
    await using proxy = await startProxy({ addons: [{ response: () => {} }] });
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
    expect((await readResponse(client)).head).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nlink: </b.js>\r\n\r\n",
    );
    expect((await readResponse(client)).head).toBe("HTTP/1.1 102 Processing\r\n\r\n");
    answer();
    expect((await readResponse(client)).text).toBe("ok");
    expect(proxy.flows.first()).toMatchObject({ response: { status: 200 } });
  });

  test("B11 103 and the answer in one packet", async () => {
    await using origin = await answering(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    for (let i = 0; i < 2; i++) {
      await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));
      expect((await readResponse(client)).status).toBe(103);
      expect((await readResponse(client)).text).toBe("ok");
    }
    expect(origin.connections).toBe(1);
  });

  test("B11 HTTP/1.0 clients get none (RFC 9110 section 15.2)", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(`GET http://127.0.0.1:${origin.port}/ HTTP/1.0\r\n\r\n`);

    expect((await readResponse(client)).status).toBe(200);
  });

  test("B11 an informational response has no body, whatever its fields say (RFC 9110 section 8.6)", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write(`HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: x\r\n\r\n${OK}`);
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));

    expect((await readResponse(client)).head).toBe("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    expect((await readResponse(client)).text).toBe("ok");
  });

  test("a server that hangs up after a 103 has not answered: 502", async () => {
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 103 Early Hints\r\n\r\n");
    });
    await using proxy = await startProxy();
    await using client = await connectRaw(proxy.port);

    await client.write(requestTo(`http://127.0.0.1:${origin.port}/`));

    expect((await readResponse(client)).status).toBe(103);
    expect((await readResponse(client)).status).toBe(502);
  });
});
