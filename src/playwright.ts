/**
 * flowtape for `@playwright/test`: every test's browser goes through a proxy of the test's own.
 *
 * ```ts ignore
 * import { expect, test } from "flowtape/playwright";
 * import { respond } from "flowtape";
 *
 * test("a declined card is shown", async ({ page, flowtape }) => {
 *   flowtape.use(["POST https://pay.test/charges", respond({ status: 402 })]);
 *   await page.goto("https://shop.test/checkout");
 *   await expect(page.getByRole("alert")).toHaveText("declined");
 *   expect(flowtape).toHaveReceived({ method: "POST", json: { cents: 500 } });
 * });
 * ```
 *
 * @module
 */
import type {
  BrowserContext,
  BrowserContextOptions,
  Expect,
  PlaywrightTestArgs,
  PlaywrightTestOptions,
  PlaywrightWorkerArgs,
  PlaywrightWorkerOptions,
  TestInfo as RunningTest,
  TestType,
} from "@playwright/test";
import { expect as baseExpect, test as baseTest } from "@playwright/test";
import { type FlowtapeMatchers, matchers } from "./expect/matchers.ts";
import type { GivenFlow, Source } from "./expect/source.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import { respond } from "./rules/mod.ts";
import type { FixtureOptions, FixtureTape, NamedTapeOptions } from "./runner/options.ts";
import { trustInProcess } from "./runner/process_trust.ts";
import { loneSlug } from "./runner/tape_name.ts";
import { oneError, openTestProxy, type Outcome, type Report, type TestProxy } from "./runner/test_proxy.ts";

export type { FixtureOptions, FixtureTape, FlowtapeMatchers, GivenFlow, NamedTapeOptions, Source };

/** What {@linkcode test} adds to the fixtures of Playwright. */
export interface Fixtures {
  /** Options of the proxy: in `use` of the configuration, or with `test.use({ proxyOptions: { rules: [...] } })`. */
  proxyOptions: FixtureOptions;
  /**
   * The proxy of this test. `page`, `context`, `request` and what `browser.newContext()` opens go through it. (Playwright has a fixture
   * `proxy` already: its own option, which points at this one.)
   */
  flowtape: Proxy;
  /** Opens one more browser context, with a proxy of its own. Both are closed after the test. */
  openContext: (options?: ContextOptions) => Promise<ContextWithProxy>;
}

/** Options of a browser context with a proxy of its own. */
export interface ContextOptions extends BrowserContextOptions {
  /** Options of the proxy; `proxyOptions` of the test by default. */
  proxyOptions?: FixtureOptions;
}

/** A browser context, and its own proxy. */
export interface ContextWithProxy {
  /** The browser context. */
  readonly context: BrowserContext;
  /** Its proxy. */
  readonly proxy: Proxy;
}

