/**
 * flowtape for vitest: a `proxy` for every test that asks for one, and matchers for what it received.
 *
 * ```ts ignore
 * import { expect, test } from "flowtape/vitest";
 * import { checkout } from "./checkout.ts";
 *
 * test("a declined card is reported", async ({ proxy }) => {
 *   proxy.use(["POST https://pay.test/charges", respond({ status: 402 })]);
 *   await checkout({ fetch: proxy.fetch });
 *   expect(proxy).toHaveReceived({ method: "POST", json: { cents: 500 } });
 * });
 * ```
 *
 * @module
 */
import type { Assertion, ExpectStatic, TestAPI } from "vitest";
import { expect as baseExpect, test as baseTest } from "vitest";
import { type FlowtapeMatchers, matchers } from "./expect/matchers.ts";
import type { Source } from "./expect/source.ts";
import { type FixtureTape, fixtureTape, slugsOf, tapePath } from "./expect/tape_name.ts";
import type { ProxyOptions } from "./options/proxy_options.ts";
import { type Proxy, startProxy } from "./proxy.ts";

export type { FixtureTape, FlowtapeMatchers, Source };

/** Options of the proxy that a test gets: those of `startProxy()`, with a tape that has a place already. */
export interface FixtureOptions extends Omit<ProxyOptions, "tape"> {
  /**
   * The tape. By default it lies next to the test file and is named after the test: `__tapes__/checkout/is-empty.har`.
   * `false`: no tape. A path: that one. Options without a path: those options for the one named after the test.
   */
  tape?: FixtureTape;
}

/** What {@linkcode test} adds to vitest's own. */
export interface Fixtures {
  /** Options of the proxy. Set them with `test.override({ proxyOptions: { rules: [...] } })`, for a file or a describe block. */
  proxyOptions: FixtureOptions;
  /**
   * A proxy of this test's own: started when a test asks for it, closed after it. A request that nothing on the tape
   * matched, or a hook that threw, fails the test. A test that fails leaves its tape as it was.
   */
  proxy: Proxy;
}

/** vitest's `test` with a {@linkcode Fixtures.proxy | proxy}. Tests may run concurrently: nothing is shared between proxies. */
export const test: TestAPI<Fixtures> = baseTest.extend<Fixtures>({
  // "injected" lets a project set them for all its tests: `provide: { proxyOptions: { ... } }` in its configuration.
  proxyOptions: [{}, { injected: true }],
  proxy: async ({ proxyOptions, task }, use) => {
    const { tape, ...options } = proxyOptions;
    const proxy = await startProxy({ ...options, ...withTape(fixtureTape(tape, () => tapeOf(task))) });
    try {
      await use(proxy);
    } finally {
      // A test that has failed says so here; what its fixture waited for does not throw.
      await proxy.close({ failed: task.result?.state === "fail" });
    }
  },
});

/** The same as {@linkcode test}. */
export const it: TestAPI<Fixtures> = test;

/** What `expect(proxy)` gives: vitest's own matchers and those of flowtape. */
export type FlowtapeAssertion = Assertion & FlowtapeMatchers & {
  /** Turns the next matcher around. */
  readonly not: FlowtapeMatchers;
};

/** vitest's `expect`, which knows what a proxy received. */
export type FlowtapeExpect = ((source: Source, message?: string) => FlowtapeAssertion) & ExpectStatic;

baseExpect.extend(matchers);

/** vitest's `expect` with {@linkcode FlowtapeMatchers} for a proxy or a `FlowSet`. */
export const expect: FlowtapeExpect = baseExpect as FlowtapeExpect;

function withTape(tape: ProxyOptions["tape"]): Pick<ProxyOptions, "tape"> {
  return tape === undefined ? {} : { tape };
}

/** A test or describe block, as far as its name is concerned. */
interface Task {
  readonly name: string;
  readonly suite?: Task | undefined;
  readonly tasks?: readonly Task[];
}

function tapeOf(task: Task & { readonly file: Task & { readonly filepath: string } }): string {
  const { file } = task;
  const tests = testsIn(file);
  const slug = slugsOf(tests.map(namesOf))[tests.indexOf(task)];
  return tapePath(file.filepath, slug ?? slugsOf([namesOf(task)])[0]!);
}

/** All tests in the order in which they stand, also those that are left out of this run: names must not depend on it. */
function testsIn(parent: Task): Task[] {
  return (parent.tasks ?? []).flatMap((task) => task.tasks === undefined ? [task] : testsIn(task));
}

/** The describe blocks around a test, and its own name. */
function namesOf(task: Task): string[] {
  return [...(task.suite === undefined ? [] : namesOf(task.suite)), task.name];
}
