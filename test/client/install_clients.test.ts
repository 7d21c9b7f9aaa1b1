// The clients of this process, pointed at a proxy by install().
import { expect, test } from "vitest";
import { type HttpFlow, type Proxy, respond, respondWebSocket, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { runtime } from "../support/runtime.ts";
import { CLIENTS, SOCKETS } from "./clients.ts";
import type { Told } from "./install_in_process.ts";
import { runScript } from "./run_script.ts";

// An address that is nobody's (RFC 5737): what goes past the proxy finds no server.
const NOWHERE = "192.0.2.7";

// Bun has stand-ins of its own for these packages, which take no notice of what a process changes.
const names = Object.keys(CLIENTS).filter((name) => runtime !== "bun" || name !== "node-fetch");
const sockets = Object.keys(SOCKETS).filter((name) => runtime !== "bun" || name !== "ws");

const asked = (proxy: Proxy) => [...proxy.flows].map((flow) => (flow as HttpFlow).request.url);
const each = (names: string[], schemes: [string, string]) => names.flatMap((name) => schemes.map((it) => [name, it]));

test.each(each(names, ["http", "https"]))("%s, %s: answered by a rule, twice", async (name, scheme) => {
  await using proxy = await startProxy({ defaultAction: respond({ body: "answered" }) });
  using _ = proxy.install();
  const urls = ["/a?b=1", "/c"].map((path) => `${scheme}://${NOWHERE}${path}`);
  for (const url of urls) expect(await CLIENTS[name!]!(url)).toBe("answered");
  expect(asked(proxy)).toEqual(urls);
});

test.each(each(names, ["http", "https"]))(
  "%s, %s: to a server through the proxy, and past it before and after",
  async (name, scheme) => {
    const tls = scheme === "https" ? { tls: true } as const : {};
    await using origin = await startOrigin(({ target }) => ({ body: `server ${target}` }), tls);
    await using proxy = await startProxy({ upstream: { ca: origin.ca || [] } });
    const get = (path: string) => CLIENTS[name!]!(origin.url + path);
    // Connections that clients keep are not taken by requests that are to go another way. Nobody else trusts the server.
    if (scheme === "http") expect(await get("/before")).toBe("server /before");
    {
      using _ = proxy.install();
      expect(await get("/through")).toBe("server /through");
    }
    if (scheme === "http") expect(await get("/after")).toBe("server /after");
    else await expect(get("/after")).rejects.toThrow();
    expect(asked(proxy)).toEqual([`${origin.url}/through`]);
  },
);

test.each(each(sockets, ["ws", "wss"]))("%s, %s", async (name, scheme) => {
  await using proxy = await startProxy({ rules: [["*", respondWebSocket((client) => void client.send("welcome"))]] });
  using _ = proxy.install();
  expect(await SOCKETS[name!]!(`${scheme}://${NOWHERE}/chat`)).toBe("welcome");
  expect(asked(proxy)).toEqual([`${scheme}://${NOWHERE}/chat`]);
});

// undici has a clock that goes on for a second after the last request: Deno would find it in whatever test comes next.
test.skipIf(runtime === "bun")("undici, in two versions", { timeout: 90_000 }, async () => {
  const told = await runScript("install_in_process.ts", ["undici"]) as Record<string, Told[]>;
  expect(Object.keys(told)).toHaveLength(4);
  const paths = { through: ["/through", "/again"], seen: ["/through", "/again"] };
  for (const [name, [plain, secure]] of Object.entries(told)) {
    expect([name, plain]).toEqual([name, { before: "/before", after: "/after", ...paths }]);
    // Nobody else trusts the server.
    expect([name, secure]).toEqual([name, { before: "failed", after: "failed", ...paths }]);
  }
});

test.each([
  { no_proxy: "127.0.0.1,localhost,*", NO_PROXY: "127.0.0.1,localhost,*" },
  { no_proxy: "", NO_PROXY: "", NODE_USE_ENV_PROXY: "1" },
])("the environment of the process does not count: $no_proxy", { timeout: 90_000 }, async (variables) => {
  await using other = await startProxy({ defaultAction: respond({ body: "by the other" }) });
  const env = Object.entries(other.env()).filter(([name]) => /^(?:https?|all)_proxy$/i.test(name));
  const told = await runScript("install_in_process.ts", [], {
    env: { ...Object.fromEntries(env), ...variables },
  }) as Record<string, Told[]>;
  for (const name of names) {
    for (const { through, seen } of told[name]!) {
      expect([name, through, seen]).toEqual([name, ["/through", "/again"], ["/through", "/again"]]);
    }
  }
});
