/**
 * Which messages of a conversation its flow keeps.
 *
 * @module
 */
import type { WebSocketConversation, WebSocketMessage } from "../../flow/websocket.ts";

/** So many messages are kept, however small. */
const MAX_MESSAGES = 100_000;

/** Keeps the first messages of a conversation, up to a number of bytes. Those that are being decided on are there in any case. */
export class MessageLog {
  readonly #websocket: WebSocketConversation;
  readonly #limit: number;
  readonly #pending = new Set<WebSocketMessage>();
  #kept = 0;
  #full: boolean;

  /** @param limit bytes of all messages together */
  constructor(websocket: WebSocketConversation, limit: number) {
    this.#websocket = websocket;
    this.#limit = limit;
    this.#full = limit === 0;
  }

  /** How many more bytes can be kept. */
  get room(): number {
    return this.#full ? 0 : this.#limit - this.#kept;
  }

  /** A message has come that hooks will look at: it is the newest. */
  begin(message: WebSocketMessage): void {
    this.#pending.add(message);
    this.#websocket.messages.push(message);
  }

  /** It has been sent, or dropped. */
  settle(message: WebSocketMessage): void {
    if (!this.#pending.delete(message)) return;
    if (this.#takes(message)) return;
    const { messages } = this.#websocket;
    messages.splice(messages.lastIndexOf(message), 1);
  }

  /** A message has passed that nobody decides on. It was sent before those that wait. */
  add(message: WebSocketMessage): void {
    if (!this.#takes(message)) return;
    const { messages } = this.#websocket;
    let at = messages.length;
    while (at > 0 && this.#pending.has(messages[at - 1]!)) at--;
    messages.splice(at, 0, message);
  }

  /** What still waits will never be sent. */
  abandon(): void {
    for (const message of this.#pending) {
      message.abandon();
      this.settle(message);
    }
  }

  // Once a message was left out all later ones are, so that what is kept has no gaps.
  #takes(message: WebSocketMessage): boolean {
    if (this.#full) {
      this.#websocket.omitted++;
      return false;
    }
    message.truncate(this.room);
    this.#kept += message.data.length;
    this.#full = this.#kept >= this.#limit || this.#websocket.messages.length >= MAX_MESSAGES;
    return true;
  }
}
