/**
 * Faults that break a flow.
 *
 * @module
 */
import type { FailureCode } from "../../flow/flow_error.ts";
import { FlowResponse } from "../../flow/response.ts";
import { type BreakStage, type Cut, ensureShape } from "../../flow/shape.ts";
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";
import type { FaultKind, FaultOptions } from "./fault_options.ts";
import { addStage, breaking, shaping } from "./shaping.ts";

/** Whether a fault asks nobody for an answer. */
export function isAtOnce(kind: FaultKind, { then, on, after }: FaultOptions): boolean {
  return kind !== "limit" && kind !== "truncate" && then === undefined && after === undefined && on !== "response";
}

/** The action of a fault that breaks. */
export function breaks(kind: FaultKind, options: FaultOptions, atOnce: boolean): ActionFunction {
  const { on = "response", then, probability, seed } = options;
  const chancy = { where: `fault("${kind}")`, description: `fault ${describe(kind, options)}`, probability, seed };
  const silence = silenceOf(kind, options);
  const cut = (random: () => number) => cutOf(kind, options, random);
  const code = CODES[kind]!;
  if (atOnce && kind !== "malformed-chunk") return breaking(chancy, { code, cut, silence });
  const at = placeOf(kind, options);
  return shaping({ ...chancy, then: atOnce ? HEAD_ALONE : then, sides: [on as "request"] }, {
    needsLength: kind === "truncate",
    httpOnly: kind === "truncate" || kind === "malformed-chunk",
    apply(flow, random) {
      const { description } = chancy;
      const stage: BreakStage = { kind: "break", at, silence, cut: cut(random), code, description };
      addStage(flow, [on as "request"], () => stage);
      const framing = FRAMINGS[kind];
      if (framing !== undefined && on === "response") ensureShape(flow).framing = framing;
    },
  });
}

const CODES: Readonly<Partial<Record<FaultKind, FailureCode>>> = {
  "reset": "FAULT_RESET",
  "empty": "FAULT_EMPTY",
  "malformed-chunk": "FAULT_MALFORMED_CHUNK",
  "random-data": "FAULT_RANDOM_DATA",
  "timeout": "FAULT_TIMEOUT",
  "limit": "FAULT_LIMIT",
  "truncate": "FAULT_TRUNCATED",
};

const FRAMINGS: Readonly<Partial<Record<FaultKind, "length" | "chunked">>> = {
  "truncate": "length",
  "malformed-chunk": "chunked",
};

/** There has to be a head before a chunk can be malformed. */
const HEAD_ALONE: ActionFunction = defineAction(() =>
  constantPlan("forward", {
    needsBody: false,
    run(flow) {
      flow.response = FlowResponse.create({ status: 200 });
    },
  })
);

function placeOf(kind: FaultKind, { after, bytes }: FaultOptions): BreakStage["at"] {
  switch (kind) {
    case "limit":
      return bytes!;
    case "truncate":
      return bytes ?? "half";
    case "malformed-chunk":
      return 0;
    default:
      return after ?? "head";
  }
}

function silenceOf(kind: FaultKind, { ms }: FaultOptions): number {
  const time = typeof ms === "number" ? ms : 0;
  // As toxiproxy has it: no time is no end.
  return kind === "timeout" && time === 0 ? Infinity : time;
}

function cutOf(kind: FaultKind, { scope = "stream", resetCode, bytes }: FaultOptions, random: () => number): Cut {
  const end = kind === "reset" ? "reset" : kind === "truncate" ? "short" : "close";
  return {
    end,
    scope,
    ...(resetCode === undefined ? {} : { resetCode }),
    ...(kind === "malformed-chunk" || kind === "random-data" ? { garbage: garbage(bytes ?? 64, random) } : {}),
  };
}

// The first byte is no digit of a chunk size, and no letter that a status line could begin with.
function garbage(length: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i === 0 ? 0x80 | random() * 128 : random() * 256);
}

function describe(kind: FaultKind, { on = "response", after, bytes, ms }: FaultOptions): string {
  const parts = [
    ...(after === undefined ? [] : [`after ${after} bytes`]),
    ...(bytes === undefined ? [] : [`${bytes} bytes`]),
    ...(ms === undefined ? [] : [`${ms} ms`]),
  ];
  return `${[kind, ...parts].join(" ")}${on === "response" ? "" : ` (${on})`}`;
}
