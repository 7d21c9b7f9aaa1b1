/**
 * "vitest" for `deno test`: the part of vitest's interface that this suite uses, on `Deno.test`, with vitest's own `expect`.
 *
 * Every test is one `Deno.test` named "file > suite > test", so that Deno counts, filters and sanitizes tests one by one.
 * Tests of a file run one after another, `concurrent` or not.
 *
 * @module
 */

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  ChaiStyleAssertions,
  customMatchers,
  getState,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { clearAllMocks, fn, isMockFunction, resetAllMocks, restoreAllMocks, spyOn } from "@vitest/spy";
import { format } from "node:util";
import { lookupsAreOver, tameLookups } from "./lookups_for_deno.ts";
import { pollWith } from "./poll.ts";

type Body = (...args: never[]) => unknown;
type Hook = () => unknown;
interface TestOptions {
  timeout?: number;
  skip?: boolean;
  only?: boolean;
  fails?: boolean;
}
interface TestCase extends TestOptions {
  name: string;
  suite: Suite;
  body: Hook;
  isFirst?: boolean;
  isLast?: boolean;
}

const FILE = Deno.mainModule.slice(new URL("../", import.meta.url).href.length).replace(/\.test\.ts$/, "");
const DEFAULT_TIMEOUT = Number(Deno.env.get("TEST_TIMEOUT") ?? 15_000);

/** A `describe` block; the file itself is the one without a parent. */
class Suite {
  readonly beforeAll: Hook[] = [];
  readonly afterAll: Hook[] = [];
  readonly beforeEach: Hook[] = [];
  readonly afterEach: Hook[] = [];
  /** Tests here and below that have not run yet. */
  remaining = 0;
  #opened: Promise<void> | undefined;
  #closed = false;
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly options: TestOptions;

  constructor(name: string, parent: Suite | undefined, options: TestOptions) {
    this.name = name;
    this.parent = parent;
    this.options = { ...parent?.options, ...options };
  }

  /** This suite and those around it, the file first. */
  get path(): Suite[] {
    return [...this.parent?.path ?? [], this];
  }

  /** Runs the beforeAll hooks once; every test of the suite shares their failure. */
  open(): Promise<void> {
    return this.#opened ??= runInOrder(this.beforeAll);
  }

  /** Runs the afterAll hooks once, if the beforeAll hooks ever ran. */
  async close(): Promise<void> {
    if (this.#closed || !this.#opened) return;
    this.#closed = true;
    await runInOrder(this.afterAll.toReversed());
  }
}

tameLookups();
const file = new Suite("", undefined, {});
const suites: Suite[] = [];
let current: Suite = file;
let collected: TestCase[] = [];
let finishers: Hook[] | undefined;

Deno.test.beforeAll(() => file.open());
Deno.test.afterAll(async () => {
  // With a name filter the last test of a suite may never run: then its afterAll hooks are still due.
  for (const suite of suites.toReversed()) await suite.close();
  await file.close();
});

/* ---- describe, test, hooks --------------------------------------------------------------------------------------------------- */

function defineSuite(name: string, options: TestOptions, body: Hook): void {
  const outer = current;
  current = new Suite(name, outer, options);
  suites.push(current);
  try {
    body();
  } finally {
    current = outer;
  }
  if (outer === file) register();
}

function defineTest(name: string, options: TestOptions, body: Hook): void {
  collected.push({ ...current.options, ...options, name, suite: current, body });
  if (current === file) register();
}

/** Hands the tests of a whole top-level suite to Deno: only then are all its hooks known. */
function register(): void {
  const runnable = collected.filter((test) => !test.skip);
  for (const test of runnable) for (const suite of test.suite.path) suite.remaining++;
  for (const suite of suites) {
    const inside = runnable.filter((test) => test.suite.path.includes(suite));
    if (suite.beforeAll.length && inside[0]) inside[0].isFirst = true;
    if (suite.afterAll.length && inside.length) inside.at(-1)!.isLast = true;
  }
  for (const test of collected) {
    Deno.test({
      // Deno takes this file for the place of every test: the name has to tell.
      name: [FILE, ...test.suite.path.slice(1).map((suite) => suite.name), test.name].join(" > "),
      ignore: test.skip ?? false,
      only: test.only ?? false,
      fn: () => run(test),
      // What beforeAll opens in the first test of a suite is closed by afterAll in the last one.
      ...(test.isFirst || test.isLast ? { sanitizeOps: false, sanitizeResources: false } : {}),
    });
  }
  collected = [];
}

async function run(test: TestCase): Promise<void> {
  const path = test.suite.path;
  const finish: Hook[] = [];
  finishers = finish;
  const errors: unknown[] = [];
  const guard = async (step: Hook) => {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  };
  const timed = (step: Hook) => guard(() => withTimeout(step, test.timeout ?? DEFAULT_TIMEOUT));

  await guard(async () => {
    for (const suite of path) await suite.open();
  });
  if (errors.length === 0) {
    setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect as never);
    await timed(async () => {
      for (const suite of path) await runInOrder(suite.beforeEach);
      await runTest(test);
      checkAssertionCount();
    });
    for (const suite of path.toReversed()) await timed(() => runInOrder(suite.afterEach.toReversed()));
    for (const step of finish.toReversed()) await timed(step);
  }
  finishers = undefined;
  for (const suite of path.slice(1).toReversed()) {
    if (--suite.remaining === 0) await timed(() => suite.close());
  }
  await timed(lookupsAreOver);
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("\n"));
  if (errors.length === 1) throw errors[0];
}

async function runTest(test: TestCase): Promise<void> {
  if (!test.fails) return void await test.body();
  try {
    await test.body();
  } catch {
    return;
  }
  throw new Error("Expect test to fail");
}

