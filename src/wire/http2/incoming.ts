/**
 * What the frames of the peer do (RFC 9113 section 6).
 *
 * @module
 */
import type { FieldSections } from "./field_sections.ts";
import { FloodGuard } from "./flood_guard.ts";
import { FLAG, FRAME, type Frame, MAX_WINDOW, pong, resetFrame, SETTINGS_ACK, windowUpdate } from "./frame.ts";
import { forConnection, onNoStream, sized } from "./frame_checks.ts";
import { ERROR_CODES, Http2Error } from "./http2_error.ts";
import type { SendQueue } from "./send_queue.ts";
import { applySettings, initialSettings, type PeerSettings } from "./settings.ts";
import type { StreamTable } from "./stream_table.ts";

/** What all streams together may send unacknowledged. The streams hold up their senders; the connection never does. */
export const CONNECTION_WINDOW: number = 64 * 1024 * 1024;

/** Who is told of what concerns more than one stream. */
export interface IncomingEvents {
  /** The peer has said what it is; called once. */
  greeted(): void;
  /** A client begins a stream. `raw`: names and values in turn; `undefined`: they are too large. */
  begun(id: number, raw: string[] | undefined, end: boolean): void;
  /** The peer goes away: what is above the stream `last` it has not looked at. */
  goingAway(last: number, code: number): void;
}

/** What a connection has, as far as frames change it. */
export interface IncomingParts {
  readonly role: "client" | "server";
  readonly queue: SendQueue;
  readonly streams: StreamTable;
  readonly sections: FieldSections;
  /** How large a field section may be, in bytes. */
  readonly headBytes: number;
}

/** The receiving side of a connection. */
export class Incoming {
  /** What the peer says of itself. */
  readonly peer: PeerSettings = initialSettings();
  /** The peer has sent its settings. */
  greeted = false;

  readonly #parts: IncomingParts;
  readonly #on: IncomingEvents;
  readonly #guard = new FloodGuard();
  #credit = 0;

  /** @param parts of the connection */
  constructor(parts: IncomingParts, on: IncomingEvents) {
    this.#parts = parts;
    this.#on = on;
  }

  /**
   * Takes a frame. What is wrong with one stream ends that stream.
   *
   * @throws {Http2Error} what is wrong with the connection
   */
  handle(frame: Frame): void {
    try {
      this.#dispatch(frame);
    } catch (error) {
      if (!(error instanceof Http2Error) || error.stream === 0) throw error;
      const { queue, streams } = this.#parts;
      const code = ERROR_CODES[error.code];
      queue.reply(resetFrame(error.stream, code));
      streams.get(error.stream)?.break({ kind: "invalid", code, message: error.message });
      this.countReset();
    }
  }

  /** Lets the peer send as much as has come; once for many frames. */
  acknowledge(): void {
    if (this.#credit < CONNECTION_WINDOW / 4) return;
    this.#parts.queue.push(windowUpdate(0, this.#credit));
    this.#credit = 0;
  }

  /**
   * The peer has ended a stream before its time. What a server resets are requests of ours: it has no more of them than were sent.
   *
   * @throws {Http2Error} it does so too often
   */
  countReset(): void {
    if (this.#parts.role === "server") this.#guard.reset();
  }

  #dispatch(frame: Frame): void {
    const { type, flags, stream: id } = frame;
    const { sections } = this.#parts;
    if (!this.greeted && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0)) {
      throw new Http2Error("PROTOCOL_ERROR", "SETTINGS does not come first (RFC 9113 3.4)");
    }
    if (sections.begun && (type !== FRAME.CONTINUATION || id !== sections.stream)) {
      throw new Http2Error("PROTOCOL_ERROR", "something comes between HEADERS and CONTINUATION (RFC 9113 6.10)");
    }
    switch (type) {
      case FRAME.DATA:
        return this.#data(frame);
      case FRAME.HEADERS:
      case FRAME.CONTINUATION:
        return this.#headers(frame);
      case FRAME.RST_STREAM:
        return this.#reset(frame);
      case FRAME.SETTINGS:
        return this.#settings(frame);
      case FRAME.PING:
        return this.#ping(frame);
      case FRAME.GOAWAY:
        return this.#goAway(frame);
      case FRAME.WINDOW_UPDATE:
        return this.#windowUpdate(frame);
      case FRAME.PRIORITY:
        return this.#priority(frame);
      case FRAME.PUSH_PROMISE:
        throw new Http2Error("PROTOCOL_ERROR", "PUSH_PROMISE comes although it is disabled (RFC 9113 8.4)");
      default:
        // Unknown types are ignored (RFC 9113 section 4.1).
        this.#guard.idleFrame();
    }
  }

