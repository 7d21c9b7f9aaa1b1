/**
 * Actions that say how a flow travels, and leave it to another action what is answered.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { type Cut, ensureShape, type ShapedSide, type Stage } from "../../flow/shape.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import { type Action, type ActionFunction, defineAction, type Work } from "../action.ts";
import { addResponseWork, ensureState } from "../flow_state.ts";
import { planOf } from "../plan.ts";
import { Chance } from "./chance.ts";
import { sleep } from "./sleep.ts";

/** What an action does to a flow that it happens to. */
export interface Deed {
  /** The whole message is needed before any of it is sent, where its length is not known. */
  readonly needsLength?: boolean;
  /** It is of HTTP alone. */
  readonly httpOnly?: boolean;
  /** Does it; what answers the flow comes after it. `random` gives numbers from 0 to 1. */
  apply(flow: HttpFlow | TcpFlow, random: () => number): void;
}

/** An action that something may happen by. */
export interface Chancy {
  /** For errors: `fault("limit")`. */
  readonly where: string;
  /** What it does, in a few words. */
  readonly description: string;
  readonly probability?: number | undefined;
  readonly seed?: number | undefined;
}

/** An action that shapes a flow and then does something else to it. */
export function shaping(
  what: Chancy & { readonly then: Action | undefined; readonly sides: readonly ShapedSide[] },
  deed: Deed,
): ActionFunction {
  const { where, description, then = "forward", probability = 1, sides } = what;
  return defineAction(() => {
    const plan = planOf(then, `option then of ${where}`);
    const chance = new Chance(what.seed);
    const held = deed.needsLength === true;
    return {
      description: plan.description === "forward" ? description : `${description}, then ${plan.description}`,
      counts: plan.counts ?? false,
      take() {
        const work = plan.take();
        if (work === undefined) return undefined;
        const { hit, random } = chance.next(probability);
        if (!hit) return work;
        return {
          needsBody: work.needsBody || held && sides.includes("request"),
          run(flow) {
            deed.apply(flow, random);
            if (held && sides.includes("response")) holdUnlessMeasured(flow);
            return work.run(flow);
          },
          ...(work.tcp && !deed.httpOnly && {
            tcp(flow: TcpFlow) {
              deed.apply(flow, random);
              return work.tcp!(flow);
            },
          }),
        };
      },
    };
  });
}

/** How a flow is broken before anybody has been asked. */
export interface Breaking {
  readonly code: FlowError["code"];
  /** Made for each flow. */
  cut(random: () => number): Cut;
  /** For so many milliseconds nothing happens before that; `Infinity`: for ever. */
  readonly silence: number;
}

/** An action that breaks a flow at once. Others are forwarded when it does not happen to them. */
export function breaking({ where, description, probability = 1, seed }: Chancy, how: Breaking): ActionFunction {
  return defineAction(() => {
    const chance = new Chance(seed);
    const otherwise = planOf("forward", where);
    return {
      description,
      take() {
        const { hit, random } = chance.next(probability);
        if (!hit) return otherwise.take();
        const run = (flow: HttpFlow | TcpFlow) => breakFlow(flow, description, how, random);
        const work: Work = { needsBody: false, run, tcp: run };
        return work;
      },
    };
  });
}

function breakFlow(
  flow: HttpFlow | TcpFlow,
  description: string,
  { silence, cut, code }: Breaking,
  random: () => number,
): void | Promise<void> {
  flow.faults.push(description);
  const end = () => {
    flow.cut = cut(random);
    flow.error = { code, message: `${nameOf(flow)} was broken by a rule: ${description}` };
  };
  if (silence === 0) return end();
  const { signal } = ensureState(flow);
  return sleep(silence, signal).then(() => {
    if (!signal.aborted && flow.error === undefined) end();
  });
}

/** Adds a stage to the ways that a flow takes. */
export function addStage(flow: HttpFlow | TcpFlow, sides: readonly ShapedSide[], stage: () => Stage): void {
  const shape = ensureShape(flow);
  for (const side of sides) shape[side].push(stage());
}

// The length of a body that comes in chunks is known when it is there.
function holdUnlessMeasured(flow: HttpFlow): void {
  addResponseWork(flow, {
    needsBody: false,
    run({ response }) {
      if (response === undefined || response.content.complete || response.headers.has("content-length")) return;
      response.stream = false;
      addResponseWork(flow, { needsBody: true, run: () => {} });
    },
  });
}

function nameOf(flow: HttpFlow | TcpFlow): string {
  return flow.type === "http"
    ? `${flow.request.method} ${flow.request.url}`
    : `the conversation with ${flow.hostname}:${flow.port}`;
}
