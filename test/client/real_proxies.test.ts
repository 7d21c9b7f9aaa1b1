// ProxyClient with proxies that others have written, which ask for a name and a password.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProxyClient } from "../../src/client/mod.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { hasCommand } from "../support/runtime.ts";
import { REAL_PROXIES, type RealProxy, startRealProxy } from "../wire/outbound/real_proxies.ts";

// Names that both can have in their configuration; others are tried with flowtape's own proxy.
const auth = { username: "tester", password: "pass-word1" };
const userinfo = `${auth.username}:${auth.password}@`;

for (const name of REAL_PROXIES) {
  const missing = !hasCommand(name);
  if (missing) console.warn(`${name} is not installed: ProxyClient is not tested with it`);

  describe.skipIf(missing)(`ProxyClient with ${name}`, () => {
    let proxy: RealProxy;
    let plain: Origin;
    let secure: Origin;
    beforeAll(async () => {
      proxy = await startRealProxy(name, auth);
      plain = await startOrigin(({ target }) => ({ body: `plain ${target}` }));
      secure = await startOrigin(({ target }) => ({ body: `secure ${target}` }), { tls: true });
    });
    afterAll(async () => {
      await plain[Symbol.asyncDispose]();
      await secure[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    });

    test.each(["http", "https"])("%s", async (scheme) => {
      const origin = scheme === "https" ? secure : plain;
      await using client = new ProxyClient({ proxy: `http://${userinfo}127.0.0.1:${proxy.port}`, ca: secure.ca });
      const response = await client.fetch(`${origin.url}/a?b`);
      expect([response.status, await response.text()]).toEqual([
        200,
        `${scheme === "https" ? "secure" : "plain"} /a?b`,
      ]);
      const names = origin.requests.flatMap((it) => it.headers.map(([it]) => it.toLowerCase()));
      expect(names).not.toContain("proxy-authorization");
    });

    test.each(["http", "https"])("%s, without credentials", async (scheme) => {
      await using client = new ProxyClient({ proxy: `http://127.0.0.1:${proxy.port}`, ca: secure.ca });
      const error = await client.fetch(scheme === "https" ? secure.url : plain.url).catch((it) => it);
      expect(error).toMatchObject({ code: "PROXY_AUTH", message: expect.stringMatching(/407.*wants a name/) });
    });
  });
}
