/**
 * Looks for secrets in tapes that are there: ours, HAR files of others, recordings of other tools.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TapeError } from "../../flow/error.ts";
import { bodyFolder } from "../har.ts";
import { isObject } from "../har_read.ts";
import { redactBody } from "./body.ts";
import type { RedactOptions } from "./options.ts";
import { isPlaceholder, type Placeholders } from "./placeholders.ts";
import { Secrets } from "./secrets.ts";
import { inTurns } from "./steps.ts";
import { mask, type Suspect, suspectsInBody, suspectsInHeader, suspectsInUrl } from "./suspects.ts";
import { redactText } from "./text.ts";
import { redactHeader, redactUrl } from "./url.ts";

/** A place in a file that holds what is a secret, or looks like one. */
export interface Finding {
  /** The file. */
  readonly path: string;
  /** The entry: `log.entries[3] (POST https://shop.test/login)`; the file itself where there are no entries. */
  readonly entry: string;
  /** The field within it: `request.headers.authorization`, `response.content $.access_token`. */
  readonly field: string;
  /** What it is: `github_token`, `authorization`, `password`; `random value` when only its look speaks for it. */
  readonly kind: string;
  /** The first characters, and how many there are. */
  readonly excerpt: string;
  /** What to do about it. */
  readonly fix: string;
}

/** How tapes are scanned. */
export interface ScanOptions {
  /** As in the options of a tape: what else is secret, and what is none. */
  redact?: RedactOptions;
}

/**
 * Looks for secrets in tapes, HAR files and recordings of other tools. Folders are searched for `.har`, `.json`, `.jsonl`, `.yaml` and
 * `.yml`, body files included; links are not followed. Nothing is changed.
 *
 * @example
 * ```ts
 * import { scan } from "flowtape/tape";
 *
 * async function check(): Promise<void> {
 *   for (const { path, entry, field, kind, fix } of await scan(["fixtures"])) {
 *     console.log(`${path}: ${entry}: ${field} holds a ${kind}. ${fix}`);
 *   }
 * }
 * ```
 *
 * @throws {TapeError} `TAPE_NOT_FOUND`; `TAPE_UNREADABLE`
 */
export async function scan(paths: readonly string[], { redact = {} }: ScanOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path)) findings.push(...await scanFile(file, redact));
  }
  return findings;
}

async function filesAt(path: string): Promise<string[]> {
  try {
    if (!(await lstat(path)).isDirectory()) return [path];
  } catch (cause) {
    throw new TapeError("TAPE_NOT_FOUND", `there is nothing to scan at ${path}`, { cause });
  }
  return await filesBelow(path);
}

/** Not what readdir() calls recursive: on one runtime that follows links. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    // Bodies are looked at with the tape that they belong to.
    if (entry.isDirectory()) found.push(...entry.name.endsWith(".har.d") ? [] : await filesBelow(path));
    else if (entry.isFile() && /\.(?:har|jsonl?|ya?ml)$/.test(entry.name)) found.push(path);
  }
  return found;
}

async function scanFile(path: string, options: RedactOptions): Promise<Finding[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new TapeError("TAPE_UNREADABLE", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const log = logIn(bytes);
  const scanner = new Scanner(path, options, log === undefined ? "Take it out of the file." : REWRITE);
  if (log === undefined) {
    await scanner.body(bytes, /json/.test(path.slice(-6)) ? "application/json" : "text/plain", path, "text");
    return scanner.findings;
  }
  const files = new Set<string>();
  for (const [i, entry] of log.entries()) {
    await scanner.entry(entry, `log.entries[${i}]`, files);
  }
  // What is nested deeper than anybody nests is looked at as text.
  if (scanner.tooDeep) await scanner.body(bytes, "application/json", path, "text");
  return scanner.findings;
}

/** The entries of a HAR file. */
function logIn(bytes: Uint8Array): unknown[] | undefined {
  try {
    const root: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (isObject(root) && isObject(root.log) && Array.isArray(root.log.entries)) return root.log.entries;
  } catch {
    // Whatever else it is, it is searched as text.
  }
  return undefined;
}

/** Levels of an entry that are looked into one by one. */
const DEEPEST = 200;

/** Collects what redaction would take out. */
class Scanner {
  readonly findings: Finding[] = [];
  /** Something was not looked into, because it is nested too deep. */
  tooDeep = false;
  readonly #path: string;
  readonly #secrets: Secrets;
  readonly #fix: string;
  #found: (readonly [secret: string, name: string])[] = [];

  constructor(path: string, options: RedactOptions, fix: string) {
    this.#path = path;
    this.#fix = fix;
    const spy: Placeholders = {
      of: (secret, name) => {
        this.#found.push([secret, name]);
        return "[redacted]";
      },
      inText: (text) => text,
    };
    this.#secrets = new Secrets({ ...options, custom: undefined }, spy);
  }

