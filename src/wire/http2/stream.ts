/**
 * One stream of a connection: a request and its response (RFC 9113 section 5).
 *
 * @module
 */
import { FLAG, FRAME, frameHead, MAX_FRAME, MAX_WINDOW, resetFrame, windowUpdate } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";
import type { BrokenStream, StreamCarrier, StreamUser } from "./stream_user.ts";

/** What a peer may send on a stream before it is acknowledged. Enough for a server far away, little enough to keep a hundred times. */
export const STREAM_WINDOW: number = 256 * 1024;

/** So many field sections wait to be told. */
const MAX_HELD = 100;

type Held = Uint8Array | { readonly raw: string[]; readonly end: boolean } | "end";

/** One stream. */
export class Http2Stream {
  /** Its number; 0: nothing has been sent on it yet. */
  id: number;
  /** The peer has sent all. */
  remoteEnded = false;
  /** Nothing more happens. */
  over = false;
  /** How many bytes the body must have, where the peer has said so. */
  expected: number | undefined;

  readonly #carrier: StreamCarrier;
  #user: StreamUser | undefined;
  #localEnded = false;
  #sendWindow: number;
  #pending: Uint8Array[] = [];
  #ending: readonly string[] | undefined;
  #onDrain: (() => void) | undefined;
  #receiveWindow = STREAM_WINDOW;
  #consumed = 0;
  #received = 0;
  #held: Held[] = [];
  #stopped = false;
  #telling = false;

  /** @param sendWindow what the peer takes at first */
  constructor(id: number, carrier: StreamCarrier, sendWindow: number) {
    this.id = id;
    this.#carrier = carrier;
    this.#sendWindow = sendWindow;
  }

  /** Who is told; before anything comes. */
  set user(user: StreamUser) {
    this.#user = user;
  }

