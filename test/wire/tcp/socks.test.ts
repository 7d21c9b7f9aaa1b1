// B76: clients of SOCKS on the port of the proxy. The handshake itself is tested in test/wire/socks.
import { describe, expect, test } from "vitest";
import { type HttpFlow, respond, startProxy, tcp } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { run } from "../../support/run.ts";
import { hasCommand } from "../../support/runtime.ts";
import { getRequest, readText } from "../tunnel.ts";
import { echoServer, greetingServer, openSocks, tcpFlowOf } from "./support.ts";

const withCurl = test.runIf(hasCommand("curl"));
if (!hasCommand("curl")) console.warn("curl is not installed: its tests are skipped");

describe("B76 curl", () => {
  const VERSIONS = ["socks4", "socks4a", "socks5", "socks5-hostname"];

  for (const tls of [false, true]) {
    withCurl.each(VERSIONS)(`--%s over ${tls ? "https" : "http"}`, async (version) => {
      await using origin = await startOrigin(({ target, header }) => ({ body: `${target} ${header("host")}` }), {
        ...(tls && { tls }),
      });
      await using proxy = await startProxy({
        upstream: { hosts: { "*.test": `127.0.0.1:${origin.port}` }, ...(tls && { ca: origin.ca }) },
      });
      // These two have the proxy resolve the name; for the others curl itself does.
      const byName = version === "socks4a" || version === "socks5-hostname";
      const url = byName ? `${tls ? "https" : "http"}://shop.test/a?b=c` : `${origin.url}/a?b=c`;
      const { stdout, stderr, code } = await run("curl", [
        "--silent",
        "--show-error",
        `--${version}`,
        `127.0.0.1:${proxy.port}`,
        "--cacert",
        proxy.ca.path,
        url,
      ]);
      expect({ stdout, stderr, code }).toEqual({ stdout: `/a?b=c ${new URL(url).host}`, stderr: "", code: 0 });
      const flow = proxy.flows.first() as HttpFlow;
      expect(proxy.flows.length).toBe(1);
      expect(flow.request.url).toBe(url);
      expect(flow.client.tunnel).toBe(byName ? `shop.test:${tls ? 443 : 80}` : `127.0.0.1:${origin.port}`);
    });
  }

  withCurl("ALL_PROXY=socks5h://", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }) });
    const { stdout } = await run("curl", ["--silent", "https://shop.test/"], {
      env: { ...proxy.env(), https_proxy: undefined, all_proxy: `socks5h://127.0.0.1:${proxy.port}` },
    });
    expect(stdout).toBe("ok");
  });

  withCurl("authentication that is asked for: accepted and refused", async () => {
    await using proxy = await startProxy({
      auth: { username: "ada", password: "secret" },
      defaultAction: respond({ body: "ok" }),
    });
    const ask = (user: string) =>
      run("curl", ["--silent", "--proxy", `socks5h://${user}127.0.0.1:${proxy.port}`, "http://shop.test/"]);
    expect(await ask("ada:secret@")).toMatchObject({ code: 0, stdout: "ok" });
    expect((await ask("ada:wrong@")).code).toBe(97);
    expect((await ask("")).code).toBe(97);
    expect(proxy.flows.length).toBe(1);
    expect((proxy.flows.first() as HttpFlow).client.username).toBe("ada");
  });
});

describe("in a SOCKS tunnel", () => {
  test("B79 an unknown protocol is relayed", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy({ upstream: { hosts: { "db.test": "127.0.0.1" } } });
    await using client = await openSocks(proxy, "db.test", echo.port);
    await client.write("\x00hello");
    expect((await client.readBytes(6)).length).toBe(6);
    client.end();
    await proxy.waitFor(tcp(`db.test:${echo.port}`));
    expect(tcpFlowOf(proxy).client.tunnel).toBe(`db.test:${echo.port}`);
  });

  test("B81 a server that speaks first is heard", async () => {
    await using server = await greetingServer();
    await using proxy = await startProxy();
    await using client = await openSocks(proxy, "127.0.0.1", server.port);
    expect(await client.readUntil("\n")).toBe("+OK ready\r\n");
  });

  test("httpConnect does not fire, rules apply to the requests in it", async () => {
    let asked = 0;
    await using proxy = await startProxy({
      addons: [{ httpConnect: () => void asked++ }],
      rules: [[{ host: "bad.test" }, "drop"]],
      defaultAction: respond({ body: "ok" }),
    });
    await using bad = await openSocks(proxy, "bad.test", 80);
    await bad.write(getRequest("/", "bad.test"));
    await bad.closed;
    await using good = await openSocks(proxy, "good.test", 80);
    await good.write(getRequest("/", "good.test"));
    expect(await readText(good)).toMatch(/ok$/);
    expect(asked).toBe(0);
  });

  test("a client that does not accept our certificate is a flow, as with CONNECT", async () => {
    await using proxy = await startProxy();
    const tunnel = await openSocks(proxy, "shop.test", 443);
    await expect(tunnel.startTls({ servername: "shop.test" })).rejects.toThrow();
    tunnel.socket.destroy();
    await expect.poll(() => proxy.flows.length).toBe(1);
    const flow = proxy.flows.first() as HttpFlow;
    expect(`${flow.request.method} ${flow.request.url}`).toBe("CONNECT https://shop.test/");
    expect(flow.error!.code).toMatch(/^TLS_CLIENT_/);
  });
});

test("a client that is refused is told so, and the log says why", async () => {
  const log: string[] = [];
  await using proxy = await startProxy({ addons: [{ log: ({ message }) => void log.push(message) }] });
  await using client = await connectRaw(proxy.port);
  await client.write(Uint8Array.of(5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 0, 80)); // BIND
  expect([...await client.readAll()]).toEqual([5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]);
  expect(log).toEqual([expect.stringMatching(/^refused the SOCKS client .*BIND: only CONNECT is supported/)]);
  expect(proxy.flows.length).toBe(0);
});
