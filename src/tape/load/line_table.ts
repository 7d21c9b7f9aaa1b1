/**
 * The field lines of a tape, each once: most come again in every entry.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Makes the lines that are not plain. */
export interface LineMaker {
  /** The field lines that a header makes; `undefined`: it makes none. */
  line(name: string, value: string): string | undefined;
}

/** Numbers lines by the bytes that they are made of, and keeps these. */
export class LineTable {
  #file: Buffer;
  readonly #maker: LineMaker;
  // Where names stand that can be used, by their hash.
  readonly #names = new Map<number, readonly [from: number, to: number]>();
  // Lines that are not made of the bytes that stand in the file.
  readonly #odd = new Map<number, string>();
  #count = 0;
  // Where each begins and ends, and where its value begins.
  #places = new Uint32Array(3 * 1024);
  #kept: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  #keptView = viewOf(this.#kept);
  #fileView: DataView;
  #used = 0;
  // Only needed while the tape is read.
  #hashes = new Int32Array(1024);
  #slots = new Int32Array(4096);
  #mask = 4095;

  /** @param file the bytes of the tape */
  constructor(file: Buffer, maker: LineMaker) {
    this.#file = file;
    this.#fileView = viewOf(file);
    this.#maker = maker;
  }

  /** A line by its number. */
  line(number: number): string {
    const odd = this.#odd.get(number);
    if (odd !== undefined) return odd;
    const start = this.#places[3 * number], value = this.#places[3 * number + 1], end = this.#places[3 * number + 2];
    const text = this.#kept.toString("latin1", value, end);
    const plain = text.includes("\\") ? JSON.parse(`"${text}"`) as string : text;
    return `${this.#kept.toString("latin1", start, value)}: ${plain}\r\n`;
  }

  /**
   * The number of the line that name and value make; -1 when they make none.
   *
   * @param plain both are ASCII, and the name has no escapes, the value none but for quotes and slashes
   */
  at(
    nameFrom: number,
    nameTo: number,
    nameHash: number,
    valueFrom: number,
    valueTo: number,
    valueHash: number,
    plain: boolean,
  ): number {
    const hash = Math.imul(nameHash, 0x9e3779b1) ^ valueHash ^ (valueHash >>> 15);
    const nameLength = nameTo - nameFrom;
    const valueLength = valueTo - valueFrom;
    const mask = this.#mask;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let number: number; (number = this.#slots[slot]!) !== 0; slot = (slot + 1) & mask) {
      if (this.#hashes[number - 1] !== hash) continue;
      const place = 3 * number - 3;
      const start = this.#places[place]!;
      const value = this.#places[place + 1]!;
      if (value - start !== nameLength || this.#places[place + 2]! - value !== valueLength) continue;
      if (this.#same(start, nameFrom, nameLength) && this.#same(value, valueFrom, valueLength)) return number - 1;
    }
    const known = plain && this.#isName(nameFrom, nameTo, nameHash);
    return this.#add(nameFrom, nameTo, valueFrom, valueTo, known, hash, slot);
  }

  /** No more lines come. */
  settle(): void {
    this.#hashes = this.#slots = new Int32Array(0);
    this.#names.clear();
    const kept = Buffer.allocUnsafeSlow(this.#used);
    this.#kept.copy(kept, 0, 0, this.#used);
    this.#kept = kept;
    this.#file = NOTHING;
    this.#keptView = this.#fileView = viewOf(NOTHING);
    this.#places = this.#places.slice(0, 3 * this.#count);
  }

  #same(kept: number, there: number, length: number): boolean {
    const a = this.#keptView, b = this.#fileView;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (a.getInt32(kept + i) !== b.getInt32(there + i)) return false;
    for (; i < length; i++) if (a.getUint8(kept + i) !== b.getUint8(there + i)) return false;
    return true;
  }

  #add(
    nameFrom: number,
    nameTo: number,
    valueFrom: number,
    valueTo: number,
    plain: boolean,
    hash: number,
    slot: number,
  ): number {
    const file = this.#file;
    const number = this.#count;
    if (!plain) {
      const [name, value] = JSON.parse(
        `["${file.toString("utf8", nameFrom, nameTo)}","${file.toString("utf8", valueFrom, valueTo)}"]`,
      ) as [string, string];
      const line = this.#maker.line(name, value);
      if (line === undefined) return -1;
      this.#odd.set(number, line);
    }
    if (3 * number === this.#places.length) this.#grow();
    const value = this.#used + nameTo - nameFrom;
    const end = value + valueTo - valueFrom;
    while (end > this.#kept.length) {
      const more = Buffer.allocUnsafeSlow(2 * this.#kept.length);
      this.#kept.copy(more, 0, 0, this.#used);
      this.#kept = more;
      this.#keptView = viewOf(more);
    }
    const kept = this.#kept;
    let to = this.#used;
    for (let from = nameFrom; from < nameTo; from++) kept[to++] = file[from]!;
    for (let from = valueFrom; from < valueTo; from++) {
      const byte = file[from]!;
      // No octet of a field (RFC 9110 section 5.5).
      if (byte === 0x7f) return -1;
      kept[to++] = byte;
    }
    this.#places[3 * number] = this.#used;
    this.#places[3 * number + 1] = value;
    this.#places[3 * number + 2] = end;
    this.#used = end;
    this.#hashes[number] = hash;
    this.#slots[slot] = ++this.#count;
    if (2 * this.#count > this.#mask) this.#rehash();
    return number;
  }

  /** Whether a line of this name, with a value of printable ASCII, is what it seems. */
  #isName(from: number, to: number, hash: number): boolean {
    const known = this.#names.get(hash);
    if (known !== undefined && known[1] - known[0] === to - from) {
      let i = from;
      while (i < to && this.#file[i] === this.#file[known[0] + i - from]) i++;
      if (i === to) return true;
    }
    const name = this.#file.toString("latin1", from, to);
    if (this.#maker.line(name, "x") !== `${name}: x\r\n`) return false;
    if (this.#names.size < 1000) this.#names.set(hash, [from, to]);
    return true;
  }

  #grow(): void {
    const places = new Uint32Array(2 * this.#places.length);
    places.set(this.#places);
    this.#places = places;
    const hashes = new Int32Array(2 * this.#hashes.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  #rehash(): void {
    const size = 4 * this.#slots.length;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size);
    for (let number = 1; number <= this.#count; number++) {
      const hash = this.#hashes[number - 1]!;
      let slot = (hash ^ (hash >>> 15)) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = number;
    }
  }
}

const NOTHING = Buffer.alloc(0);

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