  #data({ flags, stream: id, payload, size }: Frame): void {
    const end = (flags & FLAG.END_STREAM) !== 0;
    const stream = this.#parts.streams.known(id);
    this.#credit += size;
    if (payload.length === 0 && !end) this.#guard.idleFrame();
    // On a stream that was reset, data may still be on its way.
    stream?.receiveData(payload, size, end);
  }

  #headers(frame: Frame): void {
    const { stream: id } = frame;
    const { streams, sections, headBytes } = this.#parts;
    if (id === 0) throw onNoStream();
    const section = sections.receive(frame);
    if (section === undefined) return;
    const { raw, end } = section;
    const stream = streams.get(id);
    if (stream === undefined) {
      if (streams.isNew(id)) this.#on.begun(id, raw, end);
    } else if (raw === undefined) {
      const why = `its fields are larger than ${headBytes} bytes (limits.headBytes)`;
      throw new Http2Error("ENHANCE_YOUR_CALM", why, id);
    } else {
      stream.receiveFields(raw, end);
    }
  }

  #reset(frame: Frame): void {
    sized(frame, 4);
    const stream = this.#parts.streams.known(frame.stream);
    if (stream === undefined) return this.#guard.idleFrame();
    stream.break({ kind: "reset", code: frame.payload.readUInt32BE(0) });
    this.countReset();
  }

  #settings(frame: Frame): void {
    const { queue, streams } = this.#parts;
    forConnection(frame);
    this.#guard.idleFrame();
    if ((frame.flags & FLAG.ACK) !== 0) return sized(frame, 0);
    const before = this.peer.initialWindowSize;
    applySettings(this.peer, frame.payload);
    const change = this.peer.initialWindowSize - before;
    if (change !== 0) {
      for (const stream of streams.all()) stream.widen(change);
      queue.serve();
    }
    queue.reply(SETTINGS_ACK);
    if (this.greeted) return;
    this.greeted = true;
    this.#on.greeted();
  }

  #ping(frame: Frame): void {
    sized(frame, 8);
    forConnection(frame);
    this.#guard.idleFrame();
    if ((frame.flags & FLAG.ACK) === 0) this.#parts.queue.reply(pong(frame.payload));
  }

  #priority(frame: Frame): void {
    this.#guard.idleFrame();
    if (frame.stream === 0) throw onNoStream();
    if (frame.payload.length !== 5) {
      throw new Http2Error("FRAME_SIZE_ERROR", "PRIORITY has not 5 bytes (RFC 9113 6.3)", frame.stream);
    }
  }

  #windowUpdate(frame: Frame): void {
    sized(frame, 4);
    const { queue, streams } = this.#parts;
    const increment = frame.payload.readUInt32BE(0) & MAX_WINDOW;
    const stream = frame.stream === 0 ? undefined : streams.known(frame.stream);
    if (increment === 0) {
      throw new Http2Error("PROTOCOL_ERROR", "a window is widened by nothing (RFC 9113 6.9)", frame.stream);
    }
    if (frame.stream === 0) queue.widen(increment);
    else stream?.widen(increment);
    queue.serve();
  }

  #goAway(frame: Frame): void {
    forConnection(frame);
    const { payload } = frame;
    if (payload.length < 8) throw new Http2Error("FRAME_SIZE_ERROR", "GOAWAY has less than 8 bytes (RFC 9113 6.8)");
    this.#guard.idleFrame();
    this.#on.goingAway(payload.readUInt32BE(0) & MAX_WINDOW, payload.readUInt32BE(4));
  }
}
