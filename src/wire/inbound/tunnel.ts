/**
 * CONNECT: a tunnel in which the proxy listens.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { RequestHead } from "../http1/head.ts";
import type { WireContext } from "../wire_context.ts";
import { withoutAuth } from "./proxy_auth.ts";
import { tunnelOf } from "./route.ts";
import { serveTunnel } from "./serve_tunnel.ts";

/** A client that has asked for a tunnel, whatever protocol it speaks. */
export interface ConnectRequest extends ClientStream {
  readonly peer: Peer;
  readonly context: WireContext;
  /** Tells the client that the tunnel is open, and gives what carries it. What has come of it already can be read from there. */
  establish(): Duplex;
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
        { scheme: "https", hostname, port, target: "/" },
        head.version,
        FlowHeaders.fromFields(withoutAuth(head.fields)),
        content,
      ),
      connection.peer,
    );
    this.exchange = new Exchange(this.#flow, head, connection, connection.context.now);
  }

  /** Asks the addons, then opens or refuses. */
  begin(): void {
    this.exchange.beginTunnel(() => this.#open());
  }

  #open(): void {
    serveTunnel(this.#connection.establish(), this.#flow, this.#connection.context);
  }
}
