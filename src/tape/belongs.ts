/**
 * Which flows belong on a tape.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { isUpstreamFailure } from "../flow/flow_error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import { isEndless } from "./streams/chunk.ts";

/** What becomes of a flow that is over. */
export type Verdict =
  /** It is written. */
  | { readonly kind: "record" }
  /** It has no place on a tape. */
  | { readonly kind: "ignore" }
  /** It would have one, and whoever records should know why it has not. */
  | { readonly kind: "warn"; readonly why: string }
  /** More was said than was kept. */
  | { readonly kind: "cut"; readonly what: string };

const RECORD: Verdict = { kind: "record" };
const IGNORE: Verdict = { kind: "ignore" };

/**
 * What a server has answered, and how it failed, belongs on a tape. What the client broke off, or closing the proxy did, does not, unless
 * it is a stream or a conversation: of these, what came until then is the recording.
 */
export function belongs(flow: Flow): Verdict {
  return flow.type === "http" ? ofHttp(flow) : ofTcp(flow);
}

function ofHttp(flow: HttpFlow): Verdict {
  const { request, error, original, websocket } = flow;
  const response = original ?? flow.response;
  if (flow.source !== "upstream" && original === undefined) return IGNORE;
  if (request.method === "CONNECT" && websocket === undefined) return IGNORE;
  if (error === undefined && response === undefined) return IGNORE;
  if (websocket !== undefined) {
    const cut = websocket.messages.some(({ truncated }) => truncated);
    if (!cut && websocket.omitted === 0) return RECORD;
    return { kind: "cut", what: `the WebSocket has ${websocket.count} messages, of which not all were kept` };
  }
  if (response?.status === 101) return { kind: "warn", why: "what was spoken after the 101 is not known" };
  if (error !== undefined && !isUpstreamFailure(error)) {
    if (response === undefined) return IGNORE;
    if (!isEndless(flow, response)) return { kind: "warn", why: error.code };
  }
  // A body that ended too early is cut off as well, but all that came of it is there.
  const cut = [request, response].find((message) =>
    message && message.content.size > message.content.kept && message.content.overflow === undefined
  );
  if (cut === undefined) return RECORD;
  const { size, kept } = cut.content;
  const which = cut === request ? "request" : "response";
  return { kind: "cut", what: `the ${which} body has ${size} bytes, of which only ${kept} were kept` };
}

function ofTcp({ source, error, bytes, messages, serverName, truncated }: TcpFlow): Verdict {
  if (source !== "upstream") return IGNORE;
  if (serverName !== undefined) {
    return { kind: "warn", why: "TLS that passes through unopened is never the same twice" };
  }
  if (error !== undefined && !isUpstreamFailure(error) && messages.length === 0) return IGNORE;
  if (!truncated) return RECORD;
  return { kind: "cut", what: `${bytes.client + bytes.server} bytes were said, of which not all were kept` };
}
