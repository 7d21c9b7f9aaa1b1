/**
 * `deno doc --lint` for every entry point, without what it finds in other packages: with a local node_modules folder Deno takes
 * their declarations for ours.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const config = JSON.parse(readFileSync("deno.json", "utf8")) as { exports: Record<string, string> };
const source = globSync("src/**/*.ts").map((path) => readFileSync(path, "utf8")).join("\n");

const lint = spawnSync(
  "node_modules/.bin/deno",
  ["doc", "--lint", "--quiet", "--import-map=tools/import_map.json", ...Object.values(config.exports)],
  { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
);
const [before = "", ...diagnostics] = lint.stderr.split(/^(?=error\[)/m);
const ours = diagnostics.filter(isOurs);
if (ours.length || (lint.status !== 0 && diagnostics.length === 0)) {
  console.error(ours.join("").trimEnd() || before);
  process.exitCode = 1;
} else {
  console.log(`Every public name of ${Object.keys(config.exports).length} entry points is documented`);
}

function isOurs(diagnostic: string): boolean {
  const place = /--> (.*?):\d+:\d+/.exec(diagnostic)?.[1] ?? "";
  if (!place.startsWith(resolve(root, "src"))) return false;
  const referenced = /references private type '(\w+)'/.exec(diagnostic)?.[1];
  // The name of somebody else's type may be that of one of ours, somewhere.
  if (referenced && new RegExp(`import[^;]*\\b${referenced}\\b[^;]*from "[^.]`).test(readFileSync(place, "utf8"))) {
    return false;
  }
  return !referenced || new RegExp(`\\b(class|interface|type|enum) ${referenced}\\b`).test(source);
}
