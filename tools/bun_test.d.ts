/**
 * What is used here of Bun's test runner. Those who use flowtape with Bun have its real types; here they would get in the way of Deno's.
 *
 * @module
 */
declare module "bun:test" {
  type Options = { timeout?: number; retry?: number; repeats?: number };
  type Test = (name: string, fn: () => void | Promise<void>, options?: Options) => void;
  type Describe = (name: string, fn: () => void | Promise<void>) => void;
  export const test: Test & { only: Test; skip: Test; todo: Test; failing: Test; concurrent: Test };
  export const describe: Describe & { only: Describe; skip: Describe; concurrent: Describe };
  export const expect: ((value: unknown) => Record<string, (...args: unknown[]) => void>) & {
    extend(matchers: Record<string, never>): void;
  };
  export function onTestFinished(fn: () => void | Promise<void>): void;
}
