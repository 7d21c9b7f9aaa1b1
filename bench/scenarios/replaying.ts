/** Replaying recordings, beside the libraries that do it by replacing the client: Polly.js and nock. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { ReplayerMethods, ReplayerName } from "../replayers/replayer_process.ts";
import { figure, ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { type Child, spawn } from "../rpc.ts";
import type { Scenario } from "./scenario.ts";

const TITLES: Record<ReplayerName, string> = { flowtape: "flowtape", polly: "Polly.js", nock: "nock.back" };
const NAMES = Object.keys(TITLES) as ReplayerName[];

export const replaying: Scenario = {
  id: "replay",
  async run(bench) {
    const exchanges = bench.quick ? 200 : 1000;
    const ready = {} as Record<ReplayerName, number>;
    const replayers = {} as Record<ReplayerName, Child<ReplayerMethods>>;
    try {
      for (const name of NAMES) [replayers[name], ready[name]] = await prepare(bench, name, exchanges);
      const measure = (name: ReplayerName) => () => replayers[name].call.measure(exchanges);
      for (const name of NAMES) await measure(name)();
      const cpu = await interleave(bench.pace.rounds, {
        flowtape: measure("flowtape"),
        polly: measure("polly"),
        nock: measure("nock"),
      });
      const beside = (name: "polly" | "nock") =>
        target(ratioFigure(`of the processor time of ${TITLES[name]}`, cpu.flowtape, cpu[name]), { atMost: 1 });
      return {
        title: `Replaying ${exchanges.toLocaleString("en")} recorded exchanges, one after the other, client included`,
        lines: NAMES.map((name) => ({
          name: TITLES[name],
          figures: [
            figure("processor time a request", "us", cpu[name]),
            figure("until the first answer", "ms", ready[name]),
          ],
        })),
        targets: [beside("polly"), beside("nock")],
        notes: ["flowtape is asked over a socket, the others take the place of the client"],
      };
    } finally {
      await Promise.all(Object.values(replayers).map((replayer) => replayer.end()));
    }
  },
};

/** Records in one process, and replays in another, which has nothing but the recording. */
async function prepare(
  bench: Bench,
  name: ReplayerName,
  exchanges: number,
): Promise<[Child<ReplayerMethods>, number]> {
  const folder = join(bench.folder, name);
  await mkdir(folder, { recursive: true });
  const setting = { folder, flowtape: bench.surroundings.flowtape, exchanges };
  const start = () =>
    spawn<ReplayerMethods>(new URL("../replayers/replayer_process.ts", import.meta.url), { args: [name] });
  const recorder = await start();
  let port: number;
  try {
    port = await recorder.call.record(setting);
  } finally {
    await recorder.end();
  }
  const replayer = await start();
  try {
    return [replayer, await replayer.call.replay({ ...setting, port })];
  } catch (error) {
    await replayer.end();
    throw error;
  }
}
