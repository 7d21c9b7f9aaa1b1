/** What a test suite pays before its first request: importing the package, starting a proxy, starting the next. */
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Bench } from "../bench.ts";
import { figure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { spreadOf } from "../statistics.ts";
import type { Scenario } from "./scenario.ts";

export const importing: Scenario = {
  id: "import",
  async run(bench) {
    const measure = (specifier: string) => async () => (await probe("import_probe.ts", specifier))[0]!;
    const samples = await interleave(bench.quick ? 5 : 11, {
      flowtape: measure(bench.surroundings.flowtape),
      undici: measure(import.meta.resolve("undici")),
      mockttp: measure(import.meta.resolve("mockttp")),
    });
    const line = (name: keyof typeof samples) => ({
      name,
      figures: [figure("import", "ms", samples[name])],
    });
    return {
      title: "Import of the package",
      lines: [line("flowtape"), line("undici"), line("mockttp")],
      targets: [
        target(figure("in a fresh process", "ms", samples.flowtape), {
          atMost: 50,
        }),
      ],
      notes: [],
    };
  },
};

export const starting: Scenario = {
  id: "start",
  async run(bench: Bench) {
    const samples = await interleave(bench.quick ? 3 : 7, {
      flowtape: () => probe("start_probe.ts", "flowtape", bench.surroundings.flowtape),
      mockttp: () => probe("start_probe.ts", "mockttp", import.meta.resolve("mockttp")),
    });
    const first = (name: keyof typeof samples) => samples[name].map((times) => times[0]!);
    const later = (name: keyof typeof samples) => samples[name].map((times) => spreadOf(times.slice(1)).median);
    const line = (name: keyof typeof samples) => ({
      name,
      figures: [figure("the first time", "ms", first(name)), figure("after", "ms", later(name))],
    });
    return {
      title: "A proxy that is ready",
      lines: [line("flowtape"), line("mockttp")],
      targets: [
        target(figure("the first time", "ms", first("flowtape")), {
          atMost: 20,
        }),
        target(figure("after", "ms", later("flowtape")), { atMost: 3 }),
      ],
      notes: ["mockttp with an authority, which it makes the first time"],
    };
  },
};

async function probe(module: string, ...args: string[]): Promise<number[]> {
  const file = fileURLToPath(new URL(`../probes/${module}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { timeout: 60_000 });
  return JSON.parse(stdout);
}
