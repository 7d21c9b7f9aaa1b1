/**
 * What MSW's handlers send, as messages.
 *
 * @module
 */
import type { WebSocketData } from "../../flow/websocket_answer.ts";
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";

/** Sends data in the order in which it was given, although a `Blob` has to be read first. */
export class Outbox {
  readonly #send: (data: WebSocketData) => void;
  #waiting: Promise<void> | undefined;

  /** @param send does not throw */
  constructor(send: (data: WebSocketData) => void) {
    this.#send = send;
  }

  /**
   * Sends a string, bytes in any form, or a `Blob`.
   *
   * @throws {OptionsError} anything else
   */
  push(data: unknown): void {
    if (data instanceof Blob) {
      const bytes = data.arrayBuffer();
      this.#chain(async () => this.#send(new Uint8Array(await bytes)));
      return;
    }
    const message = copyOf(data);
    this.afterwards(() => this.#send(message));
  }

  /** Does something when everything has been sent. */
  afterwards(act: () => void): void {
    if (this.#waiting === undefined) act();
    else this.#chain(act);
  }

  #chain(act: () => void | Promise<void>): void {
    const mine = this.#waiting = (this.#waiting ?? Promise.resolve()).then(act).catch(() => {}).then(() => {
      if (this.#waiting === mine) this.#waiting = undefined;
    });
  }
}

/** Data as it goes out: the sender may write over its bytes afterwards. */
function copyOf(data: unknown): WebSocketData {
  if (typeof data === "string") return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data).slice();
  throw new OptionsError(
    `a WebSocket cannot send ${describeValue(data)}: a string, a Blob, an ArrayBuffer or a view of one is accepted`,
  );
}

/** What a listener gets: bytes are an `ArrayBuffer`, for nobody can say which `binaryType` the client has. */
export function eventData(data: WebSocketData): string | ArrayBuffer {
  return typeof data === "string" ? data : new Uint8Array(data).buffer;
}
