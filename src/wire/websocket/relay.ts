/**
 * A conversation between two connections, and the hooks of its flow.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import {
  type Side,
  type WebSocketControl,
  WebSocketConversation,
  type WebSocketMessage,
} from "../../flow/websocket.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Detached } from "../exchange/upgrade.ts";
import { Watch } from "../watch.ts";
import type { ClientConnection } from "../wire_context.ts";
import { ABNORMAL } from "./close.ts";
import { Conversation, type ConversationEvent, type ConversationMessage } from "./conversation.ts";
import type { DeflateParameters } from "./extensions.ts";
import { abortedBy, CUT, farewell } from "./farewell.ts";
import { MessageLog } from "./message_log.ts";
import { noteClose, noteWithdrawn } from "./note_end.ts";
import { RelayEnd } from "./relay_end.ts";

/** Up to so many bytes a message waits for its hooks. */
const HOLD_BYTES = 16 * 1024 * 1024;
/** How long a side may take to close its connection when all is said, in milliseconds. */
const LINGER_MS = 1000;
/** The same when the proxy is being closed. */
const CLOSING_MS = 250;

/** Makes a conversation of a flow whose handshake is done, and ends the flow with it. */
export class WebSocketRelay implements WebSocketControl, ClientConnection {
  readonly #exchange: Exchange;
  readonly #websocket: WebSocketConversation;
  readonly #conversation: Conversation;
  readonly #log: MessageLog;
  readonly #watch = new Watch(() => this.#expired());
  readonly #closed = Promise.withResolvers<void>();
  #ends: Readonly<Record<Side, RelayEnd>> | undefined;
  #failure: FlowError | undefined;
  #pulling = false;
  #ending = false;

