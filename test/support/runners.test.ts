// The three runners serve one suite: this is the part of vitest's interface that all of them offer.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, test, vi } from "vitest";

describe("hooks", () => {
  const order: string[] = [];
  beforeAll(() => void order.push("beforeAll"));
  beforeEach(() => void order.push("beforeEach"));
  afterEach(() => void order.push("afterEach"));
  afterAll(() => expect(order.at(-1)).toBe("finished"));

  test("beforeAll and beforeEach run first, onTestFinished last", () => {
    onTestFinished(() => void order.push("finished"));
    expect(order).toEqual(["beforeAll", "beforeEach"]);
  });

  describe("of an inner suite", () => {
    beforeAll(() => void order.push("inner beforeAll"));
    beforeEach(() => void order.push("inner beforeEach"));

    test("run inside those of the outer one", () => {
      onTestFinished(() => void order.push("finished"));
      expect(order.slice(2)).toEqual(["afterEach", "finished", "inner beforeAll", "beforeEach", "inner beforeEach"]);
    });
  });
});

describe("tests", () => {
  test.skipIf(true)("are skipped by skipIf", () => expect.unreachable());
  test.runIf(false)("are skipped by runIf", () => expect.unreachable());
  test.skip("are skipped", () => expect.unreachable());
  test("take a timeout as third argument", () => {}, 20_000);
  it("take options as second argument", { timeout: 20_000 }, () => {});

  test.each([[1, 2, 3], [3, 4, 7]])("come from rows: %i + %i = %i", (a, b, sum) => expect(a + b).toBe(sum));
  test.each([{ name: "a" }, { name: "b" }])("come from objects: $name", ({ name }) => expect(name).toMatch(/[ab]/));
  describe.each(["x", "y"])("in suites of a table: %s", (letter) => {
    test("see the row", () => expect(["x", "y"]).toContain(letter));
  });
});

describe("expect", () => {
  test("compares and matches", () => {
    expect({ a: 1, b: "two" }).toEqual(expect.objectContaining({ a: expect.any(Number) }));
    expect({ a: 1, b: { c: [1, 2] } }).toMatchObject({ b: { c: [1, 2] } });
    expect("a text", "with a message").toEqual(expect.stringContaining("text"));
    expect(new Uint8Array([1, 2])).toEqual(new Uint8Array([1, 2]));
    expect(3).toSatisfy((n: number) => n > 2);
    expect(() => {
      throw new TypeError("no such thing");
    }).toThrow(TypeError);
  });

  test("follows promises", async () => {
    await expect(Promise.resolve(1)).resolves.toBe(1);
    await expect(Promise.reject(new Error("no such thing"))).rejects.toThrow(/such/);
    await expect(Promise.reject(new Error("no such thing"))).rejects.toMatchObject({ message: "no such thing" });
  });

  test("polls", async () => {
    let tries = 0;
    await expect.poll(() => ++tries, { interval: 1 }).toBe(3);
    await expect.poll(() => tries, { interval: 1 }).not.toBe(4);
  });

  test("is extended, as in Jest", async () => {
    expect.extend({
      toBeEven(received: number) {
        return { pass: received % 2 === 0, message: () => `${received} is ${this.isNot ? "" : "not "}even` };
      },
      async toResolveEven(received: Promise<number>) {
        return { pass: (await received) % 2 === 0, message: () => "odd" };
      },
    });
    const extended = expect as unknown as (
      value: unknown,
    ) => Record<string, () => unknown> & { not: Record<string, () => unknown> };
    extended(2).toBeEven!();
    extended(3).not.toBeEven!();
    await extended(Promise.resolve(2)).toResolveEven!();
    expect(() => extended(3).toBeEven!()).toThrow("3 is not even");
  });

  test("knows mock functions", () => {
    const double = vi.fn((n: number) => n * 2);
    expect(double(2)).toBe(4);
    expect(double).toHaveBeenCalledWith(2);
    expect(double).toHaveBeenCalledTimes(1);
  });

  test("counts assertions", () => {
    expect.assertions(1);
    expect(1).toBe(1);
  });
});
