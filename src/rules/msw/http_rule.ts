/**
 * MSW's handlers of requests as rules: `http`, `graphql` and `sse`.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import { BodyIncompleteError } from "../../flow/message.ts";
import type { Work } from "../action.ts";
import { ensureState } from "../flow_state.ts";
import { compareHandler } from "../nearest_rule.ts";
import { platformRequest } from "../platform_request.ts";
import { answerWithPlatformResponse } from "../platform_response.ts";
import type { Rule } from "../rule.ts";
import { type MswRequestHandlerLike, restore } from "./handler.ts";
import { mswKey, mswPrefix } from "./path.ts";

/** The rule that a handler of requests is. */
export function mswHttpRule(handler: MswRequestHandlerLike, place: string): Rule {
  const { endpoint } = handler as { endpoint?: unknown };
  const info: HandlerInfo = handler.info ?? {};
  // A handler of GraphQL has an endpoint, which is a path all the same.
  const path = info.path ?? endpoint;
  const prefix = mswPrefix(path);
  const method = typeof info.method === "string" ? info.method.toUpperCase() : undefined;
  return {
    place,
    description: info.header ?? "an MSW handler",
    key: mswKey(method, path),
    // The index of rules has compared the method.
    attempt(flow) {
      const exchange = exchangeOf(flow);
      if (!exchange.isHttp || exchange.bypasses || !exchange.url.startsWith(prefix)) return undefined;
      if (endpoint !== undefined && !/^(?:GET|POST)$/i.test(flow.request.method)) return undefined;
      if (!flow.request.content.complete) throw new BodyIncompleteError("request");
      return attempt(handler, flow, exchange);
    },
    compare: compareHandler(method, path),
    restore: () => restore(handler),
  };
}

interface HandlerInfo {
  header?: string;
  method?: unknown;
  path?: unknown;
}

async function attempt(handler: MswRequestHandlerLike, flow: HttpFlow, exchange: Exchange): Promise<Work | undefined> {
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
  /** It was sent with MSW's `bypass()`, or by `server.connect()` of `sse()`: no handler shall have it. */
  readonly bypasses: boolean;
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
    this.bypasses = takeBypass(flow.request);
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

const BYPASS = "msw/passthrough";

/** The mark is between MSW and us: the server does not get it. */
function takeBypass({ headers }: HttpFlow["request"]): boolean {
  const accept = headers.get("accept");
  if (accept === null || !accept.includes(BYPASS)) return false;
  const kept = accept.split(",").map((type) => type.trim()).filter((type) => type !== BYPASS).join(", ");
  if (kept === "") headers.delete("accept");
  else headers.set("accept", kept);
  return true;
}
