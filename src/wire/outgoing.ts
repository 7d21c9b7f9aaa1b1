/**
 * What is to be written to a socket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import { giveBack, isDoneWhenWritten } from "./give_back.ts";
import { joinBytes } from "./http1/serializer.ts";

/** Above this many bytes waiting, {@linkcode Outgoing.push} asks its caller to stop. */
const HIGH_WATER = 64 * 1024;
/** Up to this many bytes, copying the parts into one buffer costs less than one more write. */
const JOIN_LIMIT = 32 * 1024;

/** Deno writes strings as UTF-8 when a TLS connection is corked or behind, whatever encoding was asked for. */
const KEEPS_LATIN1 = !("Deno" in globalThis);

/**
 * Collects the parts of a message and writes what one turn of the event loop has brought at once: a kernel call for the
 * head and another for the body cost more than everything else that happens to a small message.
 */
export class Outgoing {
  readonly #socket: Duplex;
  readonly #givesBack: boolean;
  #parts: (string | Uint8Array)[] = [];
  #given: Uint8Array[] = [];
  #size = 0;
  #ending = false;
  #trickle: ReturnType<typeof setTimeout> | undefined;
  #onDrain: (() => void) | undefined;
  readonly #flushLater = (): void => this.flush();

  /** @param socket where the bytes go */
  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#givesBack = isDoneWhenWritten(socket);
    socket.on("drain", () => this.#drained());
  }

  /** Adds a part: bytes, or a string of latin1 characters. `false`: stop until {@linkcode Outgoing.drained} calls. */
  push(part: string | Uint8Array): boolean {
    if (part.length > 0 && !this.#ending) {
      if (this.#parts.length === 0) queueMicrotask(this.#flushLater);
      this.#parts.push(part);
      this.#size += part.length;
    }
    return !this.full;
  }

  /** Adds bytes that nobody else has: their memory is given back when they have left. */
  give(bytes: Uint8Array): boolean {
    if (this.#givesBack) this.#given.push(bytes);
    return this.push(bytes);
  }

  /**
   * Adds a part that leaves bit by bit, evenly spread over so many milliseconds. What is pushed later waits behind it. To be called
   * once at a time.
   */
  trickle(part: string, ms: number): void {
    this.flush();
    const pieces = Math.min(part.length, Math.max(2, Math.min(50, Math.ceil(ms / 10))));
    let written = 0;
    const write = () => {
      const end = Math.ceil(part.length * ++written / pieces);
      if (!this.#socket.destroyed) this.#write(part.slice(Math.ceil(part.length * (written - 1) / pieces), end));
      if (written < pieces && !this.#socket.destroyed) return arm();
      this.#trickle = undefined;
      this.flush();
      if (this.#ending) this.#socket.end();
    };
    const arm = () => this.#trickle = setTimeout(write, ms / pieces);
    arm();
    this.#socket.once("close", () => clearTimeout(this.#trickle));
  }

  /** How many bytes have not left this process. */
  get backlog(): number {
    return this.#size + this.#socket.writableLength;
  }

  /** Whether so many bytes are waiting that there should be no more for now. */
  get full(): boolean {
    return this.backlog >= HIGH_WATER;
  }

  /** Calls once when what was pushed has been taken. */
  drained(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** Writes what was pushed now, instead of at the end of this turn. */
  flush(): void {
    const parts = this.#parts;
    if (parts.length === 0 || this.#trickle !== undefined) return;
    const size = this.#size;
    const left = this.#givingBack();
    this.#parts = [];
    this.#size = 0;
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (parts.length === 1) this.#write(parts[0]!, left);
    else if (size <= JOIN_LIMIT) this.#socket.write(joinBytes(parts));
    else {
      this.#socket.cork();
      const last = parts.pop()!;
      for (const part of parts) this.#write(part);
      this.#write(last, left);
      this.#socket.uncork();
    }
    if (this.#onDrain !== undefined && this.#socket.writableLength < HIGH_WATER) this.#drained();
  }

  /** Calls back when everything that was pushed has left this process, or can leave it no more. */
  settled(callback: () => void): void {
    this.flush();
    if (this.#socket.destroyed || this.#socket.writableEnded) callback();
    // Some runtimes write later: only the callback of a write behind it tells that the last one is through.
    else this.#socket.write(new Uint8Array(0), () => callback());
  }

  /** Writes what was pushed and ends this side of the connection. */
  end(): void {
    if (this.#ending) return;
    this.flush();
    this.#ending = true;
    if (this.#trickle === undefined) this.#socket.end();
  }

  #write(part: string | Uint8Array, left?: (error?: Error | null) => void): void {
    if (typeof part === "string" && KEEPS_LATIN1) this.#socket.write(part, "latin1", left);
    else if (typeof part === "string") this.#socket.write(Buffer.from(part, "latin1"), left);
    else this.#socket.write(part, left);
  }

  // What could not be written may still be in the hands of the system.
  #givingBack(): ((error?: Error | null) => void) | undefined {
    const given = this.#given;
    if (given.length === 0) return undefined;
    this.#given = [];
    return (error) => {
      if (!error) { for (const bytes of given) giveBack(bytes); }
    };
  }

  #drained(): void {
    const callback = this.#onDrain;
    this.#onDrain = undefined;
    callback?.();
  }
}
