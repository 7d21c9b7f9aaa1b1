import type { Bench } from "../bench.ts";
import type { Result } from "../result.ts";

/** One question and its answer. It throws when it cannot be run or an answer was wrong, never because a target was missed. */
export interface Scenario {
  /** A word to choose it by on the command line. */
  readonly id: string;
  run(bench: Bench): Promise<Result>;
}
