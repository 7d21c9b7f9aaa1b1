/**
 * Reads field sections (RFC 7541).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { latin1 } from "../../http1/octets.ts";
import { Http2Error } from "../http2_error.ts";
import { DynamicTable } from "./dynamic_table.ts";
import { decodeHuffman } from "./huffman.ts";
import { STATIC_TABLE } from "./static_table.ts";

/** The size of the dynamic table that the peer may use: the initial value of SETTINGS_HEADER_TABLE_SIZE. */
const TABLE_SIZE = 4096;

/** Reads the field sections of one direction of a connection; they depend on each other. */
export class FieldDecoder {
  readonly #table = new DynamicTable(TABLE_SIZE);
  readonly #limit: number;
  #bytes: Buffer = EMPTY;
  #at = 0;

  /** @param limit how large a decoded section may be, in bytes as RFC 9113 section 6.5.2 counts them */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reads a field section.
   *
   * @returns name, value, name, value...; latin1; `undefined`: it is larger than the limit, and the connection can go on
   * @throws {Http2Error} `COMPRESSION_ERROR`
   */
  decode(section: Buffer): string[] | undefined {
    this.#bytes = section;
    this.#at = 0;
    const raw: string[] = [];
    let size = 0;
    while (this.#at < section.length) {
      const byte = section[this.#at]!;
      if (byte >= 0x80) {
        const [name, value] = this.#entry(this.#integer(7));
        raw.push(name, value);
      } else if (byte >= 0x40) {
        this.#literal(raw, 6);
        this.#table.add(raw.at(-2)!, raw.at(-1)!);
      } else if (byte >= 0x20) {
        if (raw.length > 0) throw broken("the size of the table changes after a field");
        const wanted = this.#integer(5);
        if (wanted > TABLE_SIZE) throw broken(`a table of ${wanted} bytes is larger than what was agreed on`);
        this.#table.resize(wanted);
        continue;
      } else {
        this.#literal(raw, 4);
      }
      size += raw.at(-2)!.length + raw.at(-1)!.length + 32;
      // What follows must still be read, for the sake of the table; a reference of one byte can stand for thousands.
      if (size > this.#limit) raw.length = Math.min(raw.length, 2);
    }
    return size > this.#limit ? undefined : raw;
  }

  #literal(raw: string[], bits: number): void {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    raw.push(name, this.#string());
  }

  #entry(index: number): readonly [string, string] {
    const entry = index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table.at(index - STATIC_TABLE.length - 1);
    if (entry === undefined) throw broken(`no table has an entry ${index}`);
    return entry;
  }

  #string(): string {
    const huffman = this.#byte(this.#at) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) throw broken("a string is longer than its section");
    this.#at = end;
    return huffman ? decodeHuffman(this.#bytes, start, end) : latin1(this.#bytes, start, end);
  }

  #integer(bits: number): number {
    const most = 2 ** bits - 1;
    let value = this.#byte(this.#at++) & most;
    if (value < most) return value;
    for (let factor = 1;; factor *= 128) {
      const byte = this.#byte(this.#at++);
      value += (byte & 127) * factor;
      // Nothing that may be sent is that large (RFC 7541 section 5.1).
      if (value > MAX_INTEGER) throw broken("an integer is too large");
      if (byte < 128) return value;
      if (factor > MAX_INTEGER) throw broken("an integer has too many bytes");
    }
  }

  #byte(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw broken("a section ends in the middle of a field");
    return byte;
  }
}

const EMPTY = Buffer.alloc(0);
const MAX_INTEGER = 2 ** 28;

function broken(message: string): Http2Error {
  return new Http2Error("COMPRESSION_ERROR", `${message} (RFC 7541)`);
}
