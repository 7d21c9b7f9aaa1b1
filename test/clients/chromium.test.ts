// A page in Chromium, mocked by handlers of MSW that run in the test.
import { HttpResponse as GraphQLResponse } from "msw";
import { graphql } from "msw/graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, respond, type RuleLike, startProxy } from "../../src/mod.ts";
import { VERSIONS } from "../rules/msw/versions.ts";
import { hasChromium, inChromium } from "../support/chromium.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import type { RawServer } from "../support/raw_server.ts";
import { echo, startPeerServer, told } from "../wire/websocket/peers.ts";

if (!hasChromium) console.warn("chromium is not installed: its tests are skipped");

let origin: Origin;
let plain: Origin;
let sockets: RawServer;
beforeAll(async () => {
  const serve = () => ({
    headers: [["content-type", "text/html"]] as [string, string][],
    body: "<!doctype html><title>the real page</title>",
  });
  origin = await startOrigin(serve, { tls: true });
  plain = await startOrigin(serve);
  sockets = await startPeerServer(echo);
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
  await sockets[Symbol.asyncDispose]();
});

const upstream = () => ({
  ca: origin.ca,
  hosts: { "shop.test:443": `127.0.0.1:${origin.port}`, "shop.test:80": `127.0.0.1:${plain.port}` },
});

const PATIENT = { timeout: 90_000 };

describe.runIf(hasChromium).each(VERSIONS)("%s in Chromium", PATIENT, (_, msw) => {
  const { http, HttpResponse, sse, ws } = msw;

  test("fetch, XMLHttpRequest, cookies, EventSource and WebSocket of a real page", PATIENT, async () => {
    const rules = [
      http.get(
        "https://shop.test/api/user/:id",
        ({ params, cookies }) =>
          HttpResponse.json({ id: params.id, cookies }, { headers: { "set-cookie": "session=s1; Path=/" } }),
      ),
      http.post("/api/echo", async ({ request }) => HttpResponse.text(await request.text(), { status: 201 })),
      http.get("/api/broken", () => HttpResponse.error()),
      sse<{ message: string; stock: { left: number } }>("https://shop.test/events", ({ client }) => {
        client.send({ id: "1", data: "first" });
        client.send({ event: "stock", data: { left: 3 } });
        client.send({ data: "two\nlines" });
      }),
      ws.link("wss://shop.test/chat").addEventListener("connection", ({ client }) => {
        client.send("welcome");
        client.addEventListener("message", (event) => {
          if (typeof event.data === "string") client.send(event.data.toUpperCase());
          else client.send(new Uint8Array(event.data as ArrayBuffer).toReversed());
        });
      }),
    ];
    await using proxy = await startProxy({ rules, upstream: upstream() });
    const result = await inChromium(
      proxy,
      "https://shop.test/",
      `
      const first = await (await fetch("/api/user/7")).json();
      const second = await (await fetch("/api/user/8")).json();
      const xhr = await new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open("POST", "/api/echo");
        request.onload = () => resolve([request.status, request.responseText]);
        request.send("from xhr");
      });
      const broken = await fetch("/api/broken").then(() => "answered", (error) => error.name);
      const events = await new Promise((resolve) => {
        const source = new EventSource("/events");
        const got = [];
        source.onmessage = (event) => {
          got.push([event.lastEventId, event.data]);
          if (got.length === 3) { source.close(); resolve(got); }
        };
        source.addEventListener("stock", (event) => got.push(JSON.parse(event.data)));
      });
      const socket = await new Promise((resolve) => {
        const socket = new WebSocket("wss://shop.test/chat");
        socket.binaryType = "arraybuffer";
        const got = [];
        socket.onopen = () => { socket.send("hello"); socket.send(new Uint8Array([1, 2, 3])); };
        socket.onmessage = ({ data }) => {
          got.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
          if (got.length === 3) socket.close(4000, "enough");
        };
        socket.onclose = ({ code, reason, wasClean }) => resolve([...got, code, reason, wasClean]);
      });
      return { title: document.title, first, second, xhr, broken, events, socket };
    `,
    );
    expect(result).toEqual({
      title: "the real page",
      first: { id: "7", cookies: {} },
      second: { id: "8", cookies: { session: "s1" } },
      xhr: [201, "from xhr"],
      broken: "TypeError",
      events: [["1", "first"], { left: 3 }, ["1", "two\nlines"]],
      socket: ["welcome", "HELLO", [3, 2, 1], 4000, "enough", true],
    });
    const chat = proxy.flows.filter({ path: "/chat" }).first() as HttpFlow;
    expect(chat.request.httpVersion).toBe("2");
    expect(told(chat).filter((it) => it.startsWith("server")).slice(0, 2)).toEqual(["server welcome", "server HELLO"]);
    expect(chat.websocket).toMatchObject({ closeCode: 4000, closeReason: "enough", closedBy: "client", count: 5 });
  });

  test("a page over http, a WebSocket of the real server with a handler in between", PATIENT, async () => {
    const link = ws.link("ws://chat.test/*");
    const rules = [
      link.addEventListener("connection", ({ client, server }) => {
        server.connect();
        client.addEventListener("message", (event) => {
          if (event.data === "secret") event.preventDefault();
        });
        server.addEventListener("message", (event) => {
          event.preventDefault();
          client.send(`server said ${event.data}`);
        });
      }),
    ];
    const { hosts, ca } = upstream();
    await using proxy = await startProxy({
      rules,
      upstream: { ca, hosts: { ...hosts, "chat.test:80": `127.0.0.1:${sockets.port}` } },
    });
    const result = await inChromium(
      proxy,
      "http://shop.test/",
      `
      return await new Promise((resolve) => {
        const socket = new WebSocket("ws://chat.test/room", ["v1", "v2"]);
        const got = [];
        socket.onopen = () => { got.push(socket.protocol); socket.send("secret"); socket.send("hello"); };
        socket.onmessage = ({ data }) => { got.push(data); socket.close(); };
        socket.onclose = ({ code }) => resolve([...got, code]);
      });
    `,
    );
    expect(result).toEqual(["v1", "server said hello", 1005]);
  });
});

