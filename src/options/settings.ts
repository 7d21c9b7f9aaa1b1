/**
 * What is meant by what is left out.
 *
 * @module
 */
import { checkProxyOptions } from "./check_options.ts";
import type { CaptureOptions, LimitOptions, ProxyOptions, TimeoutOptions } from "./proxy_options.ts";

/** Options with their defaults filled in. */
export interface Settings extends ProxyOptions {
  readonly host: string;
  readonly port: number;
  readonly capture: Required<CaptureOptions>;
  readonly timeouts: Required<TimeoutOptions>;
  readonly limits: Required<LimitOptions>;
}

/**
 * Checks options and fills in what was left out.
 *
 * @throws {OptionsError} names the option, its value, and what is accepted
 */
export function settingsOf(options: ProxyOptions): Settings {
  checkProxyOptions(options, "");
  return {
    ...options,
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    capture: { maxBody: 16 * 1024 * 1024, maxFlows: 10_000, ...defined(options.capture) },
    timeouts: { connect: 10_000, head: 30_000, idle: 60_000, hooks: 5000, ...defined(options.timeouts) },
    limits: { headBytes: 65_536, connections: 10_000, keepAlive: Infinity, ...defined(options.limits) },
  };
}

function defined<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}
