/** Closing a proxy with a thousand connections, of every kind and each in the middle of something. */
import { figure, target } from "../result.ts";
import { interleave } from "../rounds.ts";
import type { Scenario } from "./scenario.ts";

/** There are 17 kinds. */
const OF_EACH = 60;

export const closing: Scenario = {
  id: "close",
  run: (bench) =>
    bench.with(["flowtape"], async ([flowtape]) => {
      let title = "";
      const close = async (ofEach: number) => {
        const endpoint = await flowtape.start({ kind: "crowd", ...await bench.load.gather() });
        const { clients, kinds } = await bench.load.come({ endpoint, ofEach });
        title = `Closing with ${clients.toLocaleString("en")} connections open, of ${kinds} kinds`;
        const ms = await flowtape.call.timeStop();
        await bench.load.disperse();
        return { ms, left: (await flowtape.call.open()).length - idle };
      };
      const idle = (await flowtape.call.open()).length;
      await close(1); // loads what is loaded when it is needed
      const samples = await interleave(Math.min(bench.pace.rounds, 3), { flowtape: () => close(OF_EACH) });
      const ms = samples.flowtape.map((sample) => sample.ms);
      const left = samples.flowtape.map((sample) => sample.left);
      return {
        title,
        lines: [{
          name: "flowtape",
          figures: [figure("until close() has resolved", "ms", ms), figure("left behind", "", left)],
        }],
        targets: [
          target(figure("until close() has resolved", "ms", ms), { atMost: 1000 }),
          target(figure("sockets, servers and timers left behind, at most", "", Math.max(...left)), { atMost: 0 }),
        ],
        notes: ["every client finds its connection closed; clients and servers are other processes"],
      };
    }),
};
