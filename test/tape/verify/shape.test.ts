import { expect, test } from "vitest";
import { pathTest } from "../../../src/flow/json_path.ts";
import { compareShapes } from "../../../src/tape/verify/shape.ts";

test.each<[string, unknown, unknown, string[], string[]]>([
  ["the same", { a: 1 }, { a: 1 }, [], []],
  ["other values", { a: 1, b: ["x"], c: { d: true } }, { a: 2, b: ["y", "z"], c: { d: false } }, [], []],
  ["another type", { a: 1 }, { a: "1" }, [], ["json.a: number -> string"]],
  ["another type at the top", [1], { a: 1 }, [], ["json: array -> object"]],
  ["a member that is gone", { a: 1, b: { c: 1 } }, { a: 1, b: {} }, [], ["json.b.c: number -> absent"]],
  ["a new member", { a: 1 }, { a: 1, b: [] }, [], ["json.b: absent -> array"]],
  ["null fits every type", { a: null, b: 1 }, { a: 1, b: null }, [], []],
  ["null that becomes absent", { a: null }, {}, [], ["json.a: null -> absent"]],
  ["an empty list fits every list", { a: [], b: [1] }, { a: ["x"], b: [] }, [], []],
  ["elements of lists", { a: [{ id: 1 }, { id: 2 }] }, { a: [{ id: "1" }] }, [], ["json.a[*].id: number -> string"]],
  ["mixed lists", [1, "a", null], ["b", 2], [], []],
  ["a type more in a list", [1], [1, "a"], [], ["json[*]: number -> number or string"]],
  ["what is in some elements only", [{ a: 1, b: 1 }, { a: 1 }], [{ a: 1 }], [], []],
  ["a member that no element has any more", [{ a: 1, b: 1 }, { a: 1, b: 2 }], [{ a: 1 }], [], [
    "json[*].b: number -> absent",
  ]],
  ["identifiers as keys", { "17": { a: 1 }, "18": { a: 2 } }, { "19": { a: "x" } }, [], [
    "json[*].a: number -> string",
  ]],
  [
    "UUIDs as keys",
    { "9b2e1c52-6c9b-4a7e-9c58-0242ac130002": 1 },
    { "1b2e1c52-6c9b-4a7e-9c58-0242ac130002": 2 },
    [],
    [],
  ],
  ["ignored anywhere", { a: 1, x: { a: 1 } }, { a: "1", x: {} }, ["a"], []],
  ["ignored from the top", { a: 1, x: { a: 1 } }, { a: "1", x: { a: "1" } }, ["$.a"], ["json.x.a: number -> string"]],
  ["ignored in lists", { items: [{ id: 1 }] }, { items: [{ id: "1" }] }, ["items.*.id"], []],
  ["keys that need quotes", { "a b": 1 }, {}, [], ['json["a b"]: number -> absent']],
  ["__proto__", JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":"1"}'), [], [
    "json.__proto__: number -> string",
  ]],
])("%s", (_what, recorded, live, ignore, expected) => {
  const found = compareShapes(recorded, live, pathTest(ignore));
  expect(found.map(({ field, expected, actual }) => `${field}: ${expected} -> ${actual ?? "absent"}`)).toEqual(
    expected,
  );
});

test("what nests very deeply, or differs everywhere, is not compared for ever", () => {
  const deep = (leaf: unknown) => {
    let value = leaf;
    for (let i = 0; i < 5000; i++) value = [value];
    return value;
  };
  expect(compareShapes(deep(1), deep("1"))).toEqual([]);
  const wide = (value: unknown) => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}x`, value]));
  expect(compareShapes(wide(1), wide("1")).length).toBeLessThanOrEqual(100);
});
