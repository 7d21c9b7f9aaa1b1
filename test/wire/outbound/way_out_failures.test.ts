// B82: what a client gets when the proxy on the way fails; that it says nothing of the server; and what is refused at the start.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { OptionsError, type ProxyOptions, startProxy, type UpstreamOptions } from "../../../src/mod.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { startRelay } from "../socks/relay.ts";
import { closedPort, get, lastFlow, startNext } from "./next_proxy.ts";

describe("B82 a proxy that fails", () => {
  const auth = { username: "tester", password: "right" };

  test.each<[string, string, RegExp]>([
    ["no credentials", "", /407.*it wants a name and a password/],
    ["wrong credentials", "tester:wr0ng-secret@", /407.*does not accept the name and password in its URL/],
  ])("%s: 502 that says why, without the password", async (_, userinfo, why) => {
    await using next = await startNext({ auth });
    for (const url of ["http://shop.test/", "https://secure.test/"]) {
      await using proxy = await startProxy({ upstream: { proxy: `http://${userinfo}127.0.0.1:${next.proxy.port}` } });
      const answer = await get(proxy, url);
      expect(answer).toMatch(/^502 /);
      expect(answer).toMatch(why);
      expect(answer).toContain(`http://127.0.0.1:${next.proxy.port}`);
      const flow = lastFlow(proxy);
      expect(flow.error).toMatchObject({ code: "NEXT_PROXY_AUTH", status: 502 });
      expect(flow.server!.error!.code).toBe("NEXT_PROXY_AUTH");
      expect(`${answer} ${JSON.stringify([flow, flow.server, flow.error])}`).not.toMatch(/wr0ng|d3Iw/);
    }
    expect([next.plain.connections, next.secure.connections]).toEqual([0, 0]);
  });

  test("wrong credentials for SOCKS", async () => {
    await using relay = await startRelay({ auth });
    await using proxy = await startProxy({ upstream: { proxy: `socks5h://tester:wr0ng@127.0.0.1:${relay.port}` } });
    expect(await get(proxy, "http://shop.test/")).toMatch(/^502 [^]*NEXT_PROXY_AUTH/);
  });

  test("a server that SOCKS cannot reach is a failure of the server", async () => {
    await using relay = await startRelay({ answer: (tunnel) => tunnel.refused("connectionRefused") });
    await using proxy = await startProxy({ upstream: { proxy: `socks5h://127.0.0.1:${relay.port}` } });
    expect(await get(proxy, "http://shop.test/")).toMatch(/^502 [^]*UPSTREAM_REFUSED/);
  });

  test("down: 502; serverConnectError and serverDisconnect follow", async () => {
    const events: string[] = [];
    await using proxy = await startProxy({
      upstream: { proxy: `http://127.0.0.1:${await closedPort()}` },
      addons: [{
        serverConnectError: ({ host, via, error }) => void events.push(`error ${host} ${via} ${error!.code}`),
        serverDisconnect: ({ host }) => void events.push(`gone ${host}`),
      }],
    });
    expect(await get(proxy, "http://shop.test/")).toMatch(
      /^502 .*cannot reach shop\.test:80 through the proxy http:\/\/127\.0\.0\.1:\d+: .*refused/,
    );
    const via = lastFlow(proxy).server!.via;
    expect(events).toEqual([`error shop.test ${via} NEXT_PROXY_UNREACHABLE`, "gone shop.test"]);
  });

  test("slow: 504", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    await using proxy = await startProxy({
      upstream: { proxy: `http://127.0.0.1:${silent.port}` },
      timeouts: { connect: 150 },
    });
    expect(await get(proxy, "http://shop.test/")).toMatch(/^504 [^]*timeouts\.connect[^]*NEXT_PROXY_TIMEOUT/);
  });

  test("slow, and the proxy under test is closed meanwhile", async () => {
    await using silent = await startRawServer((connection) => connection.closed);
    const proxy = await startProxy({ upstream: { proxy: `http://127.0.0.1:${silent.port}` } });
    const answer = proxy.fetch("http://shop.test/").then(() => "an answer", () => "none");
    await expect.poll(() => silent.received.length).toBeGreaterThan(0);
    await proxy.close();
    expect(await answer).toBe("none");
    expect(lastFlow(proxy).error!.code).toBe("PROXY_CLOSED");
  });

  test("this proxy itself is a loop", async () => {
    await using proxy = await startProxy({ upstream: { proxy: ({ client }) => client.address && `${proxy.url}` } });
    expect(await get(proxy, "http://shop.test/")).toMatch(/^508 .*is this proxy itself/);
  });

  test.each<[string, (() => string) | (() => never), RegExp]>([
    ["throws", () => {
      throw new Error("no such desk");
    }, /the function upstream\.proxy threw: no such desk/],
    [
      "returns no URL of a proxy",
      () => "ftp://u:secret@x",
      /what the function upstream\.proxy returned is not the URL/,
    ],
    ["returns something else", () => ({}) as string, /returned a value of type object/],
  ])("a function that %s fails the flow, and close() tells", async (_, choose, why) => {
    const proxy = await startProxy({ upstream: { proxy: choose } });
    const answer = await get(proxy, "http://shop.test/");
    expect(answer).toMatch(/^502 /);
    expect(answer).toMatch(why);
    expect(answer).not.toContain("secret");
    expect(lastFlow(proxy).error!.code).toBe("HOOK_FAILED");
    await expect(proxy.close()).rejects.toThrow(why);
  });
});

