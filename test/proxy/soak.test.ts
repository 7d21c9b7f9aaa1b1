import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";

test("two hundred clients that misbehave: no error gets away, nothing is said, and the process ends by itself", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const script = fileURLToPath(new URL("soak_in_process.ts", import.meta.url));
  const args = {
    node: [script],
    deno: ["run", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`, script],
    bun: [script],
  };
  const { code, stdout, stderr } = await run(runtimePath(runtime), args[runtime], { cwd: root, timeoutMs: 28_000 });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^\d+ flows, 0 errors got away\n$/);
  expect(code).toBe(0);
});
