// Filter expressions in rules and elsewhere in a running proxy.
import { describe, expect, test } from "vitest";
import { assertReceived, filter, respond, startProxy } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { connectRaw, rawRequest } from "../../support/raw_client.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { openTunnel } from "../../wire/tunnel.ts";

function post(url: string, body: string): string {
  return `POST ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe("in a rule", () => {
  test("by head and by body, as in the documentation", async () => {
    await using proxy = await startProxy({
      rules: [[filter("~m POST & (~u /orders | ~hq x-test) & !~bq dry-run"), respond({ status: 201 })]],
      defaultAction: respond({ status: 404 }),
    });
    const status = async (path: string, body: string) =>
      (await rawRequest(proxy.port, post(`http://a.test${path}`, body))).slice(9, 12);
    expect(await status("/orders", "one")).toBe("201");
    expect(await status("/orders", "dry-run")).toBe("404");
    expect(await status("/other", "one")).toBe("404");
    expect(proxy.flows.filter(filter("~c 404")).length).toBe(2);
    assertReceived(proxy, filter("~u /orders & ~c 201"), { times: 1 });
    expect((await proxy.waitFor(filter("~bq dry-run"))).length).toBe(1);
    expect(() => assertReceived(proxy, filter("~u /nowhere"))).toThrow("~u /nowhere");
  });

  test("there is no response yet: as for { status }", async () => {
    await using origin = await startOrigin(() => ({ status: 500 }));
    await using proxy = await startProxy({
      rules: [
        [filter("~c 500 | ~s | ~hs . | ~bs . | ~e"), "drop"],
        [{ status: 500 }, "drop"],
        [filter("~q & !~c 500 & ~u /rule"), respond({ body: "rule" })],
      ],
    });
    expect(await rawRequest(proxy.port, post(`${origin.url}/rule`, ""))).toMatch(/rule$/);
    expect(await rawRequest(proxy.port, post(`${origin.url}/`, ""))).toMatch(/^HTTP\/1\.1 500 /);
  });

  test("the method in any case, and one of the index's among many", async () => {
    await using proxy = await startProxy({
      rules: [
        ...Array.from({ length: 50 }, (_, i) => [filter(`~m PUT & ~u /${i}$`), "drop"] as const),
        [filter("~m patch"), respond({ body: "patched" })],
      ],
      defaultAction: respond({ body: "default" }),
    });
    const ask = (method: string) => rawRequest(proxy.port, post("http://a.test/", "").replace("POST", method));
    expect(await ask("PATCH")).toMatch(/patched$/);
    expect(await ask("patch")).toMatch(/patched$/);
    expect(await ask("POST")).toMatch(/default$/);
  });

  test("raw conversations where ~tcp is in it", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.write("hello");
      await connection.closed;
    });
    for (const [expression, dropped] of [["~tcp & ~all", true], ["~all", false]] as const) {
      await using proxy = await startProxy({ rules: [[filter(expression), "drop"]] });
      await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`).catch(() => connectRaw(proxy.port));
      await client.write("x").catch(() => {});
      if (!dropped) await client.readUntil("hello");
      const outcome = filter(dropped ? "~tcp & ~e" : "~tcp & !~e & ~bs hello");
      await expect.poll(() => proxy.flows.filter(outcome).length).toBe(1);
    }
  });
});
