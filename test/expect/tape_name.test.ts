import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixtureTape, slugsOf, tapePath } from "../../src/expect/tape_name.ts";

describe("the tape of a test", () => {
  test.each([
    ["checkout.test.ts", "checkout"],
    ["checkout.spec.mts", "checkout"],
    ["checkout_test.ts", "checkout"],
    ["checkout.node.test.tsx", "checkout.node"],
    ["test.js", "test"],
  ])("%s has a folder %s", (file, folder) => {
    expect(tapePath(join("/a", file), "is-empty")).toBe(join("/a/__tapes__", folder, "is-empty.har"));
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

  test("is where the options say, else where its name says", () => {
    const named = () => "named.har";
    expect(fixtureTape(undefined, named)).toEqual({ path: "named.har" });
    expect(fixtureTape({ mode: "record" }, named)).toEqual({ mode: "record", path: "named.har" });
    expect(fixtureTape({ path: "mine.har", times: true }, named)).toEqual({ path: "mine.har", times: true });
    expect(fixtureTape("mine.har", named)).toBe("mine.har");
    expect(fixtureTape(false, named)).toBe(undefined);
  });
});
