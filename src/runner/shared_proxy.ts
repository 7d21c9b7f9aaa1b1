/**
 * A proxy that several tests share: each test answers for what happens while it runs.
 *
 * @module
 */
import type { Proxy } from "../proxy.ts";
import type { FixtureOptions, TestPlace } from "./options.ts";
import { type Outcome, settled, startFor, type Tell, tellOfFailure, type TestInfo } from "./test_proxy.ts";

/** A proxy of several tests. */
export class SharedProxy {
  readonly proxy: Proxy;
  readonly #report: FixtureOptions["report"];
  #running = 0;
  #failed = false;

  private constructor(proxy: Proxy, report: FixtureOptions["report"]) {
    this.proxy = proxy;
    this.#report = report;
  }

  /**
   * Starts it.
   *
   * @throws {OptionsError} an option is not accepted
   */
  static async open(options: FixtureOptions, place: TestPlace): Promise<SharedProxy> {
    return new SharedProxy(await startFor(options, place), options.report);
  }

  /** A test begins. */
  begin(): void {
    this.#running++;
  }

  /**
   * A test has ended. The flows, and what it had added with `use()`, go with the last test that runs.
   *
   * @throws what `proxy.close()` would throw for what has happened since the last call
   */
  async end(test: TestInfo, outcome: Outcome, tell: Tell): Promise<void> {
    const checked = await settled(() => this.proxy.check());
    await tellOfFailure(this.proxy, { test, outcomes: [outcome, checked], report: this.#report }, tell);
    this.#running--;
    if (this.#running === 0) this.proxy.reset();
    if (outcome.failed || checked.failed) this.#failed = true;
    if (checked.failed) throw checked.error;
  }

  /**
   * Closes it. The tape stays as it was when one of the tests has failed.
   *
   * @throws what `proxy.close()` throws for what no test has answered for
   */
  async close(): Promise<void> {
    await this.proxy.close({ failed: this.#failed });
  }
}
