/** Rules for raw conversations. */
import { describe, expect, test } from "vitest";
import { all, any, not, type ProxyOptions, respond, sequence, startProxy, tcp, times } from "../../../src/mod.ts";
import { openTunnel } from "../tunnel.ts";
import { echoServer, openSocks, tcpFlowOf } from "./support.ts";

/** What becomes of a conversation with an echo: what it sends back, or the error of its flow. */
async function talk(options: ProxyOptions): Promise<string> {
  await using echo = await echoServer();
  const proxy = await startProxy({ ...options, upstream: { hosts: { "db.test": "127.0.0.1" } } });
  try {
    await using client = await openTunnel(proxy, `db.test:${echo.port}`);
    await client.write("\0hi");
    const heard = await client.readBytes(3).then(() => "echo", () => "cut");
    await client[Symbol.asyncDispose]();
    await proxy.waitFor(tcp());
    const { error } = tcpFlowOf(proxy);
    expect(echo.connections).toBe(heard === "echo" ? 1 : 0);
    return heard === "echo" ? heard : `${heard} ${error?.code}`;
  } finally {
    await proxy.close().catch(() => {});
  }
}

describe("a conversation", () => {
  test.each<[string, ProxyOptions, string]>([
    ["passes without rules", {}, "echo"],
    ['is cut by defaultAction: "drop"', { defaultAction: "drop" }, "cut DROPPED"],
    ["is cut by a rule", { rules: [[tcp(), "drop"]] }, "cut DROPPED"],
    ["is cut by a rule for its server", { rules: [[tcp("db.test"), "drop"]] }, "cut DROPPED"],
    ["passes a rule for another", { rules: [[tcp("mail.test"), "drop"]] }, "echo"],
    ["passes where the first rule says so", { rules: [[tcp("db.test"), "forward"], [tcp(), "drop"]] }, "echo"],
    ["passes in spite of the default", { rules: [[tcp("db.test"), "forward"]], defaultAction: "drop" }, "echo"],
    ["is cut by a combination", { rules: [[all(tcp("*.test"), not(tcp("mail.test"))), "drop"]] }, "cut DROPPED"],
    ["is cut by an alternative", { rules: [[any("/path", tcp()), "drop"]] }, "cut DROPPED"],
    ["is none of the business of rules for HTTP", { rules: [[() => true, "drop"], [not("/a"), "drop"]] }, "echo"],
    ["nor of a default that answers HTTP", { defaultAction: respond({ status: 404 }) }, "echo"],
    ["fails where a rule would answer it", { rules: [[tcp(), respond({ body: "no" })]] }, "cut HOOK_FAILED"],
    ["fails where a matcher throws", { rules: [[tcp(() => never()), "drop"]] }, "cut HOOK_FAILED"],
  ])("%s", async (_, options, outcome) => {
    expect(await talk(options)).toBe(outcome);
  });

  test("an action of another kind fails close(), which says what can be done", async () => {
    const proxy = await startProxy({ rules: [[tcp("db.test"), respond({ body: "no" })]] });
    await using client = await openTunnel(proxy, "db.test:5432");
    await client.write("\0hi");
    await client.closed;
    await expect(proxy.close()).rejects.toThrow(/rules\[0\] \(tcp\(db\.test\)\): .*"forward", "drop"/);
  });

  test("rules that count count conversations, and a handle knows them", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    const handle = proxy.use([tcp(), sequence("drop", times(1, "drop"), "forward")]);
    const outcomes: string[] = [];
    for (let i = 0; i < 3; i++) {
      await using client = await openSocks(proxy, "127.0.0.1", echo.port);
      await client.write("\0hi");
      outcomes.push(await client.readBytes(3).then(() => "echo", () => "cut"));
    }
    expect(outcomes).toEqual(["cut", "cut", "echo"]);
    expect(handle.calls.length).toBe(3);
    handle.dispose();
  });

  test("what an addon has ended is left alone", async () => {
    await using proxy = await startProxy({
      addons: [{ tcpStart: (flow) => flow.kill() }],
      rules: [[tcp(), "drop"]],
    });
    await using client = await openTunnel(proxy, "db.test:5432");
    await client.write("\0hi");
    await client.closed;
    await proxy.waitFor(tcp());
    expect(tcpFlowOf(proxy).error?.code).toBe("KILLED");
  });
});

function never(): never {
  throw new Error("no");
}