  /** Sends a field section: the head of a message, or an informational one. `false`: no more until {@linkcode Http2Stream.drained}. */
  sendFields(raw: readonly string[], end: boolean): boolean {
    if (this.over || this.#localEnded) return true;
    if (this.id === 0) this.#carrier.begin(this);
    this.#carrier.pushFields(this.id, raw, end);
    if (end) this.#endLocal();
    return !this.#carrier.queue.full;
  }

  /** Sends a piece of the body. `false`: no more until {@linkcode Http2Stream.drained}. */
  write(bytes: Uint8Array): boolean {
    if (this.over || this.#localEnded || this.#ending !== undefined || bytes.length === 0) return true;
    this.#pending.push(bytes);
    if (this.#pending.length === 1) this.flush();
    return this.#pending.length === 0 && !this.#carrier.queue.full;
  }

  /** The body is complete, with these trailers. */
  end(trailers: readonly string[]): void {
    if (this.over || this.#localEnded || this.#ending !== undefined) return;
    this.#ending = trailers;
    if (this.#pending.length === 0) this.#sendEnd();
  }

  /** Calls once when what was written has been taken. */
  drained(callback: () => void): void {
    this.#onDrain = callback;
    this.#carrier.queue.blocked(this);
  }

  /** Ends the stream at once. */
  reset(code: number): void {
    this.#user = undefined;
    this.#held = [];
    if (this.over) return;
    if (this.id !== 0) this.#carrier.queue.push(resetFrame(this.id, code));
    this.#finish();
  }

  /** What the peer has sent on it, and was told later than it came, is malformed: ends the stream at once. */
  violated(code: number): void {
    if (this.over) return;
    this.reset(code);
    this.#carrier.violated();
  }

  /** Nothing is told until {@linkcode Http2Stream.go}; the peer is held up by its window. */
  stop(): void {
    this.#stopped = true;
  }

  /** Goes on, with what has come in the meantime. */
  go(): void {
    this.#stopped = false;
    this.#tell();
  }

  /** Whether the user has asked to wait. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether something that was written has not been sent. */
  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** For the connection: sends what the windows allow, at most `frames` frames. Whether something is left. */
  flush(frames: number = Infinity): boolean {
    const { queue } = this.#carrier;
    for (let first = this.#pending[0]; first !== undefined && frames > 0; first = this.#pending[0], frames--) {
      const size = Math.min(first.length, MAX_FRAME, this.#sendWindow, queue.window);
      if (size <= 0 || queue.full) break;
      this.#sendWindow -= size;
      queue.window -= size;
      queue.push(frameHead(size, FRAME.DATA, 0, this.id));
      queue.push(size === first.length ? first : first.subarray(0, size));
      if (size === first.length) this.#pending.shift();
      else this.#pending[0] = first.subarray(size);
    }
    if (this.#pending.length > 0) {
      queue.blocked(this);
      return true;
    }
    if (this.#ending !== undefined && !this.#localEnded) this.#sendEnd();
    return false;
  }

  /** For the connection: whether it must come back, because there is something left or somebody waits. */
  settle(): boolean {
    if (this.#pending.length > 0 && !this.over) return true;
    if (this.#onDrain === undefined) return false;
    if (this.#carrier.queue.full && !this.over) return true;
    const callback = this.#onDrain;
    this.#onDrain = undefined;
    callback();
    return false;
  }

  /** For the connection: whether the peer's window lets anything through. */
  get open(): boolean {
    return this.#sendWindow > 0;
  }

  /** For the connection: the peer takes more, or less. */
  widen(increment: number): void {
    this.#sendWindow += increment;
    if (this.#sendWindow > MAX_WINDOW) {
      throw new Http2Error("FLOW_CONTROL_ERROR", "the window of a stream overflows (RFC 9113 6.9.1)", this.id);
    }
  }

  /** For the connection: fields have come. */
  receiveFields(raw: string[], end: boolean): void {
    if (this.remoteEnded) throw this.#closed();
    // Informational responses, of which there may be any number, while nobody listens.
    if (this.#held.length >= MAX_HELD && this.#held.every((it) => typeof it === "object" && "raw" in it)) {
      throw new Http2Error("ENHANCE_YOUR_CALM", "too many heads have come before anything else", this.id);
    }
    if (end) this.#endRemote();
    this.#hold({ raw, end });
    if (end) this.#hold("end");
  }

  /** For the connection: a piece of the body has come. */
  receiveData(bytes: Uint8Array, size: number, end: boolean): void {
    if (this.remoteEnded) throw this.#closed();
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) {
      throw new Http2Error("FLOW_CONTROL_ERROR", "more data has come than its window allows (RFC 9113 6.9)", this.id);
    }
    this.#received += bytes.length;
    // Padding is of no use to anybody.
    this.#consumed += size - bytes.length;
    if (end) this.#endRemote();
    if (bytes.length > 0) this.#hold(bytes);
    if (end) this.#hold("end");
  }

  /** For the connection: the stream has ended before its time. */
  break(why: BrokenStream): void {
    const complete = this.remoteEnded;
    this.#finish();
    if (!complete) this.#held = [];
    this.#user?.broken(why);
  }

  #endRemote(): void {
    if (this.expected !== undefined && this.expected !== this.#received) {
      throw new Http2Error(
        "PROTOCOL_ERROR",
        `the body has ${this.#received} bytes, and content-length says ${this.expected} (RFC 9113 8.1.1)`,
        this.id,
      );
    }
    this.remoteEnded = true;
    if (this.#localEnded) this.#finish();
  }

  #endLocal(): void {
    this.#localEnded = true;
    if (this.remoteEnded) this.#finish();
  }

  #sendEnd(): void {
    const trailers = this.#ending!;
    if (trailers.length > 0) this.#carrier.pushFields(this.id, trailers, true);
    else this.#carrier.queue.push(frameHead(0, FRAME.DATA, FLAG.END_STREAM, this.id));
    this.#endLocal();
  }

  // What has come is still told.
  #finish(): void {
    if (this.over) return;
    this.over = true;
    this.#pending = [];
    if (this.#onDrain !== undefined) this.#carrier.queue.blocked(this);
    this.#carrier.forget(this);
  }

  #closed(): Http2Error {
    return new Http2Error("STREAM_CLOSED", "something has come behind the end of a stream (RFC 9113 5.1)", this.id);
  }

  #hold(event: Held): void {
    this.#held.push(event);
    this.#tell();
  }

  // An event may make its user call go() again: the loop that is running takes care of it.
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (!this.#stopped) {
        const event = this.#held.shift();
        if (event === undefined) break;
        if (event === "end") this.#user?.end();
        else if ("raw" in event) this.#user?.fields(event.raw, event.end);
        else {
          if (this.#user?.data(event) === false) this.#stopped = true;
          this.#consume(event.length);
        }
      }
    } finally {
      this.#telling = false;
    }
  }

  #consume(size: number): void {
    this.#consumed += size;
    if (this.#consumed < STREAM_WINDOW / 2 || this.remoteEnded || this.over) return;
    this.#carrier.queue.push(windowUpdate(this.id, this.#consumed));
    this.#receiveWindow += this.#consumed;
    this.#consumed = 0;
  }
}
