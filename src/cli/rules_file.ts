/**
 * A file of rules: TypeScript, JavaScript or JSON.
 *
 * @module
 */
import { access, readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FlowtapeError } from "../flow/error.ts";
import type { ProxyOptions } from "../options/proxy_options.ts";
import { EXIT } from "./exit_codes.ts";
import { CliError } from "./failure.ts";
import { optionsOfJson } from "./rule_json.ts";

/**
 * Reads a file whose default export is a list of rules, or the options of a proxy.
 *
 * @throws {CliError} it is not there, cannot be loaded, or exports something else
 */
export async function readRules(path: string): Promise<ProxyOptions> {
  const file = resolve(path);
  try {
    await access(file);
  } catch (cause) {
    throw new CliError(EXIT.noInput, `there is no file of rules ${path}`, { cause });
  }
  return extname(file) === ".json" ? await readJson(path, file) : optionsOf(path, await load(path, file));
}

/** What is wrong with rules is the file's. */
export function inRules(path: string, error: unknown): unknown {
  if (!(error instanceof FlowtapeError) || error.code !== "BAD_OPTION") return error;
  return new CliError(EXIT.config, `${path}: ${error.message}`, { cause: error });
}

async function readJson(path: string, file: string): Promise<ProxyOptions> {
  let value: unknown;
  try {
    value = JSON.parse((await readFile(file, "utf8")).replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new CliError(EXIT.config, `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  try {
    return optionsOfJson(value);
  } catch (error) {
    throw inRules(path, error);
  }
}

async function load(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(file).href) as Record<string, unknown>;
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    throw new CliError(
      EXIT.config,
      `${path}${placeIn(error, file)} cannot be loaded: ${firstLine(error.message)}${hintFor(error)}`,
      {
        cause,
      },
    );
  }
}

function hintFor(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return ". This version of Node reads no TypeScript: 22.18 and newer, Deno and Bun do; or write it as .mjs";
  }
  const found = /does not provide an export/.test(error.message);
  if (!found && /['"]flowtape(?:\/\w+)?['"]/.test(error.message) && /ERR_MODULE_NOT_FOUND|^$/.test(code)) {
    return ". Install flowtape in the project of that file: npm install --save-dev flowtape";
  }
  return "";
}

/** Where in the file, when the stack says it: some runtimes begin it with the place of a mistake in the syntax. */
function placeIn({ message, stack = "" }: Error, file: string): string {
  for (const text of [message, stack]) {
    const at = text.indexOf(`${file}:`);
    const line = at < 0 ? undefined : /^:\d+(?::\d+)?/.exec(text.slice(at + file.length))?.[0];
    if (line !== undefined) return line;
  }
  return "";
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!;
}

function optionsOf(path: string, module: Record<string, unknown>): ProxyOptions {
  let given = module.default;
  // A CommonJS module that was compiled from an ES module.
  if (isObject(given) && given.__esModule === true) given = given.default;
  if (Array.isArray(given)) return { rules: given as ProxyOptions["rules"] };
  if (isObject(given)) return given as ProxyOptions;
  const others = Object.keys(module).filter((name) => name !== "default");
  const hint = others.length === 0 ? "" : `; it exports ${others.join(", ")}: write export default ${others[0]}`;
  throw new CliError(
    EXIT.config,
    `${path} has ${
      given === undefined ? "no default export" : "a default export of another kind"
    }: a list of rules, or an object with ` +
      `the options of a proxy, is expected${hint}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
