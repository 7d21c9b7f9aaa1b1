/**
 * One direction of a conversation: what one side sends is passed to the other.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Pulse } from "../pulse.ts";

/** Who is told of a direction. */
export interface DirectionEvents {
  /** Bytes have come. Gives those that are sent on, now or later; what follows waits for them. */
  message(bytes: Buffer): Uint8Array | Promise<Uint8Array>;
  /** The sender has ended its side, and everything has been passed on, the end too. */
  done(): void;
}

/** Passes bytes on, no faster than they are taken, and then the end. Of sockets that are closed its owner has to take care. */
export class Direction {
  /** The sender has ended its side. */
  ended = false;
  /** The end has been passed on, behind everything else. */
  done = false;

  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #on: DirectionEvents;
  readonly #pulse: Pulse;
  readonly #waiting: Buffer[] = [];
  #held = false;
  #full = false;

  /** Nothing is read before {@linkcode Direction.start | start()}. */
  constructor(from: Duplex, to: Duplex, on: DirectionEvents) {
    this.#from = from;
    this.#to = to;
    this.#on = on;
    this.#pulse = new Pulse(from);
  }

  /** @param early bytes that were read before and could not be put back */
  start(early?: Buffer): void {
    this.#to.on("drain", () => {
      this.#full = false;
      this.#go();
    });
    this.#to.once("finish", () => {
      this.done = true;
      this.#on.done();
    });
    this.#from.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#from.on("end", () => this.#end());
    if (early !== undefined && early.length > 0) this.#take(early);
    if (this.#from.readableEnded) this.#end();
    else this.#go();
  }

  #take(bytes: Buffer): void {
    if (this.#held) this.#waiting.push(bytes);
    else this.#pass(bytes);
  }

  #pass(bytes: Buffer): void {
    const sent = this.#on.message(bytes);
    if (sent instanceof Uint8Array) {
      this.#write(sent);
      return;
    }
    this.#held = true;
    this.#wait();
    sent.then((later) => {
      this.#held = false;
      this.#write(later);
      while (!this.#held && this.#waiting.length > 0) this.#pass(this.#waiting.shift()!);
      if (this.#held) return;
      if (this.ended) this.#to.end();
      else this.#go();
    });
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#to.destroyed || this.#to.writableEnded) return;
    if (this.#to.write(bytes)) return;
    this.#full = true;
    this.#wait();
  }

  #wait(): void {
    this.#from.pause();
    this.#pulse.start();
  }

  #go(): void {
    if (this.#held || this.#full) return;
    this.#pulse.stop();
    this.#from.resume();
  }

  #end(): void {
    if (this.ended) return;
    this.ended = true;
    if (!this.#held) this.#to.end();
  }
}
