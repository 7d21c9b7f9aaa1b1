/**
 * Faults of HTTP/1.1 as a client sees them byte by byte: answered by a rule, by the tape and by the server.
 */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  fault,
  type HttpFlow,
  type Proxy,
  type ProxyOptions,
  respond,
  startProxy,
  throttle,
} from "../../../src/mod.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { latin1, requestTo } from "../../wire/http1_client.ts";

const BODY = "0123456789".repeat(10);

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin(() => ({ body: BODY }));
});
afterAll(() => origin[Symbol.asyncDispose]());

/** Everything that comes back, and how it ends. */
async function converse(proxy: Proxy, request: string): Promise<{ text: string; end: "end" | "reset" }> {
  await using connection = await connectRaw(proxy.port);
  await connection.write(request);
  return await rest(connection);
}

async function rest(connection: RawConnection): Promise<{ text: string; end: "end" | "reset" }> {
  const end = await connection.readAll().then(() => "end" as const, () => "reset" as const);
  return { text: latin1(connection.received), end };
}

async function flowOf(proxy: Proxy): Promise<HttpFlow> {
  const [flow] = await proxy.waitFor(() => true);
  return flow as HttpFlow;
}

const bodyOf = (text: string) => text.slice(text.indexOf("\r\n\r\n") + 4);

