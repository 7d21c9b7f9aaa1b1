/**
 * Recordings of other tools as tapes.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import { Wrong } from "../field.ts";
import { isObject } from "../har_read.ts";
import { readTape, Tape } from "../tape.ts";
import type { TapeEntry } from "../entry.ts";
import { readGoVcr, readVcr, readVcrpy } from "./cassettes.ts";
import { Collector } from "./collector.ts";
import { parseDocument } from "./document.ts";
import { notImported, reasonOf } from "./failure.ts";
import { filesBeside, findRecording, type Found, wireMockFolder } from "./files.ts";
import { formatOf, type ImportFormat } from "./formats.ts";
import { readHar } from "./har.ts";
import { readHoverfly } from "./hoverfly.ts";
import { readNock } from "./nock.ts";
import { checkImportOptions, type ImportOptions } from "./options.ts";
import { mappingsOf, readWireMock } from "./wiremock.ts";

export type { ImportFormat } from "./formats.ts";
export type { ImportOptions } from "./options.ts";

/** A tape that was made by another tool. */
export class ImportedTape extends Tape {
  /** What it was found to be. */
  readonly format: ImportFormat;
  /** The same in words, with the program that has written it where the file says so: `HAR by Playwright 1.65.1`. */
  readonly description: string;
  /** What has been left out, or means something else on a tape; a line each. */
  readonly notes: readonly string[];

  /** For {@linkcode importTape}. */
  constructor(
    path: string,
    entries: readonly TapeEntry[],
    found: { format: ImportFormat; description: string; notes: readonly string[] },
  ) {
    super(path, entries);
    this.format = found.format;
    this.description = found.description;
    this.notes = found.notes;
  }
}

/**
 * Reads a recording of another tool: a HAR file (of Chrome, Firefox, Safari, Charles, Insomnia, mitmproxy; of Playwright also with files
 * beside it and as ZIP), a recording of Polly.js, a fixture of nock.back, a cassette of VCR, vcrpy or go-vcr, mappings of WireMock (the
 * folder or a file), a simulation of Hoverfly. What it is, its content tells. YAML needs the package `yaml`.
 *
 * {@linkcode writeTape} makes a tape of it, which a proxy replays. What is secret is redacted only then.
 *
 * @example
 * ```ts
 * import { importTape, writeTape } from "flowtape/tape";
 *
 * async function convert(from: string, to: string) {
 *   const tape = await importTape(from);
 *   console.log(`${tape.description}, ${tape.entries.length} entries`);
 *   for (const note of tape.notes) console.log(note);
 *   await writeTape(to, tape);
 * }
 * ```
 *
 * @throws {TapeError} `TAPE_NOT_FOUND`; `IMPORT_UNKNOWN`: it is none of these; `IMPORT_DAMAGED`, `IMPORT_INEXACT`, `IMPORT_VERSION`,
 * `IMPORT_BODY_MISSING` and those of {@linkcode readTape} name the place in the file; `IMPORT_NEEDS_YAML`: `yaml` is not installed
 * @throws {OptionsError} an option is wrong
 */
export async function importTape(path: string, options: ImportOptions = {}): Promise<ImportedTape> {
  checkImportOptions(path, options);
  try {
    return await read(path, options);
  } catch (error) {
    if (error instanceof TapeError) throw error;
    if (error instanceof Wrong) throw notImported(path, error.describe("the document"));
    // Whatever a file does to its reader, such as a million brackets, the file is to blame.
    throw notImported(path, reasonOf(error), undefined, error);
  }
}

async function read(path: string, options: ImportOptions): Promise<ImportedTape> {
  const into = new Collector(path, options);
  const found = await findRecording(path);
  if (found.kind === "wiremock") {
    const { mappings, files } = await wireMockFolder(found.folder, path);
    readWireMock(mappings, files, into);
    return finish(into, "wiremock", "WireMock mappings");
  }
  const document = parseDocument(found.bytes, found.path);
  const format = formatOf(document);
  switch (format) {
    case undefined:
      throw notImported(path, `it is none of ${Object.values(NAMES).join(", ")}`, "IMPORT_UNKNOWN");
    case "flowtape": {
      if (found.kind === "zip") break;
      const tape = await readTape(found.path);
      return new ImportedTape(path, tape.entries, { format, description: "a tape of flowtape", notes: [] });
    }
    case "har":
    case "polly":
      break;
    case "nock":
      readNock(document as unknown[], into);
      break;
    case "vcr":
      readVcr(objectOf(document), into);
      break;
    case "vcrpy":
      readVcrpy(objectOf(document), into);
      break;
    case "go-vcr":
      readGoVcr(objectOf(document), into);
      break;
    case "wiremock":
      readWireMock(mappingsOf(document, "the file"), () => undefined, into);
      break;
    case "hoverfly":
      readHoverfly(objectOf(document), into);
      break;
  }
  if (format === "har" || format === "polly" || format === "flowtape") await readLog(document, found, into);
  return finish(into, format, describe(format, document));
}

async function readLog(document: unknown, found: Found, into: Collector): Promise<void> {
  const log = objectOf(objectOf(document).log);
  readHar(log, await filesBeside(found), into);
}

function finish(into: Collector, format: ImportFormat, description: string): ImportedTape {
  return new ImportedTape(into.path, into.entries, { format, description, notes: into.notes });
}

const NAMES: Readonly<Record<Exclude<ImportFormat, "flowtape">, string>> = {
  har: "HAR",
  polly: "Polly.js recording",
  nock: "nock fixture",
  vcr: "VCR cassette",
  vcrpy: "vcrpy cassette",
  "go-vcr": "go-vcr cassette",
  wiremock: "WireMock mappings",
  hoverfly: "Hoverfly simulation",
};

function describe(format: ImportFormat, document: unknown): string {
  const log = isObject(document) && isObject(document.log) ? document.log : {};
  const creator = isObject(log.creator) ? log.creator : {};
  const name = [creator.name, creator.version].filter((it) => typeof it === "string" && it !== "").join(" ");
  return `${format === "flowtape" ? "a tape of flowtape" : NAMES[format]}${
    format === "har" && name !== "" ? ` by ${name.slice(0, 80)}` : ""
  }`;
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
