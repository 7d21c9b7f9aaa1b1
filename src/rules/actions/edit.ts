/**
 * The action `edit()`.
 *
 * @module
 */
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";
import { checkObject } from "../check.ts";
import { addResponseWork, type ResponseWork } from "../flow_state.ts";
import { compileRequestEdit, type RequestEdit, type RequestEditor } from "./request_edit.ts";
import { compileResponseEdit, type ResponseEdit, type ResponseEditor } from "./response_edit.ts";
import { OptionsError } from "../../flow/error.ts";

/** What {@linkcode edit} takes. */
export interface Edit {
  /** What to change in the request before it goes on. */
  request?: RequestEdit | RequestEditor;
  /** What to change in the response, wherever it comes from. */
  response?: ResponseEdit | ResponseEditor;
}

/**
 * Changes the request, the response or both; the flow goes on to the tape or the server. Changes of the head are made
 * when the head is there and let the body stream; a changed body, or a function, waits for the whole message.
 * The bodies of server-sent events have passed by then: only their head can be edited.
 *
 * @example
 * ```ts
 * import { edit, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["https://api.test/*", edit({
 *       request: { headers: { authorization: "Bearer test", "x-debug": null } },
 *       response: (response) => {
 *         response.body = response.text().replaceAll("prod", "test");
 *       },
 *     })],
 *   ],
 * });
 * ```
 */
export function edit(changes: Edit): ActionFunction {
  checkObject(changes, ["request", "response"], "edit()");
  if (changes.request === undefined && changes.response === undefined) {
    throw new OptionsError("edit() takes a request, a response, or both");
  }
  const request = changes.request && compileRequestEdit(changes.request);
  const response = changes.response && compileResponseEdit(changes.response);
  const responseWork: ResponseWork | undefined = response && {
    needsBody: response.needsBody,
    run: (flow) => flow.response && response.apply(flow.response, flow),
  };
  const parts = Object.entries({ request, response }).filter(([, part]) => part).map(([name]) => name);
  return defineAction(() =>
    constantPlan(`edit ${parts.join(" and ")}`, {
      needsBody: request?.needsBody ?? false,
      run(flow) {
        if (responseWork) addResponseWork(flow, responseWork);
        return request?.apply(flow.request, flow);
      },
    })
  );
}
