/**
 * The public names of the fixture, its flows, matchers, rules, hooks and assertions, each used in the shape that was agreed for it. Most of this is
 * for `tsc`; what runs shows that the values are there.
 */
import { afterEach, expect, test } from "vitest";
import {
  type Action,
  type ActionFunction,
  type Addon,
  type Alerter,
  all,
  any,
  ask,
  assertNotReceived,
  assertNoUnmatched,
  assertReceived,
  assertReceivedInOrder,
  type ClientHello,
  type CompiledMatcher,
  delay,
  type Distribution,
  drop,
  edit,
  fault,
  type FaultKind,
  type FaultOptions,
  filter,
  type Flow,
  type FlowError,
  type FlowHeaders,
  type FlowRequest,
  type FlowResponse,
  FlowSet,
  FlowtapeError,
  type Handle,
  type HeadersLike,
  HookError,
  type HttpFlow,
  type Layer,
  type Matcher,
  type MswHandlerLike,
  not,
  OptionsError,
  type PausedFlow,
  type Peer,
  type Proxy,
  type ProxyOptions,
  type RequestEdit,
  type RequestShape,
  respond,
  type ResponseEdit,
  rewrite,
  type RuleLike,
  type Scenario,
  scenario,
  sequence,
  startProxy,
  type TapeEntry,
  TapeError,
  type TcpFlow,
  throttle,
  times,
  type Timings,
  UnmatchedRequestError,
  type UpstreamOptions,
  type WebSocketMessage,
} from "flowtape";

import { ProxyClient } from "flowtape/client";
import { exact, forwarded, type Gateway, type Handler, mount, node, reverse, spawn } from "flowtape/gateway";

/** Compiles when a value of the one type can be used as the other. */
function is<T>(value: T): T {
  return value;
}

// Every hook with the parameters that were agreed; each may be async.
const ADDON: Required<Omit<Addon<ProxyOptions>, "needs" | "start" | "nextLayer">> & Addon<ProxyOptions> = {
  name: "everything",
  configure: (options: ProxyOptions, updated: ReadonlySet<string>) => is<unknown>([options.port, updated.has("port")]),
  start: (): Addon | void => {},
  tick: () => {},
  log: (entry: { level: "debug" | "info" | "warn" | "error"; message: string }) => is<string>(entry.message),
  done: async () => {},
  clientConnect: (client: Peer) => is<Peer>(client),
  clientDisconnect: (client: Peer) => is<Peer>(client),
  serverConnect: (server: Peer) => is<Peer>(server),
  serverConnectError: (server: Peer) => is<Peer>(server),
  serverDisconnect: (server: Peer) => is<Peer>(server),
  nextLayer: (layer: Layer): Layer | void => layer,
  tlsClientHello: (hello: ClientHello) => is<ClientHello>(hello),
  tlsEstablished: (side: "client" | "server", peer: Peer) => is<unknown>([side, peer]),
  tlsFailed: (side: "client" | "server", peer: Peer) => is<unknown>([side, peer]),
  httpConnect: (flow: HttpFlow) => is<string>(flow.id),
  requestHeaders: (flow: HttpFlow) => is<string>(flow.id),
  request: (flow: HttpFlow) => is<string>(flow.id),
  informational: (flow: HttpFlow) => is<string>(flow.id),
  responseHeaders: (flow: HttpFlow) => is<string>(flow.id),
  response: async (flow: HttpFlow) => await Promise.resolve(flow.id),
  error: (flow: HttpFlow) => is<FlowError | undefined>(flow.error),
  websocketHandshake: (flow: HttpFlow) => is<string>(flow.id),
  websocketMessage: (flow: HttpFlow) => is<WebSocketMessage | undefined>(flow.websocket?.messages.at(-1)),
  websocketEnd: (flow: HttpFlow) => is<number | undefined>(flow.websocket?.closeCode),
  tcpStart: (flow: TcpFlow) => is<string>(flow.id),
  tcpMessage: (flow: TcpFlow) => is<string>(flow.id),
  tcpError: (flow: TcpFlow) => is<string>(flow.id),
  tcpEnd: (flow: TcpFlow) => is<string>(flow.id),
};

