/**
 * ZIP archives: enough to read what Playwright writes. Nothing is unpacked to disk, so that no name can lead anywhere; a name is only ever
 * compared. Sizes are bounded before and while something is unpacked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import { MAX_DECODED_BYTES } from "../../flow/content_coding.ts";
import { notImported, reasonOf } from "./failure.ts";

/** A file in an archive. */
interface Member {
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

/** Whether a file begins like an archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** An archive. */
export class ZipArchive {
  readonly #bytes: Buffer;
  readonly #path: string;
  readonly #members = new Map<string, Member>();

  /** @throws {TapeError} it is damaged, or of a kind that is not read */
  constructor(bytes: Uint8Array, path: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
    try {
      this.#list();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.#wrong("it is not complete", error);
    }
  }

  /** The names of its files. */
  get names(): string[] {
    return [...this.#members.keys()];
  }

  /** Whether there is a file of this name. */
  has(name: string): boolean {
    return this.#members.has(name);
  }

  /**
   * The bytes of a file; `undefined` when there is none of this name.
   *
   * @throws {TapeError} it cannot be unpacked
   */
  read(name: string): Uint8Array | undefined {
    const member = this.#members.get(name);
    if (member === undefined) return undefined;
    const { method, packed, size, at } = member;
    if (size > MAX_DECODED_BYTES) throw this.#wrong(`${show(name)} has more than ${MAX_DECODED_BYTES} bytes`);
    try {
      if (this.#bytes.readUInt32LE(at) !== LOCAL) throw this.#wrong(`${show(name)} is not where it should be`);
      // The fields there may be of other lengths than in the directory.
      const start = at + 30 + this.#bytes.readUInt16LE(at + 26) + this.#bytes.readUInt16LE(at + 28);
      if (start + packed > this.#bytes.length) throw this.#wrong("it is not complete");
      const data = this.#bytes.subarray(start, start + packed);
      const bytes = method === STORED ? data : inflateRawSync(data, { maxOutputLength: Math.max(size, 1) });
      if (bytes.length !== size) throw this.#wrong(`${show(name)} is not as long as the archive says`);
      return bytes;
    } catch (cause) {
      if (cause instanceof Error && cause.name === "TapeError") throw cause;
      throw this.#wrong(`${show(name)} cannot be unpacked: ${reasonOf(cause)}`, cause);
    }
  }

  #list(): void {
    const bytes = this.#bytes;
    // The directory's end is the end of the file, but for a remark of up to 65535 bytes.
    const end = bytes.lastIndexOf(END);
    if (end < 0 || end < bytes.length - 22 - 0xffff) throw this.#wrong("it is not complete");
    const count = bytes.readUInt16LE(end + 10);
    let at = bytes.readUInt32LE(end + 16);
    if (count === 0xffff || at === 0xffffffff) throw this.#wrong("archives of ZIP64 are not read");
    for (let i = 0; i < count; i++) {
      if (bytes.readUInt32LE(at) !== CENTRAL) throw this.#wrong("its directory is damaged");
      const flags = bytes.readUInt16LE(at + 8);
      const method = bytes.readUInt16LE(at + 10);
      const length = bytes.readUInt16LE(at + 28);
      const name = bytes.toString("utf8", at + 46, at + 46 + length);
      if ((flags & 1) !== 0) throw this.#wrong(`${show(name)} is encrypted`);
      if (method !== STORED && method !== DEFLATED) throw this.#wrong(`${show(name)} is packed in an unknown way`);
      if (this.#members.has(name)) throw this.#wrong(`${show(name)} is in it twice`);
      const packed = bytes.readUInt32LE(at + 20);
      const size = bytes.readUInt32LE(at + 24);
      this.#members.set(name, { method, packed, size, at: bytes.readUInt32LE(at + 42) });
      at += 46 + length + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    }
  }

  #wrong(what: string, cause?: unknown): Error {
    return notImported(this.#path, `the archive: ${what}`, undefined, cause);
  }
}

function show(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = Buffer.from([0x50, 0x4b, 5, 6]);
const STORED = 0;
const DEFLATED = 8;
