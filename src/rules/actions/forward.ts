/**
 * The action `"forward"`.
 *
 * @module
 */
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";

/** Lets the flow go on: to the tape, or to the server. */
export const forward: ActionFunction = defineAction(() =>
  constantPlan("forward", { needsBody: false, run: () => undefined, tcp: () => undefined })
);
