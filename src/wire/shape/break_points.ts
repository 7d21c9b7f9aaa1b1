/**
 * Where a message breaks.
 *
 * @module
 */
import type { BreakStage, Stage } from "../../flow/shape.ts";

/** How far a body has come. */
export interface Progress {
  /** So many bytes have been passed on. */
  readonly sent: number;
  /** So many bytes of the next piece have come. */
  readonly next: number;
  /** The length of the body, as far as that is known. */
  readonly total: number | undefined;
}

/** The stages that break, and their places in a body. */
export class BreakPoints {
  readonly #stages: readonly BreakStage[];

  /** @param stages those of other kinds are left out */
  constructor(stages: readonly Stage[]) {
    this.#stages = stages.filter((stage) => stage.kind === "break");
  }

  /** The one that breaks before the head. */
  get first(): BreakStage | undefined {
    return this.#stages.find(({ at }) => at === "head");
  }

  /** How many bytes may pass before the next one. */
  left(progress: Progress): number {
    return Math.min(...this.#stages.map((stage) => place(stage, progress) - progress.sent), Infinity);
  }

  /** The one that is reached. */
  reached(progress: Progress): BreakStage | undefined {
    return this.#stages.find((stage) => place(stage, progress) <= progress.sent);
  }
}

/** `Infinity`: not in what is known of the body. */
function place({ at, cut }: BreakStage, { sent, next, total }: Progress): number {
  if (at === "head") return 0;
  const half = total === undefined ? next === 0 ? Infinity : (sent + next) / 2 : total / 2;
  const bytes = at === "half" ? Math.floor(half) : at;
  // A body that is whole is not cut short.
  return cut.end === "short" && total !== undefined && bytes >= total ? Infinity : bytes;
}
