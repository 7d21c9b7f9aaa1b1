/**
 * The action `"drop"`.
 *
 * @module
 */
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";

/** Cuts the client's connection; the server never hears of the request. */
export const drop: ActionFunction = defineAction(() =>
  constantPlan("drop", {
    needsBody: false,
    run(flow) {
      flow.error = { code: "DROPPED", message: `${flow.request.method} ${flow.request.url} was dropped by a rule` };
    },
    tcp(flow) {
      flow.error = {
        code: "DROPPED",
        message: `the conversation with ${flow.hostname}:${flow.port} was dropped by a rule`,
      };
    },
  })
);