const SHAPE: RequestShape = {
  method: ["POST", "PUT"],
  url: /./,
  scheme: "https",
  host: "shop.test",
  port: 443,
  path: /^\//,
  query: { page: 2 },
  headers: { accept: "a/b" },
  cookies: { sid: "1" },
  body: "x",
  json: { qty: 2 },
  form: { qty: "2" },
  status: 200,
};
const MATCHERS: Matcher[] = [
  "POST https://h.test/p/:id",
  /png$/,
  new URLPattern({ pathname: "/orders" }),
  SHAPE,
  (flow: HttpFlow) => flow.request.method === "POST",
  filter("~m POST"),
  all("*", not(any("/a", "/b"))),
  { body: new Uint8Array(1), url: "https://h.test/", host: /h/, path: "/p" },
];

const FAULTS: FaultKind[] = [
  "reset",
  "empty",
  "malformed-chunk",
  "random-data",
  "timeout",
  "limit",
  "slice",
  "slow-close",
];
const DISTRIBUTION: Distribution = { median: 80, sigma: 0.4 };
const CHANCE: FaultOptions = { probability: 0.1, seed: 1, on: "response" };
const HEADERS: HeadersLike = { "x-a": "1" };
const ACTIONS: Action[] = [
  "forward",
  "drop",
  "ask",
  (flow: HttpFlow) => void (flow.marked = "seen"),
  async (flow: HttpFlow) => await drop(flow),
  respond({ status: 402, reason: "No", headers: HEADERS, json: { error: "declined" } }),
  respond({ body: "text" }),
  respond({ body: new Uint8Array(1) }),
  respond({ file: "deno.json" }),
  respond({ folder: "docs" }),
  respond((flow: HttpFlow) => ({ body: flow.request.method })),
  edit({ request: is<RequestEdit>({ headers: { "x-a": "1" } }), response: is<ResponseEdit>({ status: 201 }) }),
  rewrite("http://127.0.0.1:1"),
  rewrite(new URL("http://127.0.0.1:1")),
  rewrite((flow: HttpFlow) => flow.request.url),
  delay(1),
  delay(DISTRIBUTION, "drop"),
  throttle({ bytesPerSecond: 1000 }),
  ask({ on: ["request", "response"] }),
  fault("reset", CHANCE),
  sequence("drop", "forward"),
  times(2, "drop"),
];
const MSW: MswHandlerLike = { run: () => Promise.resolve(null) };
const RULES: RuleLike[] = [...ACTIONS.map((action) => ["/never", action] as const), MSW];

const UPSTREAM: UpstreamOptions = {
  ca: [],
  verify: { host: "a.test" },
  clientCertificates: {},
  hosts: { "*.shop.test": "127.0.0.1:1" },
  proxy: (_flow: HttpFlow): string | undefined => undefined,
  noProxy: "localhost",
  http2: true,
};
const alerter: Alerter = (flow) => is<HttpFlow>(flow).response === undefined ? ["nothing"] : [];
const OPTIONS: ProxyOptions = {
  host: "127.0.0.1",
  port: 0,
  rules: RULES,
  defaultAction: respond({ status: 201, json: { id: 7 } }),
  addons: [ADDON],
  https: { minVersion: "TLSv1.2", requestClientCert: false, passthrough: { host: "pinned.test" } },
  upstream: UPSTREAM,
  capture: { maxBody: 1000, maxFlows: 10 },
  timeouts: { connect: 1000, head: 1000, idle: 1000 },
  limits: { headBytes: 65536, connections: 100 },
  persistent: true,
  forwardChunked: true,
  verbose: 0,
  preFunction: (flow: HttpFlow) => flow.request.headers.set("x-pre", "1"),
  alerter,
  signal: new AbortController().signal,
};
// Arrays that are not read-only are taken as well.
is<ProxyOptions>({
  rules: [] as RuleLike[],
  addons: [] as Addon[],
  auth: { username: "a", password: "b" },
  tape: "a.har",
});
is<ProxyOptions>({ tape: { path: "a.har", mode: "replay" }, https: { ca: { dir: "ca" } } });
is<ProxyOptions>({
  https: { ca: { cert: "", key: "" }, keyLogFile: "keys" },
  upstream: { pac: "proxy.pac", proxy: "http://p.test" },
});

