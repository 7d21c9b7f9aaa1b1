/**
 * The client's side of an exchange where there is no connection: the proxy itself asks.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ClientConnection } from "../wire_context.ts";
import type { PlayedRequest } from "./played_request.ts";

/** What is known of a body of which not all is there. */
export interface MissingRest {
  /** How many bytes it had. */
  readonly size: number;
}

/** Sends a request that is there already; what comes back is only for the flow. */
export class PlayedClient implements ClientStream, ClientConnection {
  readonly #request: PlayedRequest;
  readonly #rest: MissingRest | undefined;
  readonly #over: () => void;
  #exchange: Exchange | undefined;
  #sent = false;
  #ended = false;

  /**
   * @param rest when the body of the request is not there as a whole
   * @param over the flow is over, although a hook may still look at it
   */
  constructor(request: PlayedRequest, rest: MissingRest | undefined, over: () => void) {
    this.#request = request;
    this.#rest = rest;
    this.#over = over;
  }

  /** Begins the exchange. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    exchange.begin();
  }

  /** Ends the exchange from the client's side. */
  shutDown(reason: FlowError): void {
    this.#exchange?.fail(reason);
    this.#over();
  }

  /** @inheritdoc */
  readBody(): void {
    const exchange = this.#exchange!;
    const { body: data, head, trailers } = this.#request;
    if (!this.#sent && data.length > 0) {
      this.#sent = true;
      const chunked = head.framing.kind === "chunked";
      if (!exchange.requestData({ type: "data", data, chunk: chunked ? data.length : 0, final: chunked })) return;
    }
    if (this.#ended) return;
    this.#sent = this.#ended = true;
    if (this.#rest !== undefined) {
      exchange.upload.content.truncated = true;
      exchange.upload.content.size = this.#rest.size;
    }
    exchange.requestEnd(trailers);
  }

  /** @inheritdoc */
  inform(): boolean {
    return true;
  }

  /** @inheritdoc */
  respond(): BodySink {
    return TO_NOBODY;
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    queueMicrotask(callback);
  }

  /** @inheritdoc */
  abort(): void {}

  /** @inheritdoc */
  cut(): void {}

  /** @inheritdoc */
  done(): void {}
}

/** The flow keeps the body by itself. */
const TO_NOBODY: BodySink = { data: () => true, end: () => {} };
