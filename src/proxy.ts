/**
 * The fixture: puts capture, addons, rules, tape and wire together.
 *
 * @module
 */
import { type BrowserOptions, browserOptions } from "./client/browser.ts";
import type { WaitOptions } from "./fixture/capture.ts";
import { close } from "./fixture/close.ts";
import { configure } from "./fixture/configure.ts";
import { environment } from "./fixture/environment.ts";
import { open } from "./fixture/open.ts";
import { install } from "./fixture/install.ts";
import { Parts } from "./fixture/parts.ts";
import { play, replayThroughHooks } from "./fixture/play.ts";
import { report } from "./fixture/report.ts";
import { use } from "./fixture/use.ts";
import type { SnapshotOptions } from "./expect/snapshot/options.ts";
import { type FlowSnapshot, snapshot } from "./expect/snapshot/snapshot.ts";
import { FlowtapeError } from "./flow/error.ts";
import type { Flow } from "./flow/flow.ts";
import type { FlowSet } from "./flow/flow_set.ts";
import type { HttpFlow } from "./flow/http_flow.ts";
import type { Matcher } from "./flow/matcher/types.ts";
import type { FlowPlayer, PlayFlowOptions } from "./flow/player.ts";
import type { Addon } from "./hooks/addon.ts";
import type { ProxyOptions } from "./options/proxy_options.ts";
import { settingsOf } from "./options/settings.ts";
import type { ReportOptions } from "./report/input.ts";
import type { Handle, PausedFlow, PausedOptions, RuleLike, Scenarios } from "./rules/mod.ts";
import type { TapeEntry } from "./tape/entry.ts";
import { envFor } from "./tape/modes.ts";
import type { Drift } from "./tape/verify/drift.ts";
import { openCa } from "./wire/mod.ts";

/**
 * Starts a proxy: its own port, rules, flows and tape. Starting costs about a millisecond, so every test can have its own.
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [["GET https://shop.test/cart", respond({ json: { items: 1 } })]],
 * });
 * const response = await proxy.fetch("https://shop.test/cart");
 * console.log(await response.json(), proxy.flows.length); // { items: 1 } 1
 * ```
 *
 * @throws {OptionsError} an option is not accepted
 * @throws {TapeError} the tape cannot be read
 * @throws {FlowtapeError} the port cannot be listened on, or the certificate authority cannot be opened
 */
export async function startProxy(options: ProxyOptions = {}): Promise<Proxy> {
  const { signal, https } = settingsOf(options);
  signal?.throwIfAborted();
  const env = envFor(options.tape);
  const parts = new Parts(options, await openCa(https?.ca));
  const proxy = new Proxy(parts);
  try {
    await open(parts, env);
    signal?.throwIfAborted();
  } catch (error) {
    await proxy.close().catch(() => {});
    throw error;
  }
  signal?.addEventListener("abort", () => void proxy.close().catch(() => {}), { signal: parts.closing.signal });
  return proxy;
}

/** How a proxy is closed. */
export interface CloseOptions {
  /** Whether the test has failed: then the tape stays as it was. `false` by default. */
  failed?: boolean;
}

/** A running proxy. */
export class Proxy implements AsyncDisposable, FlowPlayer {
  /** The certificate authority that clients must trust. */
  readonly ca: {
    /** The certificate, PEM. */
    readonly cert: string;
    /** A file that holds it. */
    readonly path: string;
    /** The same as a PKCS#12 trust store, for Java: a file too. Its password is `changeit`. */
    readonly trustStore: string;
    /** SHA-256 of the public key of the leaf certificates, base64: for Chromium's `--ignore-certificate-errors-spki-list`. */
    readonly spki: string;
  };

  readonly #parts: Parts;
  #closed: Promise<void> | undefined;

  /** @ignore Use {@linkcode startProxy}. */
  constructor(parts: Parts) {
    this.#parts = parts;
    parts.player = this;
    this.ca = parts.authority;
  }

  /** The proxy's own URL, such as `http://127.0.0.1:40123`. It goes into logs and errors, so it has no credentials of `auth`. */
  get url(): string {
    return this.#parts.url;
  }

  /** The address it listens on. */
  get host(): string {
    return this.#parts.settings.host;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#parts.port;
  }

  /** Every flow, from the head of its request on, in the order in which they began: the newest `capture.maxFlows`. */
  get flows(): FlowSet {
    return this.#parts.capture.flows;
  }

  /** The flows that nothing on the tape matched; {@linkcode Proxy.close | close()} rejects when there are any. */
  get unmatched(): FlowSet {
    return this.#parts.capture.unmatched;
  }

  /** The scenarios of the rules, by name: the states they are in, and how to set them. */
  get scenarios(): Scenarios {
    return this.#parts.rules.scenarios;
  }

  /** The entries of the tape that no request has matched so far. */
  get unused(): readonly TapeEntry[] {
    return this.#parts.tape?.unused ?? [];
  }

  /** What the tape's mode `verify` has found so far: answers of servers that are not any more what was recorded. */
  get drift(): readonly Drift[] {
    return this.#parts.tape?.drift ?? [];
  }