  /** @param deflate what was negotiated of compression */
  constructor(exchange: Exchange, deflate: DeflateParameters | undefined) {
    const { flow, context: { hooks, observer } } = exchange;
    this.#exchange = exchange;
    this.#websocket = flow.websocket = new WebSocketConversation();
    const log = this.#log = new MessageLog(this.#websocket, observer.bodyLimit(flow));
    const decided = () => hooks.has("websocketMessage");
    this.#conversation = new Conversation({
      deflate,
      // Where nobody wants to change them, messages pass while they arrive.
      get holdBytes() {
        return decided() ? HOLD_BYTES : 0;
      },
      get keepBytes() {
        return decided() ? HOLD_BYTES : log.room;
      },
      now: () => performance.now() - flow.origin,
    });
    this.#websocket.control = this;
    exchange.onOver = () => this.#over();
  }

  /** There will be no conversation. */
  withdraw(): void {
    noteWithdrawn(this.#exchange, this.#websocket);
  }

  /** The handshake is done: the conversation begins. */
  open(streams: Readonly<Record<Side, Detached>>): void {
    this.#exchange.context.clients.add(this);
    const { shape } = this.#exchange.flow;
    const end = (from: Side) =>
      new RelayEnd(streams[from].stream, {
        data: (bytes) => this.#conversation.push(from, bytes),
        pull: () => this.#pull(),
        waits: () => this.#waits(from),
        finished: () => this.#finished(from),
        drained: () => this.#pull(),
        closed: () => this.#endClosed(),
        fired: ({ description }) => void this.#exchange.flow.faults.push(description),
        broken: (stage) => this.#exchange.over ? this.#cut() : this.#exchange.break(stage),
      }, shape?.[from === "client" ? "response" : "request"]);
    this.#ends = { client: end("client"), server: end("server") };
    this.#conversation.push("client", streams.client.early);
    this.#conversation.push("server", streams.server.early);
    for (const { listen } of Object.values(this.#ends)) listen();
    this.#pull();
  }

  /** @inheritdoc */
  inject(to: Side, data: Uint8Array | string): WebSocketMessage {
    const message = this.#conversation.inject(to, data);
    // Now, because in a hook the event comes only after it.
    this.#log.add(message);
    this.#pull();
    return message;
  }

  /** @inheritdoc */
  close(code: number, reason: string): void {
    this.#conversation.close(code, reason);
    this.#log.abandon();
    this.#pull();
  }

  /** @inheritdoc */
  shutDown(reason: FlowError): Promise<void> {
    this.#exchange.fail(reason);
    this.#watch.set(CLOSING_MS);
    return this.#closed.promise;
  }

  #pull(): void {
    if (this.#pulling || this.#ends === undefined) return;
    this.#pulling = true;
    try {
      while (!this.#ending) {
        const event = this.#conversation.next();
        if (event === undefined) break;
        this.#handle(event);
      }
    } catch (error) {
      this.#exchange.fail({ code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) });
      this.#cut();
    } finally {
      this.#pulling = false;
    }
    this.#goOn();
  }

  #handle(event: ConversationEvent): void {
    switch (event.type) {
      case "bytes":
        this.#ends![event.to].write(event.bytes);
        break;
      case "message":
        this.#message(event);
        break;
      case "close":
        noteClose(this.#websocket, event, event.from);
        this.#watch.set(this.#exchange.context.config.timeouts.idle);
        break;
      case "error":
        this.#failure = {
          code: event.error.code,
          message: `the ${event.from} broke the WebSocket protocol: ${event.error.message}`,
        };
        break;
      case "end":
        noteClose(this.#websocket, event, event.by);
        this.#end(event.by, event.code);
        break;
    }
  }

  #message({ message, held }: ConversationMessage): void {
    if (message.injected) return;
    if (!held && !this.#exchange.context.hooks.has("websocketMessage")) {
      this.#log.add(message);
      return;
    }
    this.#log.begin(message);
    const decided = () => {
      this.#conversation.release(message);
      this.#log.settle(message);
      this.#pull();
    };
    this.#exchange.hook("websocketMessage", () => this.#exchange.unlessFailed(decided), message);
  }

  // Nothing more will be said.
  #end(by: Side | "proxy", code: number): void {
    this.#hangUp();
    if (this.#exchange.over) return;
    if (this.#failure !== undefined) {
      this.#exchange.fail(this.#failure);
    } else if (code === ABNORMAL) {
      this.#exchange.fail(abortedBy(by));
    } else {
      this.#exchange.hookAfterwards("websocketEnd");
      this.#exchange.finish();
    }
  }

  // The flow is over, because of the end of the conversation or for a reason of its own.
  #over(): void {
    const { flow: { error }, killed } = this.#exchange;
    if (this.#ends === undefined) return this.withdraw();
    this.#websocket.control = undefined;
    this.#log.abandon();
    if (error === undefined || this.#conversation.over) return;
    const said = killed ? CUT : farewell(error);
    noteClose(this.#websocket, said, "proxy");
    if (said.code === ABNORMAL) return this.#cut();
    this.#conversation.close(said.code, said.reason);
    this.#pull();
  }

  #hangUp(): void {
    this.#ending = true;
    const ends = Object.values(this.#ends!);
    const linger = () => {
      if (ends.every((end) => !end.pending)) {
        this.#watch.set(this.#exchange.context.closing.aborted ? CLOSING_MS : LINGER_MS);
      }
    };
    for (const end of ends) end.hangUp(linger);
    if (this.#exchange.context.closing.aborted) this.#watch.set(CLOSING_MS);
  }

  #cut(): void {
    this.#ending = true;
    const { cut } = this.#exchange.flow;
    const { client, server } = this.#ends!;
    for (const end of [client, server]) cut === undefined ? end.reset() : end.break(cut);
  }

  #finished(from: Side): void {
    this.#conversation.finish(from);
    this.#pull();
    // It has closed, and cannot hear the answer any more.
    if (!this.#ending && this.#ends![from].closed) this.#watch.set(LINGER_MS);
  }

  #expired(): void {
    if (this.#ending) {
      for (const end of Object.values(this.#ends!)) end.destroy();
    } else {
      this.#conversation.finish("client");
      this.#conversation.finish("server");
      this.#pull();
    }
  }

  #endClosed(): void {
    const { client, server } = this.#ends!;
    if (!client.closed || !server.closed) return;
    this.#watch.close();
    this.#exchange.context.clients.delete(this);
    this.#closed.resolve();
  }

  /** Whether one side may not be read now: the other does not take what it gets, or a message is being decided on. */
  #waits(from: Side): boolean {
    return this.#ends![from === "client" ? "server" : "client"].full || this.#conversation.holds(from);
  }

  #goOn(): void {
    for (const side of ["client", "server"] as const) {
      if (!this.#waits(side)) this.#ends![side].resume();
    }
  }
}
