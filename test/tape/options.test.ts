import { expect, test } from "vitest";
import { toTapeOptions } from "../../src/tape/options.ts";

test("a path is short for all options", () => {
  expect(toTapeOptions("a.har")).toEqual({ path: "a.har" });
});

test.each<[unknown, string]>([
  [5, "tape is 5: the path of a file, or an object with a path, is accepted"],
  [{}, "tape.path is missing"],
  [{ path: "" }, 'tape.path is "": the path of a file'],
  [
    { path: "a", mode: "recrod" },
    'tape.mode is "recrod": "auto", "replay", "record", "passthrough" is accepted; did you mean "record"?',
  ],
  [
    { path: "a", mod: "auto" },
    'tape.mod is not an option: path, mode, match, afterLast, redact, times are; did you mean "mode"?',
  ],
  [
    { path: "a", match: { quer: true } },
    'tape.match.quer is not an option: method, query, headers, body, custom are; did you mean "query"?',
  ],
  [{ path: "a", match: { query: ["ts"] } }, 'tape.match.query is ["ts"]: an object is accepted'],
  [{ path: "a", match: { query: {} } }, "tape.match.query.ignore is missing"],
  [{ path: "a", match: { query: { ignore: "ts" } } }, 'tape.match.query.ignore is "ts": an array of names is accepted'],
  [{ path: "a", match: { headers: [1] } }, "tape.match.headers is [1]: an array of names is accepted"],
  [{ path: "a", match: { custom: true } }, "tape.match.custom is true: a function is accepted"],
  [{ path: "a", afterLast: "stop" }, 'tape.afterLast is "stop": "repeat", "error", "loop" is accepted'],
  [{ path: "a", redact: true }, "tape.redact is true: an object is accepted"],
  [
    { path: "a", redact: { header: [] } },
    'tape.redact.header is not an option: headers, query, json, custom are; did you mean "headers"?',
  ],
  [{ path: "a", times: 1 }, "tape.times is 1: true or false is accepted"],
])("%j", (options, message) => {
  expect(() => toTapeOptions(options as never)).toThrow(message);
  expect(() => toTapeOptions(options as never)).toThrow(expect.objectContaining({ name: "OptionsError" }));
});

test.each([
  [{ path: "a", mode: undefined, match: { query: { ignore: ["a"] }, body: false, headers: [] }, redact: false }],
  [{ path: "a", redact: { headers: ["x"], query: [], json: ["$.a"], custom: (text: string) => text }, times: true }],
])("valid options", (options) => {
  expect(toTapeOptions(options as never)).toBe(options);
});
