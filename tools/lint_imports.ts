/**
 * Whether the imports of src/ go one way, and whether only those touch sockets and files who are meant to.
 *
 * @module
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";

/** Each imports from those before it alone; what stands side by side knows nothing of one another. */
const LAYERS: readonly (readonly string[])[] = [
  ["flow"],
  ["hooks"],
  ["rules", "tape", "wire", "alerters", "presets"],
  ["options"],
  ["addons", "client", "expect", "gateway"],
  // Shows what assertions say.
  ["report"],
  ["fixture"],
  ["proxy.ts"],
  ["runner"],
  ["mod.ts", "vitest.ts", "deno.ts", "node_test.ts", "bun.ts", "playwright.ts", "cli"],
];

/** What only some may import, as values: the modules, the names in them (all, where none are listed), and who may. */
const RESERVED: readonly {
  readonly what: string;
  readonly modules: RegExp;
  readonly names?: RegExp;
  readonly allowed: readonly string[];
}[] = [
  {
    what: "sockets",
    modules: /^node:(net|tls|http|https|http2|dgram|dns)$/,
    names: /^(?!(isIP|isIPv4|isIPv6|createSecureContext)$)/,
    allowed: [
      "wire/",
      // TLS over a connection that the wire has opened.
      "client/tunnel.ts",
      // node:http over connections in memory.
      "gateway/node.ts",
      // What the process trusts, not a connection.
      "runner/process_trust.ts",
    ],
  },
  {
    what: "files to write",
    modules: /^node:fs(\/promises)?$/,
    names: /^(append|copy|link|mkd|rename|rm|trunc|unlink|write)/,
    allowed: ["tape/", "report/", "cli/", "wire/ca/", "wire/key_log.ts"],
  },
];

interface Import {
  /** As it is written. */
  readonly from: string;
  /** Those that are no types; none for `import type`. */
  readonly values: readonly string[];
}

const root = resolve(import.meta.dirname, "../src");
const files = globSync("**/*.{ts,tsx}", { cwd: root }).map((path) => path.replaceAll("\\", "/")).sort();
const wrong = files.flatMap((path) => {
  return importsOf(readFileSync(join(root, path), "utf8")).flatMap((
    it,
  ) => [...direction(path, it), ...reserved(path, it)]);
});
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exitCode = 1;
} else {
  console.log(`The imports of ${files.length} files go one way`);
}

function direction(path: string, { from }: Import): string[] {
  if (!from.startsWith(".")) return [];
  const target = join(dirname(path), from).replaceAll("\\", "/");
  const [here, there] = [partOf(path), partOf(target)];
  if (here === there || layerOf(there) < layerOf(here)) return [];
  return [`src/${path} imports src/${target}: ${here} may not know of ${there} (tools/lint_imports.ts)`];
}

function reserved(path: string, { from, values }: Import): string[] {
  return RESERVED.filter(({ modules, names = /^/, allowed }) => {
    return modules.test(from) && values.some((name) => names.test(name)) && !allowed.some((it) => path.startsWith(it));
  }).map(({ what }) =>
    `src/${path} imports ${values.join(", ")} of ${from}: ${what} are not for it (tools/lint_imports.ts)`
  );
}

/** A folder of src/, or a file that is in none. */
function partOf(path: string): string {
  return path.split("/")[0]!;
}

function layerOf(part: string): number {
  const layer = LAYERS.findIndex((parts) => parts.includes(part));
  if (layer < 0) throw new Error(`src/${part} has no place yet: give it one in LAYERS of tools/lint_imports.ts`);
  return layer;
}

function importsOf(source: string): Import[] {
  const code = source.replace(/^\s*(\/\*\*(?:(?!\*\/)[^])*\*\/|\/\/.*)$/gm, "");
  const given = code.matchAll(/^(?:import|export)\s+(?!type\b)([^;"']*?)\s*from\s*"([^"]+)"/gm);
  const types = code.matchAll(/^(?:import|export)\s+type\s[^;"']*?from\s*"([^"]+)"/gm);
  const later = code.matchAll(/\bimport\("([^"]+)"\)/g);
  const bare = code.matchAll(/^import\s+"([^"]+)"/gm);
  return [
    ...[...given].map(([, clause = "", from = ""]) => ({ from, values: namesIn(clause) })),
    ...[...types].map(([, from = ""]) => ({ from, values: [] })),
    ...[...later, ...bare].map(([, from = ""]) => ({ from, values: ["*"] })),
  ];
}

/** `net, { type Socket, isIP as ip }`: net and isIP. */
function namesIn(clause: string): string[] {
  return clause.split(/[{},]/).map((name) => name.trim().replace(/\s+as\s.*$/, ""))
    .filter((name) => name !== "" && !name.startsWith("type "));
}
