/**
 * The fixture: puts capture, addons, rules, tape and wire together.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { withCredentials } from "./client/credentials.ts";
import { childEnv } from "./client/env.ts";
import { type ProxyFetch, proxyFetch } from "./client/fetch.ts";
import { FlowtapeError, HookError, OptionsError } from "./flow/error.ts";
import { AddonList } from "./fixture/addon_list.ts";
import { Capture, type WaitOptions } from "./fixture/capture.ts";
import { HandleWithAddons } from "./fixture/handle.ts";
import { Printer } from "./fixture/printer.ts";
import { Problems } from "./fixture/problems.ts";
import type { FlowSet } from "./flow/flow_set.ts";
import type { HttpFlow } from "./flow/http_flow.ts";
import { compile } from "./flow/matcher/compile.ts";
import { matchesNow } from "./flow/matcher/matches_now.ts";
import type { Matcher } from "./flow/matcher/types.ts";
import { redactText } from "./flow/sensitive.ts";
import type { Addon, LogEntry } from "./hooks/addon.ts";
import { checkAddon, Dispatcher } from "./hooks/dispatcher.ts";
import { HOOKS } from "./hooks/table.ts";
import { compilePassthrough } from "./options/passthrough.ts";
import {
  type HttpsOptions,
  OPTION_NAMES,
  type ProxyOptions,
  type Settings,
  settingsOf,
} from "./options/proxy_options.ts";
import { type Handle, RuleEngine, type RuleLike } from "./rules/mod.ts";
import { isMswHandler } from "./rules/msw.ts";
import { openTape, type TapeAddon } from "./tape/addon.ts";
import type { TapeEntry } from "./tape/entry.ts";
import { toTapeOptions } from "./tape/options.ts";
import { type CertificateAuthority, openCa, openWire, type Wire } from "./wire/mod.ts";

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
  const settings = settingsOf(options);
  settings.signal?.throwIfAborted();
  const ca = await openCa(settings.https?.ca);
  const proxy = new Proxy(settings, ca, CONSTRUCT);
  await proxy.open(CONSTRUCT);
  return proxy;
}

/** Only this module makes and opens proxies. */
const CONSTRUCT = Symbol("construct");

/** A running proxy. */
export class Proxy implements AsyncDisposable {
  /** The certificate authority that clients must trust. */
  readonly ca: {
    /** The certificate, PEM. */
    readonly cert: string;
    /** A file that holds it. */
    readonly path: string;
    /** SHA-256 of the public key of the leaf certificates, base64: for Chromium's `--ignore-certificate-errors-spki-list`. */
    readonly spki: string;
  };

  readonly #settings: Settings;
  readonly #authority: CertificateAuthority;
  readonly #capture: Capture;
  readonly #rules: RuleEngine;
  readonly #hooks: Dispatcher;
  readonly #printer: Printer;
  readonly #addons: AddonList;
  readonly #problems = new Problems();
  #tape: TapeAddon | undefined;
  #wire: Wire | undefined;
  #fetch: Promise<ProxyFetch> | undefined;
  #closed: Promise<void> | undefined;
  readonly #onAbort = (): void => void this.close().catch(() => {});

