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
    'tape.mode is "recrod": "auto", "replay", "record", "once", "passthrough", "verify" is accepted; did you mean "record"?',
  ],
  [
    { path: "a", mod: "auto" },
    '; did you mean "mode"?',
  ],
  [
    { path: "a", match: { quer: true } },
    "tape.match.quer is not an option: method, origin, path, query, headers, body, normalize, correlate, custom are; " +
    'did you mean "query"?',
  ],
  [{ path: "a", match: { query: ["ts"] } }, 'tape.match.query is ["ts"]: an object is accepted'],
  [{ path: "a", match: { query: {} } }, "tape.match.query.ignore is missing"],
  [{ path: "a", match: { query: { ignore: "ts" } } }, 'tape.match.query.ignore is "ts": an array of names is accepted'],
  [{ path: "a", match: { headers: [1] } }, "tape.match.headers is [1]: an array of names is accepted"],
  [
    { path: "a", match: { headers: { ignor: [] } } },
    'tape.match.headers.ignor is not an option: ignore are; did you mean "ignore"?',
  ],
  [{ path: "a", match: { headers: true } }, "tape.match.headers is true: an array of names is accepted"],
  [
    { path: "a", match: { origin: { ignore: ["prot"] } } },
    'tape.match.origin.ignore[0] is "prot": "scheme", "host", "port" is accepted; did you mean "port"?',
  ],
  [{ path: "a", match: { body: { as: "xml" } } }, 'tape.match.body.as is "xml": "auto", "json"'],
  [{ path: "a", match: { body: "json" } }, 'tape.match.body is "json": true, false or { as, ignore } is accepted'],
  [{ path: "a", match: { normalize: "trim" } }, 'tape.match.normalize is "trim": a function is accepted'],
  [{ path: "a", modes: { a: "record" } }, 'tape.modes is {"a":"record"}: an array of [matcher, mode] is accepted'],
  [{ path: "a", modes: ["record"] }, 'tape.modes[0] is "record": [matcher, mode] is accepted'],
  [{ path: "a", modes: [["/a", "record"], ["/b", "rec"]] }, 'tape.modes[1][1] is "rec": "auto"'],
  [{ path: "a", modes: [[5, "record"]] }, "tape.modes[0][0] is 5, which is not a matcher"],
  [{ path: "a", blockUnsafe: {} }, "tape.blockUnsafe.allow is missing: a matcher"],
  [{ path: "a", blockUnsafe: { allow: ["/a", 5] } }, "tape.blockUnsafe.allow[1] is 5, which is not a matcher"],
  [{ path: "a", unused: "delete" }, 'tape.unused is "delete": "ignore", "warn", "fail", "prune" is accepted'],
  [{ path: "a", expires: { after: "30 minutes", then: "warn" } }, 'tape.expires.after is "30 minutes": "30d", "6w"'],
  [{ path: "a", expires: { after: "30d" } }, 'tape.expires.then is missing: "warn", "fail" or "record" is accepted'],
  [{ path: "a", maxBytes: 0 }, "tape.maxBytes is 0: a whole number of 1 or more is accepted"],
  [{ path: "a", verify: { methods: "GET" } }, 'tape.verify.methods is "GET": an array of names is accepted'],
  [{ path: "a", match: { custom: true } }, "tape.match.custom is true: a function is accepted"],
  [{ path: "a", afterLast: "stop" }, 'tape.afterLast is "stop": "repeat", "error", "loop" is accepted'],
  [{ path: "a", redact: true }, "tape.redact is true: an object is accepted"],
  [
    { path: "a", redact: { header: [] } },
    'tape.redact.header is not an option: headers, query, json, patterns, allow, custom, restore are; did you mean "headers"?',
  ],
  [{ path: "a", times: 1 }, "tape.times is 1: true or false is accepted"],
])("%j", (options, message) => {
  expect(() => toTapeOptions(options as never)).toThrow(message);
  expect(() => toTapeOptions(options as never)).toThrow(expect.objectContaining({ name: "OptionsError" }));
});

test.each([
  [{ path: "a", mode: undefined, match: { query: { ignore: ["a"] }, body: false, headers: [] }, redact: false }],
  [{ path: "a", redact: { headers: ["x"], query: [], json: ["$.a"], custom: (text: string) => text }, times: true }],
  [{
    path: "a",
    modes: [["GET https://auth.test/*", "record"], [{ host: "localhost" }, "passthrough"]],
    match: { origin: { ignore: ["port"] }, path: true, query: true, headers: { ignore: [] }, body: { as: "text" } },
    verify: { methods: ["POST"], ignore: ["id"], then: "warn", timeout: 5 },
    blockUnsafe: { allow: ["POST /search", (): boolean => true] },
    unused: "prune",
    expires: { after: "3mo", then: "record" },
    maxBytes: 1,
  }],
])("valid options", (options) => {
  expect(toTapeOptions(options as never)).toBe(options);
});
