/**
 * What a reader hands over: entries, and what could not become one.
 *
 * @module
 */
import { TapeEntry } from "../entry.ts";
import { Wrong } from "../field.ts";
import { type Exchange, type FieldNames, storedOf } from "./exchange.ts";
import { notImported, reasonOf } from "./failure.ts";
import { TapeError } from "../../flow/error.ts";
import type { ImportOptions } from "./options.ts";

/** Gathers what is in a file. */
export class Collector {
  /** The file or folder. */
  readonly path: string;
  readonly options: ImportOptions;
  readonly entries: TapeEntry[] = [];
  readonly notes: string[] = [];

  constructor(path: string, options: ImportOptions) {
    this.path = path;
    this.options = options;
  }

  /**
   * Reads an exchange.
   *
   * @param place where it stands, for messages: `interactions[3]`
   * @throws {TapeError} names the file, the place and the field
   */
  add(place: string, names: FieldNames, read: () => Exchange): void {
    this.attempt(place, () => {
      const stored = storedOf(read(), names);
      this.entries.push(new TapeEntry(this.entries.length, stored, noFiles, this.path));
    });
  }

  /** Does something with an entry, and says where it was if that fails. */
  attempt(place: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (error instanceof Inexact && this.options.inexact === "leave") {
        this.note(place, `left out: ${error.message}`);
      } else if (error instanceof Inexact) {
        const what = `${place}: ${error.message}, and an entry of a tape is one request. ` +
          'Make it a rule, and leave it out with importTape(path, { inexact: "leave" })';
        throw notImported(this.path, what, "IMPORT_INEXACT");
      } else if (error instanceof Wrong) {
        throw notImported(this.path, error.describe(place));
      } else if (error instanceof TapeError) {
        throw error;
      } else {
        throw notImported(this.path, `${place}: ${reasonOf(error)}`, undefined, error);
      }
    }
  }

  /** Something that whoever imports should know. */
  note(place: string, what: string): void {
    this.notes.push(`${place}: ${what}`);
  }
}

/** What stands there is for many requests. */
export class Inexact extends Error {}

function noFiles(): Promise<never> {
  return Promise.reject(new Error("it has no body files"));
}