let proxy: Proxy | undefined;
afterEach(() => proxy?.close());

test("startProxy() with every option, and what it gives", async () => {
  proxy = await startProxy(OPTIONS);
  const typed: [url: string, host: string, port: number] = [proxy.url, proxy.host, proxy.port];
  expect(typed).toEqual([`http://127.0.0.1:${proxy.port}`, "127.0.0.1", expect.any(Number)]);
  const ca: { readonly cert: string; readonly path: string; readonly spki: string } = proxy.ca;
  expect([ca.cert, ca.path, ca.spki]).toEqual([
    expect.stringContaining("BEGIN"),
    expect.any(String),
    expect.any(String),
  ]);
  is<readonly TapeEntry[]>(proxy.unused);
  is<AsyncDisposable>(proxy);
  const env: Record<string, string> = proxy.env({ base: "1" });
  expect(env).toMatchObject({ base: "1", HTTPS_PROXY: proxy.url });
  const browser: { proxy: { server: string }; args: string[] } = proxy.browser();
  expect(browser.proxy.server).toBe(proxy.url);

  const handle: Handle = proxy.use(["/used", "drop"], { name: "later", request: () => {} }, MSW);
  handle.enabled = false;
  is<Disposable>(handle).valueOf();
  expect(is<FlowSet>(handle.calls).length).toBe(0);
  handle.dispose();

  const response = await proxy.fetch(new URL("http://shop.test/orders?page=2"), { method: "POST", body: '{"qty":2}' });
  expect(await response.json()).toEqual({ id: 7 });
  const set: FlowSet = await proxy.waitFor({ path: "/orders" }, { count: 1, timeout: 5000 });
  expect(set.length).toBe(1);
  await proxy.configure({ timeouts: { idle: 500 } });
  const again: FlowSet = await proxy.replayThroughHooks(proxy.flows as Iterable<Flow>);
  expect(again.length).toBe(1);

  for (const matcher of MATCHERS) proxy.flows.filter(matcher);
  assertReceived(proxy, { method: "POST" }, { times: { atLeast: 1, atMost: 2 } });
  assertReceived(proxy.flows, "/orders", { times: 2 });
  assertNotReceived(proxy, "/other");
  assertReceivedInOrder(proxy, ["/orders"]);
  assertNoUnmatched(proxy);
  expect(proxy.unmatched.length).toBe(0);
  proxy.reset();
  expect(proxy.flows.length).toBe(0);
  await proxy.close();
});

