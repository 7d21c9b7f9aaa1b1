/**
 * Reads HTTP/1.1 messages from a socket, and can be told to wait.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { isWholeRead } from "./give_back.ts";
import type { Http1Event, Http1Parser } from "./http1/parser.ts";
import { ProtocolError } from "./http1/protocol_error.ts";
import { Pulse } from "./pulse.ts";

/** What a reader tells. */
export interface ReaderEvents {
  /** A part of a message. */
  event(event: Http1Event): void;
  /** Bytes have come, before they are parsed. */
  activity?(): void;
  /** The bytes are not HTTP/1.1, or the other side ended in the middle of a message; nothing follows. */
  malformed(error: ProtocolError): void;
  /** The other side will send no more; told at once, also while the reader is stopped. */
  ended?(): void;
  /** All that was sent has been told, and the other side has ended between two messages. */
  finished?(): void;
}

/**
 * The reading half of a connection, on either side of the proxy.
 *
 * {@linkcode MessageReader.stop} is called for every message that has to wait for a hook; so it does not touch the
 * socket: the socket is paused only when more bytes come while the reader is still stopped.
 */
export class MessageReader {
  readonly #socket: Duplex;
  readonly #parser: Http1Parser;
  readonly #on: ReaderEvents;
  #pulse: Pulse | undefined;
  #stopped = false;
  #paused = false;
  #reading = false;
  #ended = false;
  #over = false;
  readonly #onData = (bytes: Buffer): void => this.#feed(bytes);
  readonly #onEnd = (): void => this.#end();

  /**
   * @param socket is read from now on
   * @param first bytes that were read already
   */
  constructor(socket: Duplex, parser: Http1Parser, on: ReaderEvents) {
    this.#socket = socket;
    this.#parser = parser;
    this.#on = on;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
  }

  /** Takes bytes that were read from the socket before. */
  feed(bytes: Uint8Array): void {
    this.#feed(bytes);
  }

  /** No further events until {@linkcode MessageReader.go}. */
  stop(): void {
    this.#stopped = true;
  }

  /** Goes on, with what has come in the meantime. */
  go(): void {
    this.#stopped = false;
    this.#read();
    if (this.#paused && !this.#stopped && !this.#over) {
      this.#paused = false;
      this.#pulse?.stop();
      this.#socket.resume();
    }
  }

  /** Whether the reader waits. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether a part of a message has come that is not enough to tell of. */
  get waiting(): boolean {
    return this.#parser.buffered > 0;
  }

  /** Lets go of the socket and gives the bytes that were not parsed: what follows is not HTTP/1.1. */
  detach(): Buffer {
    this.#over = true;
    this.#pulse?.close();
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    return this.#parser.rest();
  }

  #feed(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#parser.push(bytes);
    this.#on.activity?.();
    if (this.#stopped) {
      this.#paused = true;
      this.#socket.pause();
      this.#pulse ??= new Pulse(this.#socket);
      this.#pulse.start();
    } else {
      this.#read();
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#ended = true;
    this.#on.ended?.();
    if (!this.#stopped) this.#read();
  }

  // An event may make its receiver call go() again: the loop that is running takes care of it.
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#stopped && !this.#over) {
        const event = this.#parser.next() ?? (this.#ended ? this.#finish() : undefined);
        if (event === undefined) break;
        if (event.type === "data" && isWholeRead(event.data)) event.sole = true;
        this.#on.event(event);
      }
    } catch (error) {
      this.#over = true;
      if (!(error instanceof ProtocolError)) throw error;
      this.#on.malformed(error);
    } finally {
      this.#reading = false;
    }
  }

  #finish(): Http1Event | undefined {
    const event = this.#parser.finish();
    if (event !== undefined) return event;
    this.#over = true;
    this.#on.finished?.();
    return undefined;
  }
}
