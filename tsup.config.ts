import type { Options } from "tsup";

const config: Options = {
  entry: {
    mod: "src/mod.ts",
    addons: "src/addons/mod.ts",
    bun: "src/bun.ts",
    cli: "src/cli/main.ts",
    client: "src/client/mod.ts",
    deno: "src/deno.ts",
    gateway: "src/gateway/mod.ts",
    report: "src/report/mod.ts",
    node: "src/node_test.ts",
    playwright: "src/playwright.ts",
    tape: "src/tape/mod.ts",
    vitest: "src/vitest.ts",
  },
  format: ["esm", "cjs"],
  target: "node22",
  platform: "node",
  // node:test has no other name.
  removeNodeProtocol: false,
  // Entry points share chunks, so that a FlowSet of "flowtape" is a FlowSet of "flowtape/tape" as well.
  splitting: true,
  // What a PAC file runs in is looked for beside this package: import.meta.url, which CommonJS does not have.
  shims: true,
  // Names and lines for stack traces. The sources themselves would double the package, and what is built can be read as it is.
  sourcemap: true,
  esbuildOptions: (options) => {
    options.sourcesContent = false;
  },
  clean: true,
  dts: { resolve: [/^@std\/http/] },
  // Nobody but Bun has it.
  external: ["bun:test"],
  // @std/http lives on JSR, where an npm package cannot point to: its few modules become part of ours.
  noExternal: [/^@std\/http/, /^deno-std/],
};

export default config;
