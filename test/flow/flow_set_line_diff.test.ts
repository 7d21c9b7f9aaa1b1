// The comparison of lines, against a slow one that is surely right.
import { expect, test } from "vitest";
import { seededRandom, shuffled } from "../../src/flow/random.ts";
import { diffLines } from "../../src/flow/set/line_diff.ts";

test("both texts come out of it again, with as few differences as can be", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 500; round++) {
    const text = () => Array.from({ length: Math.floor(random() * 12) }, () => "abc"[Math.floor(random() * 3)]!);
    const [a, b] = [text(), text()];
    const lines = diffLines(a, b);
    expect(lines.flatMap((line) => line.kind === "added" ? [] : [a[line.a]])).toEqual(a);
    expect(lines.flatMap((line) => line.kind === "removed" ? [] : [b[line.b]])).toEqual(b);
    for (const line of lines) if (line.kind === "same") expect(a[line.a]).toBe(b[line.b]);
    const same = lines.filter(({ kind }) => kind === "same").length;
    expect(same).toBe(longestCommon(a, b));
  }
});

test("texts that have little in common are replaced as a whole", () => {
  const numbers = (from: number) => Array.from({ length: 3000 }, (_, i) => `${from + i}`);
  const lines = diffLines(["x", ...numbers(0), "y"], ["x", ...numbers(10_000), "y"]);
  expect(lines.filter(({ kind }) => kind === "same").length).toBe(2);
  expect(lines.length).toBe(6002);
});

test("shuffling depends on the seed alone, and loses nothing", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  expect(shuffled(items, 1)).toEqual(shuffled(items, 1));
  expect(shuffled(items, 1)).not.toEqual(shuffled(items, 2));
  expect(shuffled(items, 1)).not.toEqual(items);
  expect(shuffled(items, 1).toSorted((a, b) => a - b)).toEqual(items);
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const table = a.map(() => b.map(() => 0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = table[i + 1]?.[j] ?? 0;
      const right = table[i]![j + 1] ?? 0;
      table[i]![j] = a[i] === b[j] ? 1 + (table[i + 1]?.[j + 1] ?? 0) : Math.max(below, right);
    }
  }
  return table[0]?.[0] ?? 0;
}
