// Bodies that are changed on their way.
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type BodyChange, type JsonPatchOperation, modifyBody } from "../../src/addons/mod.ts";
import { applyJsonPatch } from "../../src/flow/json_patch.ts";
import { editJson } from "../../src/flow/json_edit.ts";
import { startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { bothForms } from "./support.ts";

async function changed(
  response: BodyChange | BodyChange[],
  body: string | Uint8Array,
  type = "application/json",
  coding?: string,
) {
  const headers: Record<string, string> = { "content-type": type, ...(coding && { "content-encoding": coding }) };
  const results = await Promise.all(
    bothForms(modifyBody({ response })).map(async ({ send }) => {
      const got = (await send({ upstream: { headers, body } })).response!;
      return { text: Buffer.from(got.encodedBody).toString("latin1"), edited: got.bodyEdited };
    }),
  );
  expect(results[0]).toEqual(results[1]);
  return results[0]!.edited ? results[0]!.text : "untouched";
}

describe("text", () => {
  test.each<[BodyChange, string]>([
    [{ replace: "a.b", with: "$1" }, "$1 axb $1"],
    [{ replace: /a.b/, with: "[$&]" }, "[a.b] axb a.b"],
    [{ replace: /a(.)b/g, with: "<$1>" }, "<.> <x> <.>"],
    [{ replace: /a(.)b/g, with: (_match, inner) => inner!.toUpperCase() }, ". X ."],
    [{ replace: "a.b", with: () => "c" }, "c axb c"],
    [{ replace: "nothing", with: "x" }, "untouched"],
  ])("%j", async (change, expected) => {
    expect(await changed(change, "a.b axb a.b", "text/plain")).toBe(expected);
  });

  test("in another charset, and between bytes that are no text", async () => {
    expect(
      await changed(
        { replace: "caf", with: "CAF" },
        new Uint8Array([99, 97, 102, 0xe9]),
        "text/plain; charset=iso-8859-1",
      ),
    ).toBe("CAF\xe9");
    expect(await changed({ replace: "PNG", with: "GIF" }, new Uint8Array([0x89, 80, 78, 71, 0, 255]), "image/png"))
      .toBe("\x89GIF\0\xff");
    expect(await changed({ replace: "ä", with: "ü€" }, "xäy", "text/plain")).toBe(
      Buffer.from("xü€y").toString("latin1"),
    );
  });

  test("without its compression", async () => {
    expect(await changed({ replace: "a", with: "b" }, gzipSync("aaa"), "text/plain", "gzip")).toBe("bbb");
  });
});

describe("JSON", () => {
  test.each<[Record<string, unknown>, unknown]>([
    [{ "$.n": 2 }, { n: 2, items: [{ id: 1, n: 1 }, { id: 2 }] }],
    [{ n: 0 }, { n: 0, items: [{ id: 1, n: 0 }, { id: 2 }] }],
    [{ "items.*.id": (id: number) => id * 10 }, { n: 1, items: [{ id: 10, n: 1 }, { id: 20 }] }],
    [{ "items[1].id": "x", "$.new": [1] }, { n: 1, items: [{ id: 1, n: 1 }, { id: "x" }], new: [1] }],
    [{ "items.*.x": 1 }, { n: 1, items: [{ id: 1, n: 1, x: 1 }, { id: 2, x: 1 }] }],
    [{ "$.n": undefined, "items[0]": undefined }, { items: [{ id: 2 }] }],
    [{ "items[*]": undefined }, { n: 1, items: [] }],
    [{ "items[7].id": 1, "none.deep": 1, "n.deep": 1 }, { n: 1, items: [{ id: 1, n: 1 }, { id: 2 }] }],
    [{ "$": 7 }, 7],
  ])("%j", (changes, expected) => {
    const document = { n: 1, items: [{ id: 1, n: 1 }, { id: 2 }] };
    expect(editJson(document, changes)).toEqual(expected);
    expect(document.n).toBe(1);
  });

  test("a name such as __proto__ is a name", () => {
    const made = editJson({}, { "$.__proto__": { polluted: true } });
    expect(JSON.stringify(made)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBe(undefined);
    const patched = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: true } }]);
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true}}');
    expect(() => applyJsonPatch({}, [{ op: "add", path: "/constructor/prototype/x", value: 1 }])).toThrow(
      "no object or array",
    );
  });

  test("what says that it is compressed and is not is left alone", async () => {
    const changes = [{ replace: "a", with: "b" }, { json: { "$.a": 1 } }];
    expect(await changed(changes, "not gzip at all", "application/json", "gzip")).toBe("untouched");
  });

  test("other media types, and what is no JSON, are left alone", async () => {
    const change = { json: { "$.a": 2 } };
    expect(await changed(change, '{"a":1}')).toBe('{"a":2}');
    expect(await changed(change, '{"a":1}', "application/problem+json; charset=utf-8")).toBe('{"a":2}');
    expect(await changed(change, '{"a":1}', "text/plain")).toBe("untouched");
    expect(await changed(change, "not json")).toBe("untouched");
    expect(await changed(change, '{"a":2}')).toBe("untouched");
    expect(await changed([change, { replace: "2", with: "3" }], '{"a":1}')).toBe('{"a":3}');
  });
});

