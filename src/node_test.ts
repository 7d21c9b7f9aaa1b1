/**
 * flowtape for `node:test`: a test with a proxy of its own.
 *
 * @module
 */
import * as runner from "node:test";
import process from "node:process";
import type { Proxy } from "./proxy.ts";
import { readArguments } from "./runner/arguments.ts";
import { type FlowtapeAsserts, registerAsserts, withAsserts } from "./runner/node_assert.ts";
import type { FixtureOptions, FixtureTape, NamedTapeOptions } from "./runner/options.ts";
import { loneSlug } from "./runner/tape_name.ts";
import { messageOf, openTestProxy, type Outcome, settled, type TestInfo } from "./runner/test_proxy.ts";

export type { FixtureOptions, FixtureTape, FlowtapeAsserts, NamedTapeOptions };

/** Options of {@linkcode test}: those of `startProxy()`, and how Node runs the test. */
export interface ProxyTestOptions extends FixtureOptions {
  /** What the `test` of `node:test` takes, such as `{ timeout: 5000 }` or `{ concurrency: true }`. */
  test?: runner.TestOptions;
}

/** What a test is given: the test context of `node:test`, and the proxy. The contexts of its subtests have it, too. */
export type ProxyTestContext = runner.TestContext & {
  /** The proxy of this test. */
  readonly proxy: Proxy;
  /** The assertions of flowtape are here, too: `t.assert.received(t.proxy, "/orders")`. `t.plan()` counts them since Node 22.14. */
  readonly assert: runner.TestContext["assert"] & FlowtapeAsserts;
};

/** A test with a proxy. */
export type ProxyTestFunction = (t: ProxyTestContext) => void | Promise<void>;

/** Defines a test with a proxy. The promise is that of `node:test`. */
export interface DefineProxyTest {
  /** With the options of `startProxy()` as they are by default. */
  (name: string, fn: ProxyTestFunction): Promise<void>;
  /** With options. */
  (name: string, options: ProxyTestOptions, fn: ProxyTestFunction): Promise<void>;
}

/** {@linkcode test}. */
export interface ProxyTest extends DefineProxyTest {
  /** Only tests that are defined so run, with `--test-only`. */
  readonly only: DefineProxyTest;
  /** The test does not run. */
  readonly skip: DefineProxyTest;
  /** The test may fail. */
  readonly todo: DefineProxyTest;
}

/**
 * The `test` of `node:test` with a proxy, `t.proxy`, that is closed after the test, its subtests and hooks. A request that nothing on
 * the tape matched, or a hook that threw, fails the test. A test that fails leaves its tape as it was, and a report beside it.
 *
 * ```ts ignore
 * import { test } from "flowtape/node";
 * import { respond } from "flowtape";
 *
 * test("a declined card is reported", { rules: [["POST *", respond({ status: 402 })]] }, async (t) => {
 *   await t.proxy.fetch("https://pay.test/charges", { method: "POST" });
 *   t.assert.received(t.proxy, "POST https://pay.test/charges");
 * });
 * ```
 */
export const test: ProxyTest = Object.assign(defining({}), {
  only: defining({ only: true }),
  skip: defining({ skip: true }),
  todo: defining({ todo: true }),
});

/** The same as {@linkcode test}. */
export const it: ProxyTest = test;

/** The same as {@linkcode test}, for files that import the one of `node:test` as well. */
export const proxyTest: ProxyTest = test;

registerAsserts();

function defining(preset: runner.TestOptions): DefineProxyTest {
  return (name: string, second: ProxyTestOptions | ProxyTestFunction, third?: ProxyTestFunction) => {
    const { options: { test, ...options }, body } = readArguments<ProxyTestOptions, ProxyTestFunction>(
      name,
      second,
      third,
    );
    return runner.test(name, { ...test, ...preset }, (t) => run(t, options, body));
  };
}

async function run(t: runner.TestContext, options: FixtureOptions, body: ProxyTestFunction): Promise<void> {
  const own = await openTestProxy(options, infoOf(t));
  const outcomes: Outcome[] = [];
  let isOver = false;
  let ending: Promise<void> | undefined;
  const close = async () => {
    const outcome = [...outcomes, outcomeOf(t)].find((it) => it.failed) ?? { failed: false };
    const closed = await settled(() => own.end(outcome, ({ line }) => t.diagnostic(line)));
    if (!closed.failed) return;
    if (!outcome.failed) throw closed.error;
    // Of a test that has failed already, Node shows no more errors.
    t.diagnostic(`flowtape: ${messageOf(closed.error)}`);
  };
  const end = () => ending ??= close();
  // A test that takes too long never comes to its end.
  t.after(() => isOver ? undefined : end());
  const ran = await settled(() => body(withProxy(t, own.proxy, (failure) => outcomes.push(failure))));
  isOver = true;
  outcomes.unshift(ran);
  // The hooks that the test has added itself come first: they may still send requests.
  if (ending === undefined) t.after(end);
  if (ran.failed) throw ran.error;
}

/** Subtests that fail make the test fail when it is over. */
function withProxy(t: runner.TestContext, proxy: Proxy, failed: (outcome: Outcome) => void): ProxyTestContext {
  const original = t.test.bind(t) as (...args: unknown[]) => Promise<void>;
  const subtest = (...args: unknown[]) =>
    original(...args.map((one) => typeof one === "function" ? wrapped(one) : one));
  // deno-lint-ignore ban-types
  const wrapped = (body: Function) =>
    Object.defineProperty(
      async (inner: runner.TestContext) => {
        const outcome = await settled(() => body(withProxy(inner, proxy, failed)));
        if (!outcome.failed) return;
        failed(outcome);
        throw outcome.error;
      },
      "name",
      { value: body.name },
    );
  return Object.assign(withAsserts(t), { test: subtest as runner.TestContext["test"], proxy }) as ProxyTestContext;
}

/** What Node knows: tests that took too long, or that did not do what they had planned. */
function outcomeOf(t: runner.TestContext & Told): Outcome {
  if (t.passed !== false) return { failed: false };
  return { failed: true, error: t.error?.cause ?? t.error };
}

/** Since Node 22; types of it may be missing. */
interface Told {
  readonly passed?: boolean;
  readonly error?: Error | null;
}

function infoOf(t: runner.TestContext): TestInfo {
  const file = t.filePath ?? process.argv[1] ?? "test.js";
  const title = t.fullName ?? t.name;
  const key = `${file}\n${title}`;
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  const slug = loneSlug(title.split(" > "));
  return { file, slug: count === 1 ? slug : `${slug}-${count}`, title };
}

/** How many tests of the same name in the same file there were: they start in the order in which they stand. */
const seen = new Map<string, number>();
