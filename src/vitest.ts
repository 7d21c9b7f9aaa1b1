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
import type { Assertion, ExpectPollOptions, ExpectStatic, TestAPI, TestContext } from "vitest";
import * as vitest from "vitest";
import { type FlowtapeMatchers, matchers } from "./expect/matchers.ts";
import type { GivenFlow, Source } from "./expect/source.ts";
import { OptionsError } from "./flow/error.ts";
import type { Proxy } from "./proxy.ts";
import type { FixtureOptions, FixtureTape, NamedTapeOptions } from "./runner/options.ts";
import { SharedProxy } from "./runner/shared_proxy.ts";
import { oneError, openTestProxy, type Outcome, type Tell } from "./runner/test_proxy.ts";
import { infoOf, type Test } from "./runner/vitest_task.ts";

export type { FixtureOptions, FixtureTape, FlowtapeMatchers, GivenFlow, NamedTapeOptions, Source };

/** What {@linkcode test} adds to vitest's own. */
export interface Fixtures {
  /** Options of the proxy. Set them with `test.override({ proxyOptions: { rules: [...] } })`, for a file or a describe block. */
  proxyOptions: FixtureOptions;
  /**
   * A proxy of this test's own: started when a test asks for it, closed after it. A request that nothing on the tape
   * matched, or a hook that threw, fails the test. A test that fails leaves its tape as it was, and a report beside it.
   */
  proxy: Proxy;
}

/** vitest's `test` with a {@linkcode Fixtures.proxy | proxy}. Tests may run concurrently: nothing is shared between proxies. */
export const test: TestAPI<Fixtures> = vitest.test.extend<Fixtures>({
  // "injected" lets a project set them for all its tests: `provide: { proxyOptions: { ... } }` in its configuration.
  proxyOptions: [{}, { injected: true }],
  proxy: async ({ proxyOptions, task }, use) => {
    const outcome = watch(task);
    const own = await openTestProxy(proxyOptions, infoOf(task));
    try {
      await use(own.proxy);
    } finally {
      // A test that has failed says so here; what its fixture waited for does not throw.
      await own.end(outcome(), tellIn(task));
    }
  },
});

/** The same as {@linkcode test}. */
export const it: TestAPI<Fixtures> = test;

/** Options of {@linkcode sharedTest}. */
export interface SharedOptions extends FixtureOptions {
  /**
   * Who shares the proxy: the tests of a file, or all that a worker of vitest runs. The tape of a file is `__tapes__/checkout.har`
   * by default. A worker has none unless `tape` is a path: nobody knows beforehand which files it runs.
   */
  scope: "file" | "worker";
}

/** What the `test` of {@linkcode sharedTest} adds to vitest's own. */
export interface SharedFixtures {
  /** The proxy that the tests share. Fixtures of the same scope may use it: `{ scope: "file" }`, for an application that is started once. */
  proxy: Proxy;
}

/** The `test` of {@linkcode sharedTest}: vitest must know which of its fixtures may be used by those of the same scope. */
export type SharedTest<Scope extends "file" | "worker"> = TestAPI<
  SharedFixtures & { readonly [K in `$__${Scope}`]?: SharedFixtures }
>;

/**
 * A `test` whose tests share one proxy: for an application that is started once and has the proxy's address from then on.
 *
 * Each test answers for what happens while it runs: a request that nothing matched fails it. When no other test runs, the flows and
 * what was added with `proxy.use()` go with it; rules for all are in the options. When one has failed, the tape stays as it was.
 *
 * ```ts ignore
 * import { sharedTest } from "flowtape/vitest";
 *
 * const test = sharedTest({ scope: "file" }).extend("app", { scope: "file" }, async ({ proxy }, { onCleanup }) => {
 *   const app = await startApp({ env: proxy.env() });
 *   onCleanup(() => app.stop());
 *   return app;
 * });
 *
 * test("lists orders", async ({ app, proxy }) => {});
 * ```
 */
