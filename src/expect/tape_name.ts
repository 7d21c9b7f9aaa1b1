/**
 * Where the tape of a test lies: next to its file, named after the test.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { TapeOptions } from "../tape/options.ts";
import { testNameOf } from "../tape/test_name.ts";

/** The tape of a fixture: another path, some options for the one named after the test, or `false` for none. */
export type FixtureTape = string | false | Partial<TapeOptions>;

/** The tape that a fixture gives to its proxy. */
export function fixtureTape(given: FixtureTape | undefined, path: () => string): string | TapeOptions | undefined {
  if (given === false) return undefined;
  return typeof given === "string" ? given : { ...given, path: given?.path ?? path() };
}

/**
 * The path of a test's tape: `__tapes__/checkout/cart--is-empty-at-first.har` next to `checkout.test.ts`.
 *
 * @param file the test file
 * @param slug one of {@linkcode slugsOf}
 */
export function tapePath(file: string, slug: string): string {
  return join(dirname(file), "__tapes__", testNameOf(file), `${slug}.har`);
}

/**
 * Names for files from the names of all tests of a file: each test is its describe blocks and its own name. Where two
 * would be the same, the first keeps its name and the others get a hash, or a number when even the tests have the same name.
 */
export function slugsOf(tests: readonly (readonly string[])[]): string[] {
  const taken = new Set<string>();
  return tests.map((names) => {
    const plain = slugOf(names);
    const hashed = `${plain.slice(0, LONGEST - HASH - 1)}-${hash(names)}`;
    const candidates = plain.length <= LONGEST ? [plain, hashed] : [hashed];
    let slug = candidates.find((one) => !taken.has(one));
    for (let n = 2; slug === undefined; n++) {
      if (!taken.has(`${hashed}-${n}`)) slug = `${hashed}-${n}`;
    }
    taken.add(slug);
    return slug;
  });
}

/** Some file systems take no more than 255 bytes for a name, and some tools no more than 260 characters for a path. */
const LONGEST = 80;
const HASH = 8;

/** Letters and digits in lower case, for some file systems see no difference; the rest is a dash. */
function slugOf(names: readonly string[]): string {
  const words = names.map((name) =>
    name.normalize("NFC").toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, "-").replace(/^-|-$/g, "")
  );
  const slug = words.filter((word) => word !== "").join("--");
  // Windows keeps some names for devices, whatever their extension.
  return slug === "" || /^(?:con|prn|aux|nul|com\d|lpt\d)$/.test(slug) ? `test-${slug || hash(names)}` : slug;
}

function hash(names: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, HASH);
}
