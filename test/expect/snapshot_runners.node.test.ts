/** Snapshots in the runners that keep them: vitest here, Bun and Node in processes of their own, twice: the first run writes, the second compares. */
import { describe, expect, test } from "vitest";
import { readFile, writeFile } from "node:fs/promises";
import { shop } from "./shop.ts";
import { snapshot } from "../../src/expect/snapshot/snapshot.ts";
import { respond } from "../../src/rules/mod.ts";
import { run } from "../support/run.ts";
import { runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { startProxy } from "../tape/proxies.ts";

const SOURCE = JSON.stringify(import.meta.resolve("../../src/mod.ts"));

/** A proxy with volatile answers: its snapshot is to be the same each time. */
const PROGRAM = `
import { respond, startProxy } from ${SOURCE};
export async function shown() {
  await using proxy = await startProxy({
    rules: [["*", respond(() => ({ status: 201, json: { id: crypto.randomUUID(), at: new Date(), secret: Math.random().toString(36) } }))]],
  });
  await (await proxy.fetch("http://shop.test/orders", { method: "POST", body: JSON.stringify({ qty: 2 }) })).text();
  return proxy.snapshot();
}
`;

describe("a snapshot", () => {
  test("inline in vitest", () => {
    expect(snapshot(shop(), { matcher: "/orders" }).slice(0, 1)).toMatchInlineSnapshot(`
      [
        {
          "body": {
            "customer": {
              "id": 7,
              "password": "[redacted:password-1]",
            },
            "items": [
              {
                "qty": 3,
                "sku": "A-1",
              },
              {
                "qty": 1,
                "sku": "B-2",
              },
            ],
          },
          "headers": {
            "authorization": "Bearer [redacted:token-1]",
            "content-type": "application/json",
            "cookie": "sid=[redacted:sid-1]",
          },
          "request": "POST https://shop.test/orders?coupon=SUMMER&token=[redacted:token-1]",
          "response": {
            "body": {
              "id": 1,
              "state": "open",
            },
            "headers": {
              "content-type": "application/json",
            },
            "status": 201,
          },
        },
      ]
    `);
  });

  test("inline in vitest, as JSON", async () => {
    await using proxy = await startProxy({ rules: [["*", respond({ json: { at: Date.now() } })]] });
    await (await proxy.fetch("http://shop.test/cart")).text();
    expect(JSON.stringify(proxy.snapshot(), null, 2)).toMatchInlineSnapshot(`
      "[
        {
          "request": "GET http://shop.test/cart",
          "response": {
            "status": 200,
            "headers": {
              "content-type": "application/json"
            },
            "body": {
              "at": "[time-1]"
            }
          }
        }
      ]"
    `);
  });

  test("of node:test", async () => {
    await using folder = await tempFolder();
    await writeFile(folder.file("program.mjs"), PROGRAM);
    const file = folder.file("shop.test.mjs");
    await writeFile(
      file,
      `import { test } from "node:test";
import { shown } from "./program.mjs";
test("orders", async (t) => t.assert.snapshot(await shown()));
`,
    );
    const once = (...args: string[]) =>
      run(runtimePath("node"), ["--test", ...args, file], { cwd: folder.path, timeoutMs: 60_000 });
    expect((await once("--test-update-snapshots")).stdout).toMatch(/pass 1\b/);
    const written = await readFile(`${file}.snapshot`, "utf8");
    expect(written).toContain('"id": "[id-1]"');
    const again = await once();
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/pass 1\b/)]);
  });

  test("of Bun", async () => {
    await using folder = await tempFolder();
    await writeFile(folder.file("program.mjs"), PROGRAM);
    await writeFile(
      folder.file("shop.test.mjs"),
      `import { expect, test } from "bun:test";
import { shown } from "./program.mjs";
test("orders", async () => expect(await shown()).toMatchSnapshot());
test("inline", async () => {
  expect(await shown()).toMatchInlineSnapshot();
});
`,
    );
    const once = (env = {}) =>
      run(runtimePath("bun"), ["test", "./shop.test.mjs"], { cwd: folder.path, env, timeoutMs: 60_000 });
    const first = await once({ CI: undefined });
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining("2 pass")]);
    expect(await readFile(folder.file("shop.test.mjs"), "utf8")).toContain("[id-1]");
    const again = await once({ CI: "true" });
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("2 pass")]);
  });
});
