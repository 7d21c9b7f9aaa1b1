import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loneSlug, pathOfTest, SlugBook, slugsOf } from "../../src/runner/tape_name.ts";
import { reportPathOf, tapeOf } from "../../src/runner/options.ts";

describe("the tape of a test", () => {
  test.each([
    ["checkout.test.ts", "checkout"],
    ["checkout.spec.mts", "checkout"],
    ["checkout_test.ts", "checkout"],
    ["checkout.node.test.tsx", "checkout.node"],
    ["test.js", "test"],
  ])("%s has a folder %s", (file, folder) => {
    expect(pathOfTest(join("/a", file), "is-empty")).toBe(join("/a/__tapes__", folder, "is-empty.har"));
  });

  test.each<[string[], string]>([
    [["is empty"], "is-empty"],
    [["Cart", "  is Empty, at first! "], "cart--is-empty-at-first"],
    [["GET /orders/:id", "200"], "get-orders-id--200"],
    [["zählt Äpfel", "数える"], "zählt-äpfel--数える"],
    [["../../etc/passwd"], "etc-passwd"],
    [["con"], "test-con"],
  ])("%j is %s", (names, slug) => {
    expect(slugsOf([names])).toEqual([slug]);
  });

  test("a name without letters has a hash", () => {
    expect(slugsOf([["!?"]])[0]).toMatch(/^test-[0-9a-f]{8}$/);
  });

  test("a long name is cut and kept apart", () => {
    const long = "word ".repeat(100);
    const slugs = slugsOf([[`${long}a`], [`${long}b`]]);
    expect(new Set(slugs).size).toBe(2);
    for (const slug of slugs) expect(slug).toMatch(/^(word-)+.{0,5}-[0-9a-f]{8}$/);
    expect(Math.max(...slugs.map((slug) => slug.length))).toBeLessThanOrEqual(80);
  });

  test("the same slug goes to the first, also in another case", () => {
    const [first, second, third, fourth] = slugsOf([["A b"], ["a-B"], ["a-B"], ["a-B"]]);
    expect(first).toBe("a-b");
    expect(second).toMatch(/^a-b-[0-9a-f]{8}$/);
    expect(third).toBe(`${second}-2`);
    expect(fourth).toBe(`${second}-3`);
    expect(slugsOf([["a", "b"], ["a--b"]])[0]).toBe("a--b");
  });

  test("names that are taken one by one are the same as all at once", () => {
    const book = new SlugBook();
    const names = [["A b"], ["a-B"], ["a-B"], ["c"]];
    expect(names.map((one) => book.take(one))).toEqual(slugsOf(names));
  });

  test("a name that knows of no other has a hash where it is more than words", () => {
    expect(loneSlug(["Cart", "Is empty at first"])).toBe("cart--is-empty-at-first");
    expect(loneSlug(["Cart", "Is empty, at first"])).toMatch(/^cart--is-empty-at-first-[0-9a-f]{8}$/);
    expect(loneSlug(["a b"])).not.toBe(loneSlug(["a-b "]));
  });

  test("is where the options say, else where its name says", () => {
    const place = { file: "/a/shop.test.ts", slug: "named" };
    const named = join("/a/__tapes__/shop/named.har");
    expect(tapeOf(undefined, place)).toEqual({ path: named });
    expect(tapeOf({ mode: "record" }, place)).toEqual({ mode: "record", path: named });
    expect(tapeOf({ path: "mine.har", times: true }, place)).toEqual({ path: "mine.har", times: true });
    expect(tapeOf({ folder: "../tapes" }, place)).toEqual({ path: join("/tapes/shop/named.har") });
    expect(tapeOf("mine.har", place)).toBe("mine.har");
    expect(tapeOf(false, place)).toBe(undefined);
    expect(tapeOf(undefined, { ...place, slug: undefined })).toEqual({ path: join("/a/__tapes__/shop.har") });
  });

  test("is refused when it is none", () => {
    const place = { file: "/a/shop.test.ts", slug: "named" };
    expect(() => tapeOf(5 as never, place)).toThrow("option tape is 5: a path, an object of options, or false");
    expect(() => tapeOf({ folder: "" }, place)).toThrow("option tape.folder");
    expect(() => reportPathOf(true as never, place)).toThrow("option report is true: the path of a folder, or false");
  });
});

describe("the report of a test", () => {
  test("lies beside its file, elsewhere, or nowhere", () => {
    const place = { file: "/a/shop.test.ts", slug: "named" };
    expect(reportPathOf(undefined, place)).toBe(join("/a/flowtape-report/shop/named.html"));
    expect(reportPathOf("../out", place)).toBe(join("/out/shop/named.html"));
    expect(reportPathOf("/out", place)).toBe(join("/out/shop/named.html"));
    expect(reportPathOf(false, place)).toBe(undefined);
  });
});
