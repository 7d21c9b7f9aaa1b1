/**
 * `proxy.report()`: the file that it writes.
 *
 * @module
 */
import fs from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { respond, startProxy } from "../../src/mod.ts";
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
