/** New TLS connections on one name, and names that are met for the first time: one after another, and by many at once. */
import type { Bench, RunningContender } from "../bench.ts";
import type { ContenderName, Job } from "../contenders/contender.ts";
import { itemPath } from "../payload.ts";
import { figure, ratioFigure, type Result, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { warmingMs } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

const PATH = itemPath(0);
const JOB: Job = { kind: "respondAny", path: PATH };

export const newConnections: Scenario = {
  id: "connections",
  run: (bench) =>
    bench.with(["flowtape", "mockttp"], async ([flowtape, mockttp]) => {
      const measure = async (contender: RunningContender) => {
        const endpoint = await contender.start(JOB);
        const to = { scheme: "https", host: "bench.test", port: 443 } as const;
        const plan = { endpoint, to, path: PATH, clients: 8 };
        await bench.load.reconnect({ ...plan, ms: warmingMs(bench, contender) });
        const before = await contender.call.cpu();
        const driven = await bench.load.reconnect({ ...plan, ms: bench.pace.sliceMs });
        const used = await contender.call.cpu() - before;
        await contender.call.stop();
        return {
          capacity: driven.requests / (used / 1e6),
          rate: driven.requests / (driven.ms / 1000),
        };
      };
      const samples = await interleave(bench.pace.rounds, {
        flowtape: () => measure(flowtape),
        mockttp: () => measure(mockttp),
      });
      const capacity = (name: keyof typeof samples) => samples[name].map((sample) => sample.capacity);
      const rate = (name: keyof typeof samples) => samples[name].map((sample) => sample.rate);
      const line = (name: keyof typeof samples) => ({
        name,
        figures: [
          figure("connections a second of processor time", "", capacity(name)),
          figure("connections here", "per second", rate(name)),
        ],
      });
      return {
        title: "New TLS connections on one name",
        lines: [line("flowtape"), line("mockttp")],
        targets: [
          target(ratioFigure("as many as mockttp", capacity("flowtape"), capacity("mockttp")), { atLeast: 4 }),
        ],
        notes: [
          "a full handshake costs the client more than the proxy, so processor time is what is compared; " +
          `in connections a second here: ${ratioFigure("", rate("flowtape"), rate("mockttp")).median.toFixed(2)} times`,
        ],
      };
    }),
};

const NAMES = 200;
const CLIENTS = 32;

export const firstSeenNames: Scenario = {
  id: "names",
  async run(bench): Promise<Result> {
    const rounds = Math.min(bench.pace.rounds, 3);
    const each = await interleave(rounds, {
      flowtape: () => meetNames(bench, "flowtape", NAMES),
      mockttp: () => meetNames(bench, "mockttp", 20), // per name all the same, and it would take too long
    });
    const averages = (name: keyof typeof each) =>
      each[name].map((times) => times.reduce((a, b) => a + b, 0) / times.length);
    const worst = (name: keyof typeof each) => each[name].map((times) => Math.max(...times));
    const line = (name: keyof typeof each) => ({
      name,
      figures: [figure("each, all told", "ms", averages(name)), figure("the slowest (the first)", "ms", worst(name))],
    });
    return {
      title: `${NAMES} first-seen names`,
      lines: [line("flowtape"), line("mockttp")],
      targets: [
        target(figure("each, all told", "ms", averages("flowtape")), {
          atMost: 5,
        }),
      ],
      notes: ["from connecting to the whole response, one name after another, in a fresh process"],
    };
  },
};

export const oneNewName: Scenario = {
  id: "at-once",
  async run(bench): Promise<Result> {
    const samples = await interleave(bench.pace.rounds, {
      flowtape: (round) => meetAtOnce(bench, "flowtape", round),
      mockttp: (round) => meetAtOnce(bench, "mockttp", round),
    });
    const line = (name: keyof typeof samples) => ({
      name,
      figures: [
        figure("until all have their answer", "ms", samples[name].map((sample) => sample.ms)),
        figure("certificates made", "", samples[name].map((sample) => sample.certificates)),
      ],
    });
    const certificates = Math.max(...samples.flowtape.map((sample) => sample.certificates));
    return {
      title: `${CLIENTS} clients that meet one new name at once`,
      lines: [line("flowtape"), line("mockttp")],
      targets: [target(figure("certificates made", "", certificates), { atMost: 1 })],
      notes: [],
    };
  },
};

function meetNames(bench: Bench, name: ContenderName, count: number): Promise<number[]> {
  return bench.with([name], async ([contender]) => {
    const endpoint = await contender.start(JOB);
    const names = Array.from({ length: count }, (_, index) => `name-${index}.bench.test`);
    return await bench.load.meetNames({ endpoint, names, path: PATH });
  });
}

/** In a process that made a certificate before, so that loading modules is not what is measured. */
function meetAtOnce(bench: Bench, name: ContenderName, round: number): Promise<{ ms: number; certificates: number }> {
  return bench.with([name], async ([contender]) => {
    const endpoint = await contender.start(JOB);
    await bench.load.meetNames({
      endpoint,
      names: ["met-before.bench.test"],
      path: PATH,
    });
    return await bench.load.meetAtOnce({
      endpoint,
      name: `new-${round}.bench.test`,
      path: PATH,
      clients: CLIENTS,
    });
  });
}
