/**
 * flowtape for `deno test`: a test with a proxy of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { readArguments } from "./runner/arguments.ts";
import type { FixtureOptions, FixtureTape, NamedTapeOptions } from "./runner/options.ts";
import { SlugBook } from "./runner/tape_name.ts";
import { oneError, openTestProxy, type Outcome, settled } from "./runner/test_proxy.ts";
import type { Proxy } from "./proxy.ts";

export type { FixtureOptions, FixtureTape, NamedTapeOptions };

/** Options of {@linkcode proxyTest}: those of `startProxy()`, and how Deno runs the test. */
export interface ProxyTestOptions extends FixtureOptions {
  /** What `Deno.test` takes, such as `{ sanitizeOps: true }` or `{ permissions: { net: true } }`. */
  test?: Omit<Deno.TestDefinition, "name" | "fn">;
}

/** What a test of {@linkcode proxyTest} is given: Deno's own test context, and the proxy. The contexts of its steps have it, too. */
export interface ProxyTestContext extends Omit<Deno.TestContext, "step"> {
  /** The proxy of this test. */
  readonly proxy: Proxy;
  /** Runs a step, as Deno does; gives whether it has passed. */
  step(definition: ProxyTestStep): Promise<boolean>;
  /** The same with a name. */
  step(name: string, fn: ProxyTestFunction): Promise<boolean>;
  /** The same with the name of the function. */
  step(fn: ProxyTestFunction): Promise<boolean>;
}

/** A step of a test. */
export interface ProxyTestStep extends Omit<Deno.TestStepDefinition, "fn"> {
  /** What it does. */
  fn: ProxyTestFunction;
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

/** {@linkcode proxyTest}. */
export interface ProxyTest extends DefineProxyTest {
  /** Only tests that are defined so run. */
  readonly only: DefineProxyTest;
  /** The test does not run. */
  readonly ignore: DefineProxyTest;
}

/**
 * `Deno.test` with a proxy that is closed after the test. A request that nothing on the tape matched, or a hook that threw,
 * fails the test. A test that fails leaves its tape as it was, and a report beside it.
 *
 * ```ts ignore
 * import { proxyTest } from "flowtape/deno";
 * import { assertReceived, respond } from "flowtape";
 *
 * proxyTest("a declined card is reported", { rules: [["POST *", respond({ status: 402 })]] }, async ({ proxy }) => {
 *   await proxy.fetch("https://pay.test/charges", { method: "POST" });
 *   assertReceived(proxy, "POST https://pay.test/charges");
 * });
 * ```
 */
export const proxyTest: ProxyTest = Object.assign(defining({}), {
  only: defining({ only: true }),
  ignore: defining({ ignore: true }),
});

// Deno runs every test file in a worker of its own: these are the tests of one file, in order.
const slugs = new SlugBook();

function defining(preset: Partial<Deno.TestDefinition>): DefineProxyTest {
  return (name: string, second: ProxyTestOptions | ProxyTestFunction, third?: ProxyTestFunction) => {
    const { options: { test, ...options }, body } = readArguments<ProxyTestOptions, ProxyTestFunction>(
      name,
      second,
      third,
    );
    const slug = slugs.take([name]);
    Deno.test({
      ...test,
      ...preset,
      name,
      fn: async (t) => {
        const info = { file: fileURLToPath(t.origin), slug, title: name };
        const own = await openTestProxy(options, info);
        let failedStep: Outcome = { failed: false };
        const context = withProxy(t, own.proxy, (step) => {
          failedStep = { failed: true, error: new Error(`the step ${JSON.stringify(step)} has failed`) };
        });
        const ran = await settled(() => body(context));
        // Deno shows what a test prints.
        const closed = await settled(() => own.end(ran.failed ? ran : failedStep, ({ line }) => console.error(line)));
        const errors = [ran, closed].flatMap((it) => it.failed ? [it.error] : []);
        // Both are told: Deno shows every error of an AggregateError.
        if (errors.length > 0) throw oneError(errors);
      },
    });
  };
}

/** A step that fails does not throw: Deno fails the test behind its back. */
function withProxy(t: Deno.TestContext, proxy: Proxy, failed: (step: string) => void): ProxyTestContext {
  const original = t.step.bind(t);
  const step = async (
    first: ProxyTestStep | ProxyTestFunction | string,
    second?: ProxyTestFunction,
  ): Promise<boolean> => {
    const { fn, ...definition } = definitionOf(first, second);
    const passed = await original({ ...definition, fn: (inner) => fn(withProxy(inner, proxy, failed)) });
    if (!passed && definition.ignore !== true) failed(definition.name);
    return passed;
  };
  return Object.assign(t, { step, proxy }) as unknown as ProxyTestContext;
}

function definitionOf(first: ProxyTestStep | ProxyTestFunction | string, fn?: ProxyTestFunction): ProxyTestStep {
  if (typeof first === "function") return { name: first.name, fn: first };
  return typeof first === "string" ? { name: first, fn: fn! } : first;
}