test("a flow has what was agreed", async () => {
  proxy = await startProxy({ defaultAction: respond({ headers: { "set-cookie": "sid=1" }, json: [1] }) });
  await (await proxy.fetch("https://shop.test/a?b=c", { method: "POST", body: "x=1", headers: { cookie: "n=v" } }))
    .text();
  const flow = proxy.flows.first() as HttpFlow;
  const request: Omit<FlowRequest, "trailers"> = flow.request;
  const response: FlowResponse | undefined = flow.response;
  is<"1.0" | "1.1" | "2">(request.httpVersion);
  is<"http" | "https" | "ws" | "wss">(request.scheme);
  is<URLSearchParams | FormData>(flow.request.form());
  is<Peer>(flow.client);
  is<Peer | undefined>(flow.server);
  is<Timings>(flow.timings);
  is<"upstream" | "rule" | "tape" | "app" | "addon">(flow.source as Exclude<typeof flow.source, never>);
  is<(code?: "KILLED") => void>(flow.kill);
  is<{ messages: readonly WebSocketMessage[]; closeCode?: number; closeReason?: string } | undefined>(flow.websocket);
  expect([flow.type, flow.id, flow.source, flow.metadata, flow.marked, flow.comment, flow.alerts, flow.error]).toEqual(
    ["http", expect.any(String), "rule", {}, undefined, undefined, [], undefined],
  );
  const { method, url, hostname, port, host, path, query, cookies } = request;
  expect({ method, url, hostname, port, host, path, query: query.get("b"), cookies }).toEqual({
    method: "POST",
    url: "https://shop.test/a?b=c",
    hostname: "shop.test",
    port: 443,
    host: "shop.test",
    path: "/a",
    query: "c",
    cookies: { n: "v" },
  });
  expect([flow.request.text(), flow.request.body]).toEqual(["x=1", new TextEncoder().encode("x=1")]);
  expect([
    response?.status,
    response?.reason,
    response?.httpVersion,
    response?.json(),
    response?.text(),
    response?.cookies,
  ])
    .toEqual([200, "OK", "1.1", [1], "[1]", { sid: "1" }]);

  const headers: FlowHeaders = flow.request.headers.clone();
  headers.append("x-a", "1");
  headers.append("x-a", "2");
  expect([headers.get("x-a"), headers.getAll("x-a"), headers.has("X-A")]).toEqual(["1, 2", ["1", "2"], true]);
  headers.set("x-a", "3");
  expect(is<readonly (readonly [string, string])[]>(headers.raw).filter(([name]) => name === "x-a")).toEqual([[
    "x-a",
    "3",
  ]]);
  headers.delete("x-a");
  expect([...headers].some(([name]) => name === "x-a")).toBe(false);
});

test("a FlowSet has what was agreed", async () => {
  proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
  for (const path of ["/a", "/b"]) await (await proxy.fetch(`http://shop.test${path}`)).text();
  const set: FlowSet = new FlowSet(proxy.flows);
  expect([set.length, set.at(0) === set.first(), set.at(-1) === set.last(), set.slice(1, 2).length]).toEqual([
    2,
    true,
    true,
    1,
  ]);
  is<Flow | undefined>(set.at(0));
  expect(is<unknown[]>(set.extract("path", "request"))).toEqual(["/a", "/b"]);
  expect(is<unknown[]>(set.extract("status", "response"))).toEqual([200, 200]);
  expect([...is<Map<number, FlowSet>>(set.byStatus()).keys()]).toEqual([200]);
  expect([...is<Map<string, FlowSet>>(set.byPath()).keys()]).toEqual(["/a", "/b"]);
  expect([...is<Map<number, FlowSet>>(set.byLength()).keys()]).toEqual([2]);
  expect(set.withoutPayloads().length).toBe(2);
  for (const text of [set.summary(), set.compare(), set.compareResponses(), set.diff(0, 1)]) {
    expect(text).toEqual(expect.any(String));
  }
  expect(is<FlowSet>(await set.play({})).length).toBe(2);
  const copy = set.copy();
  copy.append(set.first()!);
  expect([copy.length, set.length, [...set].length]).toEqual([3, 2, 2]);
});

test("a paused flow, and actions that count", async () => {
  const cart: Scenario = scenario("cart");
  expect(cart.name).toBe("cart");
  proxy = await startProxy({ defaultAction: "ask" });
  const answer = proxy.fetch("http://shop.test/").then(async (it) => [it.status, await it.text()]);
  const paused: PausedFlow = await proxy.nextPaused({ host: "shop.test" }, { timeout: 5000 });
  expect(is<"connect" | "request" | "response">(paused.phase)).toBe("request");
  is<HttpFlow>(paused.flow);
  is<(edit?: RequestEdit | ResponseEdit) => void>(paused.forward);
  is<() => void>(paused.drop);
  is<() => void>(paused.continueAll);
  paused.respond({ status: 201 });
  expect(await answer).toEqual([201, ""]);
});

