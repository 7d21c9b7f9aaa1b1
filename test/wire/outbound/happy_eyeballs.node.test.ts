/** A name with several addresses. Only Node lets a test say what a name resolves to. */
import dns from "node:dns";
import { afterEach, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { exchange, requestTo } from "../http1_client.ts";

const { lookup } = dns;

afterEach(() => {
  dns.lookup = lookup;
});

/** Makes a name have these addresses. */
function resolveTo(...addresses: string[]): void {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  dns.lookup = ((_: string, options: { all?: boolean }, done: (...args: unknown[]) => void) => {
    queueMicrotask(() => options.all ? done(null, found) : done(null, found[0]!.address, found[0]!.family));
  }) as typeof lookup;
}

test.each([
  ["IPv6 first, which nobody answers", ["::1", "127.0.0.1"]],
  ["IPv4 first, of another machine's", ["127.0.0.2", "127.0.0.1"]],
  ["the right one alone", ["127.0.0.1"]],
])("the address that answers is used: %s", async (_, addresses) => {
  await using origin = await startOrigin();
  await using proxy = await startProxy();
  resolveTo(...addresses);

  const response = await exchange(proxy.port, requestTo(`http://two.test:${origin.port}/`));

  expect(response.text).toBe("ok");
  expect(proxy.flows.first()!.server!.address).toBe("127.0.0.1");
});

test("none answers: a 502 that names the server", async () => {
  await using proxy = await startProxy();
  resolveTo("::1", "127.0.0.2");

  const response = await exchange(proxy.port, requestTo("http://two.test:1/"));

  expect(response.status).toBe(502);
  expect(response.text).toContain("cannot reach two.test:1: it refused the connection");
});
