/**
 * Where a body goes that is larger than what is kept of it in memory.
 *
 * @module
 */

/** Takes a large body while it passes. */
export interface BodyOverflow {
  /** Whether the body need not be held back for anybody besides: it will not be passed on. */
  readonly swallows: boolean;
  /** Takes the next piece. `false`: no more until it has {@linkcode BodyOverflow.drained | drained}. */
  take(piece: Uint8Array): boolean;
  /** Calls once when more is welcome. */
  drained(callback: () => void): void;
  /** No more comes. */
  end(): void;
  /** The SHA-256 of the body as it would stand on a tape, in hexadecimal; resolves when all of it has been taken. */
  readonly digest: Promise<string | undefined>;
}

/** What becomes of a body that grows too large. */
export interface OverflowPlan {
  /** How many bytes are kept in memory at most. */
  readonly limit: number;
  /** Called when there are more; `undefined`: it cannot go elsewhere, and is kept as if there were no plan. */
  begin(): BodyOverflow | undefined;
}
