/**
 * From what was captured or recorded to handlers of MSW.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { Flow } from "../../flow/flow.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import { createRedactor, type Redactor } from "../redact/redactor.ts";
import { RequestKeys } from "../match/request_key.ts";
import { entryOfFlow } from "./entry_of_flow.ts";
import { ReplayHandler } from "./replay_handler.ts";
import { type MswWs, replayWebSocket, urlOf } from "./replay_websocket.ts";

export type { MswWs } from "./replay_websocket.ts";

/** What {@linkcode toMswHandlers} takes. */
export interface MswHandlersOptions extends Pick<TapeOptions, "match" | "afterLast" | "redact"> {
  /** `ws` of MSW: needed where there are WebSockets. */
  ws?: MswWs;
}

/**
 * Handlers for MSW's `setupServer()` (or `setupWorker()`) from flows or from a tape, for tests that have no proxy. A request is matched
 * as a tape matches it: method, URL with its query, and body; what is redacted matches anything. Identical requests get their answers
 * in order, later ones the last. A WebSocket whose client says something else than what was recorded is closed with 1011. There is one handler for each method
 * and URL, and one for each URL of WebSockets; none knows what the others have heard, so values that are new in every run are not bound, as
 * they are where a proxy replays: `match` can ignore them.
 *
 * The handlers are typed so that every version of MSW takes them.
 *
 * @param options `match`, `afterLast` and `redact` as for a tape; `ws` of MSW, where there are WebSockets
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 * import { toMswHandlers } from "flowtape/tape";
 * import { setupServer } from "msw/node";
 *
 * await using proxy = await startProxy({ rules: [["https://api.test/user", respond({ json: { id: 7 } })]] });
 * await (await proxy.fetch("https://api.test/user")).json();
 *
 * const server = setupServer(...toMswHandlers(proxy.flows));
 * console.log(server.listHandlers().length); // 1
 * ```
 *
 * @throws {OptionsError} a WebSocket without `ws`, a raw conversation, or a flow whose body was not kept whole
 */
export function toMswHandlers(from: Iterable<Flow | TapeEntry>, options: MswHandlersOptions = {}): never[] {
  const redactor = createRedactor(options.redact);
  const entries: TapeEntry[] = [];
  const sockets: (HttpFlow | TapeEntry)[] = [];
  for (const one of from) {
    if (one instanceof TapeEntry) {
      if (one.kind === "tcp") throw rawConversation(`entry ${one.index} of the tape, ${one.url},`, IN_TAPE);
      else if (one.kind === "websocket") sockets.push(one);
      else if (one.status !== 101) entries.push(one);
    } else if (one.type === "tcp") {
      throw rawConversation(`the flow TCP ${one.hostname}:${one.port}`, IN_FLOWS);
    } else if (one.websocket !== undefined) {
      sockets.push(one);
    } else if (one.done && one.request.method !== "CONNECT") {
      entries.push(entryOfFlow(one, entries.length));
    }
  }
  const handlers = [
    // Whoever normalises requests may make one of several URLs.
    ...groups(entries, (entry) => options.match?.normalize ? "" : keyOf(entry, options, redactor)).map((it) =>
      new ReplayHandler(it, options, redactor)
    ),
    ...groups(sockets, (one) => urlOf(one).split("?")[0]!).map((some) =>
      replayWebSocket(some, {
        ws: options.ws ?? missing(redactor.url(urlOf(some[0]!))),
        match: options.match,
        redactor,
      })
    ),
  ];
  return handlers as never[];
}

function keyOf(entry: TapeEntry, { match = {} }: MswHandlersOptions, redactor: Redactor): string {
  return new RequestKeys(match, redactor).keyOf(entry.method, entry.url, () => entry.requestHeaders);
}

function groups<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  return [...Map.groupBy(all, keyOf).values()];
}

function missing(url: string): never {
  throw new OptionsError(
    `${url} is a WebSocket: give MSW's \`ws\` as an option, toMswHandlers(..., { ws }), or leave it out with filter()`,
  );
}

const IN_TAPE = 'toMswHandlers([...tape].filter((entry) => entry.kind !== "tcp"))';
const IN_FLOWS = "toMswHandlers(proxy.flows.filter(not(tcp())))";

function rawConversation(what: string, otherwise: string): OptionsError {
  return new OptionsError(`${what} is a raw conversation, for which MSW has no handlers. Leave it out: ${otherwise}`);
}
