// Clients that speak TLS with the proxy itself (after Libcloud's https proxies).
import http from "node:http";
import https from "node:https";
import { expect, test } from "vitest";
import { agents, ProxyClient } from "../../src/client/mod.ts";
import { respond, startProxy } from "../../src/mod.ts";
import { byRequest } from "./clients.ts";

const auth = { username: "me@home", password: "a/b c" };
const address = (port: number, ca: string) => ({
  proxy: `https://${encodeURIComponent(auth.username)}:${encodeURIComponent(auth.password)}@127.0.0.1:${port}`,
  ca,
});

test.each(["http", "https"])("ProxyClient, %s", async (scheme) => {
  await using proxy = await startProxy({ auth, defaultAction: respond({ body: "answered" }) });
  await using client = new ProxyClient(address(proxy.port, proxy.ca.cert));
  expect(await (await client.fetch(`${scheme}://192.0.2.7/`)).text()).toBe("answered");
});

test("agents", async () => {
  await using proxy = await startProxy({ auth, defaultAction: respond({ body: "answered" }) });
  const made = agents(address(proxy.port, proxy.ca.cert));
  expect(await byRequest(http.request, { agent: made.http })("http://192.0.2.7/")).toBe("answered");
  expect(await byRequest(https.request, { agent: made.https })("https://192.0.2.7/")).toBe("answered");
});

test.each(["http", "https"])("one that is not trusted: %s", async (scheme) => {
  await using proxy = await startProxy({ defaultAction: respond({ body: "answered" }) });
  await using client = new ProxyClient({ proxy: `https://127.0.0.1:${proxy.port}` });
  await expect(client.fetch(`${scheme}://192.0.2.7/`)).rejects.toMatchObject({ code: "PROXY_UNREACHABLE" });
});
