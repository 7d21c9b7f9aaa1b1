import { expect, test } from "vitest";
import { respond, startProxy } from "../../src/mod.ts";
import { toMswHandlers } from "../../src/tape/mod.ts";

// In MSW's own setupServer() they are tested on Node: msw_handlers.node.test.ts.
test("handlers made of flows are rules, like all handlers of MSW", async () => {
  let count = 0;
  await using first = await startProxy({ rules: [["http://a.test/*", respond(() => ({ json: { count: ++count } }))]] });
  for (const path of ["x", "x", "y"]) await (await first.fetch(`http://a.test/${path}`)).json();
  await using second = await startProxy({ rules: toMswHandlers(first.flows), defaultAction: "drop" });
  const ask = async (path: string) => await (await second.fetch(`http://a.test/${path}`)).json();
  expect([await ask("y"), await ask("x"), await ask("x"), await ask("x")].map((it) => it.count)).toEqual([3, 1, 2, 2]);
  await expect(ask("z")).rejects.toThrow();
});
