// B82: the next proxy is one that others have written.
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, startProxy, type TcpFlow } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { hasCommand } from "../../support/runtime.ts";
import { PATIENTLY } from "../http1_client.ts";
import { startNodeOrigin } from "../http2/peers.ts";
import { echoServer } from "../tcp/support.ts";
import { openTunnel } from "../tunnel.ts";
import { closed, echo, openPeer, startPeerServer } from "../websocket/peers.ts";
import { get, lastFlow } from "./next_proxy.ts";
import { REAL_PROXIES, startRealProxy } from "./real_proxies.ts";

const auth = { username: "tester", password: "pass-word1" };

const status = async (proxy: Proxy, url: string) => Number((await get(proxy, url)).split(" ")[0]);

for (const name of REAL_PROXIES) {
  const missing = !hasCommand(name);
  if (missing) console.warn(`${name} is not installed: flowtape behind it is not tested`);

  describe.skipIf(missing)(`B82 through ${name}`, () => {
    test("with a name and a password, for http and https; connections are kept", async () => {
      await using plain = await startOrigin((request) => ({ body: `plain ${request.text()}` }));
      await using secure = await startOrigin(() => ({ body: "secure" }), { tls: true });
      await using next = await startRealProxy(name, auth);
      await using proxy = await startProxy({
        upstream: { proxy: `http://${auth.username}:${auth.password}@127.0.0.1:${next.port}`, ca: secure.ca },
      });

      expect(await get(proxy, `${plain.url}/a?b`)).toBe("200 plain ");
      const posted = await proxy.fetch(`${plain.url}/c`, { method: "POST", body: "hello" });
      expect(await posted.text()).toBe("plain hello");
      expect(await get(proxy, `${secure.url}/d`)).toBe("200 secure");

      expect(lastFlow(proxy).server).toMatchObject({ port: secure.port, via: `http://127.0.0.1:${next.port}` });
      expect(lastFlow(proxy).server!.tls!.version).toBe("TLSv1.3");
      expect(plain.connections).toBe(1);
      // Neither who we are nor what is between has reached the servers.
      const names = [...plain.requests, ...secure.requests].flatMap((it) => it.headers.map(([it]) => it.toLowerCase()));
      expect(names).not.toContain("proxy-authorization");
      expect(names).not.toContain("via");
    });

    test.each([["none", ""], ["wrong ones", "tester:wrong@"]])(
      "credentials, %s: a 502 that says so",
      async (_, userinfo) => {
        await using origin = await startOrigin();
        await using next = await startRealProxy(name, auth);
        await using proxy = await startProxy({ upstream: { proxy: `http://${userinfo}127.0.0.1:${next.port}` } });

        for (const url of [origin.url, origin.url.replace("http:", "https:")]) {
          expect(await status(proxy, url)).toBe(502);
          // tinyproxy says 401 to wrong credentials, where squid asks for others.
          expect(lastFlow(proxy).error!.code).toBe(
            name === "tinyproxy" && userinfo !== "" ? "NEXT_PROXY_REFUSED" : "NEXT_PROXY_AUTH",
          );
        }
        expect(origin.connections).toBe(0);
      },
    );

    test("a server that it cannot reach, and then the proxy itself is gone", async () => {
      await using next = await startRealProxy(name);
      await using origin = await startOrigin();
      await using proxy = await startProxy({ upstream: { proxy: `http://127.0.0.1:${next.port}` } });
      const { port } = origin;
      expect(await get(proxy, origin.url)).toBe("200 ok");
      await origin[Symbol.asyncDispose]();

      expect(await status(proxy, `http://127.0.0.1:${port}/`)).toBe(502);
      expect(lastFlow(proxy).error!.code).toMatch(/^NEXT_PROXY_/);
      await next.stop();
      expect(await status(proxy, "http://shop.test/")).toBe(502);
      expect(lastFlow(proxy).error!.code).toBe("NEXT_PROXY_UNREACHABLE");
    });

    test("WebSockets, and bytes of any kind", async () => {
      await using next = await startRealProxy(name);
      await using server = await startPeerServer(echo);
      await using raw = await echoServer();
      await using proxy = await startProxy({ upstream: { proxy: `http://127.0.0.1:${next.port}` } });

      {
        await using client = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
        await client.send({ opcode: "text", payload: "hello" });
        expect(await client.next()).toBe('text "hello"');
        await closed(client);
      }
      await using tunnel = await openTunnel(proxy, `127.0.0.1:${raw.port}`);
      await tunnel.write("\x00\x01\x02\xff");
      expect(await tunnel.readBytes(4)).toHaveLength(4);
      tunnel.end();
      await tunnel.closed;
      await expect.poll(() => proxy.flows.last()!.done, PATIENTLY).toBe(true);
      expect((proxy.flows.last() as TcpFlow).error).toBe(undefined);
    });

    test("HTTP/2 with the server", async () => {
      await using next = await startRealProxy(name);
      await using origin = await startNodeOrigin();
      await using proxy = await startProxy({
        upstream: { proxy: `http://127.0.0.1:${next.port}`, verify: false },
      });

      expect(await status(proxy, `https://127.0.0.1:${origin.port}/echo`)).toBe(200);
      expect((proxy.flows.last() as HttpFlow).response!.httpVersion).toBe("2");
    });
  });
}
