/**
 * Calls the hooks of a list of addons, one addon after the other.
 *
 * @module
 */
import type { HookError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Addon, LogEntry } from "./addon.ts";
import { hookError, isHttpFlow, leftoverError } from "./hook_error.ts";
import { checkLayer, type Layer } from "./layer.ts";
import { HOOK_NAMES, type HookName } from "./table.ts";

type Hook = (this: Addon, ...args: unknown[]) => unknown;

/** A hook of one addon, ready to be called. */
interface Listener {
  readonly addon: Addon;
  readonly call: Hook;
}

const NONE: readonly Listener[] = [];

/** How a flow ends: an addon hears of it once, whatever comes after. */
const ENDINGS: ReadonlySet<HookName> = new Set<HookName>(["response", "websocketEnd", "error"]);

/** What has happened has happened: one addon that throws does not keep it from the others. */
const NEWS: ReadonlySet<HookName> = new Set<HookName>([
  "error",
  "tcpEnd",
  "tcpError",
  "clientDisconnect",
  "serverConnectError",
  "serverDisconnect",
  "tlsFailed",
]);

/** Where every hook is called from. A hook that no addon has costs one look at an empty list. */
export class Dispatcher {
  #addons: readonly Addon[];
  #listeners: ReadonlyMap<HookName, readonly Listener[]>;
  readonly #onFailure: (error: HookError, flow: HttpFlow | undefined) => void;
  readonly #told = new WeakMap<object, Set<Addon>>();

  /** @param onFailure is told of every hook that threw */
  constructor(addons: readonly Addon[], onFailure: (error: HookError, flow: HttpFlow | undefined) => void) {
    this.#onFailure = onFailure;
    this.#addons = addons;
    this.#listeners = listenersOf(addons);
  }

  /** The addons in the order in which they are called. */
  get addons(): readonly Addon[] {
    return this.#addons;
  }

  /** Replaces the list. Calls under way go on with the old one. */
  replace(addons: readonly Addon[]): void {
    this.#addons = addons;
    this.#listeners = listenersOf(addons);
  }

