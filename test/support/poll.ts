/**
 * `expect.poll`, for the runners that have none: the assertion is tried until it holds or the time is up.
 *
 * @module
 */

type Expect = (value: unknown, message?: string) => object;
type Assertion = Record<string, (...args: unknown[]) => unknown>;

/** What `expect.poll` takes, as in vitest. */
export interface PollOptions {
  /** Milliseconds between two tries. Default: 50. */
  interval?: number;
  /** Milliseconds after which the last failure is thrown. Default: 10,000, as in vitest.config.ts: the machine may be busy. */
  timeout?: number;
  /** Shown with the failure. */
  message?: string;
}

/** Makes the `poll` of a given `expect`. */
export function pollWith(expect: Expect): (read: () => unknown, options?: PollOptions) => object {
  return (read, { interval = 50, timeout = 10_000, message }: PollOptions = {}) => {
    const attempt = async (path: string[], args: unknown[]) => {
      let assertion = expect(await read(), message) as Assertion;
      for (const step of path.slice(0, -1)) assertion = assertion[step] as unknown as Assertion;
      await assertion[path.at(-1)!]!(...args);
    };
    const retry = async (path: string[], args: unknown[]) => {
      const deadline = performance.now() + timeout;
      for (;;) {
        try {
          return await attempt(path, args);
        } catch (error) {
          if (performance.now() >= deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, interval));
        }
      }
    };
    const chain = (path: string[]): object =>
      new Proxy(() => {}, {
        get: (_, key) => chain([...path, String(key)]),
        apply: (_, __, args) => retry(path, args),
      });
    return chain([]);
  };
}
