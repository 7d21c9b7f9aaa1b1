/**
 * Checks what would be published on JSR: `deno publish --dry-run` in a copy of the sources in which the one dependency from JSR,
 * `@std/http`, is replaced by its stand-in, so that this works where JSR cannot be reached.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

interface DenoConfig {
  version: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
  publish: { include: string[] };
}
interface PackageJson {
  version: string;
  exports: Record<string, unknown>;
}

const root = resolve(import.meta.dirname, "..");
const read = <T>(path: string): T => JSON.parse(readFileSync(resolve(root, path), "utf8"));
const config = read<DenoConfig>("deno.json");

agreeWith(read<PackageJson>("package.json"));
const folder = mkdtempSync(join(tmpdir(), "flowtape-jsr-"));
try {
  copyWithStandIn(folder);
  const { status } = spawnSync(
    resolve(root, "node_modules/.bin/deno"),
    ["publish", "--dry-run", "--allow-dirty", "--quiet"],
    { cwd: folder, stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Both registries get one version with the same entry points. */
function agreeWith(npm: PackageJson): void {
  if (npm.version !== config.version) {
    throw new Error(`package.json has version ${npm.version}, deno.json has ${config.version}`);
  }
  const onNpm = Object.keys(npm.exports).filter((it) => it !== "./package.json").sort().join(" ");
  const onJsr = Object.keys(config.exports).sort().join(" ");
  if (onNpm !== onJsr) throw new Error(`Entry points differ: package.json has ${onNpm}, deno.json has ${onJsr}`);
}

function copyWithStandIn(folder: string): void {
  for (const path of [...config.publish.include, "package.json"]) {
    if (existsSync(resolve(root, path))) cpSync(resolve(root, path), join(folder, path), { recursive: true });
  }
  cpSync(resolve(root, "tools/std_http"), join(folder, "std_http"), { recursive: true });
  symlinkSync(resolve(root, "node_modules"), join(folder, "node_modules"), "junction");

  const standIn = read<PackageJson & { exports: Record<string, { default: string }> }>("tools/std_http/package.json");
  const { "@std/http": _, ...imports } = config.imports;
  for (const [name, { default: path }] of Object.entries(standIn.exports)) {
    imports[`@std/http${name.slice(1)}`] = `./std_http${path.slice(1)}`;
  }
  const publish = { include: [...config.publish.include, "std_http"] };
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ ...config, imports, publish }, null, 2));
}
