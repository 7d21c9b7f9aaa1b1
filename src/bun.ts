/**
 * flowtape for `bun test`: a test with a proxy of its own, and matchers for what it received.
 *
 * @module
 */
import * as runner from "bun:test";
import { type FlowtapeMatchers, matchers } from "./expect/matchers.ts";
import type { GivenFlow, Source } from "./expect/source.ts";
import type { Proxy } from "./proxy.ts";
import { readArguments } from "./runner/arguments.ts";
import type { FixtureOptions, FixtureTape, NamedTapeOptions } from "./runner/options.ts";
import { SlugBook } from "./runner/tape_name.ts";
import { messageOf, openTestProxy, type Outcome, settled, type TestInfo, type TestProxy } from "./runner/test_proxy.ts";

export type { FixtureOptions, FixtureTape, FlowtapeMatchers, GivenFlow, NamedTapeOptions, Source };

/** How Bun runs a test. */
export interface BunTestOptions {
  /** Milliseconds that it may take. */
  timeout?: number;
  /** How often it is tried again when it fails. */
  retry?: number;
  /** How often it is run. */
  repeats?: number;
}

/** Options of {@linkcode test}: those of `startProxy()`, and how Bun runs the test. */
export interface ProxyTestOptions extends FixtureOptions {
  /** What the `test` of `bun:test` takes, such as `{ timeout: 20_000 }`. */
  test?: BunTestOptions;
}

/** What a test is given. */
export interface ProxyTestContext {
  /** The proxy of this test. */
  readonly proxy: Proxy;
}

/** A test with a proxy. */
export type ProxyTestFunction = (t: ProxyTestContext) => void | Promise<void>;

/** Defines a test with a proxy. */
export interface DefineProxyTest {
  /** With the options of `startProxy()` as they are by default. */
  (name: string, fn: ProxyTestFunction): void;
  /** With options. */
  (name: string, options: ProxyTestOptions, fn: ProxyTestFunction): void;
}

/** {@linkcode test}. */
export interface ProxyTest extends DefineProxyTest {
  /** Only tests that are defined so run. */
  readonly only: DefineProxyTest;
  /** The test does not run. */
  readonly skip: DefineProxyTest;
  /** The test is to be written; with `--todo` it runs, and may fail. */
  readonly todo: DefineProxyTest;
  /** The test is expected to fail. */
  readonly failing: DefineProxyTest;
  /** The test runs at the same time as others. */
  readonly concurrent: DefineProxyTest;
}

/**
 * The `test` of `bun:test` with a proxy that is closed after the test. A request that nothing on the tape matched, or a hook that threw,
 * fails the test. A test that fails leaves its tape as it was, and a report beside it.
 *
 * ```ts ignore
 * import { expect, test } from "flowtape/bun";
 * import { respond } from "flowtape";
 *
 * test("a declined card is reported", { rules: [["POST *", respond({ status: 402 })]] }, async ({ proxy }) => {
 *   await proxy.fetch("https://pay.test/charges", { method: "POST" });
 *   expect(proxy).toHaveReceived("POST https://pay.test/charges");
 * });
 * ```
 */
export const test: ProxyTest = Object.assign(defining(() => runner.test), {
  // Asked for when they are needed: on a CI server Bun throws where somebody only looks at "only".
  only: defining(() => runner.test.only),
  skip: defining(() => runner.test.skip),
  todo: defining(() => runner.test.todo),
  failing: defining(() => runner.test.failing, { mustFail: true }),
  concurrent: defining(() => runner.test.concurrent),
});

/** The same as {@linkcode test}. */
export const it: ProxyTest = test;

/** The same as {@linkcode test}, for files that import the one of `bun:test` as well. */
export const proxyTest: ProxyTest = test;

/** Defines a block of tests. */
export type DefineBlock = (name: string, fn: () => void | Promise<void>) => void;

