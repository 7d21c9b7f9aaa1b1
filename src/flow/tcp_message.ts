/**
 * A piece of a conversation of raw bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FlowtapeError } from "./error.ts";
import { bytesToSend } from "./message_data.ts";

/** What came at once from one side. TCP knows no messages: what was written at once may come in pieces, or with what follows. */
export class TcpMessage {
  /** Who sent it. */
  readonly from: "client" | "server";
  /** Milliseconds after the start of the flow. */
  readonly time: number;
  /** How many bytes its sender sent. */
  readonly size: number;

  #data: Uint8Array;
  #original: Uint8Array | undefined;
  #edited = false;
  #sealed = false;

  /** For the wire. */
  constructor(from: "client" | "server", time: number, data: Uint8Array) {
    this.from = from;
    this.time = time;
    this.size = data.length;
    this.#data = data;
  }

  /** The bytes. Assign to change them, in `tcpMessage`; a string is sent as UTF-8, nothing at all drops the message. */
  get data(): Uint8Array {
    return this.#data;
  }

  /**
   * @throws {OptionsError} neither bytes nor a string
   * @throws {FlowtapeError} `MESSAGE_SENT`: it is too late
   */
  set data(value: Uint8Array | string) {
    if (this.#sealed) {
      throw new FlowtapeError(
        "MESSAGE_SENT",
        "the TCP message has passed and cannot be changed any more: do it in the hook tcpMessage",
      );
    }
    const bytes = bytesToSend(value, "a TCP message");
    this.#original ??= this.#data;
    this.#data = bytes;
    this.#edited = true;
  }

  /** What its sender has sent, whatever an addon has made of it. */
  get original(): Uint8Array {
    return this.#original ?? this.#data;
  }

  /** The data as text; what is not UTF-8 becomes U+FFFD. */
  get text(): string {
    const { buffer, byteOffset, byteLength } = this.#data;
    return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  }

  /** Whether an addon has changed the data. */
  get edited(): boolean {
    return this.#edited;
  }

  /** Whether it is kept from the other side. */
  get dropped(): boolean {
    return this.#edited && this.#data.length === 0;
  }

  /**
   * Keeps it from the other side.
   *
   * @throws {FlowtapeError} `MESSAGE_SENT`: it is too late
   */
  drop(): void {
    this.data = new Uint8Array(0);
  }

  /** For the wire: it has been sent or let go, nothing can change it any more. */
  seal(): void {
    this.#sealed = true;
  }
}
