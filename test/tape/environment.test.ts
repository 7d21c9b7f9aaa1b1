// The environment variables of a process with a proxy.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { prune } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { entriesOf } from "./proxies.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const script = (path: string, url: string) => `
import { startProxy } from ${JSON.stringify(new URL("../../src/mod.ts", import.meta.url).href)};
const proxy = await startProxy({ tape: { path: ${JSON.stringify(path)}, mode: "replay" } });
const response = await proxy.fetch(${JSON.stringify(url)});
console.log(response.status);
await response.text();
await proxy.close().catch(() => {});
`;

test("FLOWTAPE_MODE goes before the option, FLOWTAPE_USAGE notes the tape", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin(() => ({ body: "hello" }));
  const path = folder.file("a.har");
  await writeFile(folder.file("run.mts"), script(path, `${origin.url}/a`));
  const go = async (env: Record<string, string>) => {
    const flags = [
      "run",
      "--allow-all",
      "--no-check",
      `--config=${root}deno.json`,
      `--import-map=${root}tools/import_map.json`,
    ];
    const args = [...(runtime === "deno" ? flags : []), folder.file("run.mts")];
    const variables = { CI: "true", FLOWTAPE_MODE: undefined, FLOWTAPE_USAGE: undefined, ...env };
    const { stdout, stderr } = await run(runtimePath(runtime), args, { env: variables, cwd: root, timeoutMs: 20_000 });
    return stdout.trim() || stderr;
  };
  expect(await go({})).toBe("502");
  expect(await go({ FLOWTAPE_MODE: "record" })).toBe("200");
  expect(await entriesOf(path)).toEqual(["GET /a hello"]);
  expect(await go({ FLOWTAPE_USAGE: folder.file("used") })).toBe("200");
  expect(await prune(folder.path, { usage: folder.file("used") })).toEqual([]);
  expect(origin.requests).toHaveLength(1);
  expect(await go({ FLOWTAPE_MODE: "rec" })).toContain('the environment variable FLOWTAPE_MODE is "rec"');
});
