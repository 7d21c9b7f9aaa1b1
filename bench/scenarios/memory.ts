/** What a captured flow weighs besides its body, and whether the memory comes back when the flows are let go. */
import type { Bench } from "../bench.ts";
import type { ContenderName } from "../contenders/contender.ts";
import { BODY_BYTES, MIB } from "../payload.ts";
import { figure, target } from "../result.ts";
import { LANES } from "../steady.ts";
import type { Scenario } from "./scenario.ts";

const CYCLES = 3;

export const memory: Scenario = {
  id: "memory",
  async run(bench) {
    const flows = bench.quick ? 10_000 : 20_000;
    const flowtape = await weigh(bench, "flowtape", flows);
    const node = await weigh(bench, "node", flows);
    const mockttp = await weigh(bench, "mockttp", flows / 10);
    const line = (name: string, weight: Weight) => ({
      name,
      figures: [
        figure("besides the body", "bytes", weight.perFlow),
        figure("left over when let go", "MiB", weight.leftOver),
      ],
    });
    return {
      title: "Memory for a captured flow",
      lines: [line("flowtape", flowtape), line("node:http + undici", node), line("mockttp", mockttp)],
      targets: [
        target(figure("besides the body", "bytes", flowtape.perFlow), {
          atMost: 2048,
        }),
        target(
          figure(
            `growth over ${CYCLES - 1} times ${flows.toLocaleString("en")} flows let go`,
            "MiB",
            flowtape.leftOver,
          ),
          {
            atMost: 1,
          },
        ),
      ],
      notes: ["heap and what hangs on it outside (buffers), after garbage collection"],
    };
  },
};

interface Weight {
  readonly perFlow: number[];
  readonly leftOver: number;
}

function weigh(bench: Bench, name: ContenderName, flows: number): Promise<Weight> {
  return bench.with([name], async ([contender]) => {
    const endpoint = await contender.start({ kind: "record" });
    await bench.load.open({
      endpoint,
      to: { scheme: "http", host: "127.0.0.1", port: bench.origin.http },
      protocol: "http1",
      lanes: LANES,
      paths: 1024,
      bodyBytes: BODY_BYTES,
    });
    const perFlow: number[] = [];
    const empty: number[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      await contender.call.reset();
      empty.push(await contender.call.memory());
      await bench.load.drive({ requests: flows });
      const full = await contender.call.memory();
      if (await contender.call.seen() < flows) {
        throw new Error(`${name} kept fewer flows than it was asked for`);
      }
      if (cycle > 0) perFlow.push((full - empty[cycle]!) / flows - BODY_BYTES);
    }
    await contender.call.reset();
    empty.push(await contender.call.memory());
    return { perFlow, leftOver: (empty.at(-1)! - empty[1]!) / MIB };
  }, { nodeOptions: ["--expose-gc"] });
}
