import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { moveMarks } from "../../../src/tape/streams/move_marks.ts";

/** Cuts a text at "|", replaces, and says where the cuts are then. */
function moved(text: string, replace: (text: string) => string): string[] {
  const chunks = text.split("|");
  let end = 0;
  const ends = chunks.map((chunk) => end += Buffer.byteLength(chunk));
  const before = Buffer.from(chunks.join(""));
  const after = Buffer.from(replace(chunks.join("")));
  const places = moveMarks(before, after, ends);
  return places.map((place, i) => after.subarray(places[i - 1] ?? 0, place).toString());
}

const secret = (text: string) => text.replace(/SECRET/g, "[redacted]");

test.each([
  ["nothing is replaced", "a|b|c", ["a", "b", "c"]],
  ["in one chunk", "x SECRET y|z", ["x [redacted] y", "z"]],
  ["over two chunks: it belongs to the first", "x SEC|RET y|z", ["x [redacted]", " y", "z"]],
  ["over three", "SE|C|RET", ["[redacted]", "", ""]],
  ["at the end of a line", "a SECRET\n|b\n|c SEC|RET\n|d", ["a [redacted]\n", "b\n", "c [redacted]", "\n", "d"]],
  ["nothing but the secret", "SECRET", ["[redacted]"]],
  ["characters of several bytes", "ä|öSECRET|ü", ["ä", "ö[redacted]", "ü"]],
])("%s", (_, text, expected) => {
  expect(moved(text, secret)).toEqual(expected);
});

test("what breaks lines is found all the same, and no byte is lost", () => {
  const text = "one\n|two SECRET\n|three\n";
  const replace = (it: string) => it.replace("SECRET\n", "line\nline\nline\n");
  const chunks = moved(text, replace);
  expect(chunks).toHaveLength(3);
  expect(chunks.join("")).toBe(replace(text.replaceAll("|", "")));
});

test("two secrets in a line: the places between them are in order", () => {
  const chunks = moved("SECRET a|b SECRET c|d", secret);
  expect(chunks.join("")).toBe("[redacted] ab [redacted] cd");
  expect(chunks.at(-1)).toBe("d");
});
