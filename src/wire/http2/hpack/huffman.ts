/**
 * The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), for reading.
 *
 * @module
 */
import { Http2Error } from "../http2_error.ts";

/**
 * The lengths of the codes of the octets 0 to 255 and of the end of the string. The code is canonical: lengths are all there is to know.
 */
const LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];

const END = 256;

/** The octets of `bytes` from `start` to `end`, as a latin1 string. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  tree ??= plant();
  let text = "";
  let node = 0;
  // What has been read of a code that is not complete: the padding, at the end.
  let bits = 0;
  let ones = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = byte >> shift & 1;
      const next = tree[2 * node + bit]!;
      if (next > 0) {
        node = next;
        bits++;
        ones &&= bit === 1;
        continue;
      }
      const symbol = -next - 1;
      if (symbol === END) throw new Http2Error("COMPRESSION_ERROR", "a string has the end symbol in it");
      text += String.fromCharCode(symbol);
      node = bits = 0;
      ones = true;
    }
  }
  // The padding is the beginning of the code of the end symbol, which is all ones (RFC 7541 section 5.2).
  if (bits > 7 || !ones) throw new Http2Error("COMPRESSION_ERROR", "a string is padded with something else than ones");
  return text;
}

/** The children of node `n` are at `2n` and `2n + 1`: a node, or a symbol `s` as `-s - 1`. Planted when it is first needed. */
let tree: Int16Array | undefined;

function plant(): Int16Array {
  // A full binary tree with 257 leaves has 256 inner nodes.
  const nodes = new Int16Array(512);
  const symbols = LENGTHS.map((length, symbol) => ({ length, symbol }))
    .sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let last = symbols[0]!.length;
  let count = 1;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - last);
    last = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = 2 * node + (code >>> bit & 1);
      if (nodes[at] === 0) nodes[at] = count++;
      node = nodes[at]!;
    }
    nodes[2 * node + (code & 1)] = -symbol - 1;
    code++;
  }
  return nodes;
}
