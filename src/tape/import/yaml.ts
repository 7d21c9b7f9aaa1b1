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
  const yaml = load(path);
  const lines = new yaml.LineCounter();
  try {
    const composer = new yaml.Composer({
      schema: "failsafe",
      customTags: [NOTHING, binary("!binary"), binary("tag:yaml.org,2002:binary")],
      // All other tags are read as if they were not there: of Python's text, of Ruby's classes, dates and sets.
      resolveKnownTags: false,
      logLevel: "error",
      merge: false,
      // Compares each with each: below.
      uniqueKeys: false,
    });
    const [document] = composer.compose(tokensOf(text, yaml, lines), true, text.length);
    const [error] = document?.errors ?? [];
    if (error !== undefined) throw error;
    const twice = twiceIn(document?.contents);
    if (twice !== undefined) throw Object.assign(new Error("a name stands twice"), { pos: twice.range });
    return document?.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    const { pos } = cause as { pos?: readonly number[] };
    const place = pos?.[0] === undefined ? "" : `, in line ${lines.linePos(pos[0]).line}`;
    throw notImported(path, `it is not YAML that can be read: ${reasonOf(cause)}${place}`, undefined, cause);
  }
}

/** No cassette is so deep, and the time for one that is grows with the square of its depth. */
const MAX_DEPTH = 200;

function* tokensOf(text: string, { Lexer, Parser }: YamlModule, lines: LineCounter): Generator<unknown> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels within one another`);
  }
  yield* parser.end();
}

/** The part of `yaml` that is used. */
interface YamlModule {
  readonly LineCounter: new () => LineCounter;
  readonly Lexer: new () => { lex(text: string): Iterable<string> };
  readonly Parser: new (onNewLine: LineCounter["addNewLine"]) => {
    readonly stack: readonly unknown[];
    next(lexeme: string): Iterable<unknown>;
    end(): Iterable<unknown>;
  };
  readonly Composer: new (options: object) => {
    compose(tokens: Iterable<unknown>, always: boolean, end: number): Iterable<YamlDocument>;
  };
}

interface LineCounter {
  readonly addNewLine: (offset: number) => unknown;
  linePos(offset: number): { readonly line: number };
}

interface YamlDocument {
  readonly errors: readonly Error[];
  readonly contents: YamlNode | null;
  toJS(options: { maxAliasCount: number }): unknown;
}

interface YamlNode {
  readonly value?: unknown;
  readonly items?: readonly (YamlNode | { readonly key: YamlNode; readonly value: YamlNode | null })[];
  readonly range?: readonly number[];
}

/** A name that stands twice in one map: whoever has edited the file cannot have meant both. */
function twiceIn(node: YamlNode | null | undefined): YamlNode | undefined {
  const names = new Set<unknown>();
  for (const item of node?.items ?? []) {
    const { key, value } = "key" in item ? item : { key: undefined, value: item };
    if (key !== undefined && typeof key.value === "string") {
      if (names.has(key.value)) return key;
      names.add(key.value);
    }
    const below = (key && twiceIn(key)) ?? twiceIn(value);
    if (below !== undefined) return below;
  }
  return undefined;
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
