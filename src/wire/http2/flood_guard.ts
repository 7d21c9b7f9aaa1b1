/**
 * What a peer may do for nothing, and how often (RFC 9113 section 10.5).
 *
 * @module
 */
import { Http2Error } from "./http2_error.ts";

/** So often in a row, and so often in a second for ever. */
interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** Requests that a client takes back, or that are so wrong that their streams are reset: CVE-2023-44487, CVE-2025-8671. */
const RESETS: Allowance = { burst: 1000, perSecond: 50 };
/** Frames that ask for an answer, or mean nothing: CVE-2019-9512, 9513, 9515, 9518. */
const IDLE_FRAMES: Allowance = { burst: 10_000, perSecond: 1000 };

/** Counts what costs a peer little and this end more, or nobody anything. */
export class FloodGuard {
  readonly #resets = new Bucket(RESETS);
  readonly #idleFrames = new Bucket(IDLE_FRAMES);

  /**
   * A stream has ended before its time, by the peer or through its fault.
   *
   * @throws {Http2Error} `ENHANCE_YOUR_CALM`
   */
  reset(): void {
    if (!this.#resets.take()) throw calm("streams are reset in quick succession (CVE-2023-44487)");
  }

  /**
   * A frame has come that brings nothing: PING, SETTINGS, PRIORITY, DATA without content, an unknown one.
   *
   * @throws {Http2Error} `ENHANCE_YOUR_CALM`
   */
  idleFrame(): void {
    if (!this.#idleFrames.take()) throw calm("there are too many frames without content");
  }
}

/** A bucket that fills with time. The clock is looked at only when it is empty. */
class Bucket {
  readonly #allowance: Allowance;
  #left: number;
  #filledAt = performance.now();

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#left = allowance.burst;
  }

  take(): boolean {
    if (this.#left < 1) this.#fill();
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  #fill(): void {
    const { burst, perSecond } = this.#allowance;
    const now = performance.now();
    this.#left = Math.min(burst, this.#left + (now - this.#filledAt) / 1000 * perSecond);
    this.#filledAt = now;
  }
}

function calm(what: string): Http2Error {
  return new Http2Error("ENHANCE_YOUR_CALM", `${what} (RFC 9113 10.5)`);
}
