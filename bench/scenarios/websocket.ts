/** Messages of a WebSocket, there and back, one at a time on each connection. */
import type { RunningContender } from "../bench.ts";
import type { Destination } from "../load/connect.ts";
import { figure, ratioFigure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import { ratios } from "../statistics.ts";
import { busyNote, measureSlice, type Slice } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

export const webSocket: Scenario = {
  id: "websocket",
  run: (bench) =>
    bench.with(["flowtape", "node", "mockttp"], async ([flowtape, node, mockttp]) => {
      const to: Destination = { scheme: "http", host: "127.0.0.1", port: bench.origin.http };
      const measure = (contender: RunningContender) => {
        const kept = contender.name === "node" ? 0 : 2; // each that is sent comes back
        return measureSlice(bench, contender, { kind: "websocket" }, { to, protocol: "websocket", kept });
      };
      const slices = await interleave(bench.pace.rounds, {
        flowtape: () => measure(flowtape),
        node: () => measure(node),
        mockttp: () => measure(mockttp),
      });
      const cpu = (name: keyof typeof slices) => slices[name].map((slice) => slice.cpu);
      const line = (name: string, measured: readonly Slice[]) => ({
        name,
        figures: [
          figure("processor time a message", "us", measured.map((slice) => slice.cpu / 2)),
          figure("messages", "per second", measured.map((slice) => slice.perSecond * 2)),
        ],
      });
      return {
        title: "Messages of WebSockets, kept",
        lines: [
          line("flowtape", slices.flowtape),
          line("a pipe of sockets, keeps nothing", slices.node),
          line("mockttp", slices.mockttp),
        ],
        targets: [
          target(ratioFigure("of the processor time of a pipe", cpu("flowtape"), cpu("node")), { atMost: 2 }),
        ],
        notes: [
          `${ratios(cpu("flowtape"), cpu("mockttp")).median.toFixed(2)} of mockttp's processor time`,
          ...busyNote(slices.flowtape),
        ],
      };
    }),
};
