/**
 * Addons that come along. Each goes into `addons`, for every flow, or for some with {@linkcode only}; and each is an action of a rule, for what
 * the rule matches.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { anticache, blockList, mapRemote, only } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [only({ host: "*.shop.test" }, anticache()), blockList([{ host: "*.metrics.test" }])],
 *   rules: [["https://api.shop.test/*", mapRemote("https://api.shop.test/", "http://127.0.0.1:4000/")]],
 * });
 * ```
 *
 * @module
 */
export type { JsonChange } from "../flow/json_edit.ts";
export type { JsonPatchOperation } from "../flow/json_patch.ts";
export { anticache } from "./anticache.ts";
export { anticomp } from "./anticomp.ts";
export { blockList, type BlockListOptions } from "./block_list.ts";
export {
  jsonRpc,
  type JsonRpcMethod,
  jsonRpcMethods,
  type JsonRpcReplier,
  type JsonRpcReply,
  jsonRpcReply,
  type JsonRpcShape,
} from "./json_rpc.ts";
export type { JsonRpcCall } from "./json_rpc_call.ts";
export { mapLocal, type MapLocalOptions } from "./map_local.ts";
export { mapRemote, type MapRemoteOptions } from "./map_remote.ts";
export {
  type BodyChange,
  type JsonMembersChange,
  type JsonPatchChange,
  type ModifyBody,
  modifyBody,
  type TextChange,
} from "./modify_body.ts";
export { type HeaderChanges, type ModifyHeaders, modifyHeaders } from "./modify_headers.ts";
export { only } from "./only.ts";
export { responses, type ResponsesOptions } from "./responses.ts";
export { stickyAuth } from "./sticky_auth.ts";
export { stickyCookie } from "./sticky_cookie.ts";
export type { UrlStart } from "./url_prefix.ts";
export { type Webhook, webhook, type WebhookOptions } from "./webhook.ts";
export type { WebhookMessage, WebhookReport } from "./webhook_report.ts";
