// agents(), dispatcher(), denoOptions(), bunOptions(): one client, not the whole process, is pointed at a proxy.
import http from "node:http";
import https from "node:https";
import process from "node:process";
import axios from "axios";
import got from "got";
import nodeFetch from "node-fetch";
import { describe, expect, test } from "vitest";
import WS from "ws";
import { agents, bunOptions, denoOptions } from "../../src/client/mod.ts";
import { type HttpFlow, type Proxy, respond, respondWebSocket, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { runtime } from "../support/runtime.ts";
import { byRequest } from "./clients.ts";
import { runScript } from "./run_script.ts";

const SCHEMES = ["http", "https"] as const;
const urlOf = (scheme: string) => `${scheme}://192.0.2.7/a`;
const seen = (proxy: Proxy) => [...proxy.flows].map((flow) => (flow as HttpFlow).request.url);
const auth = { username: "me@home/#?", password: "p:a/s s%@[é" };
const answering = () => startProxy({ auth, defaultAction: respond({ body: "answered" }) });

const WITH_AGENTS: Record<string, (url: string, it: ReturnType<typeof agents>) => Promise<string>> = {
  "node:http and node:https": (url, it) =>
    url.startsWith("https:")
      ? byRequest(https.request, { agent: it.https })(url)
      : byRequest(http.request, { agent: it.http })(url),
  "axios": async (url, it) =>
    (await axios<string>(url, { httpAgent: it.http, httpsAgent: it.https, proxy: false })).data,
  "got": async (url, it) => await got(url, { agent: it, retry: { limit: 0 } }).text(),
  "node-fetch": async (url, it) =>
    await (await nodeFetch(url, { agent: (to: URL) => to.protocol === "http:" ? it.http : it.https })).text(),
};
const withAgents = Object.keys(WITH_AGENTS).filter((name) => runtime !== "bun" || name !== "node-fetch");

describe("agents()", () => {
  test.each(withAgents.flatMap((name) => SCHEMES.map((scheme) => [name, scheme])))("%s, %s", async (name, scheme) => {
    await using proxy = await answering();
    const made = agents(proxy, { keepAlive: true });
    try {
      expect(await WITH_AGENTS[name!]!(urlOf(scheme!), made)).toBe("answered");
      expect(seen(proxy)).toEqual([urlOf(scheme!)]);
    } finally {
      made.http.destroy();
      made.https.destroy();
    }
  });

  test.skipIf(runtime === "bun").each(["ws", "wss"])("ws, %s", async (scheme) => {
    await using proxy = await startProxy({ rules: [["*", respondWebSocket((client) => void client.send("welcome"))]] });
    const made = agents(proxy);
    const socket = new WS(urlOf(scheme), { agent: scheme === "ws" ? made.http : made.https });
    const got = await new Promise((resolve, reject) => {
      socket.on("message", (data) => resolve(String(data))).on("error", reject);
    });
    socket.close();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(got).toBe("welcome");
  });

  test("an address of any proxy; connections are kept, and closed by destroy()", async () => {
    await using origin = await startOrigin(() => ({ body: "server" }), { tls: true });
    await using proxy = await startProxy({ upstream: { ca: origin.ca } });
    let clients = 0;
    proxy.use({ clientConnect: () => void clients++ });
    const made = agents({ proxy: proxy.url, ca: proxy.ca.cert }, { keepAlive: true });
    for (const path of ["/a", "/b"]) {
      expect(await byRequest(https.request, { agent: made.https })(origin.url + path)).toBe("server");
    }
    expect(clients).toBe(1);
    made.https.destroy();
    made.http.destroy();
  });

  test("nothing is read from the environment", async () => {
    const before = process.env["NO_PROXY"];
    process.env["NO_PROXY"] = "*";
    try {
      await using proxy = await answering();
      const made = agents(proxy);
      expect(await byRequest(http.request, { agent: made.http })(urlOf("http"))).toBe("answered");
      // The fetch of a proxy is one for itself, too.
      expect(await (await proxy.fetch(urlOf("https"))).text()).toBe("answered");
      expect(seen(proxy)).toEqual([urlOf("http"), urlOf("https")]);
    } finally {
      if (before === undefined) delete process.env["NO_PROXY"];
      else process.env["NO_PROXY"] = before;
    }
  });
});

// undici's clock goes on for a second: Deno would find it in the test that comes next.
test.skipIf(runtime === "bun")("dispatcher()", { timeout: 60_000 }, async () => {
  expect(await runScript("dispatcher_in_process.ts")).toEqual({
    seen: ["http://192.0.2.7/a", "https://192.0.2.7/a"],
    got: ["answered", "answered"],
    refused: "PROXY_AUTH",
  });
});

test.runIf(runtime === "deno").each(SCHEMES)("denoOptions(), %s", async (scheme) => {
  await using proxy = await answering();
  using client = Deno.createHttpClient(denoOptions(proxy));
  const response = await fetch(urlOf(scheme), { client } as RequestInit);
  expect(await response.text()).toBe("answered");
  expect(seen(proxy)).toEqual([urlOf(scheme)]);
});

test.runIf(runtime === "bun").each(SCHEMES)("bunOptions(), %s", async (scheme) => {
  await using proxy = await answering();
  const response = await fetch(urlOf(scheme), bunOptions(proxy) as RequestInit);
  expect(await response.text()).toBe("answered");
  expect(seen(proxy)).toEqual([urlOf(scheme)]);
});

test("options for runtimes, as data", () => {
  const proxy = "http://me%40home:a%2Fb@127.0.0.1:8080";
  expect(denoOptions({ proxy, ca: "PEM" })).toEqual({
    proxy: { url: "http://127.0.0.1:8080", basicAuth: { username: "me@home", password: "a/b" } },
    caCerts: ["PEM"],
  });
  expect(bunOptions({ proxy, ca: "PEM" })).toEqual({ proxy, tls: { ca: ["PEM"] } });
  expect(denoOptions({ proxy: "127.0.0.1:8080" })).toEqual({ proxy: { url: "http://127.0.0.1:8080" }, caCerts: [] });
});
