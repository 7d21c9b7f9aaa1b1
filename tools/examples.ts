/**
 * Runs the example projects with the package as it would be published, as on a CI server: they replay their tapes.
 *
 *     node tools/examples.ts [--record] [part of a name]...
 *
 * The package is packed from `dist/` (so `npm run build` comes first) and put beside copies of the examples, in `.tmp/examples`: other
 * packages are those of the checkout, and nothing is downloaded. `--record` records the tapes anew and brings them back.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

/** What a machine may lack, and which example needs it. On a CI server it must be there. */
const NEEDS: Readonly<Record<string, string>> = { playwright: "chromium", python: "python3" };
/** For one example. Generous: the machine that runs this may be slow and busy. */
const PATIENCE_MS = 3 * 60_000;

const root = resolve(import.meta.dirname, "..");
const work = join(root, ".tmp/examples");
const { values: { record }, positionals } = parseArgs({
  allowPositionals: true,
  options: { record: { type: "boolean", default: false } },
});

const names = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((it) => it.isDirectory() && (positionals.length === 0 || positionals.some((part) => it.name.includes(part))))
  .map(({ name }) => name).sort();
if (names.length === 0) throw new Error(`No example has a name with ${positionals.join(" or ")} in it`);

installPackage();
let failures = 0;
for (const name of names) await runExample(name);
if (failures > 0) {
  console.error(`\n${failures} of ${names.length} examples failed`);
  process.exitCode = 1;
}

function installPackage(): void {
  if (!existsSync(join(root, "dist/mod.js"))) throw new Error("There is nothing to pack: run `npm run build` first");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "node_modules"), { recursive: true });
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [{ filename }] = Object.values(JSON.parse(packed)) as [{ filename: string }];
  execFileSync("tar", ["-xzf", filename], { cwd: work });
  cpSync(join(work, "package"), join(work, "node_modules/flowtape"), { recursive: true });
  // Deno looks for the types of Node beside the project, and nowhere above.
  symlinkSync(join(root, "node_modules/@types"), join(work, "node_modules/@types"), "junction");
  // Bun and Playwright would take the one of the checkout, whose "paths" lead to the sources.
  writeFileSync(join(work, "tsconfig.json"), JSON.stringify({ compilerOptions: {} }));
  cpSync(join(root, "examples/server.mjs"), join(work, "server.mjs"));
}

async function runExample(name: string): Promise<void> {
  const missing = NEEDS[name] !== undefined && find(NEEDS[name]) === undefined ? NEEDS[name] : undefined;
  if (missing !== undefined && !process.env.CI) {
    console.log(`\n${name}: skipped, as ${missing} is not installed`);
    return;
  }
  const folder = join(work, name);
  cpSync(join(root, "examples", name), folder, {
    recursive: true,
    filter: (path) => !/node_modules|test-results|flowtape-report/.test(path),
  });
  const command = commandOf(folder);
  console.log(`\n${name}: ${command}`);
  const start = performance.now();
  const { code, output } = await execute(command, folder);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code === 0 && record) bringBack(name, folder);
  const changed = record ? [] : changedTapes(name, folder);
  if (code === 0 && changed.length === 0) {
    console.log(`${name}: passed in ${seconds} s`);
    return;
  }
  failures++;
  console.log(output.trimEnd());
  for (const path of changed) console.log(`${name}: its tape has changed: ${path}`);
  console.log(`${name}: failed, with exit code ${code}, in ${seconds} s`);
}

/** What the project itself says. A project of Deno's has the published package in its `imports`: without them, the one beside it is found. */
function commandOf(folder: string): string {
  const script = record ? "record" : "test";
  const config = join(folder, "deno.json");
  if (!existsSync(config)) return scriptsOf(join(folder, "package.json")).scripts![script]!;
  const { imports: _, ...others } = scriptsOf(config);
  writeFileSync(config, JSON.stringify({ ...others, nodeModulesDir: "manual" }));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", dependencies: { flowtape: "*", "@types/node": "*" } }),
  );
  return others.tasks![script]!;
}

function scriptsOf(path: string): Record<"scripts" | "tasks" | "imports", Record<string, string> | undefined> {
  return JSON.parse(readFileSync(path, "utf8"));
}

async function execute(command: string, cwd: string): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    CI: record ? "" : "true",
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
    FLOWTAPE_MODE: undefined,
    NODE_TEST_CONTEXT: undefined,
    CHROMIUM: find("chromium"),
    PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
  };
  const child = spawn(command, { cwd, env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text);
  const watchdog = setTimeout(() => {
    output += `\nit has not ended after ${PATIENCE_MS / 1000} seconds: killed\n`;
    child.kill("SIGKILL");
  }, PATIENCE_MS);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  clearTimeout(watchdog);
  return { code, output };
}

function tapesIn(folder: string): string[] {
  return globSync("**/__tapes__/**", { cwd: folder, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath, it.name).slice(folder.length + 1)).sort();
}

function changedTapes(name: string, folder: string): string[] {
  const committed = join(root, "examples", name);
  return [...new Set([...tapesIn(committed), ...tapesIn(folder)])].filter((path) => {
    const [before, after] = [committed, folder].map((it) => join(it, path));
    return !existsSync(before!) || !existsSync(after!) || !readFileSync(before!).equals(readFileSync(after!));
  });
}

function bringBack(name: string, folder: string): void {
  const committed = join(root, "examples", name);
  for (const path of tapesIn(committed)) rmSync(join(committed, path));
  for (const path of tapesIn(folder)) cpSync(join(folder, path), join(committed, path));
}

function find(program: string): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).map((it) => join(it, program)).find((it) => existsSync(it));
}
