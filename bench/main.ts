/**
 * Measures flowtape beside its peers and prints what came out, with the target of each figure.
 *
 *     npm run bench                         everything, in about six minutes
 *     npm run bench -- --quick              everything, in under two minutes, and less exact
 *     npm run bench -- http https           some scenarios
 *     npm run bench -- --json               for a program
 *
 * Exits with an error when a scenario could not be run or a contender answered wrongly, never because a target was missed.
 */
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Bench, type Pace } from "./bench.ts";
import { prepare } from "./prepare.ts";
import { machine, renderResult, renderSummary, type Report } from "./report.ts";
import { closing } from "./scenarios/closing.ts";
import { firstSeenNames, newConnections, oneNewName } from "./scenarios/handshakes.ts";
import { gigabyte, largeBody } from "./scenarios/large_body.ts";
import { longTape, manyRules } from "./scenarios/many.ts";
import { largeTape } from "./scenarios/large_tape.ts";
import { loading } from "./scenarios/loading.ts";
import { memory } from "./scenarios/memory.ts";
import { recording } from "./scenarios/recording.ts";
import { interception, interceptionHttp2, passThrough } from "./scenarios/pass_through.ts";
import { replaying } from "./scenarios/replaying.ts";
import { oneRule } from "./scenarios/respond.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { importing, starting } from "./scenarios/startup.ts";
import { webSocket } from "./scenarios/websocket.ts";

const SCENARIOS: readonly Scenario[] = [
  passThrough,
  interception,
  interceptionHttp2,
  webSocket,
  recording,
  oneRule,
  manyRules,
  longTape,
  loading,
  replaying,
  newConnections,
  firstSeenNames,
  oneNewName,
  largeBody,
  gigabyte,
  largeTape,
  closing,
  memory,
  importing,
  starting,
];

const PACE: Pace = { rounds: 6, sliceMs: 700, warmMs: 100 };
const QUICK_PACE: Pace = { rounds: 2, sliceMs: 300, warmMs: 40 };

const { values: options, positionals: ids } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    package: { type: "string" }, // another build of flowtape: its mod.js
    profile: { type: "string" }, // a folder for processor profiles of flowtape
    help: { type: "boolean", default: false },
  },
});

if (options.help) printHelp();
else process.exitCode = await main();

async function main(): Promise<number> {
  const chosen = choose(ids);
  const module = options.package ? resolve(options.package) : prepare();
  const pace = options.quick ? QUICK_PACE : PACE;
  const report: Report = { machine: machine(), results: [], failures: [] };
  const say = (text: string) => options.json ? undefined : console.log(text);
  say(`${report.machine}\n`);

  await using bench = await Bench.open({
    pace: { ...pace, rounds: Number(options.rounds ?? pace.rounds) },
    quick: options.quick,
    surroundings: { flowtape: pathToFileURL(module).href },
    profile: options.profile && resolve(options.profile),
  });
  for (const { id, run } of chosen) {
    try {
      const begin = performance.now();
      const result = await run(bench);
      const seconds = (performance.now() - begin) / 1000;
      report.results.push({ id, seconds, ...result });
      say(renderResult(result, seconds));
    } catch (error) {
      report.failures.push({ id, error: String(error) });
      say(`${id} could not be run: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  console.log(options.json ? JSON.stringify(report, null, 2) : renderSummary(report));
  return report.failures.length ? 1 : 0;
}

function choose(ids: string[]): readonly Scenario[] {
  for (const id of ids) {
    if (!SCENARIOS.some((scenario) => scenario.id === id)) {
      throw new Error(
        `no scenario "${id}"; there are ${SCENARIOS.map((scenario) => scenario.id).join(", ")}`,
      );
    }
  }
  return ids.length ? SCENARIOS.filter((scenario) => ids.includes(scenario.id)) : SCENARIOS;
}

function printHelp(): void {
  console.log(
    `node bench/main.ts [--quick] [--json] [--rounds=N] [--package=dist/mod.js] [--profile=folder] [scenario...]
scenarios: ${SCENARIOS.map((scenario) => scenario.id).join(", ")}`,
  );
}
