/**
 * What MSW's handlers look like. They are known by their shape: nothing of MSW is imported.
 *
 * @module
 */

/** What MSW gives to a handler of requests. */
export interface MswRunOptions {
  /** The request. */
  request: Request;
  /** Unique for the request. */
  requestId: string;
  /** How relative paths are completed. */
  resolutionContext?: { baseUrl?: string; quiet?: boolean };
}

/** A handler of requests of MSW 2.10 or newer: what `http.get()`, `graphql.query()`, `sse()` and their like give. */
export interface MswRequestHandlerLike {
  /** `"request"`; missing in MSW 2.10. */
  readonly kind?: string;
  /** What it was made from. */
  readonly info: { readonly header: string };
  /** Tries the handler; nothing or no `response` when it does not answer. */
  run(options: MswRunOptions): Promise<{ response?: Response } | null | undefined>;
}

/** A handler of WebSockets of MSW 2.10 or newer: what `ws.link(url).addEventListener()` gives. */
export interface MswWebSocketHandlerLike {
  /** `"websocket"`; missing in MSW 2.10. */
  readonly kind?: string;
  /** Tries the handler, and tells its listeners of the connection; nothing when it is not for them. */
  // deno-lint-ignore no-explicit-any -- the two kinds of handlers differ in what they take
  run(connection: any, context?: any): Promise<unknown>;
}

/** A handler of MSW. */
export type MswHandlerLike = MswRequestHandlerLike | MswWebSocketHandlerLike;

/** Whether a value is a handler of MSW of any kind. */
export function isMswHandler(value: unknown): value is MswHandlerLike {
  return typeof value === "object" && value !== null && typeof (value as MswHandlerLike).run === "function";
}

/** Whether it is one of WebSockets. */
export function isWebSocketHandler(handler: MswHandlerLike): handler is MswWebSocketHandlerLike {
  return handler.kind === "websocket" || (handler as { __kind?: string }).__kind === "EventHandler";
}

/**
 * The handlers of WebSockets that come with another one: a handler of GraphQL subscriptions needs one that speaks the protocol below
 * them. Those of requests that come with WebSockets are for the way MSW itself meets handshakes.
 */
export function siblingsOf(handler: MswHandlerLike): MswWebSocketHandlerLike[] {
  const all = new Set<MswHandlerLike>([handler]);
  // The set grows while it is walked through.
  for (const one of all) {
    const key = Object.getOwnPropertySymbols(one).find((symbol) => symbol.description === "kSiblingHandlers");
    const siblings: unknown = key && (one as unknown as Record<symbol, unknown>)[key];
    if (Array.isArray(siblings)) { for (const sibling of siblings.filter(isMswHandler)) all.add(sibling); }
  }
  all.delete(handler);
  return [...all].filter(isWebSocketHandler);
}

/** Makes a handler as new, as MSW's own `restoreHandlers()` and `resetHandlers()` do. */
export function restore(handler: MswHandlerLike): void {
  const stateful = handler as MswHandlerLike & { reset?(): void; isUsed?: boolean };
  stateful.reset?.();
  if (stateful.isUsed !== undefined) stateful.isUsed = false;
}
