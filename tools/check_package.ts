/**
 * Checks what would be published on npm: packs the built package, installs it in a project of its own, and uses it there from
 * ESM, CommonJS and TypeScript, on Node, Deno and Bun.
 *
 * @module
 */

import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

const root = resolve(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);
if (!existsSync(join(root, "dist/mod.js"))) throw new Error("There is nothing to pack: run `npm run build` first");

const project = mkdtempSync(join(tmpdir(), "flowtape-package-"));
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

try {
  install();
  smokeTest();
  commandLine();
  checkTypes();
} finally {
  rmSync(project, { recursive: true });
}

function install(): void {
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [tarball] = Object.values(JSON.parse(packed)) as [
    { filename: string; files: { path: string }[]; size: number },
  ];
  const foreign = tarball.files.filter(({ path }) => !/^(dist\/|package\.json$|LICENSE$|[A-Z]+\.md$)/.test(path));
  if (foreign.length) throw new Error(`These do not belong into the package: ${foreign.map((it) => it.path)}`);
  console.log(`${tarball.filename}: ${tarball.files.length} files, ${Math.round(tarball.size / 1024)} KB`);

  write("package.json", JSON.stringify({ name: "project", private: true }));
  run("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", `./${tarball.filename}`);
}

function smokeTest(): void {
  const use = `
    const proxy = await startProxy();
    if (!(proxy.port > 0)) throw new Error("no port");
    await proxy.close();
    console.log("started and closed");
  `;
  write("esm.mjs", `import { startProxy } from "flowtape"; import "flowtape/tape"; import "flowtape/client"; ${use}`);
  write(
    "cjs.cjs",
    `const { startProxy } = require("flowtape"); require("flowtape/tape"); require("flowtape/client");
     (async () => {${use}})();`,
  );
  const ways: [string, ...string[]][] = [
    [bin("node"), "esm.mjs"],
    [bin("node"), "cjs.cjs"],
    [bin("deno"), "run", "--allow-all", "esm.mjs"],
    [bin("bun"), "esm.mjs"],
    [bin("bun"), "cjs.cjs"],
  ];
  for (const [command, ...args] of ways) {
    const output = run(command, ...args);
    if (!output.includes("started and closed")) throw new Error(`${command} ${args.join(" ")} printed: ${output}`);
  }
}

/** The command `flowtape`, as each runtime's users start it: records a client with a server, and replays it without. */
function commandLine(): void {
  write(
    "server.mjs",
    `import { createServer } from "node:http";
     const server = createServer((_, response) => response.end("from the server")).listen(0, "127.0.0.1", () => {
       console.log(server.address().port);
     });`,
  );
  write("client.mjs", "console.log(await (await fetch(process.argv[2])).text());");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const ways: [string, ...string[]][] = [
    ["npx", "--no-install", "flowtape"],
    [bin("bun"), "x", "--bun", "--no-install", "flowtape"],
    [bin("deno"), "run", "--allow-all", "--quiet", "node_modules/flowtape/dist/cli.js"],
  ];
  for (const [i, [command, ...args]] of ways.entries()) {
    const flowtape = (...more: string[]) => run(command, ...args, ...more).trim();
    const expectSame = (said: string, expected: string) => {
      if (said !== expected) throw new Error(`${command} ${args.join(" ")} printed ${said}, not ${expected}`);
    };
    expectSame(flowtape("--version"), version);
    const server = spawn(bin("node"), ["server.mjs"], {
      cwd: project,
      stdio: ["ignore", openSync(join(project, "port"), "w"), "inherit"],
    });
    let port = "";
    while (port === "") port = readFileSync(join(project, "port"), "utf8").trim();
    const client = ["--tape", `${i}.har`, "--quiet", "--", bin("node"), "client.mjs", `http://127.0.0.1:${port}/`];
    expectSame(flowtape("record", ...client), "from the server");
    server.kill();
    expectSame(flowtape("replay", ...client), "from the server");
  }
  console.log("recorded and replayed by npx, bunx and Deno");
}

function checkTypes(): void {
  // Types that a user's project has anyway: those of Node and of the optional peers.
  for (const name of ["@types", "@playwright", "playwright", "playwright-core", "vitest"]) {
    const path = join(project, "node_modules", name);
    if (!existsSync(path)) symlinkSync(join(root, "node_modules", name), path, "junction");
  }
  const use = `
    import { type Proxy, startProxy } from "flowtape";
    import * as client from "flowtape/client";
    import * as tape from "flowtape/tape";
    export async function check(): Promise<number> {
      await using proxy: Proxy = await startProxy();
      return proxy.port;
    }
    export const entryPoints: object[] = [tape, client];
  `;
  const bindings = `
    import { proxyTest } from "flowtape/deno";
    import { test as nodeTest } from "flowtape/node";
    import { expect as playwrightExpect, test as playwrightTest } from "flowtape/playwright";
    proxyTest("a proxy for each test", (t) => t.proxy.check());
    nodeTest("a proxy for each test", { report: false }, (t) => t.assert.received(t.proxy, "*"));
    playwrightTest.use({ proxyOptions: { tape: false } });
    playwrightTest("a proxy for each test", ({ page, flowtape, openContext }) => {
      playwrightExpect(flowtape).toHaveReceived("*");
      playwrightExpect(flowtape.flows).toHaveLength(1);
      playwrightExpect(flowtape.flows.last()).not.toHaveResponded(500);
      return playwrightExpect(page).toHaveURL("/");
    });
  `;
  // That of vitest has types for CommonJS, too: vitest runs what is written so as ESM. That of Bun is checked by the example: its types do not go with others.
  const vitest = `
    import { expect, sharedTest, test } from "flowtape/vitest";
    test("a proxy for each test", ({ proxy }) => expect(proxy).toHaveReceived("*"));
    test.override({ proxyOptions: { tape: { folder: "tapes" }, report: false } });
    const shared = sharedTest({ scope: "file" }).extend("app", { scope: "file" }, ({ proxy }) => proxy.port);
    shared("a proxy for all", async ({ app, proxy }) => {
      expect(app).toBe(proxy.port);
      await expect(proxy).toHaveReceivedTimes("*", 1, { within: 10 });
      await expect.poll(() => proxy.flows).not.toHaveLength(1);
    });
  `;
  mkdirSync(join(project, "types"));
  write("types/esm.mts", use + bindings + vitest);
  write("types/cjs.cts", use + bindings + vitest);
  write(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: "nodenext",
        target: "esnext",
        lib: ["esnext", "esnext.disposable", "dom", "dom.iterable"],
        types: ["node"],
        skipLibCheck: true,
      },
      include: ["types"],
    }),
  );
  try {
    run(bin("tsc"), "--project", ".");
  } catch (error) {
    console.error((error as { stdout?: string }).stdout);
    process.exitCode = 1;
  }
}

function write(path: string, text: string): void {
  writeFileSync(join(project, path), text);
}
