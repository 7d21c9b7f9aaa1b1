/**
 * The streams of a connection, by their numbers (RFC 9113 section 5.1).
 *
 * @module
 */
import { MAX_WINDOW } from "./frame.ts";
import { onNoStream } from "./frame_checks.ts";
import { Http2Error } from "./http2_error.ts";
import type { Http2Stream } from "./stream.ts";

/** Which streams there are, have been, and can be. */
export class StreamTable {
  /** The highest number of a stream that the peer has opened. */
  lastRemote = 0;

  readonly #role: "client" | "server";
  readonly #open = new Map<number, Http2Stream>();
  readonly #reserved = new Set<Http2Stream>();
  #nextLocal = 1;

  /** @param role of this end; only clients open streams */
  constructor(role: "client" | "server") {
    this.#role = role;
  }

  /** How many there are, those without a number included. */
  get size(): number {
    return this.#open.size + this.#reserved.size;
  }

  /** Whether all numbers have been given away. */
  get exhausted(): boolean {
    return this.#nextLocal >= MAX_WINDOW;
  }

  /** Adds a stream of ours, on which nothing has been sent yet. */
  reserve(stream: Http2Stream): void {
    this.#reserved.add(stream);
  }

  /** Gives a stream of ours its number, in the order in which they begin (RFC 9113 section 5.1.1). */
  begin(stream: Http2Stream): void {
    stream.id = this.#nextLocal;
    this.#nextLocal += 2;
    this.#reserved.delete(stream);
    this.#open.set(stream.id, stream);
  }

  /** Adds a stream of the peer's. */
  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
  }

  /** Takes a stream out; `false`: it was not there. */
  delete(stream: Http2Stream): boolean {
    return this.#reserved.delete(stream) || this.#open.delete(stream.id);
  }

  /** The open stream of a number. */
  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  /**
   * The stream that a frame is for; `undefined` when it is over.
   *
   * @throws {Http2Error} it was never opened
   */
  known(id: number): Http2Stream | undefined {
    if (id === 0) throw onNoStream();
    const stream = this.#open.get(id);
    if (stream === undefined && (id % 2 === 0 || !this.#used(id))) {
      throw new Http2Error("PROTOCOL_ERROR", `stream ${id} was never opened (RFC 9113 5.1)`);
    }
    return stream;
  }

  /**
   * Whether HEADERS for a stream that is not open begin it. If not, it is over.
   *
   * @throws {Http2Error} the peer cannot open it
   */
  isNew(id: number): boolean {
    if (this.#role === "server" && id % 2 === 1) return id > this.lastRemote;
    if (this.#role === "server" || id % 2 === 0 || id >= this.#nextLocal) {
      throw new Http2Error("PROTOCOL_ERROR", `the peer cannot open stream ${id} (RFC 9113 5.1.1)`);
    }
    return false;
  }

  /** All of them, as they are now. */
  all(): Http2Stream[] {
    return [...this.#open.values(), ...this.#reserved];
  }

  #used(id: number): boolean {
    return this.#role === "server" ? id <= this.lastRemote : id < this.#nextLocal;
  }
}
