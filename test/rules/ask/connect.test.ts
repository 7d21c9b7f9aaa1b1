// A breakpoint on CONNECT: the proxy reads along, relays what comes unread, or refuses.
import { describe, expect, test } from "vitest";
import {
  ask,
  delay,
  type Matcher,
  OptionsError,
  type Proxy,
  respond,
  sequence,
  startProxy,
  tcp,
  type TcpFlow,
  times,
} from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { exchange, readResponse, requestTo } from "../../wire/http1_client.ts";
import { connectRequest, getRequest, readText } from "../../wire/tunnel.ts";

const CONNECT = ask({ on: "connect" });

/** A server with TLS, a proxy that asks, and a client whose CONNECT waits. */
async function waiting(matcher: Matcher = () => true, action = CONNECT) {
  const origin = await startOrigin(() => ({ body: "from the origin" }), { tls: true });
  const proxy = await startProxy({ upstream: { ca: testCa().cert }, rules: [[matcher, action]] });
  const client = await connectRaw(proxy.port);
  await client.write(connectRequest(`127.0.0.1:${origin.port}`));
  return {
    origin,
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await proxy.close();
      await origin[Symbol.asyncDispose]();
    },
  };
}

const flowsOf = (proxy: Proxy, type: string) => [...proxy.flows].filter((flow) => flow.type === type);

describe("a CONNECT that is asked about", () => {
  test("forward(): the proxy reads along", async () => {
    await using it = await waiting();
    const paused = await it.proxy.nextPaused();
    expect([paused.phase, paused.flow.request.method, paused.flow.request.port]).toEqual([
      "connect",
      "CONNECT",
      it.origin.port,
    ]);
    paused.forward();
    expect(await it.client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    const secure = await it.client.startTls({ ca: it.proxy.ca.cert, host: "127.0.0.1" });
    await secure.write(getRequest("/inside", "a"));
    expect(await readText(secure)).toContain("from the origin");
    expect(it.proxy.flows.requests.map(({ path }) => path)).toEqual(["/inside"]);
  });

  test("link(): what comes is relayed unread, TLS", async () => {
    await using it = await waiting();
    (await it.proxy.nextPaused()).link();
    await it.client.readHead();
    const secure = await it.client.startTls({ ca: it.origin.ca });
    await secure.write(getRequest("/inside", "a"));
    expect(await readText(secure)).toContain("from the origin");
    await it.proxy.waitFor(tcp());
    expect(flowsOf(it.proxy, "http")).toEqual([]);
    expect((flowsOf(it.proxy, "tcp")[0] as TcpFlow).port).toBe(it.origin.port);
  });

  test("link(): what comes is relayed unread, plain HTTP too", async () => {
    await using origin = await startOrigin(() => ({ body: "from the origin" }));
    await using proxy = await startProxy({ rules: [[() => true, CONNECT]] });
    await using client = await connectRaw(proxy.port);
    await client.write(connectRequest(`127.0.0.1:${origin.port}`));
    (await proxy.nextPaused()).link();
    await client.readHead();
    await client.write(getRequest("/inside", "a"));
    expect(await readText(client)).toContain("from the origin");
    await proxy.waitFor(tcp());
    expect(flowsOf(proxy, "http")).toEqual([]);
  });

  test("respond(): the client is refused", async () => {
    await using it = await waiting();
    const paused = await it.proxy.nextPaused();
    expect(() => paused.respond({ status: 200 })).toThrow(/refuses CONNECT .* status is 300 or more, not 200/);
    expect(() => paused.respond("no")).toThrow(OptionsError);
    expect(() => paused.forward({ path: "/" })).toThrow(/takes no edit for a CONNECT/);
    paused.respond({ status: 403, body: "not there" });
    expect(await readResponse(it.client)).toMatchObject({ status: 403, text: "not there" });
    expect(it.proxy.flows.first()?.source).toBe("rule");
  });

  test("drop(): the client is cut", async () => {
    await using it = await waiting();
    (await it.proxy.nextPaused()).drop();
    await it.client.closed;
    expect(it.client.received.length).toBe(0);
  });

  test("a client that hangs up is gone", async () => {
    await using it = await waiting();
    const paused = await it.proxy.nextPaused();
    it.client.reset();
    await it.proxy.waitFor({ method: "CONNECT" });
    expect(() => paused.link()).toThrow("is gone (CLIENT_ABORTED");
  });

  test("is matched as a request CONNECT https://host:port/", async () => {
    const seen: string[] = [];
    const matcher = (flow: { request: { method: string; url: string } }) =>
      seen.push(`${flow.request.method} ${flow.request.url}`) > 0;
    await using it = await waiting(matcher);
    (await it.proxy.nextPaused({ method: "CONNECT", host: "127.0.0.1" }, { phase: "connect" })).drop();
    await it.client.closed;
    expect(seen).toEqual([`CONNECT https://127.0.0.1:${it.origin.port}/`]);
  });
});

test("a rule about tunnels alone leaves requests to the rules below it; other rules are not about tunnels", async () => {
  await using origin = await startOrigin();
  await using proxy = await startProxy({
    rules: [[() => true, CONNECT], ["/a", respond({ body: "rule" })], [() => true, "drop"]],
  });
  expect((await exchange(proxy.port, requestTo(`${origin.url}/a`))).text).toBe("rule");
  await using client = await connectRaw(proxy.port);
  await client.write(connectRequest("a.test:80"));
  (await proxy.nextPaused()).forward();
  await client.readHead();
  await client.write(getRequest("/a", "a.test"));
  expect(await readText(client)).toContain("rule");
});

test("as the default action, asked about everything", async () => {
  await using proxy = await startProxy({ defaultAction: ask({ on: ["connect", "request"] }) });
  await using client = await connectRaw(proxy.port);
  await client.write(connectRequest("a.test:80"));
  (await proxy.nextPaused()).forward();
  await client.readHead();
  await client.write(getRequest("/a", "a.test"));
  const paused = await proxy.nextPaused();
  expect([paused.phase, paused.flow.request.path]).toEqual(["request", "/a"]);
  paused.respond("asked");
  expect(await readText(client)).toContain("asked");
});

test("within other actions it would do nothing, and is refused", () => {
  for (const nest of [() => times(1, CONNECT), () => sequence("forward", CONNECT), () => delay(1, CONNECT)]) {
    expect(nest).toThrow(/"connect" of ask\(\) is about tunnels/);
  }
});

test("an addon may relay a tunnel by itself", async () => {
  await using origin = await startOrigin(() => ({ body: "from the origin" }));
  await using proxy = await startProxy({ addons: [{ httpConnect: (flow) => void (flow.relay = true) }] });
  await using client = await connectRaw(proxy.port);
  await client.write(connectRequest(`127.0.0.1:${origin.port}`));
  await client.readHead();
  await client.write(getRequest("/inside", "a"));
  expect(await readText(client)).toContain("from the origin");
  expect(flowsOf(proxy, "http")).toEqual([]);
});

test("what nobody decides about is opened when the proxy closes, and close() names it", async () => {
  const proxy = await startProxy({ rules: [["CONNECT https://a.test:8443/", CONNECT]] });
  await using client = await connectRaw(proxy.port);
  await client.write(connectRequest("a.test:8443"));
  await expect.poll(() => proxy.nextPaused("/x", { timeout: 1 }).catch(({ message }) => message)).toContain("1 flow");
  await expect(proxy.close()).rejects.toThrow("CONNECT https://a.test:8443/ (connect, rules[0])");
  await client.closed;
});
