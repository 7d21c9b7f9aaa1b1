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

/** The proxy's own share is measured of the second ones: the first also load modules, and make functions hot. */
const NAMES = { flowtape: [40, 160], mockttp: [10, 10] } as const; // it takes as long for each, whatever their number
const CLIENTS = 32;

export const firstSeenNames: Scenario = {
  id: "names",
  async run(bench): Promise<Result> {
    const rounds = Math.min(bench.pace.rounds, 5);
    const met = await interleave(rounds, {
      flowtape: () => meetNames(bench, "flowtape"),
      mockttp: () => meetNames(bench, "mockttp"),
    });
    const each = (name: keyof typeof met, what: keyof Met) => met[name].map((sample) => sample[what]);
    const line = (name: keyof typeof met) => ({
      name,
      figures: [
        figure("processor time for each", "ms", each(name, "cpu")),
        figure("for a name it knows", "ms", each(name, "known")),
        figure("each, all told", "ms", each(name, "allTold")),
        figure("the slowest (the first)", "ms", each(name, "slowest")),
      ],
    });
    return {
      title: "200 first-seen names",
      lines: [line("flowtape"), line("mockttp")],
      targets: [
        target(figure("processor time of the proxy for each", "ms", each("flowtape", "cpu")), { atMost: 2 }),
        target(figure("each, all told", "ms", each("flowtape", "allTold")), {
          atMost: 5,
        }),
      ],
      notes: [
        "processor time: of the proxy's whole process for accepting, CONNECT, certificate and its signature, TLS context, handshake, " +
        `request, response and close, of the last ${NAMES.flowtape[1]} of them`,
        "all told: what the client waits from connecting to the whole response, one name after another, in a fresh process, the first too",
      ],
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

/** Milliseconds. */
interface Met {
  readonly allTold: number;
  readonly slowest: number;
  readonly cpu: number;
  readonly known: number;
}

function meetNames(bench: Bench, contender: keyof typeof NAMES): Promise<Met> {
  return bench.with([contender], async ([{ start, call }]) => {
    const endpoint = await start(JOB);
    const meet = async (from: number, count: number) => {
      const names = Array.from({ length: count }, (_, index) => `name-${from + index}.bench.test`);
      const before = await call.cpu();
      const times = await bench.load.meetNames({ endpoint, names, path: PATH });
      return { times, cpu: (await call.cpu() - before) / 1000 / count };
    };
    const [first, then] = NAMES[contender];
    const early = await meet(0, first);
    const late = await meet(first, then);
    const times = [...early.times, ...late.times];
    return {
      allTold: times.reduce((a, b) => a + b, 0) / times.length,
      slowest: Math.max(...times),
      cpu: late.cpu,
      known: (await meet(0, first + then)).cpu,
    };
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
