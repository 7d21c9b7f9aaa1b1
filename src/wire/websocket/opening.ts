/**
 * The server has answered a request for a WebSocket with 101.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { OptionsError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Detached } from "../exchange/upgrade.ts";
import type { ResponseHead } from "../http1/head.ts";
import { checkStatusLine } from "../http1/serializer.ts";
import { agree } from "./agree.ts";
import type { DeflateParameters } from "./extensions.ts";
import { checkSwitch, handshakeResponse } from "./handshake.ts";
import { WebSocketRelay } from "./relay.ts";
import { HandshakeError } from "./websocket_error.ts";

/** What becomes of the server's connection. It tells nothing more meanwhile. */
export interface ServerSide {
  /** An addon refuses the handshake: the client gets `flow.response`, which is no longer this one, or no longer a 101. */
  refused(given: FlowResponse): void;
  /** The conversation begins. */
  detach(): Detached;
}

/** Checks the answer of the server, asks the addons, and opens the WebSocket or refuses it. */
export function openWebSocket(exchange: Exchange, head: ResponseHead, server: ServerSide): void {
  const { flow } = exchange;
  const said = () =>
    new FlowResponse(101, head.reason, head.version, FlowHeaders.fromFields(head.fields), BodyBuffer.NONE);
  const given = said();
  flow.timings.responseStart = performance.now() - flow.origin;
  flow.response = given;
  const deflate = negotiated(exchange, given);
  if (deflate === "refused") return;
  const refused = () => {
    // What the server has said does not belong on a tape under another status.
    flow.original = said();
    server.refused(given);
  };
  agree(exchange, given, {
    refused,
    converse: () => new WebSocketRelay(exchange, deflate),
    accept: (relay) => accept(exchange, head, server, relay),
  });
}

function negotiated(exchange: Exchange, given: FlowResponse): DeflateParameters | undefined | "refused" {
  try {
    return checkSwitch(FlowHeaders.fromFields(exchange.handshake!), given.headers);
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    exchange.fail({ code: error.code, message: error.message, status: 502 });
    return "refused";
  }
}

function accept(exchange: Exchange, head: ResponseHead, server: ServerSide, relay: WebSocketRelay): void {
  const response = exchange.flow.response!;
  const name = "sec-websocket-extensions";
  if (response.headers.edited && response.headers.get(name) !== FlowHeaders.fromFields(head.fields).get(name)) {
    throw new OptionsError(
      "Sec-WebSocket-Extensions of a 101 cannot be changed, for the server will do as it has said: change what the client offers, " +
        "in the hook requestHeaders",
    );
  }
  // Only the reason can be another one, and that line is for final responses.
  checkStatusLine(200, response.reason);
  const fields = handshakeResponse(response, head);
  const toServer = server.detach();
  exchange.switched = true;
  relay.open({ server: toServer, client: exchange.upgrade!.accept(response.reason, fields) });
}
