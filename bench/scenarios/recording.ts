/**
 * What recording to a tape adds to passing through: every exchange is redacted, encoded and in the journal as soon as it is over. Once with
 * exchanges that come again and again, as in a suite of tests; once with exchanges of which no two are alike.
 */
import { join } from "node:path";
import type { Bench, RunningContender } from "../bench.ts";
import { type Line, ratioFigure, type Target, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { spreadOf } from "../statistics.ts";
import { busyNote, measureSlice, sliceLine } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

/** More than are asked for in a slice. */
const NEVER_TWICE = 100_000;

export const recording: Scenario = {
  id: "recording",
  async run(bench) {
    const again = await compare(bench, { what: "64 exchanges again and again", paths: 64, atMost: 1.25 });
    const fresh = await compare(bench, { what: "no two exchanges alike", paths: NEVER_TWICE, atMost: 1.25 });
    return {
      title: "Recording, journal included, beside passing through",
      lines: [...again.lines, ...fresh.lines],
      targets: [again.target, fresh.target],
      notes: [...again.notes, ...fresh.notes],
    };
  },
};

interface Compared {
  readonly lines: Line[];
  readonly target: Target;
  readonly notes: string[];
}

function compare(
  bench: Bench,
  { what, paths, atMost }: { what: string; paths: number; atMost: number },
): Promise<Compared> {
  return bench.with(["flowtape", "flowtape"], async ([recorder, passing]) => {
    const to = { scheme: "http", host: "127.0.0.1", port: bench.origin.http } as const;
    const measure = (contender: RunningContender, tape?: string) =>
      measureSlice(bench, contender, { kind: "record", tape }, { to, kept: 1, paths });
    const slices = await interleave(bench.pace.rounds, {
      passing: () => measure(passing),
      tape: (round) => measure(recorder, join(bench.folder, `recording-${paths}-${round}.har`)),
    });
    const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
    const closing = spreadOf(slices.tape.map((slice) => slice.closing)).median;
    return {
      lines: [sliceLine(`to a tape: ${what}`, slices.tape), sliceLine("the same without a tape", slices.passing)],
      target: target(ratioFigure(`of the processor time without a tape: ${what}`, cpu("tape"), cpu("passing")), {
        atMost,
      }),
      notes: [
        `${what}: closing, which makes the tape of the journal, takes ${closing.toFixed(1)} us an exchange`,
        ...busyNote(slices.tape),
      ],
    };
  });
}
