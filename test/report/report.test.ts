/**
 * `proxy.report()`: the file that it writes.
 *
 * @module
 */
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { respond, startProxy } from "../../src/mod.ts";
import { renderReport } from "../../src/report/mod.ts";
import { run } from "../support/run.ts";
import { runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";

test("a report is one file that its user alone can read, in a folder that was made for it", async () => {
  await using folder = await tempFolder();
  await using proxy = await startProxy({ rules: [["*", respond({ json: { ok: true } })]] });
  await (await proxy.fetch("http://shop.test/orders?page=2")).text();
  const path = await proxy.report(join(folder.path, "a/b/report.html"), { title: "orders" });
  expect(path).toBe(join(folder.path, "a/b/report.html"));
  expect(fs.readdirSync(dirname(path))).toEqual(["report.html"]);
  if (process.platform !== "win32") expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  const html = fs.readFileSync(path, "utf8");
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toContain("<title>orders</title>");
  expect(html).toContain("http://shop.test/orders?page=2");
});

test("without a path it has a file of its own in flowtape-report/", async () => {
  await using folder = await tempFolder();
  const script = `
    import { startProxy } from ${JSON.stringify(new URL("../../src/mod.ts", import.meta.url).href)};
    await using proxy = await startProxy();
    console.log(await proxy.report(undefined, { title: "Åsa's cart › is empty?" }));
    console.log(await proxy.report(undefined, { title: "Åsa's cart › is empty?" }));
    console.log(await proxy.report(undefined, { title: "../../etc/passwd" }));
  `;
  await fs.promises.writeFile(folder.file("script.mts"), script);
  const { stdout, stderr } = await run(runtimePath("node"), ["script.mts"], { cwd: folder.path, timeoutMs: 30_000 });
  const paths = stdout.trim().split("\n");
  expect(paths.map((path) => basename(path).replace(/-[\da-f]{8}\.html$/, "")), stderr).toEqual([
    "åsa-s-cart-is-empty",
    "åsa-s-cart-is-empty",
    "etc-passwd",
  ]);
  expect(new Set(paths).size).toBe(3);
  expect(fs.readdirSync(folder.file("flowtape-report"))).toHaveLength(3);
});

test("it works after the proxy was closed, and as often as one likes at once", async () => {
  await using folder = await tempFolder();
  const proxy = await startProxy({ rules: [["*", respond({ body: "once" })]] });
  await (await proxy.fetch("http://shop.test/")).text();
  await proxy.close();
  const path = folder.file("r.html");
  const paths = await Promise.all(Array.from({ length: 5 }, () => proxy.report(path)));
  expect(new Set(paths)).toEqual(new Set([path]));
  expect(fs.readdirSync(folder.path)).toEqual(["r.html"]);
  expect(fs.readFileSync(path, "utf8").endsWith("</html>\n")).toBe(true);
});

test("one that cannot be written says where, and leaves nothing behind", async () => {
  await using folder = await tempFolder();
  await using proxy = await startProxy();
  fs.mkdirSync(folder.file("taken.html"));
  fs.writeFileSync(folder.file("file"), "");
  for (const path of [folder.file("taken.html"), folder.file("file", "report.html")]) {
    await expect(proxy.report(path)).rejects.toMatchObject({
      code: "REPORT_NOT_WRITTEN",
      message: expect.stringContaining(path),
    });
  }
  expect(fs.readdirSync(folder.path).sort()).toEqual(["file", "taken.html"]);
});

test("options that are not known are refused", async () => {
  await using proxy = await startProxy();
  const report = proxy.report.bind(proxy) as (...args: unknown[]) => Promise<string>;
  await expect(report("r.html", { tilte: "x" })).rejects.toThrow(/tilte is not known; did you mean "title"/);
  await expect(report("")).rejects.toThrow(/path/);
  await expect(report(5)).rejects.toThrow(/path/);
  await expect(report("r.html", { title: 5 })).rejects.toThrow(/title/);
});

test("renderReport refuses what is no flow", async () => {
  for (const input of [undefined, {}, { flows: 5 }, { flows: [5] }, { flows: [undefined] }]) {
    await expect(renderReport(input as never)).rejects.toMatchObject({ code: "BAD_OPTION" });
  }
});