  /**
   * Says that the test has failed: nothing that was recorded is written, so a failing test leaves its tape as it was, and nothing is said
   * of entries that were not used. The bindings for vitest and Deno do it by themselves; with others, call it where the runner says that a
   * test failed, before the proxy is closed. `await using` cannot know.
   */
  discard(): void {
    this.#parts.tape?.discard();
  }

  /**
   * `fetch` of this process, through the proxy and trusting its authority. It needs no `this`: hand it to whatever takes a `fetch`.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (this.#parts.closed) {
      throw new FlowtapeError("PROXY_CLOSED", "fetch() was called after the proxy was closed");
    }
    return await this.#parts.fetch.fetch(this.#parts, input, init);
  };

  /**
   * The environment that points a child process at the proxy and lets it trust the authority; with the credentials of `auth`.
   *
   * @param base what it is added to; empty by default. `process.env` variables that would win are overridden.
   */
  env(base: Record<string, string | undefined> = {}): Record<string, string> {
    return environment(this.#parts, base);
  }

  /**
   * Points the clients of this process at the proxy and makes them trust its authority, until what is returned is disposed of or the
   * proxy is closed: `fetch`, `WebSocket`, `node:http` and `node:https` with any agent, undici, and what is built on them. Connections
   * of flowtape itself stay as they are. It is for the whole process: tests that run at the same time use {@linkcode Proxy.fetch | fetch()},
   * agents of `flowtape/client` or child processes instead. Of several proxies the one that was installed last is used.
   *
   * @example
   * ```ts
   * import { respond, startProxy } from "flowtape";
   *
   * await using proxy = await startProxy({ defaultAction: respond({ json: { items: 1 } }) });
   * using _ = proxy.install();
   * const response = await fetch("https://shop.test/cart"); // whoever calls it
   * console.log(await response.json()); // { items: 1 }
   * ```
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  install(): Disposable {
    return install(this.#parts);
  }

  /**
   * Launch options that point Chromium at the proxy and let it accept the proxy's certificates: `chromium.launch(proxy.browser())` in
   * Playwright. `args` alone will do for a Chromium that is started in another way, with a `--user-data-dir`.
   */
  browser(): BrowserOptions {
    return browserOptions(this.url, this.ca.spki, this.#parts.settings.auth);
  }

  /**
   * Adds rules, MSW handlers or addons while the proxy runs. Rules go in front of all others; addons behind all others. The hooks
   * `configure` and `start` of such an addon do not fire: the proxy has started.
   *
   * @throws {OptionsError} one is of the wrong form; then none is added
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  use(...items: (RuleLike | Addon)[]): Handle {
    return use(this.#parts, items);
  }

  /**
   * Changes options while the proxy is open, for flows that begin from then on; flows in flight keep those they began with. A group such
   * as `timeouts` keeps the members that are not given; `undefined` stands for the default. The `configure` hooks are told before; one
   * that throws refuses the change, and then nothing changes. Rules that were added with {@linkcode Proxy.use | use()} stay in front.
   *
   * These stay as they are: `host`, `port`, `tape`, `addons`, `signal`, `https.ca`, `https.keyLogFile`, `capture.maxFlows`.
   *
   * @example
   * ```ts
   * import { startProxy } from "flowtape";
   *
   * await using proxy = await startProxy({ timeouts: { connect: 2000 } });
   * await proxy.configure({ defaultAction: "drop", timeouts: { idle: 500 } });
   * ```
   *
   * @throws {OptionsError} one is not accepted, or cannot change
   * @throws {HookError} an addon refuses them
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  configure(changed: Partial<ProxyOptions>): Promise<void> {
    return configure(this.#parts, changed);
  }

  /**
   * Waits for flows that are over.
   *
   * @throws {FlowtapeError} `WAIT_TIMEOUT` shows the nearest flows; `PROXY_CLOSED`
   */
  waitFor(matcher: Matcher, options?: WaitOptions): Promise<FlowSet> {
    return this.#parts.capture.waitFor(matcher, options);
  }

  /**
   * The next flow that waits at a breakpoint, the action `"ask"`, and that nobody has taken yet: one that waits already, or one that
   * comes. Each is given once, in the order in which they came; it waits until its `forward()`, `respond()`, `drop()`, `link()` or
   * `continueAll()` is called.
   *
   * @param matcher which flows; any by default
   * @throws {FlowtapeError} `PAUSED_TIMEOUT` says what was there instead; `PROXY_CLOSED`, `PROXY_RESET`
   */
  nextPaused(matcher?: Matcher, options?: PausedOptions): Promise<PausedFlow> {
    return this.#parts.rules.breakpoints.next(matcher, options, this.flows);
  }

  /**
   * Sends the request of a flow as a client would, exactly as it is and without a connection to itself: it goes through hooks, rules and
   * tape, is captured, and `client.played` says which flow it is a copy of. Resolves with the new flow when that is over, however it
   * ended. `flow.play()` is the same for a flow that is bound to this proxy; `flows.play()` plays many.
   *
   * @throws {OptionsError} it is no flow, or one that cannot be played: a WebSocket, a raw conversation, a tunnel
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  play(flow: HttpFlow, options?: PlayFlowOptions): Promise<HttpFlow> {
    return play(this.#parts, flow, options);
  }

  /**
   * Sends flows through the hooks of addons and rules once more, as they were: those of this proxy or of another one, or the entries of a
   * tape or HAR. Requests are copies, the answers are those that they have had, and nothing reaches the network or a tape. What addons
   * and rules do shows in the new flows, which come back in the order of the old ones and are in {@linkcode Proxy.flows | flows} too.
   *
   * @example
   * ```ts
   * import { startProxy } from "flowtape";
   * import { readTape } from "flowtape/tape";
   *
   * async function findFailures(path: string) {
   *   const failed: string[] = [];
   *   await using proxy = await startProxy({
   *     addons: [{ response: (flow) => void (flow.response!.status >= 500 && failed.push(flow.request.url)) }],
   *   });
   *   await proxy.replayThroughHooks(await readTape(path));
   *   return failed;
   * }
   * ```
   *
   * @throws {OptionsError} something is no flow, or a flow that is not over; then no hook fires
   * @throws {TapeError} the body of an entry cannot be read
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  replayThroughHooks(flows: Iterable<Flow | TapeEntry>): Promise<FlowSet> {
    return replayThroughHooks(this.#parts, flows);
  }

  /**
   * What has passed so far as plain objects that are the same in every run, for `toMatchSnapshot`, `toMatchInlineSnapshot`,
   * `assertSnapshot` or `t.assert.snapshot`: without ports, times and identifiers, and without secrets, as on a tape. Of some flows:
   * `snapshot(proxy.flows.filter(...))`.
   *
   * @example
   * ```ts
   * import { respond, startProxy } from "flowtape";
   *
   * await using proxy = await startProxy({ rules: [["*", respond({ json: { id: crypto.randomUUID() } })]] });
   * await proxy.fetch("http://shop.test/cart");
   * proxy.snapshot(); // [{ request: "GET http://shop.test/cart", response: { status: 200, ..., body: { id: "[id-1]" } } }]
   * ```
   *
   * @throws {OptionsError} an option is not accepted
   */
  snapshot(options?: SnapshotOptions): FlowSnapshot[] {
    return snapshot(this, options);
  }

  /**
   * Writes a page about what has passed so far, for people: one HTML file with everything in it, which needs no server and no network.
   * Secrets are taken out as the options of the tape say. It works after {@linkcode Proxy.close | close()}, too.
   *
   * @example
   * ```ts
   * import { respond, startProxy } from "flowtape";
   *
   * await using proxy = await startProxy({ rules: [["*", respond({ body: "hello" })]] });
   * await (await proxy.fetch("https://shop.test/")).text();
   * console.log(await proxy.report("flowtape-report/shop.html", { title: "checkout" })); // its absolute path
   * ```
   *
   * @param path the HTML file: folders that are missing are made. By default one of its own in the folder `flowtape-report`
   * @returns the absolute path of the file
   * @throws {OptionsError} an option is not accepted
   * @throws {FlowtapeError} `REPORT_NOT_WRITTEN`
   */
  report(path?: string, options?: ReportOptions): Promise<string> {
    return report(this.#parts, path, options);
  }

  /**
   * Throws what {@linkcode Proxy.close | close()} would throw for what has happened so far, and forgets it. For a proxy that several
   * tests share: `proxy.check()` after each of them fails the one in which it has happened, and `proxy.reset()` makes way for the next.
   *
   * @throws {UnmatchedRequestError} in replay mode, when requests matched nothing
   * @throws {HookError} when hooks threw
   */
  check(): void {
    this.#parts.problems.take();
  }

  /**
   * Makes the proxy as it was at the start for the next test: flows, unmatched requests and failed hooks are forgotten, what is
   * paused is forwarded, and what was added with {@linkcode Proxy.use | use()} goes. The tape goes on where it is.
   */
  reset(): void {
    this.#parts.capture.clear();
    this.#parts.problems.clear();
    this.#parts.rules.reset();
    this.#parts.addons.reset();
  }

  /**
   * Closes the proxy: flows in flight end with `PROXY_CLOSED`, the tape is written, nothing stays open. Calling it again gives the
   * same promise.
   *
   * @throws {UnmatchedRequestError} in replay mode, when requests matched nothing
   * @throws {HookError} when hooks threw
   * @throws {FlowtapeError} `PAUSED_UNANSWERED` when flows were paused, and nobody had decided about them
   * @param options `failed: true` is {@linkcode Proxy.discard | discard()} before
   * @throws {TapeError} when the tape cannot be written; when mode `verify` has found drift; when entries were not used, and
   * the tape's option `unused` is `"fail"`
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (options.failed) this.discard();
    return this.#closed ??= close(this.#parts);
  }

  /** {@linkcode Proxy.close | close()}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