export function sharedTest<Scope extends "file" | "worker">(
  options: FixtureOptions & { scope: Scope },
): SharedTest<Scope> {
  const { scope, ...given } = options;
  if (scope !== "file" && scope !== "worker") {
    throw new OptionsError(`option scope is ${scope}: "file" or "worker" is accepted`);
  }
  let shared: SharedProxy | undefined;
  return vitest.test.extend({
    proxy: [async ({}: object, use: (proxy: Proxy) => Promise<void>) => {
      shared = await SharedProxy.open(scope === "worker" ? ofWorker(given) : given, currentFile());
      try {
        await use(shared.proxy);
      } finally {
        await shared.close();
        shared = undefined;
      }
    }, { scope }],
    // Who uses it: found out without asking for it, as that would start it.
    proxyOwner: [async ({ task }: TestContext, use: (nothing: undefined) => Promise<void>) => {
      const outcome = watch(task);
      shared?.begin();
      const begun = shared;
      await use(undefined);
      if (begun === undefined) shared?.begin();
      await shared?.end(infoOf(task), outcome(), tellIn(task));
    }, { auto: true }],
  } as never) as unknown as SharedTest<Scope>;
}

function ofWorker({ tape, ...options }: FixtureOptions): FixtureOptions {
  const hasPath = typeof tape === "string" || (typeof tape === "object" && tape.path !== undefined);
  if (tape === undefined || tape === false || hasPath) return { ...options, tape: tape ?? false };
  throw new OptionsError('option tape has no path: a proxy of scope "worker" has a tape only where a path says which');
}

function currentFile(): { file: string; slug: undefined } {
  return { file: vitest.expect.getState().testPath ?? "", slug: undefined };
}

/** How a test ends; what it had failed with before, in an attempt that was repeated, does not count. */
function watch(task: Test): () => Outcome {
  const before = task.result?.errors?.length ?? 0;
  return () => {
    // A test that is to fail is marked so, and its outcome turned around later.
    if (task.result?.state !== "fail" || task.fails) return { failed: false };
    return { failed: true, error: oneError(task.result.errors?.slice(before) ?? []) };
  };
}

/** In the output, and attached for reporters that show what is attached to a test. */
function tellIn(task: TestContext["task"]): Tell {
  return async ({ line, path }) => {
    console.error(line);
    // vitest 4 and newer.
    const { recordArtifact } = vitest as { recordArtifact?: (task: unknown, artifact: object) => Promise<unknown> };
    if (path === undefined || recordArtifact === undefined) return;
    await recordArtifact(task, {
      type: "flowtape:report",
      message: line,
      attachments: [{ path, contentType: "text/html" }],
    });
  };
}

/** What `expect(proxy)` gives: vitest's own matchers and those of flowtape. */
export type FlowtapeAssertion = Assertion & FlowtapeMatchers & {
  /** Turns the next matcher around. */
  readonly not: FlowtapeMatchers;
};

/** What `expect.poll(() => proxy)` gives. */
export type FlowtapePolled = ReturnType<ExpectStatic["poll"]> & FlowtapeMatchers<Promise<void>> & {
  /** Turns the next matcher around. */
  readonly not: FlowtapeMatchers<Promise<void>>;
};

/** What the matchers of flowtape look at: a proxy, flows, or one flow. */
export type Looked = Source | GivenFlow;

/** vitest's `expect`, which knows what a proxy received. */
export type FlowtapeExpect =
  & ((given: Looked, message?: string) => FlowtapeAssertion)
  & {
    /** A failure does not end the test. */
    soft(given: Looked, message?: string): FlowtapeAssertion;
    /** Tries again until it holds. */
    poll(given: () => Looked, options?: ExpectPollOptions): FlowtapePolled;
  }
  & ExpectStatic;

vitest.expect.extend(matchers);

/** vitest's `expect` with {@linkcode FlowtapeMatchers} for a proxy, a `FlowSet` or a flow. */
export const expect: FlowtapeExpect = vitest.expect as FlowtapeExpect;
