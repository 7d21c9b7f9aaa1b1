/**
 * The server's end of a raw conversation that has no server: an addon speaks for it.
 *
 * @module
 */
import { Duplex } from "node:stream";
import { bytesToSend } from "../../flow/message_data.ts";
import type { TcpAnswer, TcpClientLine, TcpListener } from "../../flow/tcp_answer.ts";

/** In the place of a server's connection: what is written to it is heard by an addon, what that says can be read from it. */
export class AnsweredServer implements TcpClientLine {
  /** The connection. */
  readonly stream: Duplex;

  readonly #failed: (error: unknown) => void;
  #listener: TcpListener | undefined;
  #over = false;

  /** @param failed is told what the addon throws */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.stream = new Duplex({
      read() {},
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#guard(() => this.#listener?.data?.(chunk));
        done();
      },
      final: (done) => {
        this.#guard(() => this.#listener?.end?.());
        done();
      },
      destroy: (error, done) => {
        this.#over = true;
        this.#guard(() => this.#listener?.close?.());
        done(error);
      },
    });
  }

  /** The conversation begins. */
  begin(answer: TcpAnswer): void {
    this.#guard(() => {
      this.#listener = answer.open(this);
    });
  }

  /** @inheritdoc */
  get closed(): boolean {
    return this.#over || this.stream.destroyed;
  }

  /** @inheritdoc */
  send(bytes: Uint8Array): void {
    const data = bytesToSend(bytes, "a TCP message");
    if (!this.closed && data.length > 0) this.stream.push(data);
  }

  /** @inheritdoc */
  end(): void {
    if (this.closed) return;
    this.#over = true;
    this.stream.push(null);
  }

  /** @inheritdoc */
  cut(): void {
    this.#over = true;
    this.stream.destroy();
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#failed(error);
    }
  }
}
