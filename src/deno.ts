/**
 * flowtape for `deno test`: a test with a proxy of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type FixtureTape, fixtureTape, slugsOf, tapePath } from "./expect/tape_name.ts";
import type { ProxyOptions } from "./options/proxy_options.ts";
import { type Proxy, startProxy } from "./proxy.ts";

export type { FixtureTape };

/** Options of {@linkcode proxyTest}: those of `startProxy()`, and how Deno runs the test. */
export interface ProxyTestOptions extends Omit<ProxyOptions, "tape"> {
  /**
   * The tape. By default it lies next to the test file and is named after the test: `__tapes__/checkout/is-empty.har`.
   * `false`: no tape. A path: that one. Options without a path: those options for the one named after the test.
   */
  tape?: FixtureTape;
  /** What `Deno.test` takes, such as `{ ignore: true }` or `{ permissions: { net: true } }`. */
  test?: Omit<Deno.TestDefinition, "name" | "fn">;
}

/** What a test of {@linkcode proxyTest} is given: Deno's own test context, and the proxy. */
export type ProxyTestContext = Deno.TestContext & { readonly proxy: Proxy };

/** A test with a proxy. */
export type ProxyTestFunction = (t: ProxyTestContext) => void | Promise<void>;

/**
 * `Deno.test` with a proxy that is closed after the test. A request that nothing on the tape matched, or a hook that threw,
 * fails the test. A test that fails leaves its tape as it was.
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
export function proxyTest(name: string, fn: ProxyTestFunction): void;
/** The same with options. */
export function proxyTest(name: string, options: ProxyTestOptions, fn: ProxyTestFunction): void;
export function proxyTest(
  name: string,
  second: ProxyTestOptions | ProxyTestFunction,
  third?: ProxyTestFunction,
): void {
  const [options, fn] = typeof second === "function" ? [{}, second] : [second, third!];
  const { tape, test, ...proxyOptions } = options;
  // Deno runs every test file in a worker of its own: these are the tests of one file, in order.
  names.push([name]);
  const slug = slugsOf(names).at(-1)!;
  Deno.test({
    ...test,
    name,
    fn: async (t) => {
      const path = fixtureTape(tape, () => tapePath(fileURLToPath(t.origin), slug));
      const proxy = await startProxy({ ...proxyOptions, ...(path === undefined ? {} : { tape: path }) });
      await runAndClose((failed) => fn(Object.assign(withSteps(t, failed), { proxy })), proxy);
    },
  });
}

const names: string[][] = [];

/** Both the test and closing may fail, and both are told. */
async function runAndClose(run: (failed: () => void) => void | Promise<void>, proxy: Proxy): Promise<void> {
  const errors: unknown[] = [];
  let stepFailed = false;
  const steps = [
    () => run(() => void (stepFailed = true)),
    () => proxy.close({ failed: stepFailed || errors.length > 0 }),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "the test failed, and so did closing its proxy");
}

/** A step that fails does not throw: Deno fails the test behind its back. */
function withSteps(t: Deno.TestContext, failed: () => void): Deno.TestContext {
  const original = t.step.bind(t) as (...args: unknown[]) => Promise<boolean>;
  const step = async (...args: unknown[]): Promise<boolean> => {
    const passed = await original(...args);
    const ignored = args.some((one) =>
      typeof one === "object" && one !== null && "ignore" in one && one.ignore === true
    );
    if (!passed && !ignored) failed();
    return passed;
  };
  return Object.assign(t, { step: step as Deno.TestContext["step"] });
}
