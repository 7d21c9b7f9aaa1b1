/** What recording to a tape adds to passing through: every exchange is redacted, encoded and in the journal as soon as it is over. */
import { join } from "node:path";
import type { RunningContender } from "../bench.ts";
import { ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { spreadOf } from "../statistics.ts";
import { busyNote, measureSlice, sliceLine } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

export const recording: Scenario = {
  id: "recording",
  run: (bench) =>
    bench.with(["flowtape", "flowtape"], async ([recorder, passing]) => {
      const to = { scheme: "http", host: "127.0.0.1", port: bench.origin.http } as const;
      const measure = (contender: RunningContender, tape?: string) =>
        measureSlice(bench, contender, { kind: "record", tape }, { to, kept: 1 });
      const slices = await interleave(bench.pace.rounds, {
        passing: () => measure(passing),
        tape: (round) => measure(recorder, join(bench.folder, `recording-${round}.har`)),
      });
      const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
      const closing = spreadOf(slices.tape.map((slice) => slice.closing)).median;
      return {
        title: "Recording, journal included, beside passing through",
        lines: [sliceLine("to a tape", slices.tape), sliceLine("without a tape", slices.passing)],
        targets: [
          target(ratioFigure("of the processor time without a tape", cpu("tape"), cpu("passing")), { atMost: 1.25 }),
        ],
        notes: [
          `closing, which makes the tape of the journal: ${closing.toFixed(1)} us an exchange`,
          ...busyNote(slices.tape),
        ],
      };
    }),
};
