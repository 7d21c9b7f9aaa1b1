/**
 * The tables "if you come from toxiproxy" and "if you come from WireMock" in docs/faults.md, row by row.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type Action,
  delay,
  fault,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  tcp,
  throttle,
} from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { latin1, requestTo } from "../../wire/http1_client.ts";
import { echoServer, pattern } from "../../wire/tcp/support.ts";
import { openTunnel } from "../../wire/tunnel.ts";

const GUIDE = readFileSync(new URL("../../../docs/faults.md", import.meta.url), "utf8");

/** What came, how it ended, and after how many milliseconds. */
interface Seen {
  bytes: string;
  end: "end" | "reset";
  ms: number;
}

async function watch(connection: RawConnection, start: number): Promise<Seen> {
  const from = connection.received.length;
  const end = await connection.readAll().then(() => "end" as const, () => "reset" as const);
  return { bytes: latin1(connection.received.subarray(from)), end, ms: performance.now() - start };
}

const SENT = latin1(pattern(400));

describe("toxiproxy", () => {
  /** Says 400 bytes to a server that says them back, and ends. */
  async function talk(action: Action): Promise<Seen & { code: string | undefined; messages: number }> {
    await using server = await echoServer();
    await using proxy = await startProxy({ rules: [[tcp(), action]] });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    const start = performance.now();
    const seen = watch(client, start);
    await client.write(SENT_BYTES).catch(() => {});
    // A client that ends would end what is only silent.
    if (!/timeout|reset/.test(String((action as { description?: string }).description))) client.end();
    const got = await seen;
    const [flow] = await proxy.waitFor(tcp());
    return { ...got, code: flow!.error?.code, messages: flow!.type === "tcp" ? flow!.messages.length : 0 };
  }
  const SENT_BYTES = pattern(400);
  const whole = { bytes: SENT, end: "end", code: undefined };

  test.each([
    ['fault("latency", { ms: { ms: 100, jitter: 20 } })', fault("latency", { ms: { ms: 100, jitter: 20 } }), whole, 79],
    [
      'throttle({ bytesPerSecond: 10_000, on: "response" })',
      throttle({ bytesPerSecond: 10_000, on: "response" }),
      whole,
      39,
    ],
    ['fault("slow-close", { ms: 100 })', fault("slow-close", { ms: 100 }), whole, 99],
    [
      'fault("timeout", { ms: 100, on: "response" })',
      fault("timeout", { ms: 100, on: "response" }),
      { bytes: "", end: "end", code: "FAULT_TIMEOUT" },
      99,
    ],
    ['fault("reset", { ms: 100 })', fault("reset", { ms: 100 }), { bytes: "", end: "reset", code: "FAULT_RESET" }, 99],
    [
      'fault("slice", { size: 64, variation: 16, ms: 1 })',
      fault("slice", { size: 64, variation: 16, ms: 1 }),
      whole,
      4,
    ],
    ['fault("limit", { bytes: 500 })', fault("limit", { bytes: 500 }), whole, 0],
    ['fault("limit", { bytes: 500 })', fault("limit", { bytes: 50 }), {
      bytes: SENT.slice(0, 50),
      end: "end",
      code: "FAULT_LIMIT",
    }, 0],
    ['[tcp(), "drop"]', "drop", { bytes: "", end: "reset", code: "DROPPED" }, 0],
  ] as [string, Action, object, number][])("%s", async (row, action, expected, least) => {
    expect(GUIDE).toContain(`\`${row}\``);
    const seen = await talk(action);
    expect(seen).toMatchObject(expected);
    expect(seen.ms).toBeGreaterThanOrEqual(least);
  });

  test("toxicity", async () => {
    expect(GUIDE).toContain("`{ probability: 0.3, seed: 1 }`");
    const action = fault("reset", { probability: 0.3, seed: 1 });
    await using server = await echoServer();
    await using proxy = await startProxy({ rules: [[tcp(), action]] });
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 30; i++) {
      await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
      await client.write("hello").catch(() => {});
      client.end();
      await watch(client, 0);
      const flows = await proxy.waitFor(tcp(), { count: i + 1 });
      codes.push(flows.last()!.error?.code);
    }
    expect(new Set(codes)).toEqual(new Set([undefined, "FAULT_RESET"]));
    expect(codes.filter((code) => code !== undefined).length).toBeLessThan(20);
  });

  test("upstream and downstream", async () => {
    for (const on of ["request", "response"] as const) {
      const seen = await talk(fault("limit", { bytes: 100, on }));
      expect(seen).toMatchObject({ code: "FAULT_LIMIT" });
      expect(seen.bytes.length).toBeLessThanOrEqual(100);
    }
  });
});

describe("WireMock", () => {
  const body = "x".repeat(100);
  async function ask(proxy: Proxy): Promise<Seen & { flow: HttpFlow }> {
    await using client = await connectRaw(proxy.port);
    const start = performance.now();
    await client.write(requestTo("http://a.test/", { fields: ["Connection: close"] }));
    const seen = await watch(client, start);
    const [flow] = await proxy.waitFor(() => true);
    return { ...seen, flow: flow as HttpFlow };
  }

  test.each([
    ["CONNECTION_RESET_BY_PEER", 'fault("reset")', fault("reset"), /^$/, "reset"],
    ["EMPTY_RESPONSE", 'fault("empty")', fault("empty"), /^$/, "end"],
    [
      "MALFORMED_RESPONSE_CHUNK",
      'fault("malformed-chunk")',
      fault("malformed-chunk"),
      /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n[^0-9a-fA-F][^]{63}$/,
      "end",
    ],
    ["RANDOM_DATA_THEN_CLOSE", 'fault("random-data")', fault("random-data"), /^[^H][^]{63}$/, "end"],
  ] as [string, string, Action, RegExp, string][])("%s", async (name, row, action, bytes, end) => {
    expect(GUIDE).toContain(`| \`fault: "${name}"\` | \`${row}\` |`);
    await using proxy = await startProxy({ rules: [["http://a.test/", action]] });
    const seen = await ask(proxy);
    expect(seen.bytes).toMatch(bytes);
    expect([seen.end, seen.flow.error?.code.startsWith("FAULT_")]).toEqual([end, true]);
  });

  const answer = respond({ body });
  test.each([
    ["delay(200, respond(...))", delay(200, answer), 199],
    [
      "delay({ median: 80, sigma: 0.4, max: 500 }, respond(...))",
      delay({ median: 80, sigma: 0.4, max: 500 }, answer),
      1,
    ],
    ["delay({ min: 15, max: 25 }, respond(...))", delay({ min: 15, max: 25 }, answer), 14],
    [
      'fault("dribble", { chunks: 5, ms: 1000, then: respond(...) })',
      fault("dribble", { chunks: 5, ms: 1000, then: answer }),
      999,
    ],
  ] as [string, Action, number][])("%s", async (row, action, least) => {
    expect(GUIDE).toContain(`\`${row}\``);
    await using proxy = await startProxy({ rules: [["http://a.test/", action]] });
    const seen = await ask(proxy);
    expect([seen.bytes.endsWith(`\r\n\r\n${body}`), seen.end, seen.flow.error]).toEqual([true, "end", undefined]);
    expect(seen.ms).toBeGreaterThanOrEqual(least);
  });

  test("global delays", async () => {
    expect(GUIDE).toContain("`defaultAction: delay(200)`");
    await using proxy = await startProxy({ defaultAction: delay(60, answer) });
    expect((await ask(proxy)).ms).toBeGreaterThanOrEqual(59);
  });
});
