/**
 * What the files of a test are called, and where they lie: next to the test file, named after the test.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { testNameOf } from "../tape/test_name.ts";

/** Where tapes lie, seen from the test file. */
export const TAPES = "__tapes__";

/**
 * The path of a test's file: `__tapes__/checkout/cart--is-empty-at-first.har` next to `checkout.test.ts`.
 *
 * @param file the test file
 * @param slug one of {@linkcode slugsOf}; without one, the file is that of the whole test file: `__tapes__/checkout.har`
 * @param folder seen from the folder of the test file
 */
export function pathOfTest(
  file: string,
  slug: string | undefined,
  { folder = TAPES, extension = "har" }: { folder?: string; extension?: string } = {},
): string {
  return `${join(resolve(dirname(file), folder), testNameOf(file), slug ?? "")}.${extension}`;
}

/**
 * Names for files from the names of all tests of a file: each test is its describe blocks and its own name. Where two
 * would be the same, the first keeps its name and the others get a hash, or a number when even the tests have the same name.
 */
export function slugsOf(tests: readonly (readonly string[])[]): string[] {
  const book = new SlugBook();
  return tests.map((names) => book.take(names));
}

/** The names that are taken already, for runners that tell of one test after the other: in the order in which they stand. */
export class SlugBook {
  readonly #taken = new Set<string>();

  /** A name that nobody has yet; see {@linkcode slugsOf}. */
  take(names: readonly string[]): string {
    const plain = slugOf(names);
    const hashed = withHash(plain, names);
    const candidates = plain.length <= LONGEST ? [plain, hashed] : [hashed];
    let slug = candidates.find((one) => !this.#taken.has(one));
    for (let n = 2; slug === undefined; n++) {
      if (!this.#taken.has(`${hashed}-${n}`)) slug = `${hashed}-${n}`;
    }
    this.#taken.add(slug);
    return slug;
  }
}

/**
 * A name that depends on no other test, for runners that tell of no other: it has a hash where the test's own name has more to it than
 * words, so that no two tests get the same.
 */
export function loneSlug(names: readonly string[]): string {
  const plain = slugOf(names);
  const words = names.map((name) => name.normalize("NFC").toLowerCase().replaceAll(" ", "-")).join("--");
  return plain === words && plain.length <= LONGEST ? plain : withHash(plain, names);
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

function withHash(plain: string, names: readonly string[]): string {
  return `${plain.slice(0, LONGEST - HASH - 1)}-${hash(names)}`;
}

function hash(names: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, HASH);
}