/** Playwright's `test` with a {@linkcode Fixtures.flowtape | proxy}. */
export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & Fixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
> = baseTest.extend<Fixtures, PlaywrightWorkerOptions>({
  proxyOptions: [{}, { option: true }],

  flowtape: async ({ proxyOptions }, use, test) => {
    const own = await open(proxyOptions, test);
    await use(own.proxy);
    await end(own, test);
  },

  proxy: async ({ flowtape, proxyOptions }, use) => {
    await use({ server: flowtape.url, ...proxyOptions.auth });
  },

  openContext: async ({ browser, proxyOptions }, use, test) => {
    const opened: { context: BrowserContext; own: TestProxy }[] = [];
    await use(async ({ proxyOptions: given = proxyOptions, ...options } = {}) => {
      const own = await open(given, test, opened.length + 2);
      const proxy = { server: own.proxy.url, ...given.auth };
      const context = await browser.newContext({ ...options, proxy }).catch(async (error) => {
        await own.proxy.close({ failed: true }).catch(() => {});
        throw error;
      });
      opened.push({ context, own });
      return { context, proxy: own.proxy };
    });
    const errors: unknown[] = [];
    for (const { context, own } of opened) {
      await context.close();
      await end(own, test).catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw oneError(errors);
  },

  // Chromium accepts the certificates of the proxy, and no others: unlike "ignoreHTTPSErrors", which accepts everything.
  launchOptions: [async ({ launchOptions }, use) => {
    const { ca, args } = await authority();
    const restore = trustInProcess(ca);
    await use({ ...launchOptions, args: [...launchOptions.args ?? [], ...args] });
    restore();
  }, { scope: "worker" }],

  // Other browsers have no such list. All they see comes from the proxy, and that looks at the certificates of servers.
  ignoreHTTPSErrors: async ({ ignoreHTTPSErrors, browserName }, use) => {
    await use(ignoreHTTPSErrors || browserName !== "chromium");
  },
});

/** What `expect.poll(() => proxy)` gives. */
export type FlowtapePolled = ReturnType<Expect["poll"]> & FlowtapeMatchers<Promise<void>> & {
  /** Turns the next matcher around. */
  readonly not: FlowtapeMatchers<Promise<void>>;
};

/** What the matchers of flowtape look at: a proxy, flows, or one flow. */
export type Looked = Source | GivenFlow;

/** What `expect(flowtape)` gives: Playwright's own matchers and those of flowtape. */
export type FlowtapeAssertion = ReturnType<Expect> & FlowtapeMatchers & {
  /** Turns the next matcher around. */
  readonly not: FlowtapeMatchers;
};

/** Playwright's `expect`, which knows what a proxy received. */
export type FlowtapeExpect =
  & ((given: Looked, message?: string) => FlowtapeAssertion)
  & {
    /** A failure does not end the test. */
    soft(given: Looked, message?: string): FlowtapeAssertion;
    /** Tries again until it holds. */
    poll(given: () => Looked, options?: PollOptions): FlowtapePolled;
  }
  & Expect;

/** How often, and how long, `expect.poll()` tries. */
export interface PollOptions {
  /** In front of the message of a failure. */
  message?: string;
  /** Milliseconds; 5,000 by default. */
  timeout?: number;
  /** Milliseconds between two tries, one after the other. */
  intervals?: number[];
}

/** Playwright's `expect` with {@linkcode FlowtapeMatchers} for a proxy, a `FlowSet` or a flow. */
export const expect: FlowtapeExpect = baseExpect.extend(matchers as never) as unknown as FlowtapeExpect;

/**
 * What a browser asks for on its own, at a time of its own: on a tape it would be there or not. Rules of the user come first.
 */
const ofTheBrowser = [
  [{ path: "/favicon.ico" }, respond({ status: 404 })],
  // After an error of a certificate Chromium wants to know whether it has to log in somewhere.
  ["http://connectivitycheck.gstatic.com/generate_204", respond({ status: 204 })],
] as const;

function open(options: FixtureOptions, test: RunningTest, context = 1): Promise<TestProxy> {
  const [, ...names] = test.titlePath;
  const slug = `${loneSlug(names)}${context === 1 ? "" : `--context-${context}`}`;
  const report = options.report === false ? false : test.outputPath("flowtape-report");
  const rules = [...options.rules ?? [], ...ofTheBrowser];
  return openTestProxy({ ...options, report, rules }, { file: test.file, slug, title: names.join(" > ") });
}

async function end(own: TestProxy, test: RunningTest): Promise<void> {
  await own.end(outcomeOf(test), async ({ line, path }: Report) => {
    if (path === undefined) console.error(line);
    else await test.attach("flowtape report", { path, contentType: "text/html" });
  });
}

function outcomeOf(test: RunningTest): Outcome {
  if (test.status === test.expectedStatus || test.status === "skipped") return { failed: false };
  const errors = test.errors.length > 0 ? test.errors : [new Error(`the test has ${test.status}`)];
  return { failed: true, error: oneError(errors) };
}

/** The authority, and the arguments that make Chromium accept its certificates: one for all proxies of a process. */
async function authority(): Promise<{ ca: string; args: string[] }> {
  await using proxy = await startProxy();
  const { args } = proxy.browser();
  return { ca: proxy.ca.cert, args: args.filter((it) => !it.startsWith("--proxy-")) };
}
