/**
 * YAML as VCR and its relatives write it, read so that a file can do nothing but be read: no tag makes objects, aliases cannot multiply, and
 * every plain value is the text that stands there. Parsed by the package `yaml`, which is loaded with the first such file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { notImported, reasonOf } from "./failure.ts";

/** Files beyond this many bytes are refused: a tree of so many nodes would not fit into memory. */
export const MAX_YAML_BYTES: number = 64 * 1024 * 1024;

/**
 * The value of a document. Scalars are strings, `null` where nothing or `null` stands, and bytes where the tag is `!binary`.
 *
 * @throws {TapeError} `IMPORT_NEEDS_YAML`: the package is not installed; `IMPORT_DAMAGED`: it is no YAML, with the line
 */
export function parseYaml(text: string, path: string): unknown {
  if (text.length > MAX_YAML_BYTES) throw notImported(path, `it has more than ${MAX_YAML_BYTES} bytes of YAML`);
  const { parseDocument } = load(path);
  try {
    const document = parseDocument(text, {
      schema: "failsafe",
      customTags: [NOTHING, binary("!binary"), binary("tag:yaml.org,2002:binary"), ...STRINGS],
      // Tags that nobody knows are read as if they were not there.
      logLevel: "error",
      merge: false,
      // A cassette that was edited by hand may say something twice: nobody could tell which of the two counts.
      uniqueKeys: true,
    });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    throw notImported(path, `it is not YAML that can be read: ${reasonOf(cause).trim()}`, undefined, cause);
  }
}

/** The part of `yaml` that is used. */
interface YamlModule {
  parseDocument(text: string, options: object): {
    readonly errors: readonly Error[];
    toJS(options: { maxAliasCount: number }): unknown;
  };
}

const NOTHING = {
  tag: "tag:yaml.org,2002:null",
  default: true,
  test: /^(?:~|null|Null|NULL)?$/,
  identify: () => false,
  resolve: () => null,
};

function binary(tag: string): object {
  return { tag, identify: () => false, resolve: (text: string) => Buffer.from(text, "base64") };
}

/** Text of Python 2, and of Ruby with a class of its own. */
const STRINGS = ["str", "unicode"].map((name) => ({
  tag: `tag:yaml.org,2002:python/${name}`,
  identify: () => false,
  resolve: (text: string) => text,
}));

function load(path: string): YamlModule {
  try {
    // Not import(): Deno would get the package for everybody who imports flowtape.
    const url = import.meta.url;
    return createRequire(url.startsWith("file:") ? url : join(process.cwd(), "package.json"))("yaml") as YamlModule;
  } catch (cause) {
    throw notImported(
      path,
      "YAML is read by the package yaml, which cannot be loaded: npm install --save-dev yaml (it is looked for in node_modules)",
      "IMPORT_NEEDS_YAML",
      cause,
    );
  }
}
