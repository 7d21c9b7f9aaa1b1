/** An addon that writes down every hook of a flow, and what of it. */
import type { Addon, Flow, HookName } from "../../src/mod.ts";
import { HOOKS } from "../../src/mod.ts";

/** The hooks that are about a flow. */
export const FLOW_HOOKS: readonly HookName[] = (Object.keys(HOOKS) as HookName[]).filter((name) => {
  return ["http", "websocket", "tcp"].includes(HOOKS[name].group) && name !== "httpConnect";
});

/** Which hooks end a flow. */
export const ENDINGS: readonly string[] = ["response", "websocketEnd", "error", "tcpEnd", "tcpError"];

export interface Recorder {
  readonly addon: Addon;
  /** The hooks of each flow, in order. */
  readonly seen: Map<Flow, string[]>;
  /** Those of the only flow. */
  readonly only: string[];
}

/** @param act is called in every hook, once that is written down */
export function record(act: (hook: HookName, flow: Flow) => unknown = () => {}, name = "recorder"): Recorder {
  const seen = new Map<Flow, string[]>();
  const only: string[] = [];
  const addon: Record<string, unknown> = { name };
  for (const hook of FLOW_HOOKS) {
    addon[hook] = (flow: Flow) => {
      if (!seen.has(flow)) seen.set(flow, []);
      seen.get(flow)!.push(hook);
      only.push(hook);
      return act(hook, flow);
    };
  }
  return { addon: addon as Addon, seen, only };
}

/** How often a flow was said to have ended. */
export function endings(hooks: readonly string[]): number {
  return hooks.filter((hook) => ENDINGS.includes(hook)).length;
}
