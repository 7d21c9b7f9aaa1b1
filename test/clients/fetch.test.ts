// fetch of each runtime in a process of its own, and of this one, recorded and replayed.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { fetchIn } from "../support/run.ts";
import { RUNTIMES } from "../support/runtime.ts";
import { recordAndReplay } from "./record_and_replay.ts";

describe.each(RUNTIMES.flatMap((name) => [[name, "http"], [name, "https"]] as const))(
  "fetch in %s, %s",
  (name, scheme) => {
    test.each(["/text", "/gzip", "/chunks", "/redirect"])("%s", async (path) => {
      const { status, body } = await recordAndReplay(async (proxy, url) => {
        const { status, body, headers } = await fetchIn(name, url + path, { env: proxy.env() });
        return { status, body, type: headers["content-type"] };
      }, { tls: scheme === "https" });
      expect(status).toBe(200);
      const bodies = { "/gzip": "packed ".repeat(1000), "/chunks": "one two three" };
      expect(body).toBe(bodies[path as keyof typeof bodies] ?? "text of /text: é€");
    });
  },
);

describe.each(["http", "https"])("proxy.fetch, %s", (scheme) => {
  test("everything", async () => {
    const all = await recordAndReplay(async (proxy, url) => {
      const answers = [];
      for (
        const path of [
          "/text",
          "/binary",
          "/gzip",
          "/chunks",
          "/empty",
          "/redirect",
          "/cookies",
          "/missing",
          "/count",
          "/count",
          "/count",
        ]
      ) {
        const response = await proxy.fetch(url + path);
        answers.push({
          path,
          status: response.status,
          reason: response.statusText,
          cookies: response.headers.getSetCookie(),
          body: Buffer.from(await response.arrayBuffer()).toString("base64"),
        });
      }
      for (const body of ["one", "two", "one"]) {
        const response = await proxy.fetch(`${url}/echo`, { method: "POST", body });
        answers.push({ status: response.status, body: await response.text() });
      }
      return answers;
    }, { tls: scheme === "https", redact: false });
    expect(all.map(({ status }) => status)).toEqual([
      200,
      200,
      200,
      200,
      204,
      200,
      200,
      404,
      200,
      200,
      200,
      201,
      201,
      201,
    ]);
    expect(all.at(1)!.body).toBe(Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => i * 7)).toString("base64"));
    expect(all.slice(8, 11).map(({ body }) => Buffer.from(body, "base64").toString())).toEqual([
      "count 1",
      "count 2",
      "count 3",
    ]);
    expect(all.slice(11).map(({ body }) => body)).toEqual(["echo one", "echo two", "echo one"]);
  });
});

test.each(RUNTIMES)("B47 fetch in %s that does not trust the proxy is a flow with an error", async (name) => {
  const log: string[] = [];
  const { respond, startProxy } = await import("../../src/mod.ts");
  await using proxy = await startProxy({
    defaultAction: respond({ body: "ok" }),
    addons: [{ log: ({ level, message }) => void log.push(`${level} ${message}`) }],
  });
  const env = Object.fromEntries(
    Object.entries(proxy.env()).map(([variable, value]) => [variable, value === proxy.ca.path ? undefined : value]),
  );
  await expect(fetchIn(name, "https://shop.test/", { env })).rejects.toThrow(/fetch in/);
  await expect.poll(() => proxy.flows.length).toBeGreaterThan(0);
  expect(proxy.flows.first()!.error!.code).toMatch(/^TLS_CLIENT_(REJECTED|CLOSED)$/);
  expect(log[0]).toMatch(/^warn CONNECT shop\.test:443: The client .*proxy\.ca\.path/);
  expect((await fetchIn(name, "https://shop.test/", { env: proxy.env() })).body).toBe("ok");
});