/** {@linkcode describe}. */
export interface Describe extends DefineBlock {
  /** Only tests of blocks that are defined so run. */
  readonly only: DefineBlock;
  /** The tests do not run. */
  readonly skip: DefineBlock;
  /** The tests run at the same time. */
  readonly concurrent: DefineBlock;
}

/** The `describe` of `bun:test`, whose names become part of the names of tapes. Bun does not tell a test where it stands. */
export const describe: Describe = Object.assign(block(() => runner.describe), {
  only: block(() => runner.describe.only),
  skip: block(() => runner.describe.skip),
  concurrent: block(() => runner.describe.concurrent),
});

runner.expect.extend(matchers as never);

/** What the matchers of flowtape look at: a proxy, flows, or one flow. */
export type Looked = Source | GivenFlow;

/** Bun's `expect`, which knows what a proxy received. */
export type FlowtapeExpect =
  & ((given: Looked) => ReturnType<typeof runner.expect> & FlowtapeMatchers & { readonly not: FlowtapeMatchers })
  & typeof runner.expect;

/** Bun's `expect` with {@linkcode FlowtapeMatchers} for a proxy, a `FlowSet` or a flow. */
export const expect: FlowtapeExpect = runner.expect as FlowtapeExpect;

/** The blocks around the tests that are being defined. */
let around: readonly string[] = [];

function block(define: () => DefineBlock): DefineBlock {
  return (name, fn) => {
    const path = [...around, name];
    define()(name, () => {
      const outer = around;
      const restore = () => void (around = outer);
      around = path;
      try {
        const defined = fn();
        if (defined instanceof Promise) return defined.finally(restore);
      } catch (error) {
        restore();
        throw error;
      }
      restore();
    });
  };
}

type Register = (name: string, fn: () => Promise<void>, options?: BunTestOptions) => void;

function defining(register: () => Register, { mustFail = false }: { mustFail?: boolean } = {}): DefineProxyTest {
  return (name: string, second: ProxyTestOptions | ProxyTestFunction, third?: ProxyTestFunction) => {
    const { options: { test, ...options }, body } = readArguments<ProxyTestOptions, ProxyTestFunction>(
      name,
      second,
      third,
    );
    const names = [...around, name];
    const info = { file: Bun.main, slug: slugsOf(Bun.main).take(names), title: names.join(" > ") };
    register()(name, () => run({ options, info, body, mustFail }), test);
  };
}

/** Several files may run in one process. */
function slugsOf(file: string): SlugBook {
  const book = books.get(file) ?? new SlugBook();
  books.set(file, book);
  return book;
}

const books = new Map<string, SlugBook>();

declare const Bun: {
  /** The test file that is being run. */
  readonly main: string;
};

interface Run {
  readonly options: FixtureOptions;
  readonly info: TestInfo;
  readonly body: ProxyTestFunction;
  readonly mustFail: boolean;
}

async function run({ options, info, body, mustFail }: Run): Promise<void> {
  const state: { own?: TestProxy; ran: Outcome } = {
    ran: { failed: true, error: new Error("the test did not come to its end") },
  };
  const end = async () => {
    await state.own?.end(mustFail ? { failed: false } : state.ran, ({ line }) => console.error(line));
  };
  const isLater = whenFinished(end);
  const { proxy } = state.own = await openTestProxy(options, info);
  const ran = state.ran = await settled(() => body({ proxy }));
  if (!isLater) await endNow(end, ran);
  if (ran.failed) throw ran.error;
}

/** Afterwards is better: then a test that takes too long has its proxy closed, too, and an error of that is one more error of the test. */
function whenFinished(end: () => Promise<void>): boolean {
  try {
    runner.onTestFinished(end);
    return true;
  } catch {
    // Bun: "It cannot be called inside a concurrent test".
    return false;
  }
}

async function endNow(end: () => Promise<void>, ran: Outcome): Promise<void> {
  const closed = await settled(end);
  if (!closed.failed) return;
  if (!ran.failed) throw closed.error;
  console.error(`flowtape: ${messageOf(closed.error)}`);
}
