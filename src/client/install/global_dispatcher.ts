/**
 * Points undici at a proxy: every copy of it in the process, and with the one that is Node's own `fetch`, `WebSocket` and `EventSource`.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { Dispatcher } from "undici";
import type { Installation } from "./installation.ts";

/** Where the copies of undici find the dispatcher that they share: up to version 7 the first, from 7.28 on the second too. */
const PLACES = [Symbol.for("undici.globalDispatcher.1"), Symbol.for("undici.globalDispatcher.2")] as const;

/** Replaces the dispatcher that all copies of undici share. */
export function patchGlobalDispatcher(current: () => Installation | undefined): () => void {
  // Node loads its own copy when it is first needed, which is now.
  void globalThis.Headers;
  const undo = PLACES.map((place) => occupy(place, current));
  return () => undo.forEach((it) => it());
}

/** What requests without a proxy are made with, for who asks on its own behalf. */
export function dispatcherNow(): Dispatcher | undefined {
  return (globalThis as unknown as Place)[PLACES[0]];
}

type Place = Record<symbol, Dispatcher | undefined>;

function occupy(place: symbol, current: () => Installation | undefined): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, place);
  const fallback = (): Dispatcher | undefined => before?.value;
  const ours = new InstalledDispatcher(current, fallback) as unknown as Dispatcher;
  const shared = globalThis as unknown as Place;
  if (before !== undefined) {
    shared[place] = ours;
    return () => {
      if (shared[place] === ours) shared[place] = before.value;
    };
  }
  // A copy that is loaded from now on takes what it finds for good: then there must be something when this is over.
  let found = false;
  const get = () => {
    found = true;
    return ours;
  };
  Object.defineProperty(globalThis, place, {
    configurable: true,
    enumerable: false,
    get,
    set: (value) =>
      Object.defineProperty(globalThis, place, { value, configurable: true, enumerable: false, writable: true }),
  });
  return () => {
    if (Object.getOwnPropertyDescriptor(globalThis, place)?.get !== get) return;
    if (found) Object.defineProperty(globalThis, place, { value: ours, configurable: true, writable: true });
    else delete shared[place];
  };
}

/** Asks the proxy of the moment. undici itself is loaded with the first request. */
class InstalledDispatcher extends EventEmitter {
  readonly #current: () => Installation | undefined;
  readonly #before: () => Dispatcher | undefined;
  #without: Promise<Dispatcher> | undefined;

  constructor(current: () => Installation | undefined, before: () => Dispatcher | undefined) {
    super();
    this.#current = current;
    this.#before = before;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const installation = this.#current();
    const before = this.#before();
    if (before !== undefined && (installation === undefined || isProxy(installation, options))) {
      return before.dispatch(options, handler);
    }
    const through = installation === undefined || isProxy(installation, options)
      ? this.#without ??= import("undici").then(({ Agent }) => new Agent())
      : installation.dispatcher();
    through.then((it) => it.dispatch(options, handler)).catch((error) => fail(handler, error));
    return true;
  }

  compose(...interceptors: (Interceptor | Interceptor[])[]): Dispatcher {
    let dispatch: Dispatch = (options, handler) => this.dispatch(options, handler);
    for (const interceptor of interceptors.flat()) dispatch = interceptor(dispatch);
    return Object.create(this, { dispatch: { value: dispatch } }) as Dispatcher;
  }

  // Whoever ends the shared dispatcher means its own.
  close(done?: () => void): Promise<void> | void {
    return done === undefined ? Promise.resolve() : queueMicrotask(done);
  }

  destroy(...args: unknown[]): Promise<void> | void {
    return this.close(args.find((it): it is () => void => typeof it === "function"));
  }
}

type Dispatch = Dispatcher["dispatch"];
type Interceptor = (dispatch: Dispatch) => Dispatch;

function isProxy(installation: Installation, { origin }: Dispatcher.DispatchOptions): boolean {
  const url = URL.parse(String(origin));
  return url !== null && installation.isProxy(url.hostname, Number(url.port || (url.protocol === "https:" ? 443 : 80)));
}

/** Handlers had other names before version 7. */
function fail(handler: Dispatcher.DispatchHandler, error: Error): void {
  if (handler.onResponseError !== undefined) handler.onResponseError(undefined as never, error);
  else (handler as { onError?(error: Error): void }).onError?.(error);
}
