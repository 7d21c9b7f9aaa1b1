/**
 * What a stream has above it and below it.
 *
 * @module
 */
import type { SendQueue } from "./send_queue.ts";
import type { Http2Stream } from "./stream.ts";

/** Who is told what comes on a stream. */
export interface StreamUser {
  /** A field section: names and values in turn. When it is the end, {@linkcode StreamUser.end} follows. */
  fields(raw: string[], end: boolean): void;
  /** A piece of the body. `false`: nothing more until {@linkcode Http2Stream.go}. */
  data(bytes: Uint8Array): boolean;
  /** The peer has sent all. */
  end(): void;
  /**
   * Nothing more comes, and nothing more can be sent.
   *
   * @param why what the peer has said or done
   */
  broken(why: BrokenStream): void;
}

/** Why a stream has ended before its time. */
export interface BrokenStream {
  /** `reset`: by the peer. `unseen`: the peer has not looked at the request. `invalid`: what it sent. `lost`: with its connection. */
  readonly kind: "reset" | "unseen" | "invalid" | "lost";
  /** The error code, of either side. */
  readonly code: number;
  /** What was wrong; of `invalid`. */
  readonly message?: string;
}

/** What a stream needs of its connection. */
export interface StreamCarrier {
  /** Where its frames go. */
  readonly queue: SendQueue;
  /** Gives a stream its number, in the order in which they begin (RFC 9113 section 5.1.1). */
  begin(stream: Http2Stream): void;
  /** Writes a field section. */
  pushFields(stream: number, raw: readonly string[], end: boolean): void;
  /** What the peer has sent on a stream has ended it. */
  violated(): void;
  /** The stream is over. */
  forget(stream: Http2Stream): void;
}
