/** What rules and captured flows keep to, through a running proxy. */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  edit,
  type Flow,
  type FlowResponse,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  tcp,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { exchange, readResponse, requestTo } from "../wire/http1_client.ts";
import { openTunnel } from "../wire/tunnel.ts";
import { closed, echo as answerFrames, openPeer, startPeerServer } from "../wire/websocket/peers.ts";

describe("B84 the first rule that matches wins", () => {
  test("and the others are not even asked", async () => {
    const asked: string[] = [];
    const yes = (name: string) => () => {
      asked.push(name);
      return true;
    };
    await using proxy = await startProxy({
      rules: [
        [{ path: "/other" }, respond({ body: "other" })],
        [yes("first"), respond({ body: "first" })],
        [yes("second"), respond({ body: "second" })],
      ],
    });

    expect((await exchange(proxy.port, requestTo("http://a.test/"))).text).toBe("first");
    expect(asked).toEqual(["first"]);
  });

  test("edits are seen by later hooks, by the rules, by the server, by the client and by the flow", async () => {
    await using origin = await startOrigin(({ target, header, text }) => ({
      headers: [["X-Origin", "1"]],
      body: `${target} ${header("x-first")} ${header("x-second")} ${text()}`,
    }));
    const seen: string[] = [];
    await using proxy = await startProxy({
      addons: [
        {
          requestHeaders: ({ request }) => {
            request.path = "/edited";
            request.headers.set("X-First", "yes");
          },
          request: ({ request }) => void (request.body = Buffer.from("new body")),
          responseHeaders: ({ response }) => void (response!.status = 202),
          response: ({ response }) => void (response!.body = Buffer.from(`${response!.text()}!`)),
        },
        {
          requestHeaders: ({ request }) => void seen.push(`${request.path} ${request.headers.get("x-first")}`),
          request: ({ request }) => void seen.push(request.text()),
          responseHeaders: ({ response }) => void seen.push(String(response!.status)),
          response: ({ response }) => void seen.push(response!.text()),
        },
      ],
      // The path that the addon has made decides.
      rules: [
        [{ path: "/" }, respond({ body: "too late" })],
        [{ path: "/edited" }, edit({ request: { headers: { "X-Second": "rule" } } })],
      ],
    });

    const answer = await exchange(proxy.port, requestTo(`${origin.url}/`, { method: "POST", body: "old body" }));

    const body = "/edited yes rule new body!";
    expect([answer.status, answer.text]).toEqual([202, body]);
    expect(seen).toEqual(["/edited yes", "new body", "202", body]);
    const flow = proxy.flows.first() as HttpFlow;
    expect([flow.request.path, flow.request.text(), flow.response!.status, flow.response!.text()]).toEqual([
      "/edited",
      "new body",
      202,
      body,
    ]);
  });
});

describe("B86 a rule answers without reading the body", () => {
  test.each([
    ["that is announced and never comes", "Content-Length: 1000000000\r\n", ""],
    ["that has begun", "Content-Length: 1000000000\r\n", "begun"],
    ["of chunks that does not end", "Transfer-Encoding: chunked\r\n", "5\r\nbegun\r\n"],
    ["that waits for 100 Continue", "Content-Length: 5\r\nExpect: 100-continue\r\n", ""],
  ])("%s", async (_, fields, begun) => {
    await using origin = await startOrigin();
    await using proxy = await startProxy({ rules: [["POST /upload", respond({ status: 413, body: "too large" })]] });
    await using client = await connectRaw(proxy.port);

    await client.write(`POST ${origin.url}/upload HTTP/1.1\r\nHost: a\r\n${fields}\r\n${begun}`);
    const response = await readResponse(client);

    expect([response.status, response.text]).toEqual([413, "too large"]);
    expect(origin.connections).toBe(0);
    await client[Symbol.asyncDispose]();
    const [flow] = await proxy.waitFor({ method: "POST" });
    expect(flow).toMatchObject({ source: "rule", error: undefined });
  });
});

