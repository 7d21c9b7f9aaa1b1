/**
 * What leaves on a connection: the frames of its streams, as far as the peer takes them.
 *
 * @module
 */
import type { Outgoing } from "../outgoing.ts";
import { MAX_WINDOW } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";
import type { Http2Stream } from "./stream.ts";

/** A peer that lets so much pile up while it keeps asking for answers (RFC 9113 section 10.5). */
const MAX_BACKLOG = 4 * 1024 * 1024;

/** The sending side of a connection, which its streams share. */
export class SendQueue {
  /** How many bytes of bodies the peer takes on all streams together. */
  window = 65_535;

  readonly #out: Outgoing;
  readonly #blocked = new Set<Http2Stream>();
  readonly #serve = (): void => this.serve();

  /** @param out where the bytes go */
  constructor(out: Outgoing) {
    this.#out = out;
  }

  /** Writes a part of a frame. */
  push(part: string | Uint8Array): void {
    this.#out.push(part);
  }

  /** Writes a frame that the peer has asked for. */
  reply(frame: string): void {
    this.#out.push(frame);
    this.check();
  }

  /** @throws {Http2Error} the peer does not read the answers to what it keeps asking for; bodies wait elsewhere */
  check(): void {
    if (this.#out.backlog > MAX_BACKLOG) {
      throw new Http2Error("ENHANCE_YOUR_CALM", "the peer does not read what it asks for (RFC 9113 10.5)");
    }
  }

  /** Whether the connection is behind. */
  get full(): boolean {
    return this.#out.full;
  }

  /** The peer takes more. */
  widen(increment: number): void {
    this.window += increment;
    if (this.window > MAX_WINDOW) {
      throw new Http2Error("FLOW_CONTROL_ERROR", "the window of the connection overflows (RFC 9113 6.9.1)");
    }
  }

  /** A stream has something that does not fit a window or comes when the connection is behind, or somebody waits until it has nothing. */
  blocked(stream: Http2Stream): void {
    this.#blocked.add(stream);
    if (this.#out.full) this.#out.drained(this.#serve);
    else queueMicrotask(this.#serve);
  }

  /** Sends what was held back, a frame of each stream in turn, and tells those that wait. */
  serve(): void {
    for (let more = true; more && this.window > 0;) {
      more = false;
      for (const stream of [...this.#blocked]) {
        if (this.full) break;
        if (stream.open && !stream.over) more = stream.flush(1) && stream.open || more;
      }
    }
    const waiting = [...this.#blocked];
    this.#blocked.clear();
    for (const stream of waiting) if (stream.settle()) this.#blocked.add(stream);
    if (this.#blocked.size > 0 && this.#out.full) this.#out.drained(this.#serve);
  }
}