async function runInOrder(hooks: Hook[]): Promise<void> {
  for (const hook of hooks) await hook();
}

async function withTimeout(step: Hook, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Test timed out in ${ms}ms.`)), ms);
  });
  try {
    await Promise.race([step(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/* ---- the two functions with all their variants ------------------------------------------------------------------------------- */

type Define = (name: string, options: TestOptions, body: Hook) => void;

function variants(define: Define, preset: TestOptions = {}): object {
  const call = (name: string | { name: string }, a?: Body | TestOptions, b?: Body | TestOptions | number) => {
    const body = [a, b].find((it) => typeof it === "function") as Hook | undefined;
    const given = [a, b].find((it) => typeof it === "object") as TestOptions | undefined;
    const options = { ...preset, ...given, ...(typeof b === "number" ? { timeout: b } : {}) };
    define(
      typeof name === "string" ? name : name.name,
      body ? options : { ...options, skip: true },
      body ?? (() => {}),
    );
  };
  const table = (spread: (row: unknown) => unknown[]) =>
  (rows: readonly unknown[]) =>
  (
    name: string,
    a: Body | TestOptions,
    b?: Body | TestOptions | number,
  ) => {
    const bind = <T>(it: T, row: unknown) => typeof it === "function" ? () => it(...spread(row)) : it;
    for (const [index, row] of rows.entries()) call(title(name, row, index), bind(a, row), bind(b, row));
  };
  const variant = (options: TestOptions) => variants(define, { ...preset, ...options });
  return Object.defineProperties(call, {
    each: { value: table((row) => Array.isArray(row) ? row : [row]) },
    for: { value: table((row) => [row]) },
    skipIf: { value: (condition: unknown) => variant(condition ? { skip: true } : {}) },
    runIf: { value: (condition: unknown) => variant(condition ? {} : { skip: true }) },
    skip: { get: () => variant({ skip: true }) },
    todo: { get: () => variant({ skip: true }) },
    only: { get: () => variant({ only: true }) },
    fails: { get: () => variant({ fails: true }) },
    concurrent: { get: () => variant({}) },
    sequential: { get: () => variant({}) },
  });
}

/** Fills in a name of `each`: `$key.inner` of an object, `%s` and its like, `%#` for the index. */
function title(template: string, row: unknown, index: number): string {
  const numbered = template.replaceAll("%#", String(index));
  const named = numbered.replace(/\$([\w.]+)/g, (whole, keys: string) => {
    let value = row;
    for (const key of keys.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
    return value === undefined ? whole : String(value);
  });
  const holes = named.match(/%[sdifjoO]/g)?.length ?? 0;
  return format(named, ...(Array.isArray(row) ? row : [row]).slice(0, holes));
}

const hook = (kind: "beforeAll" | "afterAll" | "beforeEach" | "afterEach") => (step: Hook, _timeout?: number) =>
  void current[kind].push(step);

/** As in vitest; the body may not be asynchronous. */
export const describe: object = variants(defineSuite);
/** As in vitest, without test contexts and fixtures. */
export const test: object = variants(defineTest);
/** The same as {@linkcode test}. */
export const it: object = test;
/** The same as {@linkcode describe}. */
export const suite: object = describe;
/** Before the first test of this block. */
export const beforeAll: (step: Hook, timeout?: number) => void = hook("beforeAll");
/** After the last test of this block. */
export const afterAll: (step: Hook, timeout?: number) => void = hook("afterAll");
/** Before every test of this block. */
export const beforeEach: (step: Hook, timeout?: number) => void = hook("beforeEach");
/** After every test of this block. */
export const afterEach: (step: Hook, timeout?: number) => void = hook("afterEach");

/** After the running test, whatever became of it. */
export function onTestFinished(step: Hook): void {
  if (!finishers) throw new Error("onTestFinished() was called outside of a test");
  finishers.push(step);
}

/* ---- expect ------------------------------------------------------------------------------------------------------------------ */

interface AssertionState {
  assertionCalls: number;
  isExpectingAssertions: boolean;
  expectedAssertionsNumber: number | null;
}

const state = (): AssertionState => getState(expect as never) as unknown as AssertionState;

/** vitest's own `expect`, without snapshots in files and `expect.soft`. */
export const expect = ((value: unknown, message?: string) => {
  setState({ assertionCalls: state().assertionCalls + 1 }, expect as never);
  return chai.expect(value, message);
}) as typeof chai.expect;

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) chai.use(plugin);
Object.assign(expect, chai.expect, Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT), {
  extend,
  assertions: (expectedAssertionsNumber: number) => setState({ expectedAssertionsNumber }, expect as never),
  hasAssertions: () => setState({ isExpectingAssertions: true }, expect as never),
  poll: pollWith(expect),
});
Reflect.set(globalThis, GLOBAL_EXPECT, expect);
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect as never);
extend(customMatchers);

function extend(matchers: object): void {
  (chai.expect as unknown as { extend(expect: unknown, matchers: object): void }).extend(expect, matchers);
}

function checkAssertionCount(): void {
  const { assertionCalls, expectedAssertionsNumber, isExpectingAssertions } = state();
  if (expectedAssertionsNumber !== null && assertionCalls !== expectedAssertionsNumber) {
    throw new Error(`expected number of assertions to be ${expectedAssertionsNumber}, but got ${assertionCalls}`);
  }
  if (isExpectingAssertions && assertionCalls === 0) throw new Error("expected any number of assertion, but got none");
}

/** The mock functions of vitest's `vi`. */
export const vi: object = { fn, spyOn, isMockFunction, clearAllMocks, resetAllMocks, restoreAllMocks };
