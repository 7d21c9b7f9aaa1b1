/**
 * The lines of what a process writes.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readLines } from "../../src/gateway/spawn/lines.ts";

test.each<[string, (string | Uint8Array)[], string[]]>([
  ["whole lines", ["a\nb\n"], ["a", "b"]],
  ["in pieces", ["a", "b\nc", "\n"], ["ab", "c"]],
  ["the last one has no end", ["a\nb"], ["a", "b"]],
  ["empty ones", ["\n\na\n"], ["", "", "a"]],
  ["line ends of Windows, in one piece and in two", ["a\r\nb\r", "\nc\r\n"], ["a", "b", "c"]],
  ["a character in two pieces", [Uint8Array.of(0xc3), Uint8Array.of(0xa9, 10)], ["é"]],
  ["too long, in one piece and in many", ["123456789\n1234", "5678", "9\nnext\n"], ["12345", "12345", "next"]],
  ["nothing", [], []],
])("%s", async (_, pieces, expected) => {
  const stream = Readable.from(pieces.map((piece) => Buffer.from(piece as string)), { objectMode: false });
  const lines: string[] = [];
  const ended = new Promise((resolve) => stream.once("end", resolve));
  readLines(stream, 5, (text) => lines.push(text));
  await ended;
  await Promise.resolve();
  expect(lines).toEqual(expected);
});
