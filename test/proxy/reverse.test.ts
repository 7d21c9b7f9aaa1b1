/**
 * The option `reverse`: a server that clients reach as if it were the proxy.
 */
import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mount } from "../../src/gateway/mod.ts";
import { type HttpFlow, type ProxyOptions, respond, startProxy } from "../../src/mod.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";
import { readResponse } from "../wire/http1_client.ts";
import { afterSwitch, echo, handshake, startPeerServer } from "../wire/websocket/peers.ts";

let api: Origin;

beforeAll(async () => {
  api = await startOrigin(({ target, header, text }) =>
    target.startsWith("/v1/login")
      ? {
        status: 302,
        reason: "Found",
        headers: [["Location", "https://api.test/v1/home?a=b"], [
          "Set-Cookie",
          "id=1; Path=/v1; Domain=api.test; Secure",
        ]],
      }
      : { body: `${target} ${header("host")} ${text()}` }, { tls: true });
});

afterAll(() => api[Symbol.asyncDispose]());

/** A proxy for `https://api.test`, which the origin plays. */
const inFront = (options: ProxyOptions = {}) =>
  startProxy({
    reverse: "https://api.test",
    upstream: { ca: api.ca, hosts: { "api.test": `127.0.0.1:${api.port}` } },
    ...options,
  });

test("requests for the proxy go to the server, with its Host, and are flows for it", async () => {
  await using proxy = await inFront();
  const response = await fetch(`${proxy.url}/cart?a=b`, { method: "POST", body: "hello" });
  expect(await response.text()).toBe("/cart?a=b api.test hello");
  const flow = proxy.flows.first() as HttpFlow;
  expect([flow.request.url, flow.request.host, flow.source]).toEqual([
    "https://api.test/cart?a=b",
    "api.test",
    "upstream",
  ]);
  expect(flow.request.originalUrl).toBe(`${proxy.url}/cart?a=b`);
});

test("the target stays as it is, behind the path of the server", async () => {
  await using proxy = await inFront({ reverse: new URL("https://api.test/v1/") });
  for (const target of ["/a/../b%2F?x", "/", "//c"]) {
    await using client = await connectRaw(proxy.port);
    await client.write(`GET ${target} HTTP/1.1\r\nHost: me.test\r\n\r\n`);
    expect((await readResponse(client)).text).toBe(`/v1${target} api.test `);
  }
});

test("places come back as the client can use them", async () => {
  await using proxy = await inFront({ reverse: "https://api.test/v1" });
  const response = await fetch(`${proxy.url}/login`, { redirect: "manual" });
  await response.text();
  expect(response.headers.get("location")).toBe(`${proxy.url}/home?a=b`);
  expect(response.headers.getSetCookie()).toEqual(["id=1; Path=/; Secure"]);
});

test("rules, hooks and assertions know the server by its name", async () => {
  const seen: string[] = [];
  await using proxy = await inFront({
    addons: [{ requestHeaders: ({ request }) => void seen.push(request.url) }],
    rules: [["GET https://api.test/mocked", respond({ json: { mocked: true } })]],
  });
  expect(await (await fetch(`${proxy.url}/mocked`)).json()).toEqual({ mocked: true });
  expect(seen).toEqual(["https://api.test/mocked"]);
  expect(proxy.flows.filter({ host: "api.test" }).length).toBe(1);
});

test("a tape is recorded and replayed under the name of the server", async () => {
  await using folder = await tempFolder();
  const tape = folder.file("api.har");
  const get = async (options: ProxyOptions) => {
    await using proxy = await inFront(options);
    const response = await fetch(`${proxy.url}/login`, { redirect: "manual" });
    await response.text();
    return [response.status, response.headers.get("location")?.replace(proxy.url, "PROXY")];
  };
  const options = { reverse: "https://api.test/v1" };
  const recorded = await get({ ...options, tape: { path: tape, mode: "record" } });
  const before = api.requests.length;
  expect(await get({ ...options, tape: { path: tape, mode: "replay" } })).toEqual(recorded);
  expect(recorded).toEqual([302, "PROXY/home?a=b"]);
  expect(api.requests.length).toBe(before);
});

test("what is sent as to a proxy goes where it says", async () => {
  await using other = await startOrigin(() => ({ body: "the other" }));
  await using proxy = await inFront();
  expect(await (await proxy.fetch(`${other.url}/x`)).text()).toBe("the other");
});

test("WebSockets", async () => {
  await using server = await startPeerServer(echo);
  await using proxy = await startProxy({ reverse: `http://127.0.0.1:${server.port}` });
  const connection = await connectRaw(proxy.port);
  await connection.write(handshake("/chat", "me.test"));
  await using peer = await afterSwitch(connection);
  await peer.send({ opcode: "text", payload: "hello" });
  expect(Buffer.from((await peer.frame()).payload).toString()).toBe("hello");
  expect((proxy.flows.first() as HttpFlow).request.url).toBe(`ws://127.0.0.1:${server.port}/chat`);
});

test("behind TLS with the proxy: places are https", async () => {
  await using proxy = await inFront({ reverse: "https://api.test/v1" });
  const raw = await connectRaw(proxy.port);
  await using client = await raw.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
  await client.write(`GET /login HTTP/1.1\r\nHost: shop.test:8443\r\n\r\n`);
  expect((await readResponse(client)).header("location")).toBe("https://shop.test:8443/home?a=b");
});

test("a server that is not there is a 502 that names it", async () => {
  await using proxy = await startProxy({ reverse: "http://127.0.0.1:9" });
  const response = await fetch(proxy.url);
  expect([response.status, response.headers.get("x-flowtape-error")]).toEqual([502, "UPSTREAM_REFUSED"]);
  expect(await response.text()).toContain("127.0.0.1:9");
});

test("configure() changes it while the proxy is open", async () => {
  await using other = await startOrigin(() => ({ body: "the other" }));
  await using proxy = await inFront();
  expect(await (await fetch(`${proxy.url}/x`)).text()).toBe("/x api.test ");
  await proxy.configure({ reverse: other.url });
  expect(await (await fetch(`${proxy.url}/x`)).text()).toBe("the other");
});

describe("refused", () => {
  test.each([
    ["api.test", /option reverse is "api\.test": the URL of a server/],
    ["ftp://api.test", /option reverse/],
    ["https://me:secret@api.test", /without credentials/],
    ["https://api.test/?a=b", /option reverse/],
    [5, /option reverse is 5/],
  ])("%j", async (reverse, message) => {
    const error = await startProxy({ reverse: reverse as string }).catch((thrown: unknown) => thrown as Error) as Error;
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("secret");
  });

  test("together with app", async () => {
    const app = mount(() => new Response("ok"));
    await expect(startProxy({ app, reverse: "https://api.test" })).rejects.toThrow(
      /app and reverse exclude each other/,
    );
  });
});