  /** The addons of now without one of them. */
  without(addon: Addon | undefined): Dispatcher {
    return new Dispatcher(this.#addons.filter((other) => other !== addon), this.#onFailure);
  }

  /** Whether any addon has this hook. */
  has(hook: HookName): boolean {
    return this.#listeners.has(hook);
  }

  /** Whether any addon needs this hook for this flow; `"after"` when some want it, and none of them before the body has passed. */
  needs(hook: "request" | "response", flow: HttpFlow): boolean | "after" {
    let wanted: false | "after" = false;
    for (const { addon } of this.#listeners.get(hook) ?? NONE) {
      const need = addon.needs === undefined || addon.needs(hook, flow);
      if (need === "after") wanted = need;
      else if (need) return true;
    }
    return hook === "response" ? wanted : false;
  }

  /**
   * Calls a hook of every addon in order, with the flow, peer or options that it is about. Nothing is awaited when nothing is async: then it returns `undefined`.
   * The first that throws ends the round, unless it tells of what has happened already. Of the end of a flow (`response`, `websocketEnd`
   * or `error`) each addon hears once.
   *
   * @throws {HookError} names the addon and the hook; `cause` is what it threw
   */
  run(hook: HookName, subject?: unknown, more?: unknown): Promise<void> | undefined {
    const listeners = this.#listeners.get(hook);
    return listeners === undefined ? undefined : this.#from(0, listeners, hook, subject, more);
  }

  /**
   * Calls a hook of one addon, if it has it.
   *
   * @throws {HookError} it threw
   */
  async call(addon: Addon, hook: HookName): Promise<void> {
    try {
      await (addon[hook] as Hook | undefined)?.call(addon);
    } catch (cause) {
      this.#fail(addon, hook, cause, undefined);
    }
  }

  /**
   * Asks every addon in order what a connection is to be served as; each sees what the one before it said.
   *
   * @throws {HookError} one threw, or returned what is not a layer
   */
  async nextLayer(proposal: Layer): Promise<Layer> {
    let layer = proposal;
    for (const { addon, call } of this.#listeners.get("nextLayer") ?? NONE) {
      try {
        const answer = await call.call(addon, layer);
        if (answer === undefined) continue;
        checkLayer(answer);
        layer = answer;
      } catch (cause) {
        this.#fail(addon, "nextLayer", cause, layer);
      }
    }
    return layer;
  }

  /**
   * Reports what came to light only when the hooks were over: what they left cannot be sent.
   *
   * @returns the error that ends the flow
   */
  refuse(cause: unknown, flow: HttpFlow | TcpFlow): HookError {
    const error = leftoverError(cause, flow);
    this.#onFailure(error, isHttpFlow(flow) ? flow : undefined);
    return error;
  }

  /** Tells the addons a line of the log. Never throws. */
  log(entry: LogEntry): void {
    for (const { addon, call } of this.#listeners.get("log") ?? NONE) {
      try {
        const result = call.call(addon, entry);
        if (isThenable(result)) result.then(undefined, () => {});
      } catch {
        // A failing log cannot be logged.
      }
    }
  }

  #from(
    start: number,
    listeners: readonly Listener[],
    hook: HookName,
    subject: unknown,
    more: unknown,
    failure?: HookError,
  ): Promise<void> | undefined {
    const ending = ENDINGS.has(hook);
    const live = !ending && !NEWS.has(hook);
    for (let i = start; i < listeners.length; i++) {
      // It has ended in this hook, or while one was waited for: those that come now know.
      if (live && isOver(subject)) break;
      const { addon, call } = listeners[i]!;
      if (ending && !this.#tells(addon, subject)) continue;
      try {
        const result = call.call(addon, subject, more);
        if (isThenable(result)) {
          return result.then(
            () => this.#from(i + 1, listeners, hook, subject, more, failure),
            (cause) => {
              const error = this.#goOnAfter(cause, addon, hook, subject);
              return this.#from(i + 1, listeners, hook, subject, more, failure ?? error);
            },
          );
        }
      } catch (cause) {
        const error = this.#goOnAfter(cause, addon, hook, subject);
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** @throws {HookError} the round ends here */
  #goOnAfter(cause: unknown, addon: Addon, hook: HookName, subject: unknown): HookError {
    const error = this.#failed(addon, hook, cause, subject);
    if (!NEWS.has(hook)) throw error;
    return error;
  }

  /** Whether an addon has not heard yet how a flow ended; then it hears it now. */
  #tells(addon: Addon, flow: unknown): boolean {
    const told = this.#told.get(flow as object);
    if (told === undefined) this.#told.set(flow as object, new Set([addon]));
    else if (told.has(addon)) return false;
    else told.add(addon);
    return true;
  }

  #fail(addon: Addon, hook: HookName, cause: unknown, subject: unknown): never {
    throw this.#failed(addon, hook, cause, subject);
  }

  #failed(addon: Addon, hook: HookName, cause: unknown, subject: unknown): HookError {
    const error = hookError(addon, hook, cause, subject);
    this.#onFailure(error, isHttpFlow(subject) ? subject : undefined);
    return error;
  }
}

function listenersOf(addons: readonly Addon[]): Map<HookName, readonly Listener[]> {
  const map = new Map<HookName, readonly Listener[]>();
  for (const hook of HOOK_NAMES) {
    const listeners = addons.flatMap((addon) => {
      const call = addon[hook];
      return typeof call === "function" ? [{ addon, call: call as Hook }] : [];
    });
    if (listeners.length > 0) map.set(hook, listeners);
  }
  return map;
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as Promise<unknown>).then === "function";
}

/** Of a flow: whether nothing more happens. */
function isOver(subject: unknown): boolean {
  return typeof subject === "object" && subject !== null && (subject as Partial<HttpFlow>).done === true;
}
