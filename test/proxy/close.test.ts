/** Closing a proxy whose connections are in the middle of everything. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProxy } from "../../src/mod.ts";
import { CROWD_KINDS, startCrowd } from "../support/crowd.ts";
import { run } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";

test("B95 twenty connections of every kind: every flow ends and is told, nothing is left behind, no error gets away", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const script = fileURLToPath(new URL("close_in_process.ts", import.meta.url));
  const args = {
    node: [script, "20"],
    deno: ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`, script, "20"],
    bun: [script, "20"],
  };
  const { code, stdout, stderr } = await run(runtimePath(runtime), args[runtime], { cwd: root, timeoutMs: 28_000 });

  expect(stderr).toBe("");
  const { inFlight, codes, hooks, open, ...rest } = JSON.parse(stdout);
  expect(rest).toEqual({ left: {}, sockets: 0, escaped: 0 });
  // The clients' ends are in this process as well.
  if (existsSync("/proc/self/fd")) expect(open).toBeGreaterThan(CROWD_KINDS.length * 20 * 2);
  expect(inFlight).toBeGreaterThan(20 * 11);
  expect(codes).toEqual({ PROXY_CLOSED: inFlight });
  expect(hooks).toEqual({ connected: 0, servers: 0, ended: inFlight });
  expect(code).toBe(0);
});

test.each(CROWD_KINDS)("B95 a client %s is closed with the proxy", async (kind) => {
  await using crowd = await startCrowd();
  await using proxy = await startProxy(crowd.options);
  await crowd.come(proxy, 2, [kind]);

  await proxy.close();
  await Promise.all(crowd.clients.map(({ connection }) => connection.closed));

  for (const { done, error } of proxy.flows) {
    expect([done, error?.code ?? "ok"]).toEqual([true, expect.stringMatching(/^(?:PROXY_CLOSED|ok)$/)]);
  }
});