describe("B88 aborted requests are flows", () => {
  test("of a client that hangs up before it is answered, in its own body, and in the answer's", async () => {
    await using server = await startRawServer(async (connection) => {
      const head = await connection.readHead();
      if (head.startsWith("GET /half")) await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      await connection.closed;
    });
    await using proxy = await startProxy();
    const url = `http://127.0.0.1:${server.port}`;

    for (
      const [request, until] of [
        [requestTo(`${url}/wait`), ""],
        [requestTo(`${url}/send`, { method: "POST", fields: ["Content-Length: 9"] }) + "half", ""],
        [requestTo(`${url}/half`), "half"],
      ] as const
    ) {
      const before = proxy.flows.length;
      await using client = await connectRaw(proxy.port);
      await client.write(request);
      await expect.poll(() => proxy.flows.length).toBe(before + 1);
      if (until) await client.readUntil(until);
      client.reset();
    }
    const flows = await proxy.waitFor({}, { count: 3 });

    expect([...flows].map((flow) => [(flow as HttpFlow).request.path, flow.error?.code, flow.done])).toEqual([
      ["/wait", "CLIENT_ABORTED", true],
      ["/send", "CLIENT_ABORTED", true],
      ["/half", "CLIENT_ABORTED", true],
    ]);
    expect(flows.first()).toMatchObject({ response: undefined });
    expect((flows.at(1) as HttpFlow).request.text()).toBe("half");
    expect((flows.at(2) as HttpFlow).response!.text()).toBe("half");
  });

  test("of fetch with a signal", async () => {
    await using server = await startRawServer((connection) => connection.closed);
    await using proxy = await startProxy();
    const abort = new AbortController();
    const answer = proxy.fetch(`http://127.0.0.1:${server.port}/`, { signal: abort.signal }).catch((error) =>
      error.name
    );
    await expect.poll(() => proxy.flows.length).toBe(1);
    abort.abort();

    expect(await answer).toBe("AbortError");
    expect((await proxy.waitFor("/")).first()!.error!.code).toBe("CLIENT_ABORTED");
  });
});

describe("B89 a captured flow never changes after it is done", () => {
  /** Everything that can be read from a flow. */
  function all(flow: Flow): string {
    const bytes = (value: unknown) => value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
    const message = (it: HttpFlow["request"] | FlowResponse | undefined) =>
      it &&
      { ...it, headers: it.headers.raw, trailers: it.trailers?.raw, body: bytes(it.body), version: it.httpVersion };
    const own = flow.type === "http"
      ? {
        request: { ...message(flow.request), url: flow.request.url, method: flow.request.method },
        response: flow.response &&
          { ...message(flow.response), status: flow.response.status, reason: flow.response.reason },
        informational: flow.informational.map(({ status, headers }) => [status, headers.raw]),
        messages: flow.websocket?.messages.map(({ from, data }) => [from, bytes(data)]),
        source: flow.source,
      }
      : { messages: flow.messages.map(({ from, data }) => [from, bytes(data)]), bytes: flow.bytes };
    const { error, timings, client, server, done, metadata, alerts } = flow as HttpFlow;
    return JSON.stringify([own, error, timings, client, server, done, metadata, alerts], (_, value) => bytes(value));
  }

  test("whatever its connections do then", async () => {
    await using origin = await startOrigin(({ target }) => ({
      body: target.repeat(1000),
      headers: [["Set-Cookie", target]],
    }));
    await using broken = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      connection.reset();
    });
    await using echo = await startRawServer(async (connection) => {
      await connection.write(await connection.readBytes(3));
    });
    await using chat = await startPeerServer(answerFrames);
    const done = new Map<Flow, string>();
    const keep = (flow: Flow) => void done.set(flow, "");
    await using proxy: Proxy = await startProxy({
      addons: [{ response: keep, error: keep, websocketEnd: keep, tcpEnd: keep, tcpError: keep }],
      rules: [[{ path: "/rule" }, respond({ body: "rule" })], [{ path: "/drop" }, "drop"]],
      capture: { maxBody: 2000 },
    });
    const client = await connectRaw(proxy.port);
    const get = async (url: string) => {
      await client.write(requestTo(url));
      return await readResponse(client);
    };
    await get(`${origin.url}/one`);
    await get("http://a.test/rule");
    await exchange(proxy.port, requestTo("http://a.test/drop")).catch(() => {});
    await exchange(proxy.port, requestTo(`http://127.0.0.1:${broken.port}/`)).catch(() => {});
    await exchange(proxy.port, requestTo(`http://127.0.0.1:1/`));
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${chat.port}/`);
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await closed(peer);
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await tunnel.write("\0hi");
    await tunnel.readAll();
    tunnel.end();
    await proxy.waitFor(tcp());
    await proxy.waitFor({}, { count: 6 });
    const before = [...proxy.flows].map((flow) => [flow, all(flow)] as const);
    expect(done.size).toBe(7);
    const said = before.find(([flow]) => flow.type === "http" && flow.websocket)![0] as HttpFlow;
    expect(said.websocket!.messages.map(({ text }) => text)).toEqual(["hello", "hello"]);

    for (let i = 0; i < 20; i++) await get(`${origin.url}/other/${i}`);
    for (const [flow] of before) flow.kill();
    await client[Symbol.asyncDispose]();
    await exchange(proxy.port, requestTo(`${origin.url}/more`));
    await proxy.close();

    for (const [flow, then] of before) expect(all(flow)).toBe(then);
    expect(before.map(([flow]) => flow)).toEqual([...proxy.flows].slice(0, 7));
  });
});
