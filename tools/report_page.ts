/**
 * Bundles the page of the report, src/report/page/, into src/report/page.generated.ts: so it works from the sources on every runtime,
 * and for JSR.
 *
 *     node tools/report_page.ts           writes
 *     node tools/report_page.ts --check   fails when the file is out of date
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { build, type PluginBuild } from "esbuild";

process.chdir(resolve(import.meta.dirname, ".."));
const target = "src/report/page.generated.ts";
const shims = resolve("src/report/page/shims");

const { outputFiles, metafile } = await build({
  metafile: true,
  entryPoints: { page: "src/report/page/main.tsx", style: "src/report/page/style.css" },
  bundle: true,
  minify: true,
  write: false,
  outdir: "out",
  format: "iife",
  target: ["chrome123", "firefox120", "safari17.5"],
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [{ name: "node", setup: withoutNode }],
});
const text = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text.trim() ?? "";
const [script, style] = [inert(`${notice()}\n${text(".js")}`), text(".css")];
if (style.includes("</")) throw new Error("the style sheet would end its element");

const source = `// Written by tools/report_page.ts from src/report/page/: do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file

/** The page of the report: its script and style sheet, and the hashes by which its policy knows them. */
export const PAGE: { readonly script: string; readonly scriptHash: string; readonly style: string; readonly styleHash: string } = {
  script: ${JSON.stringify(script)},
  scriptHash: ${JSON.stringify(hash(script))},
  style: ${JSON.stringify(style)},
  styleHash: ${JSON.stringify(hash(style))},
};
`;
if (!process.argv.includes("--check")) {
  writeFileSync(target, source);
  console.log(`${target}: script ${script.length} characters, style ${style.length}`);
} else if (source !== current()) {
  console.error(`${target} is not what src/report/page/ makes: run node tools/report_page.ts`);
  process.exitCode = 1;
}

/** Of what flow/ and tape/ import of node, the page has a stand-in; or nothing, where it never comes to that. */
function withoutNode({ onResolve, onLoad }: PluginBuild): void {
  onResolve({ filter: /^node:/ }, ({ path }) => {
    const shim = `${shims}/${path.slice("node:".length)}.ts`;
    const found = existsSync(shim) ? { path: shim } : { path, namespace: "nothing" };
    return { ...found, sideEffects: false };
  });
  onLoad({ filter: /^/, namespace: "nothing" }, () => ({ contents: "module.exports = {}" }));
}

/** Who has made what comes along: their licences want it said. */
function notice(): string {
  const names = Object.keys(metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  const packages = [...new Set(names.filter((name) => name !== undefined))].sort();
  return packages.map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Record<string, string>;
    const file = ["LICENSE", "license"].find((file) => existsSync(`${folder}/${file}`));
    const [copyright] = /^.*Copyright.*$/m.exec(file === undefined ? "" : readFileSync(`${folder}/${file}`, "utf8")) ??
      [];
    if (license !== "MIT" || copyright === undefined) throw new Error(`the page may not hold ${name}: ${license}`);
    return `/*! ${name} ${version}: ${copyright.trim()}. MIT License, https://opensource.org/license/mit */`;
  }).join("\n");
}

function current(): string {
  try {
    return readFileSync(target, "utf8");
  } catch {
    return "";
  }
}

/** A script in a page ends at the first thing that looks like its end, even in a string. */
function inert(code: string): string {
  return code.replace(/<\/(?=script)/gi, "<\\/").replace(/<!--/g, "<\\!--");
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
