/**
 * What to do with flows: rules, their actions, and the engine that applies them.
 *
 * @module
 */
export type { Action, ActionFunction } from "./action.ts";
export { delay } from "./actions/delay.ts";
export { drop } from "./actions/drop.ts";
export { type Edit, edit } from "./actions/edit.ts";
export { forward } from "./actions/forward.ts";
export type { BodyEdit, HeaderEdit } from "./actions/message_edit.ts";
export type { RequestEdit, RequestEditor } from "./actions/request_edit.ts";
export { respond, type Responder, type RespondResult } from "./actions/respond.ts";
export {
  respondWebSocket,
  type RespondWebSocketOptions,
  type WebSocketResponder,
} from "./actions/respond_websocket.ts";
export type { Respond } from "./actions/response_shape.ts";
export type { ResponseEdit, ResponseEditor } from "./actions/response_edit.ts";
export { always } from "./actions/always.ts";
export { rewrite, type RewriteOptions, type RewriteTarget } from "./actions/rewrite.ts";
export { type Scenario, scenario, type ScenarioStep } from "./actions/scenario.ts";
export { steps } from "./actions/steps.ts";
export { when } from "./actions/when.ts";
export { DefinedRule, rule, type RuleSettings } from "./defined_rule.ts";
export { Scenarios, ScenarioState } from "./scenarios.ts";
export { sequence } from "./actions/sequence.ts";
export { once, times } from "./actions/times.ts";
export { ask, type AskOptions } from "./ask/ask.ts";
export type { Distribution, JitterTime, LogNormalTime, NormalTime, UniformTime } from "./faults/distribution.ts";
export { fault } from "./faults/fault.ts";
export type { FaultKind, FaultOptions } from "./faults/fault_options.ts";
export { throttle, type ThrottleOptions } from "./faults/throttle.ts";
export type { Breakpoints, PausedOptions } from "./ask/breakpoints.ts";
export type { PausedFlow, PausePhase } from "./ask/paused_flow.ts";
export type { RuleLike } from "./compile_rules.ts";
export { type EngineOptions, RuleEngine } from "./engine.ts";
export { ruleOf, type RuleReport } from "./flow_state.ts";
export type { MswHandlerLike, MswRequestHandlerLike, MswRunOptions, MswWebSocketHandlerLike } from "./msw/mod.ts";
export type { Handle, RuleOptions } from "./rule_book.ts";
