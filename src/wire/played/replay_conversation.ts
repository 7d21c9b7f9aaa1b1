/**
 * A WebSocket of which everything that was said is known: its hooks are asked about it once more.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import { type Side, type WebSocketControl, WebSocketConversation, WebSocketMessage } from "../../flow/websocket.ts";
import { answer } from "../exchange/answer.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { agree } from "../websocket/agree.ts";
import type { CloseReason } from "../websocket/close.ts";
import { Conversation } from "../websocket/conversation.ts";
import { CUT, farewell } from "../websocket/farewell.ts";
import { MessageLog } from "../websocket/message_log.ts";
import { noteClose, noteWithdrawn } from "../websocket/note_end.ts";

/** The server has agreed to a WebSocket: asks the addons about that, then about each message. */
export function replayConversation(exchange: Exchange, recorded: HttpFlow, response: FlowResponse): void {
  const { flow } = exchange;
  const said = () => new FlowResponse(101, response.reason, "1.1", response.headers.clone(), BodyBuffer.NONE);
  const given = flow.response = said();
  flow.timings.responseStart = performance.now() - flow.origin;
  const refused = () => {
    flow.original = said();
    if (flow.response !== given) flow.source = "addon";
    flow.response ??= FlowResponse.create({ status: 204 });
    answer(exchange, "headed");
  };
  agree(exchange, given, {
    refused,
    converse: () => new ReplayedConversation(exchange, recorded),
    accept: (conversation) => conversation.begin(),
  });
}

/** Goes through the messages that the two sides have sent; those that addons have injected they may inject again. */
class ReplayedConversation implements WebSocketControl {
  readonly #exchange: Exchange;
  readonly #recorded: HttpFlow;
  readonly #messages: Iterator<WebSocketMessage>;
  readonly #websocket: WebSocketConversation;
  readonly #log: MessageLog;
  // Knows what may be injected and when, and which codes may be sent. Nobody gets its bytes.
  readonly #rules: Conversation;
  #running = false;
  #waiting = false;

  constructor(exchange: Exchange, recorded: HttpFlow) {
    const { flow, context: { observer } } = exchange;
    this.#exchange = exchange;
    this.#recorded = recorded;
    this.#messages = (recorded.websocket?.messages ?? []).filter(({ injected }) => !injected).values();
    this.#websocket = flow.websocket = new WebSocketConversation();
    this.#log = new MessageLog(this.#websocket, observer.bodyLimit(flow));
    this.#rules = new Conversation({ now: () => performance.now() - flow.origin });
    this.#websocket.control = this;
    exchange.onOver = () => this.#over();
  }

  /** There will be no conversation. */
  withdraw(): void {
    noteWithdrawn(this.#exchange, this.#websocket);
  }

  /** The handshake is done. */
  begin(): void {
    this.#exchange.switched = true;
    this.#run();
  }

  /** @inheritdoc */
  inject(to: Side, data: Uint8Array | string): WebSocketMessage {
    const message = this.#rules.inject(to, data);
    while (this.#rules.next() !== undefined);
    this.#log.add(message);
    return message;
  }

  /** @inheritdoc */
  close(code: number, reason: string): void {
    this.#rules.close(code, reason);
    this.#end({ code, reason }, "proxy");
  }

  // Message after message, without a deeper stack for each.
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    do {
      this.#waiting = true;
      this.#next();
    } while (!this.#waiting && !this.#exchange.over);
    this.#running = false;
  }

  #next(): void {
    const { done, value: sent } = this.#messages.next();
    if (done) return this.#finish();
    const { from, type, time, size } = sent;
    const message = new WebSocketMessage({ from, type, data: new Uint8Array(sent.data), time, size });
    // Of such a message not all is there to be changed.
    if (sent.truncated) message.seal();
    this.#log.begin(message);
    this.#exchange.hook("websocketMessage", () =>
      this.#exchange.unlessFailed(() => {
        message.seal();
        this.#log.settle(message);
        this.#waiting = false;
        this.#run();
      }), message);
  }

  #finish(): void {
    const { error, websocket } = this.#recorded;
    const { closeCode = 1005, closeReason = "", closedBy = "client" } = websocket ?? {};
    this.#end({ code: closeCode, reason: closeReason }, closedBy, error);
  }

  #end(said: CloseReason, by: Side | "proxy", error?: HttpFlow["error"]): void {
    if (this.#exchange.over) return;
    this.#websocket.omitted += this.#recorded.websocket?.omitted ?? 0;
    noteClose(this.#websocket, said, by);
    if (error !== undefined) return this.#exchange.fail({ ...error });
    this.#exchange.hookAfterwards("websocketEnd");
    this.#exchange.finish();
  }

  #over(): void {
    const { flow: { error }, killed, switched } = this.#exchange;
    if (!switched) return this.withdraw();
    this.#websocket.control = undefined;
    this.#log.abandon();
    if (error !== undefined) noteClose(this.#websocket, killed ? CUT : farewell(error), "proxy");
  }
}
