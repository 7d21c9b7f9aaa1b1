/**
 * The fixture: puts capture, addons, rules, tape and wire together.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import { Capture, type WaitOptions } from "./capture.ts";
import { childEnv } from "./client/env.ts";
import { type ProxyFetch, proxyFetch } from "./client/fetch.ts";
import { FlowtapeError, HookError, OptionsError, UnmatchedRequestError } from "./flow/error.ts";
import type { FlowSet } from "./flow/flow_set.ts";
import type { HttpFlow } from "./flow/http_flow.ts";
import { compile } from "./flow/matcher/compile.ts";
import { matchesNow } from "./flow/matcher/matches_now.ts";
import type { Matcher } from "./flow/matcher/types.ts";
import type { Addon, LogEntry } from "./hooks/addon.ts";
import { checkAddon, Dispatcher, hookError } from "./hooks/dispatcher.ts";
import { HOOKS } from "./hooks/table.ts";
import { OPTION_NAMES, type ProxyOptions, type Settings, settingsOf } from "./options/proxy_options.ts";
import { type Handle, RuleEngine, type RuleLike } from "./rules/mod.ts";
import { isMswHandler } from "./rules/msw.ts";
import { openTape, type TapeAddon } from "./tape/addon.ts";
import type { TapeEntry } from "./tape/entry.ts";
import { toTapeOptions } from "./tape/options.ts";
import { Printer } from "./verbose.ts";
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
  #addons: Addon[];
  #added: readonly AddonGroup[] = [];
  #tape: TapeAddon | undefined;
  #wire: Wire | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  readonly #failures = new Complaints<HookError>();
  readonly #explanations = new Complaints<string>();
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
    this.#addons = [...(settings.addons ?? []) as Addon[]];
    this.#hooks = new Dispatcher([], (error) => this.#hookFailed(error));
  }

  /** The proxy's own URL, such as `http://127.0.0.1:40123`. */
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
    this.#fetch ??= proxyFetch(this.url, this.ca.cert);
    return (await this.#fetch).fetch(input, init);
  };

  /**
   * The environment that points a child process at the proxy and lets it trust the authority.
   *
   * @param base what it is added to; empty by default. `process.env` variables that would win are overridden.
   */
  env(base: Record<string, string | undefined> = {}): Record<string, string> {
    return childEnv(this.url, this.ca.path, base);
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
    if (addons.length === 0) return handle;
    const group: AddonGroup = { addons, enabled: true };
    this.#added = [...this.#added, group];
    this.#arrange();
    return new HandleWithAddons(handle, group, {
      changed: () => this.#arrange(),
      remove: () => {
        this.#added = this.#added.filter((other) => other !== group);
        this.#arrange();
      },
    });
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
    this.#failures.clear();
    this.#explanations.clear();
    this.#rules.reset();
    this.#added = [];
    this.#arrange();
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
    const { tape, host, port, timeouts, limits, upstream } = this.#settings;
    if (tape !== undefined) {
      this.#tape = await openTape(toTapeOptions(tape), {
        log: (entry) => this.#log(entry),
        unmatched: (flow, explanation) => {
          this.unmatched.append(flow);
          this.#explanations.add(explanation);
        },
      });
    }
    this.#arrange();
    await this.#hooks.run("configure", this.#settings, new Set(OPTION_NAMES));
    this.#wire = await openWire({
      host,
      port,
      timeouts,
      limits,
      hooks: this.#hooks,
      ca: this.#authority,
      observer: this.#observer(),
      upstream: { ca: [upstream?.ca ?? []].flat(), verify: verifier(upstream?.verify), hosts: upstream?.hosts ?? {} },
      log: (level, message) => this.#log({ level, message }),
    });
    await this.#start();
  }

  // An addon may put another in its place.
  async #start(): Promise<void> {
    for (const [i, addon] of this.#addons.entries()) {
      try {
        this.#addons[i] = await addon.start?.() ?? addon;
      } catch (cause) {
        throw hookError(addon, "start", cause);
      }
      checkAddon(this.#addons[i], `what start() of addons[${i}] returned`);
    }
    this.#arrange();
  }

  #observer(): Parameters<typeof openWire>[0]["observer"] {
    const { maxBody } = this.#settings.capture;
    return {
      started: (flow) => this.#capture.started(flow),
      bodyLimit: (flow) => this.#tape?.keepsBodies(flow) ? MAX_RECORDED_BODY : maxBody,
      ended: (flow) => {
        this.#tape?.record(flow);
        this.#printer.print(flow);
        this.#capture.ended(flow);
      },
    };
  }

  // The order of the addons: the user's, then rules, then tape.
  #arrange(): void {
    const own: Addon[] = [this.#rules];
    if (this.#tape !== undefined) own.push(this.#tape);
    const added = this.#added.flatMap(({ addons, enabled }) => enabled ? addons : []);
    this.#hooks.replace([...this.#addons, ...added, ...own]);
    if (this.#hooks.has("tick") && this.#closed === undefined) {
      this.#ticker ??= this.#tickEvery(TICK_MS);
    } else {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
  }

  #tickEvery(ms: number): ReturnType<typeof setInterval> {
    let ticking = false;
    return setInterval(async () => {
      if (ticking) return;
      ticking = true;
      try {
        await this.#hooks.run("tick");
      } catch {
        // The dispatcher has reported it.
      } finally {
        ticking = false;
      }
    }, ms);
  }

  #log(entry: LogEntry): void {
    this.#printer.log(entry);
    this.#hooks.log(entry);
  }

  #hookFailed(error: HookError): void {
    this.#failures.add(error);
    this.#log({ level: "error", message: error.message.replaceAll("\n", " ") });
  }

  async #close(): Promise<void> {
    this.#settings.signal?.removeEventListener("abort", this.#onAbort);
    clearInterval(this.#ticker);
    this.#rules.close();
    this.#capture.close();
    const problems: unknown[] = [];
    // The wire first: what is in flight ends because the proxy closes, also where the client is our own.
    await attempt(problems, () => this.#wire?.close());
    await attempt(problems, async () => (await this.#fetch)?.close());
    await attempt(problems, () => this.#tape?.close());
    // What done() throws is kept by the dispatcher like that of every other hook.
    await attempt([], () => this.#hooks.run("done"));
    if (this.#explanations.count > 0) problems.unshift(unmatchedError(this.#explanations));
    if (this.#failures.count > 0) problems.push(failuresError(this.#failures));
    if (problems.length === 1) throw problems[0];
    if (problems.length > 1) {
      throw new AggregateError(
        problems,
        problems.map((one) => (one as Error).message).join("\n\n"),
      );
    }
  }
}

/** How often addons tick. */
const TICK_MS = 250;
/** A tape wants whole bodies; one larger than this is not recorded. */
const MAX_RECORDED_BODY = 512 * 1024 * 1024;

/** Addons that were added together. */
interface AddonGroup {
  readonly addons: readonly Addon[];
  enabled: boolean;
}

/** Says what becomes of a group of addons. */
interface GroupActions {
  changed(): void;
  remove(): void;
}

class HandleWithAddons implements Handle {
  readonly #rules: Handle;
  readonly #group: AddonGroup;
  readonly #actions: GroupActions;

  constructor(rules: Handle, group: AddonGroup, actions: GroupActions) {
    this.#rules = rules;
    this.#group = group;
    this.#actions = actions;
  }

  get calls(): FlowSet {
    return this.#rules.calls;
  }

  get enabled(): boolean {
    return this.#group.enabled;
  }

  set enabled(value: boolean) {
    this.#rules.enabled = value;
    this.#group.enabled = value;
    this.#actions.changed();
  }

  dispose(): void {
    this.#rules.dispose();
    this.#actions.remove();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What went wrong: the first few, and how many there were. A test that goes on and on must not fill the memory with them. */
class Complaints<T> {
  readonly first: T[] = [];
  count = 0;

  add(one: T): void {
    if (this.count++ < MAX_EXPLAINED) this.first.push(one);
  }

  clear(): void {
    this.first.length = this.count = 0;
  }

  /** A line about those that are not told in full. */
  get rest(): string[] {
    return this.count > this.first.length ? [`and ${this.count - this.first.length} more`] : [];
  }
}

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

async function attempt(problems: unknown[], step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (error) {
    problems.push(error);
  }
}

function unmatchedError({ first, count, rest }: Complaints<string>): UnmatchedRequestError {
  const head = count === 1 ? "a request matched nothing" : `${count} requests matched nothing`;
  return new UnmatchedRequestError([`${head}:`, ...first, ...rest].join("\n\n"));
}

function failuresError({ first, rest }: Complaints<HookError>): HookError {
  if (first.length === 1) return first[0]!;
  return new HookError("HOOK_FAILED", [...first.map((one) => one.message), ...rest].join("\n"), { cause: first[0] });
}

/** How many failures are told in full. */
const MAX_EXPLAINED = 10;
