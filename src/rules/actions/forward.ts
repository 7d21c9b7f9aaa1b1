/**
 * The action `"forward"`.
 *
 * @module
 */
import { type BuiltInAction, constantPlan, defineAction } from "../action.ts";

/** Lets the flow go on: to the tape, or to the server. */
export const forward: BuiltInAction = defineAction(() =>
  constantPlan("forward", { needsBody: false, run: () => undefined })
);
