// tcp(): the one matcher that accepts conversations of raw bytes.
import { expect, test } from "vitest";
import { tcp } from "../../src/flow/matcher/tcp.ts";
import { all, any, not } from "../../src/flow/matcher/combine.ts";
import { httpFlow, tcpFlow } from "./flows.ts";

test.each([
  [undefined, true],
  ["db.test", true],
  ["DB.test:5432", true],
  ["*.test", true],
  ["db.test:1", false],
  ["other.test", false],
])("tcp(%j) accepts db.test:5432: %j", (which, accepted) => {
  expect(tcp(which).matches(tcpFlow())).toBe(accepted);
  expect(tcp(which).matches(httpFlow("http://db.test:5432/"))).toBe(false);
});

test("a function sees the flow", () => {
  expect(tcp(({ bytes }) => bytes.client === 7).matches(tcpFlow())).toBe(true);
  expect(tcp(({ messages }) => messages.length > 1).matches(tcpFlow())).toBe(false);
});

test("combines with others, and describes itself", () => {
  expect(any("POST /a", tcp("db.test")).matches(tcpFlow())).toBe(true);
  expect(all(tcp(), not(tcp("db.test"))).matches(tcpFlow())).toBe(false);
  expect(all(tcp(), tcp("db.test")).description).toBe("all(tcp(), tcp(db.test))");
});

test.each([["a b"], [""], [5], ["http://db.test/"]])("tcp(%j) is refused", (which) => {
  expect(() => tcp(which as string)).toThrow('"host", "host:port" or a function is accepted');
});