  /** @ignore Use {@linkcode startProxy}. */
  constructor(settings: Settings, authority: CertificateAuthority, key: symbol) {
    if (key !== CONSTRUCT) throw new OptionsError("a Proxy is made by startProxy()");
    const { rules, defaultAction, capture } = settings;
    this.#settings = settings;
    this.#authority = authority;
    this.ca = authority;
    this.#capture = new Capture(capture.maxFlows);
    this.#rules = new RuleEngine({
      ...(rules === undefined ? {} : { rules }),
      ...(defaultAction === undefined ? {} : { defaultAction }),
      maxFlows: capture.maxFlows,
    });
    this.#printer = new Printer(settings.verbose ?? 0);
    this.#hooks = new Dispatcher([], (error) => this.#hookFailed(error));
    // Rules come before the tape: what a test says goes before what was recorded.
    const own = () => this.#tape === undefined ? [this.#rules] : [this.#rules, this.#tape];
    this.#addons = new AddonList(this.#hooks, (settings.addons ?? []) as Addon[], own);
  }

  /** The proxy's own URL, such as `http://127.0.0.1:40123`. It goes into logs and errors, so it has no credentials of `auth`. */
  get url(): string {
    // Not every system connects to the address that means all of its own.
    const host = this.host === "0.0.0.0" ? "127.0.0.1" : this.host === "::" ? "::1" : this.host;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** The address it listens on. */
  get host(): string {
    return this.#settings.host;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#wire?.port ?? this.#settings.port;
  }

  /** Every flow, from the head of its request on, in the order in which they began: the newest `capture.maxFlows`. */
  get flows(): FlowSet {
    return this.#capture.flows;
  }

  /** The flows that nothing on the tape matched; {@linkcode Proxy.close | close()} rejects when there are any. */
  get unmatched(): FlowSet {
    return this.#capture.unmatched;
  }

  /** The entries of the tape that no request has matched so far. */
  get unused(): readonly TapeEntry[] {
    return this.#tape?.unused ?? [];
  }

  /**
   * `fetch` of this process, through the proxy and trusting its authority. It needs no `this`: hand it to whatever takes a `fetch`.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (this.#closed !== undefined) {
      throw new FlowtapeError("PROXY_CLOSED", "fetch() was called after the proxy was closed");
    }
    this.#fetch ??= proxyFetch(this.url, this.ca.cert, this.#settings.auth);
    return (await this.#fetch).fetch(input, init);
  };

  /**
   * The environment that points a child process at the proxy and lets it trust the authority; with the credentials of `auth`.
   *
   * @param base what it is added to; empty by default. `process.env` variables that would win are overridden.
   */
  env(base: Record<string, string | undefined> = {}): Record<string, string> {
    return childEnv(withCredentials(this.url, this.#settings.auth), this.ca.path, base);
  }

  /**
   * Adds rules, MSW handlers or addons while the proxy runs. Rules go in front of all others; addons behind all others. The hooks
   * `configure` and `start` of such an addon do not fire: the proxy has started.
   *
   * @throws {OptionsError} one is of the wrong form; then none is added
   */
  use(...items: (RuleLike | Addon)[]): Handle {
    const addons = items.filter(isAddon);
    addons.forEach((addon) => checkAddon(addon, `use() argument ${items.indexOf(addon)}`));
    const handle = this.#rules.use(...items.filter((item): item is RuleLike => !isAddon(item)));
    return addons.length === 0 ? handle : new HandleWithAddons(handle, this.#addons.add(addons));
  }

  /**
   * Waits for flows that are over.
   *
   * @throws {FlowtapeError} `WAIT_TIMEOUT` shows the nearest flows; `PROXY_CLOSED`
   */
  waitFor(matcher: Matcher, options?: WaitOptions): Promise<FlowSet> {
    return this.#capture.waitFor(matcher, options);
  }

  /**
   * Makes the proxy as it was at the start for the next test: flows, unmatched requests and failed hooks are forgotten, and what
   * was added with {@linkcode Proxy.use | use()} goes. The tape goes on where it is.
   */
  reset(): void {
    this.#capture.clear();
    this.#problems.clear();
    this.#rules.reset();
    this.#addons.reset();
  }

  /**
   * Closes the proxy: flows in flight end with `PROXY_CLOSED`, the tape is written, nothing stays open. Calling it again gives the
   * same promise.
   *
   * @throws {UnmatchedRequestError} in replay mode, when requests matched nothing
   * @throws {HookError} when hooks threw
   * @throws {TapeError} when the tape cannot be written
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** {@linkcode Proxy.close | close()}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @ignore Called by {@linkcode startProxy}. */
  async open(key: symbol): Promise<void> {
    if (key !== CONSTRUCT) throw new OptionsError("a Proxy is opened by startProxy()");
    try {
      await this.#open();
      this.#settings.signal?.throwIfAborted();
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
    this.#settings.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  async #open(): Promise<void> {
    const { tape, host, port, timeouts, limits, upstream, https, auth } = this.#settings;
    if (tape !== undefined) {
      this.#tape = await openTape(toTapeOptions(tape), {
        log: (entry) => this.#log(entry),
        unmatched: (flow, explanation) => {
          this.unmatched.append(flow);
          this.#problems.unmatched(explanation);
        },
      });
    }
    this.#addons.arrange();
    await this.#hooks.run("configure", this.#settings, new Set(OPTION_NAMES));
    this.#wire = await openWire({
      host,
      port,
      timeouts,
      limits,
      hooks: this.#hooks,
      ca: this.#authority,
      observer: this.#observer(),
      upstream: {
        ...upstream,
        ca: [upstream?.ca ?? []].flat(),
        verify: verifier(upstream?.verify),
        verifyProxy: upstream?.verify !== false,
        http2: upstream?.http2 ?? true,
      },
      auth,
      tls: {
        ...(https?.minVersion === undefined ? {} : { minVersion: https.minVersion }),
        requestCert: https?.requestClientCert ?? false,
      },
      passthrough: passthrough(https?.passthrough),
      keyLogFile: https?.keyLogFile,
      log: (level, message) => this.#log({ level, message }),
    });
    await this.#addons.start();
  }

  async #done(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const error = new HookError(
      "HOOK_TIMEOUT",
      `the done hooks had not ended after ${DONE_MS} ms: close() goes on without them`,
    );
    const timer = setTimeout(() => late.reject(error), DONE_MS);
    try {
      await Promise.race([this.#hooks.run("done"), late.promise]);
    } catch (thrown) {
      // Whatever else it is, the dispatcher has reported it, like that of every other hook.
      if (thrown === error) throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #observer(): Parameters<typeof openWire>[0]["observer"] {
    const { maxBody } = this.#settings.capture;
    return {
      started: (flow) => this.#capture.started(flow),
      bodyLimit: (flow) => flow.type === "http" && this.#tape?.keepsBodies(flow) ? MAX_RECORDED_BODY : maxBody,
      offline: () => this.#tape?.mode === "replay",
      ended: (flow) => {
        if (flow.type === "http") this.#tape?.record(flow);
        this.#printer.print(flow);
        this.#capture.ended(flow);
      },
    };
  }

  #log(entry: LogEntry): void {
    this.#printer.log(entry);
    this.#hooks.log(entry);
  }

  #hookFailed(error: HookError): void {
    this.#problems.hookFailed(error);
    this.#log({ level: "error", message: redactText(error.message).replaceAll("\n", " ") });
  }

  async #close(): Promise<void> {
    const problems = this.#problems;
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
    this.#addons.close();
    this.#rules.close();
    this.#capture.close();
    // The wire first: what is in flight ends because the proxy closes, also where the client is our own.
    await problems.during(() => this.#wire?.close());
    await problems.during(async () => (await this.#fetch)?.close());
    await problems.during(() => this.#tape?.close());
    await problems.during(() => this.#done());
    problems.throwIfAny();
  }
}

/** How long the `done` hooks may take, in milliseconds: closing must end. */
const DONE_MS = 5000;
/** A tape wants whole bodies; one larger than this is not recorded. */
const MAX_RECORDED_BODY = 512 * 1024 * 1024;

// An MSW handler has a method `log` too.
function isAddon(item: unknown): item is Addon {
  return typeof item === "object" && item !== null && !Array.isArray(item) && !isMswHandler(item) &&
    Object.keys(HOOKS).some((hook) => hook in item);
}

function verifier(verify: boolean | Matcher | undefined): (flow: HttpFlow) => boolean {
  if (verify === undefined || typeof verify === "boolean") return () => verify ?? true;
  const matcher = compile(verify, "option upstream.verify");
  return (flow) => matchesNow(matcher, flow);
}

function passthrough(given: HttpsOptions["passthrough"]): ((flow: HttpFlow) => boolean) | undefined {
  if (given === undefined) return undefined;
  const matcher = compilePassthrough(given);
  return (flow) => matchesNow(matcher, flow);
}
