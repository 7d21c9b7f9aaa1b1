/**
 * Events for the listeners of MSW's handlers, and who tells them.
 *
 * @module
 */
import { isThenable } from "../check.ts";

/** Takes an event. */
export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

/** What `addEventListener()` takes. */
export type ListenerOptions = boolean | { readonly once?: boolean; readonly signal?: AbortSignal };

const STOPPED = Symbol("stopped");

/**
 * An event with more properties. `preventDefault()` works: that of `MessageEvent` has no effect on Node, nor has that of an event
 * that no `EventTarget` dispatches.
 */
export function makeEvent(event: Event, target: object, more: object = {}): Event {
  let prevented = false;
  const own = {
    target,
    currentTarget: target,
    preventDefault: () => void (prevented = true),
    stopImmediatePropagation: () => void Object.defineProperty(event, STOPPED, { value: true, configurable: true }),
    ...more,
  };
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(event, name, { value, configurable: true, enumerable: true, writable: true });
  }
  return Object.defineProperty(event, "defaultPrevented", { get: () => prevented, configurable: true });
}

interface Entry {
  readonly listener: Listener;
  readonly once: boolean;
}

/** Like an `EventTarget`, but what a listener throws or rejects with goes to whoever dispatches, instead of ending the process. */
export class Listeners {
  readonly #failed: (error: unknown) => void;
  readonly #entries = new Map<string, Entry[]>();

  /** @param failed is told what listeners throw, also later */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** As of an `EventTarget`. */
  add(type: string, listener: Listener, options: ListenerOptions = {}): void {
    const { once = false, signal } = typeof options === "boolean" ? {} : options;
    const entries = this.#entries.get(type) ?? [];
    if (signal?.aborted || entries.some((entry) => entry.listener === listener)) return;
    this.#entries.set(type, [...entries, { listener, once }]);
    signal?.addEventListener("abort", () => this.remove(type, listener), { once: true });
  }

  /** As of an `EventTarget`. */
  remove(type: string, listener: Listener): void {
    this.#entries.set(type, (this.#entries.get(type) ?? []).filter((entry) => entry.listener !== listener));
  }

  /** Tells the listeners; `false`: one of them has prevented what comes by default. */
  dispatch(event: Event): boolean {
    for (const { listener, once } of this.#entries.get(event.type) ?? []) {
      // A listener may have removed it meanwhile.
      if (!this.#entries.get(event.type)!.some((entry) => entry.listener === listener)) continue;
      if (once) this.remove(event.type, listener);
      try {
        const result = typeof listener === "function"
          ? listener.call(event.target, event)
          : listener.handleEvent(event);
        if (isThenable(result)) result.then(undefined, this.#failed);
      } catch (error) {
        this.#failed(error);
      }
      if (STOPPED in event) break;
    }
    return !event.defaultPrevented;
  }
}
