/** What must be there before anything is measured: the peers in their own folder, and the package as users get it. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist", "mod.js");

/** Installs and builds what is missing or out of date; returns where the built package is. */
export function prepare(): string {
  if (installed() < statSync(join(bench, "package-lock.json")).mtimeMs) {
    run("npm", ["ci", "--no-audit", "--no-fund"], bench);
  }
  if (!existsSync(built) || statSync(built).mtimeMs < newest(join(root, "src"))) run("npm", ["run", "build"], root);
  return built;
}

/** When the peers were installed; npm writes this file last. */
function installed(): number {
  return statSync(join(bench, "node_modules", ".package-lock.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

function run(command: string, args: string[], cwd: string): void {
  console.error(`${command} ${args.join(" ")}`);
  // Through a shell where npm is a script; its output goes to standard error, so that --json prints nothing else.
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    throw new Error(`"${command} ${args.join(" ")}" failed in ${cwd}`);
  }
}
