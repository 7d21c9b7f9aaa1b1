/**
 * MSW request handlers as rules. They are known by their shape: nothing of MSW is imported.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { BodyIncompleteError } from "../flow/message.ts";
import type { Work } from "./action.ts";
import { ensureState } from "./flow_state.ts";
import { mswKey, mswPrefix } from "./msw_path.ts";
import { platformRequest } from "./platform_request.ts";
import { answerWithPlatformResponse } from "./platform_response.ts";
import type { Rule } from "./rule.ts";

/** What MSW gives to a handler. */
export interface MswRunOptions {
  /** The request. */
  request: Request;
  /** Unique for the request. */
  requestId: string;
  /** How relative paths are completed. */
  resolutionContext?: { baseUrl?: string; quiet?: boolean };
}

/** A request handler of MSW 2.10 or newer: what `http.get()` and its like, `http.all()` and `graphql.query()` give. */
export interface MswHandlerLike {
  /** `"request"`; missing in MSW 2.10. */
  readonly kind?: string;
  /** What it was made from. */
  readonly info: { readonly header: string };
  /** Tries the handler; nothing or no `response` when it does not answer. */
  run(options: MswRunOptions): Promise<{ response?: Response } | null | undefined>;
}

/** Whether a value is a handler of MSW of any kind. */
export function isMswHandler(value: unknown): value is MswHandlerLike {
  return typeof value === "object" && value !== null && typeof (value as MswHandlerLike).run === "function";
}

/**
 * The rule that a handler is.
 *
 * @throws {OptionsError} for a WebSocket handler
 */
export function mswRule(handler: MswHandlerLike, place: string): Rule {
  const { kind, __kind } = handler as MswHandlerLike & { __kind?: string };
  if (kind === "websocket" || __kind === "EventHandler") {
    throw new OptionsError(`${place} is a WebSocket handler of MSW, which is not supported yet: use http or graphql`);
  }
  const info: HandlerInfo = handler.info ?? {};
  const prefix = mswPrefix(info.path);
  const method = typeof info.method === "string" ? info.method.toUpperCase() : undefined;
  return {
    place,
    description: info.header ?? "an MSW handler",
    key: mswKey(method, info.path),
    // The index of rules has compared the method.
    attempt(flow) {
      const exchange = exchangeOf(flow);
      if (!exchange.isHttp) return undefined;
      if (!exchange.url.startsWith(prefix)) return undefined;
      if (!flow.request.content.complete) throw new BodyIncompleteError("request");
      return attempt(handler, flow, exchange);
    },
    restore: () => restore(handler),
  };
}

interface HandlerInfo {
  header?: string;
  method?: unknown;
  path?: unknown;
}

async function attempt(handler: MswHandlerLike, flow: HttpFlow, exchange: Exchange): Promise<Work | undefined> {
  const result = await handler.run({
    request: exchange.request(),
    requestId: flow.id,
    resolutionContext: { baseUrl: exchange.origin, quiet: true },
  });
  return result?.response && workOf(result.response);
}

/** Without a `Work` of its own an intention to pass through would end in the fallback, not in forwarding. */
function workOf(response: Response): Work {
  const forwards = response.headers.get("x-msw-intention") === "passthrough";
  return {
    needsBody: false,
    run: (flow) => forwards ? undefined : answerWithPlatformResponse(flow, response),
  };
}

/** Makes a handler as new, as MSW's own `restoreHandlers()` and `resetHandlers()` do. */
function restore(handler: MswHandlerLike): void {
  const stateful = handler as MswHandlerLike & { reset?(): void; isUsed?: boolean };
  stateful.reset?.();
  if (stateful.isUsed !== undefined) stateful.isUsed = false;
}

const exchanges = new WeakMap<HttpFlow["request"], Exchange>();

function exchangeOf(flow: HttpFlow): Exchange {
  let exchange = exchanges.get(flow.request);
  if (exchange === undefined || exchange.target !== flow.request.url) {
    exchanges.set(flow.request, exchange = new Exchange(flow));
  }
  return exchange;
}

/** A flow as MSW sees it; all handlers of a flow share it. */
class Exchange {
  /** A request that asks for a WebSocket is none for these handlers. */
  readonly isHttp: boolean;
  readonly target: string;
  readonly origin: string;
  /** Without query, in lower case: paths of MSW ignore case. */
  readonly url: string;

  readonly #flow: HttpFlow;
  #request: Request | undefined;

  constructor(flow: HttpFlow) {
    this.#flow = flow;
    this.target = flow.request.url;
    const { protocol, origin, pathname } = new URL(this.target);
    this.isHttp = protocol === "http:" || protocol === "https:";
    this.origin = origin;
    this.url = (origin + pathname).toLowerCase();
  }

  /** One Request for all handlers, as in MSW, where it is also the key of caches; another when its body has been read. */
  request(): Request {
    if (this.#request === undefined || this.#request.bodyUsed) {
      this.#request = platformRequest(this.#flow.request, ensureState(this.#flow).signal);
    }
    return this.#request;
  }
}
