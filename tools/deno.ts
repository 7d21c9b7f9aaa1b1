/**
 * Runs one of Deno's tools on the source or on every entry point of deno.json, with the import map that does without JSR.
 *
 *     node tools/deno.ts check | test-docs | html
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";

const root = resolve(import.meta.dirname, "..");
const config = JSON.parse(readFileSync(resolve(root, "deno.json"), "utf8")) as { exports: Record<string, string> };
const entryPoints = Object.values(config.exports);
const map = "--import-map=tools/import_map.json";

const commands: Record<string, string[]> = {
  check: ["check", "--quiet", map, ...entryPoints],
  "test-docs": ["test", "--doc", "--allow-all", map, "src", "docs", "README.md"],
  html: ["doc", "--html", "--name=flowtape", "--output=.tmp/docs", map, ...entryPoints],
};

const [name = ""] = process.argv.slice(2);
const command = commands[name];
if (!command) throw new Error(`One of ${Object.keys(commands).join(", ")} is needed, not "${name}"`);
const { status } = spawnSync(resolve(root, "node_modules/.bin/deno"), command, { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