  /** Of any form that is written as HAR: fields are known by their names, others are text. */
  async entry(entry: unknown, place: string, files: Set<string>): Promise<void> {
    if (!isObject(entry)) return;
    const request = isObject(entry.request) ? entry.request : {};
    if (typeof request.method === "string" && typeof request.url === "string") {
      this.#found = [];
      const [url] = redactUrl(request.url, this.#secrets).split(/[?#]/, 1) as [string];
      place = `${place} (${request.method} ${url})`;
    }
    await this.#walk(entry, "", place, files, 0);
  }

  async #walk(value: unknown, field: string, place: string, files: Set<string>, depth: number): Promise<void> {
    if (depth > DEEPEST) {
      this.tooDeep = true;
    } else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) {
        const named = isObject(item) && typeof item.name === "string" && typeof item.value === "string";
        if (named) this.#pair(field, item.name as string, item.value as string, place);
        else await this.#walk(item, `${field}[${i}]`, place, files, depth + 1);
      }
    } else if (isObject(value)) {
      const { text, mimeType, encoding, _encoding, _file, data } = value;
      const type = typeof mimeType === "string" ? mimeType : "";
      const isBody = typeof text === "string" && typeof mimeType === "string";
      if (isBody && text !== "") {
        await this.body(
          Buffer.from(text, (encoding ?? _encoding) === "base64" ? "base64" : "utf8"),
          type,
          place,
          field,
        );
      }
      if (typeof data === "string") await this.body(Buffer.from(data), "", place, `${field}.data`);
      if (typeof _file === "string") await this.#file(_file, type, place, field, files);
      for (const [key, member] of Object.entries(value)) {
        if (["_file", "data", "cookies", "queryString", "redirectURL"].includes(key) || (isBody && key === "text")) {
          continue;
        }
        await this.#walk(member, field === "" ? key : `${field}.${key}`, place, files, depth + 1);
      }
    } else if (typeof value === "string") {
      this.#found = [];
      if (/(?:^|\.)url$/.test(field)) {
        const clean = redactUrl(value, this.#secrets);
        this.#add(suspectsInUrl(clean, this.#secrets), place, field);
      } else if (!/(?:version|mimeType|encoding|startedDateTime|statusText|method)$/i.test(field)) {
        redactText(value, "plain", this.#secrets);
        this.#add([], place, field);
      }
    }
  }

  /** A header field, or a field of a form. */
  #pair(field: string, name: string, value: string, place: string): void {
    this.#found = [];
    if (/params$/.test(field)) {
      this.#secrets.field(name, value);
      this.#add([], place, `${field}.${name}`);
    } else {
      const clean = redactHeader(name, value, this.#secrets);
      const suspects = clean === value ? suspectsInHeader(name, value, this.#secrets) : [];
      this.#add(suspects, place, `${field}.${name.toLowerCase()}`, suspects.length > 0);
    }
  }

  /** A body, or a whole file. */
  async body(bytes: Uint8Array, type: string, place: string, field: string): Promise<void> {
    this.#found = [];
    const clean = await inTurns(redactBody(bytes, type, this.#secrets));
    const suspects = await inTurns(suspectsInBody(clean, type, this.#secrets));
    this.#add(suspects, place, field);
  }

  async #file(name: string, type: string, place: string, field: string, files: Set<string>): Promise<void> {
    // Equal bodies are stored once, and only what is in the folder of the tape is its own.
    if (files.has(name) || !/^[\w-][\w.-]*$/.test(name)) return;
    files.add(name);
    for (const folder of [bodyFolder(this.#path), dirname(this.#path)]) {
      const bytes = await readFile(join(folder, name)).catch(() => undefined);
      if (bytes === undefined) continue;
      return await this.body(bytes, name.endsWith(".jsonl") ? "application/jsonl" : type, place, `${field} (${name})`);
    }
  }

  #add(suspects: readonly Suspect[], entry: string, field: string, exact = false): void {
    const seen = new Set<string>();
    for (const [secret, name] of this.#found) {
      if (seen.has(secret) || isPlaceholder(secret)) continue;
      seen.add(secret);
      this.findings.push({
        path: this.#path,
        entry,
        field,
        kind: name.toLowerCase(),
        excerpt: mask(secret),
        fix: this.#fix,
      });
    }
    for (const { field: within, kind, excerpt, redact, allow } of suspects) {
      const fix = `If it is a secret: ${redact}; if not: ${allow}.`;
      this.findings.push({ path: this.#path, entry, field: exact ? field : `${field} ${within}`, kind, excerpt, fix });
    }
  }
}

const REWRITE = "Write the tape again: recording redacts it, and so does writeTape(path, await readTape(path)).";
