/**
 * One direction of a conversation: what one side sends is passed to the other.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { BreakStage, Stage } from "../../flow/shape.ts";
import { Shaper } from "../shape/shaper.ts";
import { Pulse } from "../pulse.ts";

/** Who is told of a direction. */
export interface DirectionEvents {
  /** Bytes have come. Gives those that are sent on, now or later; what follows waits for them. */
  message(bytes: Buffer): Uint8Array | Promise<Uint8Array>;
  /** The sender has ended its side, and everything has been passed on, the end too. */
  done(): void;
  /** Nothing more passes this way. */
  fired(stage: BreakStage): void;
  /** It is time to break the connections on purpose. */
  broken(stage: BreakStage): void;
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
  readonly #shaper: Shaper | undefined;
  readonly #pulse: Pulse;
  readonly #waiting: Buffer[] = [];
  #held = false;
  #full = false;

  /**
   * Nothing is read before {@linkcode Direction.start | start()}.
   *
   * @param stages how the bytes travel
   */
  constructor(from: Duplex, to: Duplex, on: DirectionEvents, stages: readonly Stage[] = []) {
    this.#from = from;
    this.#to = to;
    this.#on = on;
    if (stages.length > 0) {
      this.#shaper = new Shaper(stages, {
        drained: (callback) => void to.once("drain", callback),
        fired: (stage) => on.fired(stage),
        broken: (stage) => on.broken(stage),
      });
    }
    this.#pulse = new Pulse(from);
  }

  /** @param early bytes that were read before and could not be put back */
  start(early?: Buffer): void {
    this.#shaper?.attach({
      data: ({ data }) => !this.#writable || this.#to.write(data),
      end: () => void this.#to.end(),
    });
    if (this.#shaper === undefined) this.#to.on("drain", this.#drained);
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

  /** Nothing is slow any more: the conversation is over. */
  close(): void {
    this.#shaper?.close();
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
      if (this.ended) this.#passEnd();
      else this.#go();
    });
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0 || !this.#writable) return;
    if (this.#shaper?.data({ data: bytes, chunk: 0, final: false }) ?? this.#to.write(bytes)) return;
    this.#full = true;
    this.#shaper?.drained(this.#drained);
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
    if (!this.#held) this.#passEnd();
  }

  #passEnd(): void {
    // In silence too: whoever hangs up is not kept waiting.
    if (this.#shaper === undefined || this.#shaper.silent) this.#to.end();
    else this.#shaper.end("");
  }

  get #writable(): boolean {
    return !this.#to.destroyed && !this.#to.writableEnded;
  }

  readonly #drained = (): void => {
    this.#full = false;
    this.#go();
  };
}
