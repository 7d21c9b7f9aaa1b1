import { expect, test } from "vitest";
import { readArguments } from "../../src/runner/arguments.ts";

test("what is not a test is refused when it is defined", () => {
  const body = () => {};
  expect(readArguments("named", body, undefined)).toEqual({ options: {}, body });
  expect(readArguments<{ a: number }, () => void>("named", { a: 1 }, body)).toEqual({ options: { a: 1 }, body });
  expect(() => readArguments("named", {}, undefined)).toThrow('the test "named" has no function');
  expect(() => readArguments(5 as never, body, undefined)).toThrow("the name of a test is a string, not number");
});
