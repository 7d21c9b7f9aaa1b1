/**
 * One of the two connections of a conversation.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { BreakStage, Cut, Stage } from "../../flow/shape.ts";
import { breakConnection } from "../shape/break_connection.ts";
import { Shaper } from "../shape/shaper.ts";
import { resetConnection } from "../inbound/reset.ts";
import { Outgoing } from "../outgoing.ts";

/** Who is told what a connection does. */
export interface RelayEndEvents {
  /** Bytes have come. */
  data(bytes: Uint8Array): void;
  /** They can be read. */
  pull(): void;
  /** Whether they should not be read now. */
  waits(): boolean;
  /** Nothing more will come; may be told twice. */
  finished(): void;
  /** It takes bytes again. */
  drained(): void;
  /** The connection is closed. */
  closed(): void;
  /** Nothing more passes this way. */
  fired(stage: BreakStage): void;
  /** It is time to break the connections on purpose. */
  broken(stage: BreakStage): void;
}

/** Reads and writes one connection, with regard for how fast the other one is. */
export class RelayEnd {
  readonly #stream: Duplex;
  readonly #out: Outgoing;
  readonly #on: RelayEndEvents;
  readonly #shaper: Shaper | undefined;
  #paused = false;
  #full = false;
  #closed = false;
  #ending = false;

  /**
   * @param stream nothing happens before {@linkcode RelayEnd.listen}
   * @param stages how what is written travels
   */
  constructor(stream: Duplex, on: RelayEndEvents, stages: readonly Stage[] = []) {
    this.#stream = stream;
    this.#out = new Outgoing(stream);
    this.#on = on;
    if (stages.length === 0) return;
    this.#shaper = new Shaper(stages, {
      drained: (callback) => this.#out.drained(callback),
      fired: (stage) => on.fired(stage),
      broken: (stage) => on.broken(stage),
    });
    this.#shaper.attach({ data: ({ data }) => this.#out.push(data), end: () => this.#out.end() });
  }

  /** Whether it should get nothing more for now. */
  get full(): boolean {
    return this.#full;
  }

  /** Whether the connection is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Reads from now on. */
  readonly listen = (): void => {
    const stream = this.#stream;
    stream.on("error", () => {});
    stream.on("data", (bytes: Uint8Array) => this.#data(bytes));
    stream.on("end", () => this.#on.finished());
    stream.on("close", () => this.#close());
    stream.resume();
    // What has happened already is not told again.
    if (stream.destroyed) this.#close();
    else if (stream.readableEnded) this.#on.finished();
  };

  /** Writes, at the end of this turn. */
  write(bytes: Uint8Array): void {
    const way = this.#shaper ?? this.#out;
    const more = this.#shaper?.data({ data: bytes, chunk: 0, final: false }) ?? this.#out.push(bytes);
    if (more || this.#full || this.#closed) return;
    this.#full = true;
    way.drained(() => {
      this.#full = false;
      this.#on.drained();
    });
  }

  /** Reads on, where it had stopped. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  /** Whether something that was written is held up on purpose. */
  get pending(): boolean {
    return this.#shaper?.pending ?? false;
  }

  /**
   * Ends our side when everything is written, and lets go what still comes.
   *
   * @param ended called when it has been done
   */
  hangUp(ended: () => void): void {
    this.#ending = true;
    // In silence too: whoever hangs up is not kept waiting.
    if (this.#shaper?.silent) this.#shaper.close();
    if (this.#shaper?.pending) {
      this.#shaper.onDone(ended);
      this.#shaper.end("");
    } else {
      this.#out.end();
      ended();
    }
    this.#paused = false;
    this.#stream.resume();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** Closes the connection so that the other side sees that something is missing. */
  reset(): void {
    this.#ending = true;
    this.#shaper?.close();
    resetConnection(this.#stream);
  }

  /** Breaks the connection on purpose. */
  break(cut: Cut, garbage?: Uint8Array): void {
    this.#ending = true;
    this.#shaper?.close();
    this.#out.flush();
    breakConnection(this.#stream, cut, garbage);
  }

  // The socket is not touched for every message that waits for a hook: only when more comes meanwhile.
  #data(bytes: Uint8Array): void {
    if (this.#ending) return;
    const waits = this.#on.waits();
    this.#on.data(bytes);
    if (!waits) return this.#on.pull();
    this.#paused = true;
    this.#stream.pause();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#full = false;
    this.#shaper?.close();
    this.#on.finished();
    this.#on.drained();
    this.#on.closed();
  }
}