describe("the tape", () => {
  test("has nothing of a proxy that failed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("tape.har");
    {
      await using proxy = await startProxy({
        tape: { path, mode: "record" },
        upstream: { proxy: `http://127.0.0.1:${await closedPort()}` },
      });
      expect(await get(proxy, "http://shop.test/")).toMatch(/^502 /);
    }
    const text = await readFile(path, "utf8").catch(() => "");
    expect(text).not.toContain("shop.test");
  });

  test("in replay mode never contacts it, nor asks where it is", async () => {
    await using folder = await tempFolder();
    const path = folder.file("tape.har");
    await using next = await startNext();
    {
      await using proxy = await startProxy({ tape: { path, mode: "record" }, upstream: { proxy: next.url } });
      expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    }
    await using watched = await startRawServer((connection) => connection.closed);
    let asked = 0;
    const ways: UpstreamOptions[] = [
      { proxy: `http://127.0.0.1:${watched.port}` },
      { pac: `http://127.0.0.1:${watched.port}/proxy.pac` },
      { proxy: () => void asked++ as undefined },
    ];
    for (const upstream of ways) {
      const proxy = await startProxy({ tape: { path, mode: "replay" }, upstream });
      expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
      expect(await get(proxy, "http://blog.test/")).toMatch(/^502 /);
      await expect(proxy.close()).rejects.toThrow("blog.test");
    }
    expect([watched.connections, asked, next.proxy.flows.length]).toEqual([0, 0, 1]);
  });
});

describe("options that are refused", () => {
  test.each<[unknown, RegExp]>([
    [{ proxy: "ftp://u:secret@h" }, /option upstream\.proxy is not the URL of a proxy: its scheme is "ftp"/],
    [{ proxy: "http://u:secret@" }, /option upstream\.proxy is not the URL of a proxy: it has no host/],
    [{ proxy: new URL("http://u:secret@h") }, /option upstream\.proxy is of type object/],
    [{ noProxy: "a b:c" }, /option upstream\.noProxy has "b:c"/],
    [{ noProxy: ["a"] }, /option upstream\.noProxy is/],
    [{ pac: "" }, /option upstream\.pac is ""/],
    [{ pac: "ftp://h/proxy.pac" }, /upstream\.pac is "ftp:.*: the text of a PAC file, its path, or/],
    [{ pac: "x.pac", proxy: "http://u:secret@h" }, /options upstream\.proxy and upstream\.pac are given together/],
  ])("%j", async (upstream, why) => {
    const error = await startProxy({ upstream } as ProxyOptions).then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as Error).message).toMatch(why);
    expect((error as Error).message).not.toContain("secret");
  });
});
