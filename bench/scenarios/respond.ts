/** One rule that responds: nothing but the proxy's own way from bytes to bytes. */
import type { RunningContender } from "../bench.ts";
import { ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { busyNote, measureSlice, sliceLine } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

export const oneRule: Scenario = {
  id: "respond",
  run: (bench) =>
    bench.with(
      ["flowtape", "node", "mockttp"],
      async ([flowtape, node, mockttp]) => {
        const measure = (contender: RunningContender) =>
          measureSlice(bench, contender, {
            kind: "respond",
            origin: "http://bench.test",
            paths: 1,
          }, {
            to: { scheme: "http", host: "bench.test", port: 80 },
            paths: 1,
          });
        const slices = await interleave(bench.pace.rounds, {
          flowtape: () => measure(flowtape),
          node: () => measure(node),
          mockttp: () => measure(mockttp),
        });
        const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
        return {
          title: "One rule that responds",
          lines: [
            sliceLine("flowtape", slices.flowtape),
            sliceLine("node:http handler", slices.node),
            sliceLine("mockttp", slices.mockttp),
          ],
          targets: [
            target(
              ratioFigure("of a node:http handler's processor time", cpu("flowtape"), cpu("node")),
              { atMost: 0.8 },
            ),
            target(ratioFigure("of mockttp's processor time", cpu("flowtape"), cpu("mockttp")), { atMost: 1 / 12 }),
          ],
          notes: busyNote(slices.flowtape),
        };
      },
    ),
};
