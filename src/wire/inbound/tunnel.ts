/**
 * CONNECT: a tunnel in which the proxy listens.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { RequestHead } from "../http1/head.ts";
import type { WireContext } from "../wire_context.ts";
import { openLayer } from "./layer.ts";
import { withoutAuth } from "./proxy_auth.ts";
import { reportFailed } from "./report_failed.ts";
import { tunnelOf } from "./route.ts";

/** A connection on which a client has asked for a tunnel. */
export interface ConnectRequest extends ClientStream {
  readonly socket: Duplex;
  readonly peer: Peer;
  readonly context: WireContext;
  /** Tells the client that the tunnel is open, and lets go of the socket; gives the bytes that were read too far. */
  establish(): Uint8Array;
}

/** One CONNECT request. */
export class Tunnel {
  /** What the addons are asked about. It is over when the tunnel is open. */
  readonly exchange: Exchange;
  readonly #connection: ConnectRequest;
  readonly #flow: HttpFlow;

  /** @throws {ProtocolError} the target is not `host:port` */
  constructor(connection: ConnectRequest, head: RequestHead) {
    const { hostname, port } = tunnelOf(head);
    this.#connection = connection;
    const content = BodyBuffer.of(new Uint8Array(0));
    this.#flow = new HttpFlow(
      new FlowRequest(
        "CONNECT",
        { scheme: "https", hostname, port, target: "*" },
        head.version,
        FlowHeaders.fromFields(withoutAuth(head.fields)),
        content,
      ),
      connection.peer,
    );
    this.exchange = new Exchange(this.#flow, head, connection, connection.context);
  }

  /** Asks the addons, then opens or refuses. */
  begin(): void {
    this.exchange.beginTunnel(() => this.#open());
  }

  #open(): void {
    const { socket, peer, context } = this.#connection;
    const { hostname, port } = this.#flow.request;
    const early = this.#connection.establish();
    if (early.length > 0) socket.unshift(early);
    const inner: Peer = { ...peer, tunnel: `${hostname}:${port}` };
    openLayer(socket, inner, { scheme: "http", tunnel: { hostname, port } }, context).catch((error: unknown) => {
      socket.destroy();
      // What the proxy has cut itself is no failure of the client's.
      if (!context.closing.aborted) this.#failed(error);
    });
  }

  // The client speaks something else than it should, or does not trust the proxy.
  #failed(error: unknown): void {
    const { context } = this.#connection;
    const { hostname, port } = this.#flow.request;
    const failure = failureOf(error);
    this.#flow.error = failure;
    context.log("warn", `CONNECT ${hostname}:${port}: ${failure.message}`);
    reportFailed(context, this.#flow);
  }
}

function failureOf(error: unknown): FlowError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof FlowtapeError ? error.code : "TUNNEL_FAILED", message };
}