describe("faults that break, without anybody being asked", () => {
  test.each(
    [
      ["reset", "reset", "FAULT_RESET"],
      ["empty", "end", "FAULT_EMPTY"],
    ] as const,
  )("%s: not a byte", async (kind, end, code) => {
    await using proxy = await startProxy({ rules: [["http://a.test/", fault(kind)]] });
    expect(await converse(proxy, requestTo("http://a.test/"))).toEqual({ text: "", end });
    const flow = await flowOf(proxy);
    expect([flow.error?.code, flow.faults, flow.response]).toEqual([code, [`fault ${kind}`], undefined]);
    expect(flow.error?.message).toContain("GET http://a.test/ was broken by a rule: fault");
    expect(flow.source).toBe("rule");
  });

  test("malformed-chunk: an OK head, and bytes that are no chunk", async () => {
    await using proxy = await startProxy({
      rules: [["http://a.test/", fault("malformed-chunk", { bytes: 10, seed: 1 })]],
    });
    const { text, end } = await converse(proxy, requestTo("http://a.test/"));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n/);
    expect([bodyOf(text).length, /^[0-9a-f]/i.test(bodyOf(text)), end]).toEqual([10, false, "end"]);
    const flow = await flowOf(proxy);
    expect([flow.error?.code, flow.response?.status]).toEqual(["FAULT_MALFORMED_CHUNK", 200]);
  });

  test("random-data: bytes that are no HTTP, the same ones for the same seed", async () => {
    const garbage = async (seed: number) => {
      await using proxy = await startProxy({ rules: [["http://a.test/", fault("random-data", { bytes: 200, seed })]] });
      const { text, end } = await converse(proxy, requestTo("http://a.test/"));
      expect([text.length, text.startsWith("HTTP"), end]).toEqual([200, false, "end"]);
      expect((await flowOf(proxy)).error?.code).toBe("FAULT_RANDOM_DATA");
      return text;
    };
    expect(await garbage(1)).toBe(await garbage(1));
    expect(await garbage(1)).not.toBe(await garbage(2));
  });

  test.each([["timeout", "end", "FAULT_TIMEOUT"], ["reset", "reset", "FAULT_RESET"]] as const)(
    "%s with a time: not before that",
    async (kind, end, code) => {
      await using proxy = await startProxy({ rules: [["http://a.test/", fault(kind, { ms: 80 })]] });
      const start = performance.now();
      expect(await converse(proxy, requestTo("http://a.test/"))).toEqual({ text: "", end });
      expect(performance.now() - start).toBeGreaterThan(75);
      expect((await flowOf(proxy)).error?.code).toBe(code);
    },
  );

  test("timeout for ever: until the client hangs up", async () => {
    await using proxy = await startProxy({ rules: [["http://a.test/", fault("timeout")]] });
    const connection = await connectRaw(proxy.port);
    await connection.write(requestTo("http://a.test/"));
    while (proxy.flows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    connection.socket.destroy();
    const flow = await flowOf(proxy);
    expect([flow.error?.code, flow.faults]).toEqual(["CLIENT_ABORTED", ["fault timeout"]]);
  });

  test("timeout for ever: until the proxy is closed", async () => {
    const proxy = await startProxy({ rules: [["http://a.test/", fault("timeout")]] });
    await using connection = await connectRaw(proxy.port);
    await connection.write(requestTo("http://a.test/"));
    while (proxy.flows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await proxy.close();
    await connection.closed;
    expect((proxy.flows.first() as HttpFlow).error?.code).toBe("PROXY_CLOSED");
  });
});

/** The same body, answered in three ways. */
async function answered(
  by: "rule" | "tape" | "upstream",
  action: (then: Parameters<typeof respond>[0] | undefined) => ProxyOptions["rules"],
): Promise<AsyncDisposable & { proxy: Proxy }> {
  if (by === "rule") return own(await startProxy({ rules: action({ body: BODY }) ?? [] }));
  if (by === "upstream") return own(await startProxy({ rules: action(undefined) ?? [] }));
  const folder = await tempFolder();
  const path = folder.file("faults.har");
  {
    await using proxy = await startProxy({ tape: { path, mode: "record" } });
    await converse(proxy, requestTo(`${origin.url}/`, { fields: ["Connection: close"] }));
  }
  const proxy = await startProxy({ tape: { path, mode: "replay" }, rules: action(undefined) ?? [] });
  return {
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const own = (proxy: Proxy) => ({ proxy, [Symbol.asyncDispose]: () => proxy.close() });

describe.each(["rule", "tape", "upstream"] as const)("a response of the %s", (by) => {
  const faulty = (kind: Parameters<typeof fault>[0], options: Parameters<typeof fault>[1] = {}) =>
    answered(by, (body) => [[`${origin.url}/`, fault(kind, { then: body ? respond(body) : "forward", ...options })]]);
  const request = () => requestTo(`${origin.url}/`);

  test.each([["reset", "reset"], ["empty", "end"]] as const)("%s instead of it", async (kind, end) => {
    await using it = await faulty(kind);
    expect(await converse(it.proxy, request())).toEqual({ text: "", end });
    const flow = await flowOf(it.proxy);
    expect([flow.response?.status, flow.source]).toEqual([200, by]);
  });

  test("reset in the middle of it", async () => {
    await using it = await faulty("reset", { after: 30 });
    const { text, end } = await converse(it.proxy, request());
    expect([bodyOf(text), end]).toEqual([BODY.slice(0, 30), "reset"]);
    expect(text).toMatch(/content-length: 100/i);
    expect((await flowOf(it.proxy)).faults).toEqual(["fault reset after 30 bytes"]);
  });

  test("limit: closed after so many bytes", async () => {
    await using it = await faulty("limit", { bytes: 42 });
    const { text, end } = await converse(it.proxy, request());
    expect([bodyOf(text), end]).toEqual([BODY.slice(0, 42), "end"]);
    expect((await flowOf(it.proxy)).error?.code).toBe("FAULT_LIMIT");
  });

  test("limit that is not reached: nothing happens, and the connection goes on", async () => {
    await using it = await faulty("limit", { bytes: 101 });
    const { text } = await converse(it.proxy, requestTo(`${origin.url}/`, { fields: ["Connection: close"] }));
    expect(bodyOf(text)).toBe(BODY);
    const flow = await flowOf(it.proxy);
    expect([flow.error, flow.faults]).toEqual([undefined, []]);
  });

  test("truncate: less than its length", async () => {
    await using it = await faulty("truncate");
    const { text, end } = await converse(it.proxy, request());
    expect([bodyOf(text), end]).toEqual([BODY.slice(0, 50), "end"]);
    expect(text).toMatch(/content-length: 100/i);
    expect((await flowOf(it.proxy)).error?.code).toBe("FAULT_TRUNCATED");
  });

  test("malformed-chunk and random-data", async () => {
    {
      await using it = await faulty("malformed-chunk");
      const { text } = await converse(it.proxy, request());
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*transfer-encoding: chunked\r\n\r\n/i);
      expect([/content-length/i.test(text), bodyOf(text).length]).toEqual([false, 64]);
    }
    await using it = await faulty("random-data");
    const { text } = await converse(it.proxy, request());
    expect([text.length, text.startsWith("HTTP")]).toEqual([64, false]);
  });

  test("timeout in the middle of it", async () => {
    await using it = await faulty("timeout", { after: 10, ms: 60 });
    const start = performance.now();
    const { text, end } = await converse(it.proxy, request());
    expect(performance.now() - start).toBeGreaterThan(55);
    expect([bodyOf(text), end]).toEqual([BODY.slice(0, 10), "end"]);
  });

  test.each([
    ["latency", { ms: 60 }, 55],
    ["dribble", { chunks: 5, ms: 80 }, 75],
    ["slice", { size: 30, ms: 25 }, 70],
    ["slow-head", { ms: 60 }, 55],
  ] as [Parameters<typeof fault>[0], Parameters<typeof fault>[1], number][])(
    "%s: whole, but not before its time",
    async (kind, options, least) => {
      await using it = await faulty(kind, options);
      await using connection = await connectRaw(it.proxy.port);
      let pieces = 0;
      connection.socket.on("data", () => pieces++);
      const start = performance.now();
      await connection.write(request());
      const head = await connection.readHead();
      if (kind === "slow-head") expect(pieces).toBeGreaterThan(2);
      const headed = performance.now() - start;
      expect(latin1(await connection.readBytes(100))).toBe(BODY);
      expect(performance.now() - start).toBeGreaterThan(least);
      if (kind === "latency" || kind === "slow-head") expect(headed).toBeGreaterThan(least);
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      // The connection serves another request.
      await connection.write(request());
      await connection.readHead();
      expect(latin1(await connection.readBytes(100))).toBe(BODY);
      const flow = await flowOf(it.proxy);
      expect([flow.error, flow.faults.length]).toEqual([undefined, 1]);
      expect(flow.faults[0]).toMatch(new RegExp(`^${kind} `));
    },
  );

  test("throttle: not before the bytes may have passed", async () => {
    await using it = await answered(by, (body) => [[
      `${origin.url}/`,
      throttle({ bytesPerSecond: 1000, on: "response", then: body ? respond(body) : "forward" }),
    ]]);
    const start = performance.now();
    const { text } = await converse(it.proxy, requestTo(`${origin.url}/`, { fields: ["Connection: close"] }));
    expect(bodyOf(text)).toBe(BODY);
    expect(performance.now() - start).toBeGreaterThan(95);
    expect((await flowOf(it.proxy)).faults).toEqual(["throttle 1000 bytes/s (response)"]);
  });

  test("slow-close: all bytes at once, the end later", async () => {
    await using it = await faulty("slow-close", { ms: 80 });
    await using connection = await connectRaw(it.proxy.port);
    const start = performance.now();
    await connection.write(requestTo(`${origin.url}/`, { fields: ["Connection: close"] }));
    await connection.readHead();
    await connection.readBytes(100);
    let ended = false;
    void connection.closed.then(() => ended = true);
    expect(ended).toBe(false);
    await connection.readAll();
    expect(performance.now() - start).toBeGreaterThan(75);
  });
});

describe("on the way to the server", () => {
  /** A server that tells what it has got, and how that ended. */
  async function listening() {
    const got = Promise.withResolvers<{ text: string; end: "end" | "reset" }>();
    const server = await startRawServer(async (connection) => {
      got.resolve(await rest(connection));
    });
    return { server, got: got.promise };
  }
  const upload = (url: string) => requestTo(url, { method: "POST", body: BODY });

  test.each([
    ["reset", { after: 40 }, 40, "reset", "reset"],
    ["limit", { bytes: 40 }, 40, "end", "end"],
    ["truncate", {}, 50, "end", "end"],
    ["timeout", { after: 10, ms: 20 }, 10, "end", "end"],
  ] as [Parameters<typeof fault>[0], Parameters<typeof fault>[1], number, string, string][])(
    "%s: the server gets a part of the body, and both are cut off",
    async (kind, options, bytes, atServer, atClient) => {
      const { server, got } = await listening();
      await using _ = server;
      await using proxy = await startProxy({ rules: [[() => true, fault(kind, { on: "request", ...options })]] });
      const client = await converse(proxy, upload(`http://127.0.0.1:${server.port}/`));
      const { text, end } = await got;
      expect([bodyOf(text), end, client.text, client.end]).toEqual([BODY.slice(0, bytes), atServer, "", atClient]);
      expect(text).toContain("Content-Length: 100");
      const flow = await flowOf(proxy);
      expect(flow.faults).toEqual([expect.stringMatching(/^fault .* \(request\)$/)]);
      expect(flow.error?.code).toMatch(/^FAULT_/);
    },
  );

  test.each(["reset", "empty", "timeout"] as const)("%s before the head: the server hears nothing", async (kind) => {
    await using proxy = await startProxy({
      rules: [[() => true, fault(kind, { on: "request", ...(kind === "empty" ? {} : { ms: 1 }) })]],
    });
    const before = origin.requests.length;
    const { text } = await converse(proxy, upload(`${origin.url}/`));
    expect([text, origin.requests.length]).toEqual(["", before]);
  });

  test.each([
    ["latency", { ms: 60 }, 55],
    ["dribble", { chunks: 4, ms: 60 }, 55],
    ["slice", { size: 30, ms: 20 }, 55],
    ["slow-head", { ms: 60 }, 55],
  ] as [Parameters<typeof fault>[0], Parameters<typeof fault>[1], number][])(
    "%s: the request arrives whole, but not before its time",
    async (kind, options, least) => {
      await using proxy = await startProxy({
        rules: [[() => true, fault(kind, { on: "request", ...options })]],
      });
      const start = performance.now();
      const { text } = await converse(
        proxy,
        requestTo(`${origin.url}/`, { method: "POST", body: BODY, fields: ["Connection: close"] }),
      );
      expect(performance.now() - start).toBeGreaterThan(least);
      expect([bodyOf(text), origin.requests.at(-1)?.text()]).toEqual([BODY, BODY]);
    },
  );

  test("throttle, with a head timeout that the upload does not fit in: it is the server that is timed", async () => {
    await using proxy = await startProxy({
      timeouts: { head: 60 },
      rules: [[() => true, throttle({ bytesPerSecond: 500, on: "request" })]],
    });
    const start = performance.now();
    const { text } = await converse(
      proxy,
      requestTo(`${origin.url}/`, { method: "POST", body: BODY, fields: ["Connection: close"] }),
    );
    expect(performance.now() - start).toBeGreaterThan(190);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("the same of a request that was complete before it was sent", async () => {
    await using proxy = await startProxy({
      timeouts: { head: 60 },
      addons: [{ request: () => {} }],
      rules: [[() => true, throttle({ bytesPerSecond: 500, on: "request" })]],
    });
    const { text } = await converse(
      proxy,
      requestTo(`${origin.url}/`, { method: "POST", body: BODY, fields: ["Connection: close"] }),
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("nothing of it concerns what a rule answers", async () => {
    await using proxy = await startProxy({
      rules: [[() => true, fault("limit", { bytes: 1, on: "request", then: respond({ body: "fine" }) })]],
    });
    const { text } = await converse(proxy, requestTo("http://a.test/", { fields: ["Connection: close"] }));
    expect(bodyOf(text)).toBe("fine");
    expect((await flowOf(proxy)).faults).toEqual([]);
  });
});

describe("what has no length, and what has no body", () => {
  test("truncate and dribble of a body that comes in chunks: it gets a length where it needs one", async () => {
    await using chunky = await startOrigin(() => ({ body: pieces("01234", "56789") }));
    {
      await using proxy = await startProxy({ rules: [[() => true, fault("truncate", { bytes: 7 })]] });
      const { text } = await converse(proxy, requestTo(`${chunky.url}/`));
      expect([bodyOf(text), /content-length: 10\r\n/i.test(text)]).toEqual(["0123456", true]);
    }
    await using proxy = await startProxy({ rules: [[() => true, fault("dribble", { chunks: 5, ms: 50 })]] });
    const { text } = await converse(proxy, requestTo(`${chunky.url}/`, { fields: ["Connection: close"] }));
    expect(text).toMatch(/5\r\n01234\r\n5\r\n56789\r\n0\r\n/);
  });

  test("limit within a chunk", async () => {
    await using chunky = await startOrigin(() => ({ body: pieces("01234", "56789") }));
    await using proxy = await startProxy({ rules: [[() => true, fault("limit", { bytes: 7 })]] });
    const { text, end } = await converse(proxy, requestTo(`${chunky.url}/`));
    expect([bodyOf(text), end]).toEqual(["5\r\n01234\r\n5\r\n56", "end"]);
  });

  test.each([
    ["HEAD", { method: "HEAD" }, {}],
    ["204", {}, { status: 204 }],
  ])("%s: no byte of a body, so nothing is counted", async (_, request, response) => {
    await using proxy = await startProxy({
      rules: [[() => true, fault("limit", { bytes: 1, then: respond({ body: "hello", ...response }) })]],
    });
    const { end } = await converse(proxy, requestTo("http://a.test/", { ...request, fields: ["Connection: close"] }));
    const flow = await flowOf(proxy);
    expect([end, flow.error, flow.faults]).toEqual(["end", undefined, []]);
  });
});

test("what is broken is not recorded, what is slow is", async () => {
  await using folder = await tempFolder();
  const path = folder.file("faults.har");
  {
    await using proxy = await startProxy({
      tape: { path, mode: "record" },
      rules: [["/broken", fault("limit", { bytes: 10 })], ["/slow", fault("slice", { size: 10, ms: 1 })]],
    });
    for (const name of ["broken", "slow"]) {
      await converse(proxy, requestTo(`${origin.url}/${name}`, { fields: ["Connection: close"] }));
    }
  }
  const { log } = JSON.parse(await readFile(path, "utf8"));
  expect(log.entries.map((entry: { request: { url: string }; response: { content: { text: string } } }) => [
    entry.request.url,
    entry.response.content.text,
  ])).toEqual([[`${origin.url}/slow`, BODY]]);
});

async function* pieces(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) {
    yield text;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
