import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BEHAVIOURS } from "./behaviours.ts";

/** The numbers in the titles of a test file: in strings that a test, a group or a table of them is called. */
function named(file: string): string[] {
  const source = readFileSync(file, "utf8").replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  return [...source.matchAll(/(["'`])((?:(?!\1)[^\\\n]|\\.)*)\1/g)]
    .flatMap(([, , text = ""]) => [...text.matchAll(/\bB(\d+)\b/g)])
    .map(([, number]) => `B${number}`);
}

const files = globSync("test/**/*.test.ts").filter((file) => !file.includes("behaviours"));
const numbers = new Set(files.flatMap(named));

test("every behaviour is named by a test", () => {
  expect(files.length).toBeGreaterThan(50);
  const missing = BEHAVIOURS.map((behaviour, i) => `B${i + 1} ${behaviour}`).filter((it) =>
    !numbers.has(it.split(" ")[0]!)
  );
  expect(missing).toEqual([]);
});

test("no test names a behaviour that is not on the list", () => {
  const known = new Set(BEHAVIOURS.map((_, i) => `B${i + 1}`));
  expect(BEHAVIOURS).toHaveLength(95);
  expect([...numbers].filter((number) => !known.has(number))).toEqual([]);
});
