/**
 * Faults that slow a flow down.
 *
 * @module
 */
import type { Stage } from "../../flow/shape.ts";
import type { ActionFunction } from "../action.ts";
import { timeOf } from "./distribution.ts";
import type { FaultKind, FaultOptions } from "./fault_options.ts";
import { addStage, shaping } from "./shaping.ts";
import { sidesOf } from "./throttle.ts";

interface Slow {
  /** What it does, in a few words. */
  readonly text: string;
  readonly needsLength?: boolean;
  readonly httpOnly?: boolean;
  stage(random: () => number): Stage;
}

/** The action of such a fault; `undefined` for any other. */
export function slows(kind: FaultKind, options: FaultOptions): ActionFunction | undefined {
  const slow = slowOf(kind, options);
  if (slow === undefined) return undefined;
  const { on = "response", then, probability, seed } = options;
  const description = `${kind} ${slow.text}${on === "response" ? "" : ` (${on})`}`;
  const sides = sidesOf(on);
  return shaping({ where: `fault("${kind}")`, description, then, probability, seed: seedOf(options), sides }, {
    needsLength: slow.needsLength ?? false,
    httpOnly: slow.httpOnly ?? false,
    apply(flow, random) {
      flow.faults.push(description);
      addStage(flow, sides, () => slow.stage(random));
    },
  });
  function seedOf({ ms }: FaultOptions): number | undefined {
    return seed ?? (typeof ms === "object" ? ms.seed : undefined);
  }
}

function slowOf(kind: FaultKind, options: FaultOptions): Slow | undefined {
  const { chunks = 1, size = 1, variation = 0 } = options;
  const ms = typeof options.ms === "number" ? options.ms : 0;
  switch (kind) {
    case "latency": {
      const time = timeOf(options.ms!, `option ms of fault("latency")`);
      return { text: time.text, stage: (random) => ({ kind, draw: () => time.draw(random) }) };
    }
    case "dribble":
      return { text: `${chunks} chunks in ${ms} ms`, needsLength: true, stage: () => ({ kind, chunks, ms }) };
    case "slice":
      return {
        text: `${size}${variation === 0 ? "" : ` ± ${variation}`} bytes, ${ms} ms`,
        stage: (random) => ({ kind, pause: ms, draw: () => size + (2 * random() - 1) * variation }),
      };
    case "slow-head":
      return { text: `${ms} ms`, httpOnly: true, stage: () => ({ kind, ms }) };
    case "slow-close":
      return { text: `${ms} ms`, stage: () => ({ kind, ms }) };
    default:
      return undefined;
  }
}