// The examples of RFC 6902, appendix A, and what its text demands.
describe("JSON patch", () => {
  test.each<[string, unknown, JsonPatchOperation[], unknown]>([
    ["A.1 adding a member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    ["A.2 adding an element", { foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], {
      foo: ["bar", "qux", "baz"],
    }],
    ["A.3 removing a member", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    ["A.4 removing an element", { foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], {
      foo: ["bar", "baz"],
    }],
    ["A.5 replacing", { baz: "qux", foo: "bar" }, [{ op: "replace", path: "/baz", value: "boo" }], {
      baz: "boo",
      foo: "bar",
    }],
    [
      "A.6 moving a value",
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    ["A.7 moving an element", { foo: ["all", "grass", "cows", "eat"] }, [{
      op: "move",
      from: "/foo/1",
      path: "/foo/3",
    }], {
      foo: ["all", "cows", "eat", "grass"],
    }],
    [
      "A.8 testing",
      { baz: "qux", foo: ["a", 2, "c"] },
      [{ op: "test", path: "/baz", value: "qux" }, { op: "test", path: "/foo/1", value: 2 }],
      { baz: "qux", foo: ["a", 2, "c"] },
    ],
    ["A.10 nested", { foo: "bar" }, [{ op: "add", path: "/child", value: { grandchild: {} } }], {
      foo: "bar",
      child: { grandchild: {} },
    }],
    ["A.14 escaped names", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }, {
      op: "remove",
      path: "/~1",
    }], { "~1": 10 }],
    ["A.16 an array as a value", { foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc", "def"] }], {
      foo: ["bar", ["abc", "def"]],
    }],
    ["the whole", { foo: 1 }, [{ op: "replace", path: "", value: [1] }, { op: "add", path: "/-", value: 2 }], [1, 2]],
    ["a copy of its own", { a: [1] }, [{ op: "copy", from: "/a", path: "/b" }, { op: "add", path: "/b/-", value: 2 }], {
      a: [1],
      b: [1, 2],
    }],
    ["an empty name", { "": 1 }, [{ op: "replace", path: "/", value: 2 }], { "": 2 }],
  ])("%s", (_, document, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected);
  });

  test.each<[string, unknown, JsonPatchOperation[], string]>([
    ["A.9 a test that fails", { baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }], 'wants "bar" at /baz'],
    [
      "A.12 a member of what is not there",
      { foo: "bar" },
      [{ op: "add", path: "/baz/bat", value: "qux" }],
      "no object or array at /baz",
    ],
    ["A.15 numbers and strings", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: "10" }], 'wants "10"'],
    ["a test with more in it", { a: { b: 1, c: 2 } }, [{ op: "test", path: "/a", value: { b: 1 } }], "wants { b: 1 }"],
    ["removing what is not there", {}, [{ op: "remove", path: "/a" }], "there is nothing at /a"],
    ["replacing what is not there", { a: [] }, [{ op: "replace", path: "/a/0", value: 1 }], "there is nothing at /a/0"],
    ["an index with a zero", { a: [1, 2] }, [{ op: "remove", path: "/a/01" }], "there is nothing at /a/01"],
    ["beyond the end", { a: [1] }, [{ op: "add", path: "/a/2", value: 1 }], "an array of 1 has no place 2"],
    ["the end, to be read", { a: [1] }, [{ op: "remove", path: "/a/-" }], "there is nothing at /a/-"],
  ])("%s", (_, document, patch, message) => {
    const before = JSON.stringify(document);
    expect(() => applyJsonPatch(document, patch)).toThrow(message);
    expect(JSON.stringify(document)).toBe(before);
  });

  test("a test that says no leaves the body alone, a path that leads nowhere fails the flow", async () => {
    const patch = (...patch: JsonPatchOperation[]) => ({ patch });
    expect(await changed(patch({ op: "remove", path: "/a" }, { op: "test", path: "/b", value: 1 }), '{"a":1,"b":2}'))
      .toBe("untouched");
    expect(await changed(patch({ op: "test", path: "/b", value: 2 }, { op: "remove", path: "/a" }), '{"a":1,"b":2}'))
      .toBe('{"b":2}');
    await expect(changed(patch({ op: "remove", path: "/x" }), "{}")).rejects.toThrow("operation 1 of the JSON patch");
  });
});

test("the body of a request, on a real server; what is too long is not cut", async () => {
  await using origin = await startOrigin((request) => ({
    headers: [["Content-Type", "application/json"]],
    body: request.text(),
  }));
  await using proxy = await startProxy({
    capture: { maxBody: 1000 },
    addons: [modifyBody({ request: { json: { "$.secret": "***" } }, response: { replace: "***", with: "+++" } })],
  });
  const post = async (json: unknown) => {
    const response = await proxy.fetch(origin.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(json),
    });
    return await response.json();
  };
  expect(await post({ secret: 1 })).toEqual({ secret: "+++" });
  expect(origin.requests[0]!.text()).toBe('{"secret":"***"}');
  const long = { secret: "***", more: "x".repeat(2000) };
  expect(await post(long)).toEqual(long);
});