describe.runIf(hasChromium)("another origin, in Chromium", PATIENT, () => {
  test("a worker's mocks know no CORS, answers on the wire do", PATIENT, async () => {
    const api = graphql.link("https://api.test/graphql");
    const rules: RuleLike[] = [
      api.query("GetUser", ({ variables }) => GraphQLResponse.json({ data: { user: { id: variables.id } } })),
    ];
    const page = `
      const answer = await fetch("https://api.test/graphql", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: "query GetUser($id: ID) { user(id: $id) { id } }", variables: { id: "7" } }),
      }).then((response) => response.json(), (error) => error.name);
      return answer;
    `;
    const preflight: RuleLike = [{ method: "OPTIONS" }, respond({ status: 204 })];
    const cors: Addon = {
      responseHeaders(flow: HttpFlow) {
        if (flow.source !== "rule" || !flow.request.headers.has("origin")) return;
        flow.response!.headers.set("access-control-allow-origin", flow.request.headers.get("origin")!);
        flow.response!.headers.set("access-control-allow-headers", "content-type");
      },
    };
    await using without = await startProxy({ rules: [preflight, ...rules], upstream: upstream() });
    expect(await inChromium(without, "https://shop.test/", page)).toBe("TypeError");
    await using proxy = await startProxy({ rules: [preflight, ...rules], addons: [cors], upstream: upstream() });
    expect(await inChromium(proxy, "https://shop.test/", page)).toEqual({ data: { user: { id: "7" } } });
  });
});

test("the options are those of Playwright, with credentials", async () => {
  await using proxy = await startProxy({ auth: { username: "me", password: "secret" } });
  const { proxy: server, args } = proxy.browser();
  expect(server).toEqual({ server: proxy.url, username: "me", password: "secret" });
  expect(args).toContain(`--ignore-certificate-errors-spki-list=${proxy.ca.spki}`);
  expect(args.join()).not.toContain("secret");
});
