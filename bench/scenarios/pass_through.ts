/** Pass-through, and interception of HTTPS and HTTP/2, with recording on, beside a plain capture proxy and mockttp. */
import { join } from "node:path";
import type { Bench, RunningContender } from "../bench.ts";
import type { Destination } from "../load/connect.ts";
import type { Protocol } from "../load/steady_load.ts";
import { ratioFigure, type Result, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { ratios, spreadOf } from "../statistics.ts";
import { busyNote, measureSlice, sliceLine } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

export const passThrough: Scenario = {
  id: "http",
  run: (bench) =>
    compare(bench, {
      title: "Pass-through, recording on",
      to: { scheme: "http", host: "127.0.0.1", port: bench.origin.http },
      atMost: { node: 0.7, mockttp: 1 / 10 },
    }),
};

export const interception: Scenario = {
  id: "https",
  run: (bench) =>
    compare(bench, {
      title: "HTTPS interception, recording on",
      to: { scheme: "https", host: "localhost", port: bench.origin.https },
      atMost: { node: 0.7, mockttp: 1 / 8 },
    }),
};

export const interceptionHttp2: Scenario = {
  id: "http2",
  run: (bench) =>
    compare(bench, {
      title: "HTTP/2 interception, recording on",
      to: { scheme: "https", host: "localhost", port: bench.origin.http2 },
      protocol: "http2",
      plain: "node:http2",
      atMost: { node: 0.7, mockttp: 1 / 8 },
    }),
};

function compare(
  bench: Bench,
  { title, to, protocol = "http1", plain = "node:http + undici", atMost }: {
    title: string;
    to: Destination;
    protocol?: Protocol;
    plain?: string;
    atMost: { node: number; mockttp: number };
  },
): Promise<Result> {
  return bench.with(
    ["flowtape", "flowtape", "node", "mockttp"],
    async ([recorder, capturer, node, mockttp]) => {
      const measure = (contender: RunningContender, tape?: string) =>
        measureSlice(bench, contender, { kind: "record", tape, http2: protocol === "http2" }, {
          to,
          protocol,
          kept: 1,
        });
      const slices = await interleave(bench.pace.rounds, {
        tape: (round) => measure(recorder, join(bench.folder, `${to.scheme}-${round}.har`)),
        capture: () => measure(capturer),
        node: () => measure(node),
        mockttp: () => measure(mockttp),
      });
      const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
      const closing = spreadOf(slices.tape.map((slice) => slice.closing)).median;
      const allTold = ratios(slices.tape.map((slice) => slice.cpu + slice.closing), cpu("node")).median;
      return {
        title,
        lines: [
          sliceLine("flowtape, to a tape", slices.tape),
          sliceLine("flowtape, in memory", slices.capture),
          sliceLine(`${plain}, in memory`, slices.node),
          sliceLine("mockttp, in memory", slices.mockttp),
        ],
        targets: [
          target(ratioFigure("of the plain proxy's processor time", cpu("tape"), cpu("node")), { atMost: atMost.node }),
          target(ratioFigure("of mockttp's processor time", cpu("tape"), cpu("mockttp")), { atMost: atMost.mockttp }),
        ],
        notes: [
          `closing the tape took ${closing.toFixed(1)} us more for each request on it: ` +
          `all told ${allTold.toFixed(2)} of the plain proxy's, which writes nothing`,
          ...busyNote(slices.tape),
        ],
      };
    },
  );
}
