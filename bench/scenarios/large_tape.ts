/** A body that is far larger than memory should be: recorded to a tape, and replayed from it. */
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Job } from "../contenders/contender.ts";
import { MIB } from "../payload.ts";
import { figure, target } from "../result.ts";
import type { Scenario } from "./scenario.ts";

const QUICK = 256 * MIB;
const WHOLE = 2048 * MIB;

export const largeTape: Scenario = {
  id: "large-tape",
  async run(bench) {
    const bytes = bench.quick ? QUICK : WHOLE;
    const tape = join(bench.folder, "large.har");
    const recorded = await pass(bench, { kind: "record", tape }, bytes);
    const replayed = await pass(bench, { kind: "replay", tape }, bytes);
    const line = (name: string, { rate, memory }: Passed) => ({
      name,
      figures: [figure("throughput", "MiB/s", rate), figure("memory above idle, at most", "MiB", memory)],
    });
    const bounded = (what: string, { memory }: Passed) =>
      target(figure(`resident memory above idle while it is ${what}, at most`, "MiB", memory), { atMost: 96 });
    return {
      title: `A body of ${bytes / MIB} MiB on a tape`,
      lines: [line("recorded", recorded), line("replayed", replayed)],
      targets: [bounded("recorded", recorded), bounded("replayed", replayed)],
      notes: ["every byte is searched for secrets and hashed before it is written"],
    };
  },
};

interface Passed {
  readonly rate: number;
  readonly memory: number;
}

function pass(bench: Bench, job: Job, bytes: number): Promise<Passed> {
  return bench.with(["flowtape"], async ([flowtape]) => {
    const endpoint = await flowtape.start(job);
    const to = { scheme: "http", host: "127.0.0.1", port: bench.origin.http } as const;
    const download = (bytes: number) => bench.load.download({ endpoint, to, bytes });
    // While it is replayed there is nothing else on the tape.
    if (job.kind === "record") await download(bytes / 64);
    const idle = await flowtape.call.watchResident();
    const ms = await download(bytes);
    const memory = (await flowtape.call.highestResident() - idle) / MIB;
    await flowtape.call.stop();
    return { rate: bytes / MIB / (ms / 1000), memory };
  });
}
