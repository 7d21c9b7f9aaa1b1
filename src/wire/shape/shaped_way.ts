/**
 * The rest of the flow, as a shaper sees it.
 *
 * @module
 */
import type { BreakStage } from "../../flow/shape.ts";

/** What a shaper works for. */
export interface ShapedWay {
  /** The head may go now; {@linkcode Shaper.attach} says when it has. Only after {@linkcode Shaper.start}. */
  open?(): void;
  /** Calls once when what was passed on has been taken. */
  drained(callback: () => void): void;
  /** Nothing more passes; it is not broken yet. */
  fired(stage: BreakStage): void;
  /** It is time to break the connection. */
  broken(stage: BreakStage): void;
  /** Runs what a timer has brought, unless the flow is over; it may throw. */
  guard?(step: () => void): void;
  /** Whether pieces of a head can be sent one by one: then a slow head is not the shaper's to care for. */
  readonly trickles?: boolean;
}
