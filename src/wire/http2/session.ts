/**
 * A connection that speaks HTTP/2, on either side of the proxy.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Outgoing } from "../outgoing.ts";
import { FieldSections } from "./field_sections.ts";
import {
  FLAG,
  FRAME,
  type Frame,
  goAwayFrame,
  MAX_WINDOW,
  pong,
  PREFACE,
  resetFrame,
  SETTINGS_ACK,
  settingsFrame,
  windowUpdate,
} from "./frame.ts";
import { forConnection, onNoStream, sized } from "./frame_checks.ts";
import { FrameParser } from "./frame_parser.ts";
import { ERROR_CODES, type ErrorName, Http2Error } from "./http2_error.ts";
import { SendQueue } from "./send_queue.ts";
import { applySettings, initialSettings, type PeerSettings, SETTING } from "./settings.ts";
import { Http2Stream, STREAM_WINDOW } from "./stream.ts";
import type { StreamCarrier } from "./stream_user.ts";

/** How many streams a client may have open. */
const MAX_STREAMS = 256;
/** What all streams together may send unacknowledged. The streams hold up their senders; the connection never does. */
const CONNECTION_WINDOW = 64 * 1024 * 1024;
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
  /** What the peer says of itself. */
  readonly peer: PeerSettings = initialSettings();
  /** @inheritdoc */
  readonly queue: SendQueue;
  /** The peer has sent its settings. */
  greeted = false;
  /** No further streams. */
  goingAway = false;

  readonly #role: "client" | "server";
  readonly #user: SessionUser;
  readonly #parser: FrameParser;
  readonly #sections: FieldSections;
  readonly #headBytes: number;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #reserved = new Set<Http2Stream>();
  #lastRemote = 0;
  #nextLocal = 1;
  #credit = 0;
  #dead = false;

  /** @param role of this end */
  constructor(role: "client" | "server", out: Outgoing, user: SessionUser, options: { headBytes: number }) {
    this.#role = role;
    this.queue = new SendQueue(out);
    this.#user = user;
    this.#headBytes = options.headBytes;
    this.#parser = new FrameParser(role === "server");
    this.#sections = new FieldSections(options.headBytes);
  }

  /** Sends what must come first. */
  start(): void {
    this.queue.push(
      (this.#role === "client" ? PREFACE : "") + settingsFrame([
        ...(this.#role === "client"
          ? [[SETTING.ENABLE_PUSH, 0]] as const
          : [[SETTING.MAX_CONCURRENT_STREAMS, MAX_STREAMS]] as const),
        [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
        [SETTING.MAX_HEADER_LIST_SIZE, this.#headBytes],
      ]) + windowUpdate(0, CONNECTION_WINDOW - 65_535),
    );
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size + this.#reserved.size;
  }

  /** Whether another stream can be opened. */
  get available(): boolean {
    return !this.goingAway && !this.#dead && this.size < this.peer.maxConcurrentStreams &&
      this.#nextLocal < MAX_WINDOW;
  }

  /** Whether the peer has begun something that must be completed. */
  get waiting(): boolean {
    return !this.greeted || this.#sections.begun || this.#parser.waiting;
  }

  /** Makes a stream, which is open once something is sent on it. */
  open(): Http2Stream {
    const stream = new Http2Stream(0, this, this.peer.initialWindowSize);
    this.#reserved.add(stream);
    return stream;
  }

  /** @inheritdoc */
  begin(stream: Http2Stream): void {
    stream.id = this.#nextLocal;
    this.#nextLocal += 2;
    this.#reserved.delete(stream);
    this.#streams.set(stream.id, stream);
  }

  /** Takes bytes from the peer. */
  receive(bytes: Uint8Array): void {
    this.#parser.push(bytes);
    try {
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#handle(frame);
      if (this.#credit >= CONNECTION_WINDOW / 4) {
        this.queue.push(windowUpdate(0, this.#credit));
        this.#credit = 0;
      }
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    }
  }

  /** Tells the peer to open no more streams. */
  goAway(code: ErrorName = "NO_ERROR", why = ""): void {
    this.goingAway = true;
    if (!this.#dead) this.queue.push(goAwayFrame(this.#lastRemote, ERROR_CODES[code], why));
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
    if (this.#reserved.delete(stream) || this.#streams.delete(stream.id)) this.#user.closedStream();
  }

  #next(): Frame | undefined {
    return this.#dead ? undefined : this.#parser.next();
  }

  #handle(frame: Frame): void {
    try {
      this.#dispatch(frame);
    } catch (error) {
      if (!(error instanceof Http2Error) || error.stream === 0) throw error;
      const code = ERROR_CODES[error.code];
      this.queue.push(resetFrame(error.stream, code));
      this.#streams.get(error.stream)?.break({ kind: "invalid", code, message: error.message });
    }
  }

  #dispatch(frame: Frame): void {
    const { type, flags, stream: id, payload } = frame;
    if (!this.greeted && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0)) {
      throw new Http2Error("PROTOCOL_ERROR", "SETTINGS does not come first (RFC 9113 3.4)");
    }
    if (this.#sections.begun && (type !== FRAME.CONTINUATION || id !== this.#sections.stream)) {
      throw new Http2Error("PROTOCOL_ERROR", "something comes between HEADERS and CONTINUATION (RFC 9113 6.10)");
    }
    switch (type) {
      case FRAME.DATA:
        return this.#data(frame);
      case FRAME.HEADERS:
      case FRAME.CONTINUATION:
        return this.#headers(frame);
      case FRAME.RST_STREAM:
        sized(frame, 4);
        return this.#known(id)?.break({ kind: "reset", code: payload.readUInt32BE(0) });
      case FRAME.SETTINGS:
        return this.#settings(frame);
      case FRAME.PING:
        sized(frame, 8);
        forConnection(frame);
        if ((flags & FLAG.ACK) === 0) this.queue.reply(pong(payload));
        return;
      case FRAME.GOAWAY:
        forConnection(frame);
        return this.#peerGoesAway(payload);
      case FRAME.WINDOW_UPDATE:
        return this.#windowUpdate(frame);
      case FRAME.PRIORITY:
        if (id === 0) throw onNoStream();
        if (payload.length !== 5) {
          throw new Http2Error("FRAME_SIZE_ERROR", "PRIORITY has not 5 bytes (RFC 9113 6.3)", id);
        }
        return;
      case FRAME.PUSH_PROMISE:
        throw new Http2Error("PROTOCOL_ERROR", "PUSH_PROMISE comes although it is disabled (RFC 9113 8.4)");
    }
  }

  #data({ flags, stream: id, payload, size }: Frame): void {
    const stream = this.#known(id);
    this.#credit += size;
    // On a stream that was reset, data may still be on its way.
    stream?.receiveData(payload, size, (flags & FLAG.END_STREAM) !== 0);
  }

  #headers(frame: Frame): void {
    const { stream: id } = frame;
    if (id === 0) throw onNoStream();
    const section = this.#sections.receive(frame);
    if (section === undefined) return;
    const { raw, end } = section;
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      if (raw === undefined) {
        const why = `its fields are larger than ${this.#headBytes} bytes (limits.headBytes)`;
        throw new Http2Error("ENHANCE_YOUR_CALM", why, id);
      }
      stream.receiveFields(raw, end);
    } else if (this.#isNew(id)) {
      this.#open(id, raw, end);
    }
  }

  #isNew(id: number): boolean {
    if (this.#role === "server" && id % 2 === 1) return id > this.#lastRemote;
    if (this.#role === "server" || id % 2 === 0 || id >= this.#nextLocal) {
      throw new Http2Error("PROTOCOL_ERROR", `the peer cannot open stream ${id} (RFC 9113 5.1.1)`);
    }
    return false;
  }

  #open(id: number, raw: string[] | undefined, end: boolean): void {
    this.#lastRemote = id;
    if (this.goingAway) return;
    if (this.#streams.size >= MAX_STREAMS) {
      throw new Http2Error("REFUSED_STREAM", `more than ${MAX_STREAMS} streams are open (RFC 9113 5.1.2)`, id);
    }
    const stream = new Http2Stream(id, this, this.peer.initialWindowSize);
    this.#streams.set(id, stream);
    if (end) stream.remoteEnded = true;
    this.#user.opened!(stream, raw, end);
  }

  #settings(frame: Frame): void {
    forConnection(frame);
    if ((frame.flags & FLAG.ACK) !== 0) return sized(frame, 0);
    const before = this.peer.initialWindowSize;
    applySettings(this.peer, frame.payload);
    const change = this.peer.initialWindowSize - before;
    if (change !== 0) {
      for (const stream of this.#all()) stream.widen(change);
      this.queue.serve();
    }
    this.queue.reply(SETTINGS_ACK);
    if (this.greeted) return;
    this.greeted = true;
    this.#user.greeted?.();
  }

  #windowUpdate(frame: Frame): void {
    sized(frame, 4);
    const increment = frame.payload.readUInt32BE(0) & MAX_WINDOW;
    const stream = frame.stream === 0 ? undefined : this.#known(frame.stream);
    if (increment === 0) {
      throw new Http2Error("PROTOCOL_ERROR", "a window is widened by nothing (RFC 9113 6.9)", frame.stream);
    }
    if (frame.stream === 0) {
      this.queue.widen(increment);
    } else {
      stream?.widen(increment);
    }
    this.queue.serve();
  }

  #peerGoesAway(payload: Buffer): void {
    if (payload.length < 8) throw new Http2Error("FRAME_SIZE_ERROR", "GOAWAY has less than 8 bytes (RFC 9113 6.8)");
    const last = payload.readUInt32BE(0) & MAX_WINDOW;
    const code = payload.readUInt32BE(4);
    this.goingAway = true;
    if (this.#role === "client") {
      for (const stream of this.#all()) if (stream.id > last || stream.id === 0) stream.break({ kind: "unseen", code });
    }
    this.#user.goingAway();
  }

  /** The stream that a frame is for; `undefined` when it is over. */
  #known(id: number): Http2Stream | undefined {
    if (id === 0) throw onNoStream();
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      const idle = this.#role === "server"
        ? id % 2 === 0 || id > this.#lastRemote
        : id % 2 === 0 || id >= this.#nextLocal;
      if (idle) throw new Http2Error("PROTOCOL_ERROR", `stream ${id} was never opened (RFC 9113 5.1)`);
    }
    return stream;
  }

  #breakAll(why: { kind: "invalid" | "lost"; code: number; message?: string }): void {
    for (const stream of this.#all()) stream.break(why);
  }

  #all(): Http2Stream[] {
    return [...this.#streams.values(), ...this.#reserved];
  }
}
