/** A 256 MiB body that is not kept: how fast it passes, and how much memory it takes on the way. */
import type { Bench, RunningContender } from "../bench.ts";
import type { Endpoint } from "../load/connect.ts";
import { MIB } from "../payload.ts";
import { figure, ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import type { Scenario } from "./scenario.ts";

const BYTES = 256 * MIB;
const KEPT = 64 * 1024;

export const largeBody: Scenario = {
  id: "body",
  run: (bench) =>
    bench.with(
      ["flowtape", "node", "mockttp"],
      async ([flowtape, node, mockttp]) => {
        const samples = await interleave(bench.pace.rounds + 1, {
          flowtape: await prepare(bench, flowtape),
          node: await prepare(bench, node),
          mockttp: await prepare(bench, mockttp),
        });
        const rate = (name: keyof typeof samples) => samples[name].slice(1).map((sample) => sample.rate); // the first warms
        const memory = (name: keyof typeof samples) => samples[name].map((sample) => sample.memory);
        const line = (contender: keyof typeof samples, name: string) => ({
          name,
          figures: [
            figure("throughput", "MiB/s", rate(contender)),
            figure("memory above idle, at most", "MiB", memory(contender)),
          ],
        });
        return {
          title: "A 256 MiB body, of which 64 KiB are kept",
          lines: [
            line("flowtape", "flowtape"),
            line("node", "node:http pipe, keeps nothing"),
            line("mockttp", "mockttp"),
          ],
          targets: [
            target(
              ratioFigure("of the throughput of a node:http pipe", rate("flowtape"), rate("node")),
              { atLeast: 0.9 },
            ),
            target(
              figure("resident memory above idle, at most", "MiB", Math.max(...memory("flowtape"))),
              { atMost: 64 },
            ),
          ],
          notes: ["idle: after the first small downloads, before any large one"],
        };
      },
    ),
};

interface Passed {
  readonly rate: number;
  readonly memory: number;
}

async function prepare(bench: Bench, contender: RunningContender): Promise<() => Promise<Passed>> {
  const endpoint = await contender.start({ kind: "stream", maxBody: KEPT });
  for (let i = 0; i < 3; i++) await download(bench, endpoint, 1024);
  const idle = await contender.call.watchResident();
  return async () => {
    await contender.call.watchResident();
    const ms = await download(bench, endpoint, BYTES);
    return {
      rate: BYTES / MIB / (ms / 1000),
      memory: (await contender.call.highestResident() - idle) / MIB,
    };
  };
}

function download(bench: Bench, endpoint: Endpoint, bytes: number): Promise<number> {
  const to = {
    scheme: "http",
    host: "127.0.0.1",
    port: bench.origin.http,
  } as const;
  return bench.load.download({ endpoint, to, bytes });
}
