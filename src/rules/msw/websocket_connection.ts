/**
 * A WebSocket as the handlers of MSW see it: a client, and a server that is connected to when they want it.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type {
  WebSocketAnswer,
  WebSocketClientLine,
  WebSocketData,
  WebSocketListener,
} from "../../flow/websocket_answer.ts";
import { MswClient } from "./websocket_client.ts";
import { MswServer } from "./websocket_server.ts";

/** What MSW gives to a handler of WebSockets. */
export interface MswConnectionData {
  /** The client's end. */
  readonly client: MswClient;
  /** The server's end. */
  readonly server: MswServer;
  /** The subprotocols that the client offers; nothing when it offers none. */
  readonly info: { readonly protocols: string[] | undefined };
}

/** Both ends of one WebSocket. Handlers have it before the client has its 101: what they do until then waits. */
export class MswConnection implements WebSocketAnswer {
  /** For the handlers. */
  readonly data: MswConnectionData;
  /** The subprotocols that the client offers. */
  readonly protocols: readonly string[];

  readonly #nameFailure: (cause: unknown) => Error;
  readonly #failures: Error[] = [];
  #line: WebSocketClientLine | undefined;

  /** @param nameFailure says whose error it is */
  constructor(flow: HttpFlow, nameFailure: (cause: unknown) => Error) {
    this.#nameFailure = nameFailure;
    const { headers, url } = flow.request;
    this.protocols = (headers.get("sec-websocket-protocol") ?? "").split(",").map((it) => it.trim()).filter(Boolean);
    const failed = (error: unknown) => this.#failed(error);
    const client = new MswClient(new URL(url), failed);
    const server = new MswServer(client, failed);
    this.data = { client, server, info: { protocols: this.protocols.length === 0 ? undefined : [...this.protocols] } };
    client.context = this.data;
    server.context = this.data;
  }

  /** @inheritdoc */
  open(line: WebSocketClientLine): WebSocketListener {
    const { client, server } = this.data;
    this.#line = line;
    server.open(line);
    client.open(line, server.used ? "relay" : "server");
    for (const error of this.#failures) line.fail(error);
    return {
      message: (data) => this.#message(data),
      close: (code, reason) => client.over(code, reason),
    };
  }

  #message(data: WebSocketData): void {
    const { client, server } = this.data;
    if (client.hear(data, server.used ? "relay" : "server")) server.relay(data);
  }

  #failed(error: unknown): void {
    const named = this.#nameFailure(error);
    if (this.#line === undefined) this.#failures.push(named);
    else this.#line.fail(named);
  }
}