test("matchers, actions and errors say what they are", () => {
  const compiled: CompiledMatcher = all("POST /a");
  expect(is<string>(compiled.description)).toContain("/a");
  is<(flow: Flow) => boolean>(compiled.matches);
  const actions: ActionFunction[] = [
    respond({}),
    edit({ request: {} }),
    rewrite("/b"),
    delay(1),
    throttle({ bytesPerSecond: 1 }),
    fault("empty"),
  ];
  for (const action of [...actions, ask(), sequence("drop"), times(1, "drop")]) {
    expect(action.description).toEqual(expect.any(String));
  }
  for (const kind of FAULTS) expect(kind).toEqual(expect.any(String));
  for (const type of [UnmatchedRequestError, HookError, OptionsError, TapeError]) {
    expect(type.prototype).toBeInstanceOf(FlowtapeError);
    expect(type.prototype).toBeInstanceOf(Error);
  }
  expect(is<string>(new FlowtapeError("A_CODE", "a message").code)).toBe("A_CODE");
});

test("gateways have what was agreed", async () => {
  type Info = {
    client: Peer;
    proxyHost?: string;
    connectHost?: string;
    connectPort?: number;
    username?: string;
  };
  const handler = (request: Request, info: Info): Response =>
    Response.json([new URL(request.url).pathname, info.proxyHost, info.connectHost, info.connectPort, info.username]);
  const spawned: Handler & AsyncDisposable = spawn({
    command: ["python3", "app.py"],
    cwd: ".",
    env: { A: "1" },
    port: 8000,
    ready: /up/,
    idleTimeout: 1000,
  });
  await spawned[Symbol.asyncDispose]();
  is<Handler[]>([
    handler,
    node(() => {}),
    reverse(new URL("http://127.0.0.1:1"), { secret: "a secret", methods: ["GET"], timeout: 1000 }),
    forwarded(handler, {
      secret: "a secret",
      trustIps: ["127.0.0.1"],
      prefix: "/a",
      scheme: "https",
      host: "a.test:1",
    }),
    forwarded(handler, { popPrefix: "/a", domain: "a.test", port: 1 }),
  ]);
  is<Gateway[]>([
    mount(handler, { hosts: ["a.test"] }),
    mount(handler, { resolve: (url: URL, user?: string): string => `/${user}${url.pathname}`, download: "ca.test" }),
  ]);
  proxy = await startProxy({ app: mount(handler, { prefix: "/p/", hosts: { "own.test": handler } }) });
  expect(await (await proxy.fetch("https://own.test/a")).json()).toEqual(["/a", "own.test", "own.test", 443, null]);
  const request = new Request("http://shop.test/b");
  const response: Promise<Response> = exact(request, { connect: `127.0.0.1:${proxy.port}` });
  expect(await (await response).json()).toEqual(["/b", null, null, null, null]);
  const front = await startProxy({ reverse: new URL(proxy.url) });
  expect((await (await fetch(`${front.url}/c`)).json() as unknown[])[0]).toBe("/c");
  await front.close();
});

test("a ProxyClient, install() and report() have what was agreed", async () => {
  proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
  const client = new ProxyClient({ proxy: proxy.url, ca: proxy.ca.cert });
  expect(await (await client.fetch(new URL("http://shop.test/"))).text()).toBe("ok");
  client.setProxy(undefined);
  expect(await (await client.fetch("http://shop.test/", { method: "POST", proxy: proxy.url })).text()).toBe("ok");
  await client.close();
  {
    using _installed: Disposable = proxy.install();
  }
  is<(path?: string) => Promise<string>>(proxy.report);
  is<unknown>(proxy.snapshot());
});
