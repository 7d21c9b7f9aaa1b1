// Every addon refuses what it cannot use when it is made, and says what it wants.
import { expect, test } from "vitest";
import {
  blockList,
  jsonRpc,
  jsonRpcMethods,
  jsonRpcReply,
  mapLocal,
  mapRemote,
  modifyBody,
  modifyHeaders,
  only,
  responses,
  webhook,
} from "../../src/addons/mod.ts";
import { startProxy } from "../../src/mod.ts";

/** Values that TypeScript would refuse. */
// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;
const addon = { request() {} };

test.each<[() => unknown, string]>([
  [() => only(7 as Wrong, addon), "the matcher of only() is 7, which is not a matcher"],
  [() => only("/", {} as Wrong), "the addon of only() has no hook"],
  [
    () => mapLocal("/assets", "."),
    'mapLocal() maps what begins with an absolute URL without a query, such as "https://cdn.test/assets/"',
  ],
  [() => mapLocal("http://a.test/?q", "."), "absolute URL without a query"],
  [() => mapLocal("http://a.test/", "/no/such/folder"), "there is none at /no/such/folder"],
  [() => mapLocal("http://a.test/", 1 as Wrong), "mapLocal() maps to the path of a file or folder, not to 1"],
  [
    () => mapLocal("http://a.test/", ".", { missing: 404 } as Wrong),
    'missing of mapLocal() is 404: "404" or "forward"',
  ],
  [
    () => mapLocal("http://a.test/", ".", { mising: "404" } as Wrong),
    'do not know "mising"; did you mean "missing"?',
  ],
  [() => mapRemote("a.test", "http://b.test"), "mapRemote() maps what begins with an absolute URL"],
  [() => mapRemote("http://a.test", "b.test"), 'mapRemote() maps to an absolute URL without a query, not to "b.test"'],
  [() => mapRemote("http://a.test", "http://b.test", { host: "x" } as Wrong), 'host of mapRemote() is "x"'],
  [() => blockList("/a" as Wrong), 'blockList() takes an array of matchers, not "/a"'],
  [() => blockList(["/a", 7 as Wrong]), "matcher 2 of blockList() is 7"],
  [() => blockList([], { status: 1 }), "status of blockList() is 1: a whole number from 200"],
  [() => blockList([], { status: "reset" } as Wrong), 'status of blockList() is "reset"'],
  [() => modifyHeaders({}), "modifyHeaders() takes what to change in the request, in the response, or in both"],
  [() => modifyHeaders({ requst: {} } as Wrong), 'modifyHeaders() does not know "requst"; did you mean "request"?'],
  [() => modifyHeaders({ request: { set: { "a b": "c" } } }), 'header name "a b" is not valid'],
  [
    () => modifyHeaders({ request: { set: { a: null } } } as Wrong),
    "a in set in the request of modifyHeaders() is null",
  ],
  [() => modifyHeaders({ response: { add: [] } } as Wrong), "add in the response of modifyHeaders() is []: an object"],
  [
    () => modifyHeaders({ response: { remove: "a" } } as Wrong),
    'remove in the response of modifyHeaders() is "a": an array',
  ],
  [
    () => modifyBody({ response: {} as Wrong }),
    "response of modifyBody() is {}: { replace, with }, { json } or { patch } is",
  ],
  [() => modifyBody({ response: [{ json: {} }, { json: {}, patch: [] } as Wrong] }), "response[1] of modifyBody() is"],
  [
    () => modifyBody({ request: { replace: "", with: "" } }),
    'replace in request of modifyBody() is "": text or a RegExp',
  ],
  [
    () => modifyBody({ request: { replace: "a" } as Wrong }),
    "with in request of modifyBody() is undefined: text or a function",
  ],
  [() => modifyBody({ request: { json: [] } as Wrong }), "json in request of modifyBody() is []"],
  [
    () => modifyBody({ request: { patch: {} } as Wrong }),
    "patch in request of modifyBody() is {}: an array of operations",
  ],
  [
    () => modifyBody({ request: { patch: [{ op: "set" } as Wrong] } }),
    "op is one of add, replace, test, remove, move, copy",
  ],
  [
    () => modifyBody({ request: { patch: [{ op: "remove", path: "a" }] } }),
    'path is a JSON Pointer such as "/items/0/name"',
  ],
  [() => modifyBody({ request: { patch: [{ op: "add", path: "/a" } as Wrong] } }), "add wants a value"],
  [() => modifyBody({ request: { patch: [{ op: "move", path: "/a" } as Wrong] } }), "move wants from"],
  [
    () => modifyBody({ request: { patch: [{ op: "move", path: "/a/b", from: "/a" }] } }),
    "nothing can be moved into itself",
  ],
  [() => responses([]), "responses() takes an array of at least one response, not []"],
  [() => responses([{}, { statsu: 1 } as Wrong]), 'responses()[1]: respond() does not know "statsu"'],
  [() => responses([{}], { afterLast: "error" } as Wrong), 'afterLast of responses() is "error": "repeat", "loop" or'],
  [() => jsonRpc({ method: 1 } as Wrong), "the method of jsonRpc() is 1: a string or a RegExp"],
  [() => jsonRpc("eth_call" as Wrong), 'jsonRpc() takes an object with method, params, not "eth_call"'],
  [() => jsonRpcReply({} as Wrong), "jsonRpcReply() takes a result or an error, not {}"],
  [() => jsonRpcReply({ error: { code: "x", message: "" } } as Wrong), "{ code, message } is accepted"],
  [() => jsonRpcMethods(7 as Wrong), "jsonRpcMethods() takes an object of functions, not 7"],
  [() => jsonRpcMethods({ sum: 3 } as Wrong), "sum of jsonRpcMethods() is 3: a function"],
  [() => webhook("/told"), 'webhook() takes an absolute http or https URL, not "/told"'],
  [() => webhook("http://a.test/", { timeout: 0 }), "timeout of webhook() is 0: a whole number from 1"],
  [() => webhook("http://a.test/", { maxBody: -1 }), "maxBody of webhook() is -1"],
  [() => webhook("http://a.test/", { headers: { "a b": "" } }), 'header name "a b" is not valid'],
  [() => webhook("http://a.test/", { onFailure: 1 } as Wrong), "onFailure of webhook() is 1: a function"],
])("%s is refused", (make, message) => {
  expect(make).toThrow(message);
  try {
    make();
  } catch (error) {
    expect(error).toMatchObject({ code: "BAD_OPTION" });
  }
});

test("an addon that a rule cannot hold is refused with its place", async () => {
  const start = () => startProxy({ rules: [["/", "drop"], ["/", only("/", { name: "ws", websocketMessage() {} })]] });
  await expect(start()).rejects.toThrow(
    'rules[1]: the action is the addon "ws for /", whose hook websocketMessage a rule cannot call',
  );
});
