/**
 * A connection that speaks HTTP/2, on either side of the proxy.
 *
 * @module
 */
import type { Outgoing } from "../outgoing.ts";
import { FieldSections } from "./field_sections.ts";
import { type Frame, goAwayFrame, PREFACE, settingsFrame, windowUpdate } from "./frame.ts";
import { FrameParser } from "./frame_parser.ts";
import { ERROR_CODES, type ErrorName, Http2Error } from "./http2_error.ts";
import { CONNECTION_WINDOW, Incoming } from "./incoming.ts";
import { SendQueue } from "./send_queue.ts";
import { SETTING } from "./settings.ts";
import { Http2Stream, STREAM_WINDOW } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";
import type { StreamCarrier } from "./stream_user.ts";

/** How many streams a client may have open. */
const MAX_STREAMS = 256;

/** Who is told of a connection. */
export interface SessionUser {
  /**
   * A client has begun a request; its stream has no user yet.
   *
   * @param raw names and values in turn; `undefined`: they are too large
   */
  opened?(stream: Http2Stream, raw: string[] | undefined, end: boolean): void;
  /** The peer has said what it is; called once. */
  greeted?(): void;
  /** A stream is over. */
  closedStream(): void;
  /** The peer opens no more streams, or lets us open none. */
  goingAway(): void;
  /** The peer does not speak HTTP/2 as it should. It has been told, and every stream is broken. */
  invalid(error: Http2Error): void;
}

/** One end of a connection: bytes in, bytes out, and streams. */
export class Http2Session implements StreamCarrier {
  /** @inheritdoc */
  readonly queue: SendQueue;
  /** No further streams. */
  goingAway = false;

  readonly #role: "client" | "server";
  readonly #user: SessionUser;
  readonly #parser: FrameParser;
  readonly #sections: FieldSections;
  readonly #headBytes: number;
  readonly #streams: StreamTable;
  readonly #incoming: Incoming;
  #dead = false;

  /** @param role of this end */
  constructor(role: "client" | "server", out: Outgoing, user: SessionUser, options: { headBytes: number }) {
    const { headBytes } = options;
    const queue = this.queue = new SendQueue(out);
    const sections = this.#sections = new FieldSections(headBytes);
    const streams = this.#streams = new StreamTable(role);
    this.#role = role;
    this.#user = user;
    this.#headBytes = headBytes;
    this.#parser = new FrameParser(role === "server");
    this.#incoming = new Incoming({ role, queue, streams, sections, headBytes }, {
      greeted: () => user.greeted?.(),
      begun: (id, raw, end) => this.#begun(id, raw, end),
      goingAway: (last, code) => this.#peerGoesAway(last, code),
    });
  }

  /** Sends what must come first. */
  start(): void {
    this.queue.push(
      (this.#role === "client" ? PREFACE : "") + settingsFrame([
        ...(this.#role === "client"
          ? [[SETTING.ENABLE_PUSH, 0]] as const
          : [[SETTING.MAX_CONCURRENT_STREAMS, MAX_STREAMS], [SETTING.ENABLE_CONNECT_PROTOCOL, 1]] as const),
        [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
        [SETTING.MAX_HEADER_LIST_SIZE, this.#headBytes],
      ]) + windowUpdate(0, CONNECTION_WINDOW - 65_535),
    );
  }

  /** Whether the peer has sent its settings. */
  get greeted(): boolean {
    return this.#incoming.greeted;
  }

  /** Whether the peer takes extended CONNECT (RFC 8441); not before it has {@linkcode Http2Session.greeted | greeted}. */
  get connectProtocol(): boolean {
    return this.#incoming.peer.connectProtocol;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether another stream can be opened. */
  get available(): boolean {
    const { maxConcurrentStreams } = this.#incoming.peer;
    return !this.goingAway && !this.#dead && this.size < maxConcurrentStreams && !this.#streams.exhausted;
  }

  /** Whether the peer has begun something that must be completed. */
  get waiting(): boolean {
    return !this.greeted || this.#sections.begun || this.#parser.waiting;
  }

  /** Makes a stream, which is open once something is sent on it. */
  open(): Http2Stream {
    const stream = this.#stream(0);
    this.#streams.reserve(stream);
    return stream;
  }

  /** @inheritdoc */
  begin(stream: Http2Stream): void {
    this.#streams.begin(stream);
  }

  /** Takes bytes from the peer. */
  receive(bytes: Uint8Array): void {
    this.#parser.push(bytes);
    this.#guarded(() => {
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#incoming.handle(frame);
      this.#incoming.acknowledge();
    });
  }

  /** Tells the peer to open no more streams. */
  goAway(code: ErrorName = "NO_ERROR", why = ""): void {
    this.goingAway = true;
    if (!this.#dead) this.queue.push(goAwayFrame(this.#streams.lastRemote, ERROR_CODES[code], why));
  }

  /** The peer has made an error that ends the connection. */
  fail(error: Http2Error): void {
    if (this.#dead) return;
    this.goAway(error.code, error.message);
    this.#dead = true;
    this.#breakAll({ kind: "invalid", code: ERROR_CODES[error.code], message: error.message });
    this.#user.invalid(error);
  }

  /** The connection is gone. */
  lose(): void {
    this.#dead = this.goingAway = true;
    this.#breakAll({ kind: "lost", code: ERROR_CODES.CANCEL });
  }

  /** @inheritdoc */
  pushFields(stream: number, raw: readonly string[], end: boolean): void {
    for (const part of this.#sections.encode(stream, raw, end)) this.queue.push(part);
  }

  /** @inheritdoc */
  forget(stream: Http2Stream): void {
    if (this.#streams.delete(stream)) this.#user.closedStream();
  }

  /** @inheritdoc */
  violated(): void {
    this.#guarded(() => this.#incoming.countReset());
  }

  #next(): Frame | undefined {
    return this.#dead ? undefined : this.#parser.next();
  }

  #guarded(deed: () => void): void {
    try {
      deed();
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    }
  }

  #stream(id: number): Http2Stream {
    return new Http2Stream(id, this, this.#incoming.peer.initialWindowSize);
  }

  #begun(id: number, raw: string[] | undefined, end: boolean): void {
    this.#streams.lastRemote = id;
    if (this.goingAway) return;
    // Its answer would come on top of those that are not read.
    this.queue.check();
    if (this.size >= MAX_STREAMS) {
      throw new Http2Error("REFUSED_STREAM", `more than ${MAX_STREAMS} streams are open (RFC 9113 5.1.2)`, id);
    }
    const stream = this.#stream(id);
    this.#streams.add(stream);
    if (end) stream.remoteEnded = true;
    this.#user.opened!(stream, raw, end);
  }

  #peerGoesAway(last: number, code: number): void {
    this.goingAway = true;
    if (this.#role === "client") {
      for (const stream of this.#streams.all()) {
        if (stream.id > last || stream.id === 0) stream.break({ kind: "unseen", code });
      }
    }
    this.#user.goingAway();
  }

  #breakAll(why: { kind: "invalid" | "lost"; code: number; message?: string }): void {
    for (const stream of this.#streams.all()) stream.break(why);
  }
}
