/**
 * CONNECT: a tunnel in which the proxy listens.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { bareHost } from "../../flow/authority.ts";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import { sendPage } from "../exchange/failure.ts";
import { responseOut } from "../exchange/response_out.ts";
import type { RequestHead } from "../http1/head.ts";
import type { WireContext } from "../wire_context.ts";
import { openLayer } from "./layer.ts";
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
  readonly #connection: ConnectRequest;
  readonly #flow: HttpFlow;

  /** @throws {ProtocolError} the target is not `host:port` */
  constructor(connection: ConnectRequest, head: RequestHead) {
    const { hostname, port } = tunnelOf(head);
    this.#connection = connection;
    const content = BodyBuffer.of(new Uint8Array(0));
    this.#flow = new HttpFlow(
      new FlowRequest("CONNECT", { scheme: "https", hostname, port, target: "*" }, head.version, FlowHeaders.fromFields(head.fields), content),
      connection.peer,
    );
  }

  /** Asks the addons, then opens or refuses. */
  begin(): void {
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#connection.context.hooks.run("httpConnect", this.#flow);
    } catch (error) {
      this.#hookFailed(error);
      return;
    }
    if (waiting === undefined) this.#decide();
    else waiting.then(() => this.#decide(), (error) => this.#hookFailed(error));
  }

  #decide(): void {
    const { response, error } = this.#flow;
    if (this.#connection.socket.destroyed) this.#report({ code: "CLIENT_ABORTED", message: this.#message("the client hung up") });
    else if (error !== undefined) this.#refuse(error, error.status ?? 502);
    else if (response === undefined || response.status < 300) this.#open();
    else {
      const out = responseOut(response, undefined, "GET");
      const sink = this.#connection.respond(out);
      const data = response.encodedBody;
      if (data.length > 0) sink.data({ data, chunk: data.length, final: true });
      sink.end("");
      this.#connection.done();
    }
  }

  #open(): void {
    const { socket, peer, context } = this.#connection;
    const { hostname, port } = this.#flow.request;
    const early = this.#connection.establish();
    if (early.length > 0) socket.unshift(early);
    const inner: Peer = { ...peer, tunnel: `${hostname}:${port}` };
    openLayer(socket, inner, { scheme: "http", tunnel: { hostname, port } }, context).catch((error: unknown) => {
      socket.destroy();
      this.#report(failureOf(error), bareHost(hostname));
    });
  }

  #hookFailed(error: unknown): void {
    this.#refuse({ code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) }, 502);
  }

  #refuse(error: FlowError, status: number): void {
    this.#report({ ...error, status });
    if (this.#connection.socket.destroyed) return;
    sendPage(this.#connection, error, status, "GET", this.#flow.request.headers.get("accept"));
    this.#connection.done();
  }

  #report(error: FlowError, host?: string): void {
    this.#flow.error = error;
    if (host !== undefined) this.#connection.context.log("warn", this.#message(error.message));
    reportFailed(this.#connection.context, this.#flow);
  }

  #message(what: string): string {
    return `CONNECT ${this.#flow.request.hostname}:${this.#flow.request.port}: ${what}`;
  }
}

function failureOf(error: unknown): FlowError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof FlowtapeError ? error.code : "TUNNEL_FAILED", message };
}
