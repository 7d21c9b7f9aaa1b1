/**
 * What is kept of a conversation.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { ownBytes } from "../../flow/body_buffer.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import { TcpMessage } from "../../flow/tcp_message.ts";
import type { WireContext } from "../wire_context.ts";

/** What a message costs besides its bytes: a million of a single byte each must not fill the memory either. */
const OVERHEAD = 128;

/** Writes down what is said until the limit of the conversation is reached. */
export class Transcript {
  readonly #flow: TcpFlow;
  readonly #context: WireContext;
  #room: number | undefined;

  /** @param flow gets the messages */
  constructor(flow: TcpFlow, context: WireContext) {
    this.#flow = flow;
    this.#context = context;
  }

  /** Bytes have come: they are a message if they are kept, or if a hook wants to see them. */
  take(from: "client" | "server", bytes: Buffer): { message?: TcpMessage; kept: boolean } {
    const flow = this.#flow;
    const time = performance.now() - flow.origin;
    if (from === "server") flow.timings.responseStart ??= time;
    flow.bytes[from] += bytes.length;
    this.#room ??= this.#context.observer.bodyLimit(flow);
    const kept = !flow.truncated && bytes.length <= this.#room;
    if (kept) this.#room -= bytes.length + OVERHEAD;
    // What is kept has no gaps: nothing after the first message that was not.
    else flow.truncated = true;
    if (!kept && !this.#context.hooks.has("tcpMessage")) return { kept };
    const message = new TcpMessage(from, time, kept ? ownBytes(bytes) : bytes);
    flow.messages.push(message);
    return { message, kept };
  }

  /** Takes back a message that was only there for the hooks. */
  forget(message: TcpMessage): void {
    const at = this.#flow.messages.lastIndexOf(message);
    if (at >= 0) this.#flow.messages.splice(at, 1);
  }
}
