/** Large bodies that are not kept: how fast they pass, and how much memory they take on the way. */
import type { Bench, RunningContender } from "../bench.ts";
import type { Endpoint } from "../load/connect.ts";
import type { Download } from "../load/download.ts";
import { MIB } from "../payload.ts";
import { figure, ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import type { Scenario } from "./scenario.ts";

const KEPT = 64 * 1024;

export const largeBody: Scenario = {
  id: "body",
  run: (bench) =>
    bench.with(
      ["flowtape", "node", "mockttp"],
      async ([flowtape, node, mockttp]) => {
        const samples = await interleave(bench.pace.rounds + 1, {
          flowtape: await prepare(bench, flowtape, { bytes: 256 * MIB }),
          node: await prepare(bench, node, { bytes: 256 * MIB }),
          mockttp: await prepare(bench, mockttp, { bytes: 256 * MIB }),
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

export const gigabyte: Scenario = {
  id: "gigabyte",
  run: (bench) =>
    bench.with(["flowtape", "node"], async ([flowtape, node]) => {
      const bytes = bench.quick ? 256 * MIB : 1024 * MIB;
      const samples = await interleave(bench.pace.rounds + 1, {
        flowtape: await prepare(bench, flowtape, { bytes }),
        tunnel: await prepare(bench, node, { bytes, tunnel: true }),
      });
      const rate = (name: keyof typeof samples) => samples[name].slice(1).map((sample) => sample.rate); // the first warms
      const cpu = (name: keyof typeof samples) => samples[name].slice(1).map((sample) => sample.cpu);
      const memory = (name: keyof typeof samples) => samples[name].map((sample) => sample.memory);
      const line = (contender: keyof typeof samples, name: string) => ({
        name,
        figures: [
          figure("throughput", "MiB/s", rate(contender)),
          figure("processor time a MiB", "us", cpu(contender)),
          figure("memory above idle, at most", "MiB", memory(contender)),
        ],
      });
      return {
        title: `A body of ${bytes / MIB} MiB, of which 64 KiB are kept, beside a tunnel that nobody looks into`,
        lines: [line("flowtape", "flowtape"), line("tunnel", "two sockets and pipe(), behind a CONNECT")],
        targets: [
          target(ratioFigure("of the throughput of a piped tunnel", rate("flowtape"), rate("tunnel")), {
            atLeast: 0.7,
          }),
          target(
            figure("resident memory above idle, at most", "MiB", Math.max(...memory("flowtape"))),
            { atMost: 96 },
          ),
        ],
        notes: [
          `${ratioFigure("", cpu("flowtape"), cpu("tunnel")).median.toFixed(2)} of the tunnel's processor time`,
          "idle: after the first small downloads, before any large one",
        ],
      };
    }),
};

interface Passed {
  readonly rate: number;
  /** Microseconds of the contender's process for each MiB. */
  readonly cpu: number;
  readonly memory: number;
}

async function prepare(
  bench: Bench,
  contender: RunningContender,
  { bytes, tunnel = false }: Pick<Download, "bytes" | "tunnel">,
): Promise<() => Promise<Passed>> {
  const endpoint: Endpoint = await contender.start(tunnel ? { kind: "tunnel" } : { kind: "stream", maxBody: KEPT });
  const to = { scheme: "http", host: "127.0.0.1", port: bench.origin.http } as const;
  const download = (bytes: number) => bench.load.download({ endpoint, to, bytes, tunnel });
  for (let i = 0; i < 3; i++) await download(1024);
  const idle = await contender.call.watchResident();
  return async () => {
    await contender.call.watchResident();
    const before = await contender.call.cpu();
    const ms = await download(bytes);
    return {
      rate: bytes / MIB / (ms / 1000),
      cpu: (await contender.call.cpu() - before) / (bytes / MIB),
      memory: (await contender.call.highestResident() - idle) / MIB,
    };
  };
}
