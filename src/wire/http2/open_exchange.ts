/**
 * What a request in a stream of HTTP/2 becomes: an exchange, a tunnel, a WebSocket, or a refusal.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { bareHost } from "../../flow/authority.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest, type RequestAddress } from "../../flow/request.ts";
import { Exchange } from "../exchange/exchange.ts";
import { sendPage } from "../exchange/failure.ts";
import type { Upgrade } from "../exchange/upgrade.ts";
import { ProtocolError } from "../http1/protocol_error.ts";
import { admits, challenge } from "../inbound/admission.ts";
import { withoutAuth } from "../inbound/proxy_auth.ts";
import { reportFailed, reportMalformed } from "../inbound/report_failed.ts";
import { type Route, type Router, tunnelOf } from "../inbound/route.ts";
import { type ConnectRequest, Tunnel } from "../inbound/tunnel.ts";
import { webSocketScheme } from "../websocket/handshake.ts";
import { WEBSOCKET } from "./extended_connect.ts";
import type { RequestFields } from "./message_fields.ts";

/** Who has asked, and where. */
export interface RequestStream {
  /** Answers, and carries what is opened. */
  readonly client: ConnectRequest & Upgrade;
  /** What is known of the server. */
  readonly route: Route;
  /** Finds the address of the request. */
  readonly router: Router;
  /** The head is all that the client sends. */
  readonly end: boolean;
}

/** An exchange that has not begun. */
export interface OpenedExchange {
  readonly exchange: Exchange;
  begin(): void;
}

/** Makes an exchange of a request; `undefined`: there is none, and the client has been told why. */
export function openExchange(fields: RequestFields, stream: RequestStream): OpenedExchange | undefined {
  const { head, protocol } = fields;
  const { client, route } = stream;
  try {
    const address = addressOf(fields, stream);
    // In a tunnel the client has authenticated when it asked for it.
    if (route.tunnel === undefined && !admits(client.context, client.peer, head, () => address)) {
      challenge(client, head.method);
      return undefined;
    }
    if (protocol !== undefined && protocol !== WEBSOCKET) return unknownProtocol(protocol, address, client);
    return head.method === "CONNECT" ? tunnel(fields, client) : request(fields, address, stream);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return invalid(error, head.method, stream);
  }
}

function addressOf({ head, scheme }: RequestFields, { route, router }: RequestStream): RequestAddress {
  if (scheme === undefined) return { scheme: "https", ...tunnelOf(head), target: "*" };
  // A client of the proxy itself may mean another scheme than the one it speaks.
  if (route.tunnel !== undefined || scheme === route.scheme || !head.host) return router.addressOf(head);
  return router.addressOf({ ...head, target: `${scheme}://${head.host}${head.target === "*" ? "" : head.target}` });
}

function tunnel({ head }: RequestFields, client: ConnectRequest): OpenedExchange {
  const tunnel = new Tunnel(client, head);
  return { exchange: tunnel.exchange, begin: () => tunnel.begin() };
}

function request(
  { head, protocol }: RequestFields,
  sent: RequestAddress,
  { client, end }: RequestStream,
): OpenedExchange {
  const webSocket = protocol === WEBSOCKET;
  const whole = end || webSocket;
  const address = webSocket ? { ...sent, scheme: webSocketScheme(sent.scheme) } : sent;
  const headers = FlowHeaders.fromFields(head.hops.length === 0 ? head.fields : withoutAuth(head.fields));
  const content = whole ? BodyBuffer.NONE : new BodyBuffer();
  const flow = new HttpFlow(new FlowRequest(head.method, address, "2", headers, content), client.peer);
  flow.direct = isForProxy(sent, client.peer);
  const exchange = new Exchange(flow, head, client, client.context.now);
  if (webSocket) exchange.upgrade = client;
  return {
    exchange,
    begin() {
      exchange.begin();
      if (whole) exchange.requestEnd("");
    },
  };
}

// A request for a proxy looks like one for a server (RFC 9113 section 8.3.1): only its authority tells which of them is meant.
function isForProxy({ hostname, port }: RequestAddress, { tunnel, localAddress, localPort }: Peer): boolean {
  if (tunnel !== undefined || port !== localPort) return false;
  return hostname === "localhost" || bareHost(hostname) === localAddress?.replace(/^::ffff:(?=\d+\.)/i, "");
}

// RFC 8441 has no answer of its own for it; RFC 9220 section 3 has this one.
function unknownProtocol(protocol: string, address: RequestAddress, client: ConnectRequest): undefined {
  const asked = JSON.stringify(protocol.slice(0, 60));
  const flow = new HttpFlow(
    new FlowRequest("CONNECT", address, "2", FlowHeaders.fromFields(""), BodyBuffer.NONE),
    client.peer,
  );
  flow.error = {
    code: "HTTP_METHOD",
    message: `the client asks for :protocol ${asked} in an extended CONNECT: only websocket is known`,
    status: 501,
  };
  sendPage(client, flow.error, 501, "CONNECT", null);
  client.done();
  reportFailed(client.context, flow);
}

function invalid(
  { code, message, status }: ProtocolError,
  method: string,
  { client, route }: RequestStream,
): undefined {
  const failure: FlowError = { code, message: `the request is not valid HTTP: ${message}`, status };
  sendPage(client, failure, status, method, null);
  client.done();
  reportMalformed(client.context, client.peer, route, "2", failure);
}
