// Chromium, which speaks HTTP/2 with an HTTPS proxy, and opens WebSockets in HTTP/2 where it has a connection that takes them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, respond, startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { hasChromium, inChromium } from "../../support/chromium.ts";
import type { RawServer } from "../../support/raw_server.ts";
import { echo, startPeerServer, told } from "../websocket/peers.ts";
import { type BridgedServer, startBridgedServer } from "./bridge.ts";

const PATIENT = { timeout: 90_000 };

/** Opens a page in a Chromium that speaks HTTP/1.1 with the proxy, or HTTP/2 over TLS. */
function visit(proxy: Proxy, version: string, url: string, script: string): Promise<unknown> {
  if (version === "1.1") return inChromium(proxy, url, script);
  // Playwright takes an HTTPS proxy for one of HTTP.
  const args = [...proxy.browser().args, `--proxy-server=https://127.0.0.1:${proxy.port}`];
  return inChromium(proxy, url, script, { args });
}

const PAGE = respond({ headers: { "content-type": "text/html" }, body: "<!doctype html><title>page</title>" });
const CONVERSATION = `
  return await new Promise((resolve) => {
    const socket = new WebSocket("wss://shop.test/chat", ["v1"]);
    const got = [];
    socket.onopen = () => { socket.send("hello"); };
    socket.onmessage = ({ data }) => { got.push(data); socket.close(4000, "enough"); };
    socket.onclose = ({ code, reason, wasClean }) => resolve([...got, code, reason, wasClean]);
    socket.onerror = () => resolve("error");
  });
`;

describe.runIf(hasChromium)("B75 Chromium", PATIENT, () => {
  let http1: RawServer;
  let http2: BridgedServer;
  beforeAll(async () => {
    const tls = testCa().issue(["shop.test"]);
    const headers = { "sec-websocket-protocol": "v1" };
    http1 = await startPeerServer(echo, { tls, fields: ["Sec-WebSocket-Protocol: v1"] });
    http2 = await startBridgedServer(echo, { ...tls, answer: { headers } });
  });
  afterAll(async () => {
    await http1[Symbol.asyncDispose]();
    await http2[Symbol.asyncDispose]();
  });

  test.each([
    ["1.1", "1.1"],
    ["2", "1.1"],
    ["2", "2"],
  ])(
    "a WebSocket through a proxy that is spoken to in HTTP/%s, to a server of HTTP/%s",
    PATIENT,
    async (way, version) => {
      const connects: string[] = [];
      const port = version === "2" ? http2.port : http1.port;
      await using proxy = await startProxy({
        rules: [["https://shop.test/", PAGE]],
        addons: [{ httpConnect: ({ request }) => void connects.push(request.httpVersion) }],
        upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${port}` } },
      });
      const result = await visit(proxy, way, "https://shop.test/", CONVERSATION);
      expect(result).toEqual(["hello", 4000, "enough", true]);
      const chat = proxy.flows.filter({ path: "/chat" }).first() as HttpFlow;
      expect(chat.request).toMatchObject({ method: "GET", scheme: "wss", httpVersion: "2" });
      expect(chat.response).toMatchObject({ status: 101, httpVersion: version });
      expect(told(chat)).toEqual(["client hello", "server hello"]);
      expect(chat.websocket).toMatchObject({ closeCode: 4000, closeReason: "enough", closedBy: "client" });
      expect(new Set(connects)).toEqual(new Set([way]));
      expect(chat.client.proxyTls?.alpn).toBe(way === "2" ? "h2" : undefined);
    },
  );

  test(
    "pages and fetch through tunnels in HTTP/2, all in one connection, also without TLS to the server",
    PATIENT,
    async () => {
      await using proxy = await startProxy({
        rules: [
          [
            "/api/*",
            respond((flow: HttpFlow) => ({ headers: { "access-control-allow-origin": "*" }, body: flow.request.url })),
          ],
          ["*", PAGE],
        ],
      });
      const result = await visit(
        proxy,
        "2",
        "http://plain.test/",
        `
      const urls = Array.from({ length: 20 }, (_, i) => (i % 2 ? "https" : "http") + "://host" + i + ".test/api/" + i);
      return await Promise.all(urls.map(async (url) => await (await fetch(url)).text() === url));
    `,
      );
      expect(result).toEqual(Array(20).fill(true));
      const flows = [...proxy.flows.filter({ path: /^\/api/ })] as HttpFlow[];
      expect(flows.length).toBe(20);
      expect(new Set(flows.map(({ client }) => client.id)).size).toBe(1);
      expect(flows[0]!.client.proxyTls!.alpn).toBe("h2");
    },
  );
});
