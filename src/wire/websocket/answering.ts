/**
 * An addon has answered a request for a WebSocket with a 101 of its own.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../../flow/error.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { checkStatusLine, stripFields } from "../http1/serializer.ts";
import { AnsweredServer } from "./answered_server.ts";
import { acceptFor, handshakeRequest, UPGRADE_FIELDS } from "./handshake.ts";
import { agree } from "./agree.ts";
import { WebSocketRelay } from "./relay.ts";

/**
 * Checks the request as a server must, asks the addons, and opens the WebSocket.
 *
 * @param otherwise sends `flow.response`, which is an answer like any other now: the request was bad, or an addon refused; `headed` when
 * the hook `responseHeaders` has run for it
 */
export function answerWebSocket(exchange: Exchange, otherwise: (stage: "new" | "headed") => void): void {
  const { flow, upgrade, head } = exchange;
  const given = flow.response!;
  const handshake = upgrade && handshakeRequest(flow.request, head);
  if (upgrade === undefined || handshake === undefined) {
    throw new OptionsError("flow.response switches to a WebSocket, which the client has not asked for");
  }
  const refusal = refuse(exchange);
  if (refusal !== undefined) {
    flow.response = refusal;
    return otherwise("new");
  }
  flow.timings.responseStart = performance.now() - flow.origin;
  const key = flow.request.headers.get("sec-websocket-key");
  agree(exchange, given, {
    refused: () => otherwise("headed"),
    converse: () => new WebSocketRelay(exchange, undefined),
    accept: (relay) => {
      checkStatusLine(200, given.reason);
      const accept = key === null ? "" : `Sec-WebSocket-Accept: ${acceptFor(key)}\r\n`;
      const fields = UPGRADE_FIELDS + accept + stripFields(given.headers.fields, OURS);
      // Compression would have to be negotiated with whoever is connected to.
      const server = new AnsweredServer(exchange, stripFields(handshake, EXTENSIONS));
      exchange.switched = true;
      relay.open({
        server: { stream: server.stream, early: Buffer.alloc(0) },
        client: upgrade.accept(given.reason, fields),
      });
      server.begin(given.websocket!);
    },
  });
}

const EXTENSIONS: ReadonlySet<string> = new Set(["sec-websocket-extensions"]);
const OURS: ReadonlySet<string> = new Set([
  ...EXTENSIONS,
  "connection",
  "upgrade",
  "sec-websocket-accept",
  "content-length",
  "transfer-encoding",
]);

/** What a server says to a version that it does not know, and to a bad key (RFC 6455 4.2.2); an extended CONNECT has no key. */
function refuse({ flow: { request }, head }: Exchange): FlowResponse | undefined {
  if (request.headers.get("sec-websocket-version") !== "13") {
    return FlowResponse.create({ status: 426, headers: { upgrade: "websocket", "sec-websocket-version": "13" } });
  }
  const key = request.headers.get("sec-websocket-key");
  if (key === null && head.version === "2" || /^[+/0-9A-Za-z]{22}==$/.test(key ?? "")) return undefined;
  return FlowResponse.create({ status: 400, body: "Sec-WebSocket-Key is not 16 bytes in base64 (RFC 6455 4.1)\n" });
}
